import {
  type Atom,
  addConstant,
  collect,
  constantTerm,
  type Dim,
  type FloorAtom,
  isOverflow,
  soleAtom,
  type Term,
} from './polynomial.ts';

/** Whether k is known to divide p, so that `p/k` is exact and prints without a floor. */
export type Exact = (p: Dim, k: number) => boolean;

/** A term as printed: |coefficient| times factors. */
interface Item {
  readonly coefficient: number;
  readonly factors: readonly string[];
}

/** Returns a dim in crob syntax. The text parses to the same dim, except for `overflow`, which has no syntax. */
export function print(d: Dim): string {
  return printWith(d, () => false);
}

/** Like `print`, with `p/k` for floor(p/k) if the division is exact. */
export function printWith(d: Dim, exact: Exact): string {
  if (isOverflow(d)) return 'beyond 2^53';
  const items = itemsOf(d, exact);
  if (items.length === 0) return '0';
  const first = items.findIndex((item) => item.coefficient > 0);
  const ordered = first > 0 ? [items[first]!, ...items.slice(0, first), ...items.slice(first + 1)] : items;
  return ordered
    .map((item, i) => {
      const sign = item.coefficient < 0 ? (i === 0 ? '-' : ' - ') : i === 0 ? '' : ' + ';
      return sign + printItem(item, i === 0 && sign === '');
    })
    .join('');
}

function printItem({ coefficient, factors }: Item, bare: boolean): string {
  const size = Math.abs(coefficient);
  if (factors.length === 0) return String(size);
  if (factors.length === 1 && size === 1) {
    const [factor] = factors;
    return isRemainder(factor!) && !bare ? `(${factor})` : factor!;
  }
  const shown = factors.map((factor) => (isRemainder(factor) ? `(${factor})` : factor));
  return (size === 1 ? shown : [String(size), ...shown]).join('*');
}

function isRemainder(factor: string): boolean {
  return factor.includes(' % ') && !/^[a-z]+\(.*\)(\^\d+)?$/.test(factor);
}

/** Converts terms to items and recognises remainders: c*p - c*k*floor(p/k) is c*(p % k). */
function itemsOf(d: Dim, exact: Exact): Item[] {
  const left = new Map(d.terms.map((t) => [t.monomial.key, t]));
  const remainders = new Map<string, Item>();
  for (const term of d.terms) {
    const atom = soleAtom(term.monomial);
    if (atom?.kind !== 'floor' || term.coefficient % atom.by !== 0 || exact(atom.of, atom.by)) continue;
    const ceiling = constantTerm(atom.of) === atom.by - 1 && term.coefficient > 0;
    const times = Math.abs(term.coefficient / atom.by);
    const dividend = ceiling ? addConstant(atom.of, 1 - atom.by) : atom.of;
    const sign = ceiling ? -1 : 1;
    if ((!ceiling && term.coefficient > 0) || !take(left, dividend, sign * times)) continue;
    left.delete(term.monomial.key);
    const text = printWith(dividend, exact);
    const grouped = dividend.terms.length > 1 ? `(${text})` : text;
    remainders.set(term.monomial.key, {
      coefficient: times,
      factors: [`${ceiling ? '-' : ''}${grouped} % ${atom.by}`],
    });
  }
  const items: Item[] = [];
  for (const { monomial } of d.terms) {
    const remainder = remainders.get(monomial.key);
    if (remainder) items.push(remainder);
    const term = left.get(monomial.key);
    if (term) items.push({ coefficient: term.coefficient, factors: factorsOf(term, exact) });
  }
  // A constant that a remainder has taken although the sum had none.
  const last = left.get('');
  if (last && !d.terms.some((t) => t.monomial.key === '')) items.push({ coefficient: last.coefficient, factors: [] });
  return items;
}

/** Subtracts c*p if all its symbolic terms occur exactly; the constant may become negative. */
function take(left: Map<string, Term>, p: Dim, c: number): boolean {
  const symbolic = p.terms.filter((t) => t.monomial.key !== '');
  if (!symbolic.every((t) => left.get(t.monomial.key)?.coefficient === c * t.coefficient)) return false;
  const owed = c * constantTerm(p);
  const now = (left.get('')?.coefficient ?? 0) - owed;
  if (!Number.isSafeInteger(owed) || !Number.isSafeInteger(now)) return false;
  for (const t of symbolic) left.delete(t.monomial.key);
  if (owed === 0) return true;
  const rest = collect([{ coefficient: now, monomial: { key: '', degree: 0, factors: [] } }]).terms[0];
  if (rest) left.set('', rest);
  else left.delete('');
  return true;
}

function factorsOf(term: Term, exact: Exact): string[] {
  return term.monomial.factors.map(({ atom, power }) => {
    const text = printAtom(atom, exact);
    if (power === 1) return text;
    return atom.kind === 'floor' && exact(atom.of, atom.by) ? `(${text})^${power}` : `${text}^${power}`;
  });
}

function printAtom(atom: Atom, exact: Exact): string {
  switch (atom.kind) {
    case 'variable':
      return atom.name;
    case 'floor':
      return printFloor(atom, exact);
    default:
      return atom.of.map((d) => printWith(d, exact)).reduce((a, b) => `${atom.kind}(${a}, ${b})`);
  }
}

function printFloor({ of, by }: FloorAtom, exact: Exact): string {
  if (exact(of, by)) return quotient(of, by, exact);
  if (constantTerm(of) === by - 1) return `ceil(${quotient(addConstant(of, 1 - by), by, exact)})`;
  return `floor(${quotient(of, by, exact)})`;
}

function quotient(p: Dim, k: number, exact: Exact): string {
  const text = printWith(p, exact);
  return p.terms.length > 1 ? `(${text})/${k}` : `${text}/${k}`;
}
