import {
  type Atom,
  add,
  asConstant,
  constant,
  type Dim,
  fromAtom,
  isOverflow,
  mul,
  power,
  sub,
  type Term,
  zero,
} from './polynomial.ts';

/**
 * Returns the `q` with `a == b * q` as polynomials over variables and atoms; undefined if there is none. Uses no
 * facts.
 */
export function exactQuotient(a: Dim, b: Dim): Dim | undefined {
  if (isOverflow(a) || isOverflow(b)) return undefined;
  const by = asConstant(b);
  if (by === 1) return a;
  if (by === 0) return undefined;
  if (a.key === b.key) return constant(1);
  const atoms = atomsOf([...a.terms, ...b.terms]);
  const lead = leading(b, atoms);
  let rest = a;
  let quotient = zero;
  while (rest.terms.length > 0) {
    const part = termQuotient(leading(rest, atoms), lead, atoms);
    if (part === undefined) return undefined;
    quotient = add(quotient, part);
    rest = sub(rest, mul(part, b));
  }
  return quotient;
}

/** The distinct atoms of some terms, sorted by key. */
function atomsOf(terms: readonly Term[]): readonly Atom[] {
  const byKey = new Map(terms.flatMap(({ monomial }) => monomial.factors.map(({ atom }) => [atom.key, atom] as const)));
  return [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

function exponent({ monomial }: Term, atom: Atom): number {
  return monomial.factors.find((factor) => factor.atom.key === atom.key)?.power ?? 0;
}

/**
 * The leading term in lexicographic order. It is a monomial order (products respect it), so dividing by it finds
 * every exact quotient.
 */
function leading(d: Dim, atoms: readonly Atom[]): Term {
  return d.terms.reduce((best, term) => {
    for (const atom of atoms) {
      const difference = exponent(term, atom) - exponent(best, atom);
      if (difference !== 0) return difference > 0 ? term : best;
    }
    return best;
  });
}

function termQuotient(a: Term, b: Term, atoms: readonly Atom[]): Dim | undefined {
  if (a.coefficient % b.coefficient !== 0) return undefined;
  let quotient = constant(a.coefficient / b.coefficient);
  for (const atom of atoms) {
    const left = exponent(a, atom) - exponent(b, atom);
    if (left < 0) return undefined;
    if (left > 0) quotient = mul(quotient, power(fromAtom(atom), left));
  }
  return quotient;
}
