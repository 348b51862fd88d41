import { exact } from './integers.ts';

/**
 * An integer polynomial over atoms in canonical form: terms by descending degree and then by key, no zero
 * coefficients. Immutable. Two dims are the same polynomial if and only if their keys are equal.
 */
export interface Dim {
  readonly key: string;
  readonly terms: readonly Term[];
}

export interface Term {
  readonly coefficient: number;
  readonly monomial: Monomial;
}

/** A product of atoms, sorted by key; the empty product belongs to the constant term. */
export interface Monomial {
  readonly key: string;
  readonly degree: number;
  readonly factors: readonly Factor[];
}

export interface Factor {
  readonly atom: Atom;
  readonly power: number;
}

export type Atom = VariableAtom | FloorAtom | ExtremumAtom;

export interface VariableAtom {
  readonly kind: 'variable';
  readonly key: string;
  readonly degree: 1;
  readonly name: string;
}

/** floor(of / by) with by >= 2, in the canonical form of `floorDiv`. */
export interface FloorAtom {
  readonly kind: 'floor';
  readonly key: string;
  readonly degree: number;
  readonly of: Dim;
  readonly by: number;
}

/** The minimum or maximum of two or more dims. */
export interface ExtremumAtom {
  readonly kind: 'min' | 'max';
  readonly key: string;
  readonly degree: number;
  readonly of: readonly Dim[];
}

export const unit: Monomial = { key: '', degree: 0, factors: [] };
export const zero: Dim = { key: '0', terms: [] };
export const one: Dim = { key: '1', terms: [{ coefficient: 1, monomial: unit }] };

/**
 * The maximum number of terms of a product before like terms are combined: the fourth power of a sum of 60 dims has
 * two million, and took a minute.
 */
export const mostTerms = 65_536;

/**
 * The result of an operation in which a number exceeds 2^53, or a product has more than `mostTerms` terms. It
 * behaves like NaN: it propagates through all operations, is not constant, nothing is proved about it, and it does
 * not equal itself. No other dim has a NaN coefficient.
 */
export const overflow: Dim = { key: 'beyond 2^53', terms: [{ coefficient: Number.NaN, monomial: unit }] };

/**
 * Whether d is `overflow`. Hot code compares with `overflow` directly, since there the call costs more than the
 * comparison.
 */
export function isOverflow(d: Dim): boolean {
  return d === overflow;
}

function compare(a: Monomial, b: Monomial): number {
  return b.degree - a.degree || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

/**
 * Recently created dims by key, so that an equal dim is the same object and keeps its cached data. Nothing depends
 * on this: equality is equality of keys.
 */
const recent = new Map<string, Dim>();
const mostRecent = 50_000;

function shared(key: string, terms: readonly Term[]): Dim {
  const known = recent.get(key);
  if (known) return known;
  if (recent.size >= mostRecent) recent.clear();
  const d = { key, terms };
  recent.set(key, d);
  return d;
}

/** Terms must be sorted and have no zero coefficients. A NaN coefficient gives `overflow`. */
function fromSorted(terms: readonly Term[]): Dim {
  if (terms.length === 0) return zero;
  let key = '';
  // Indexed loops, here and in other hot code: a check ends before V8 would optimise the iterators away.
  for (let i = 0; i < terms.length; i++) {
    const { coefficient, monomial } = terms[i]!;
    if (coefficient > 0) {
      if (i > 0) key += '+';
    } else if (Number.isNaN(coefficient)) return overflow;
    if (monomial === unit || monomial.key === '') key += coefficient;
    else if (coefficient === 1) key += monomial.key;
    else key += `${coefficient}*${monomial.key}`;
  }
  return shared(key, terms);
}

/** Returns the sum of terms, which may be in any order. */
export function collect(terms: Iterable<Term>): Dim {
  const byKey = new Map<string, Term>();
  for (const term of terms) {
    const known = byKey.get(term.monomial.key);
    byKey.set(
      term.monomial.key,
      known ? { coefficient: exact(known.coefficient + term.coefficient), monomial: term.monomial } : term,
    );
  }
  const kept = [...byKey.values()].filter((t) => t.coefficient !== 0);
  return fromSorted(kept.sort((a, b) => compare(a.monomial, b.monomial)));
}

/** Returns the constant dim n, for an integer n; `overflow` beyond 2^53. */
export function constant(n: number): Dim {
  if (n === 0) return zero;
  if (n === 1) return one;
  if (!Number.isSafeInteger(n)) return overflow;
  return shared(String(n), [{ coefficient: n, monomial: unit }]);
}

/** Returns the variable for a size: `H`, `B`, `H[0]`. It is at least 1 unless a fact says otherwise. */
export function variable(name: string): Dim {
  return recent.get(name) ?? fromAtom({ kind: 'variable', key: name, degree: 1, name });
}

export function fromAtom(atom: Atom): Dim {
  const monomial = { key: atom.key, degree: atom.degree, factors: [{ atom, power: 1 }] };
  return shared(atom.key, [{ coefficient: 1, monomial }]);
}

export function fromMonomial(monomial: Monomial): Dim {
  return fromSorted([{ coefficient: 1, monomial }]);
}

export function add(a: Dim, b: Dim): Dim {
  if (a.terms.length === 0) return b;
  if (b.terms.length === 0) return a;
  const terms: Term[] = [];
  let i = 0;
  let j = 0;
  while (i < a.terms.length && j < b.terms.length) {
    const s = a.terms[i]!;
    const t = b.terms[j]!;
    const order = compare(s.monomial, t.monomial);
    if (order < 0) terms.push(s);
    else if (order > 0) terms.push(t);
    else {
      const coefficient = exact(s.coefficient + t.coefficient);
      if (coefficient !== 0) terms.push({ coefficient, monomial: s.monomial });
    }
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  for (; i < a.terms.length; i++) terms.push(a.terms[i]!);
  for (; j < b.terms.length; j++) terms.push(b.terms[j]!);
  return fromSorted(terms);
}

export function scale(a: Dim, n: number): Dim {
  if (n === 1) return a;
  if (a === overflow || Number.isNaN(n)) return overflow;
  if (n === 0) return zero;
  return fromSorted(a.terms.map((t) => ({ coefficient: exact(t.coefficient * n), monomial: t.monomial })));
}

export function negate(a: Dim): Dim {
  return scale(a, -1);
}

export function sub(a: Dim, b: Dim): Dim {
  return a.key === b.key && a !== overflow ? zero : add(a, negate(b));
}

export function addConstant(a: Dim, n: number): Dim {
  return n === 0 ? a : add(a, constant(n));
}

export function mulMonomials(a: Monomial, b: Monomial): Monomial {
  if (a.factors.length === 0) return b;
  if (b.factors.length === 0) return a;
  const factors: Factor[] = [];
  let i = 0;
  let j = 0;
  while (i < a.factors.length && j < b.factors.length) {
    const f = a.factors[i]!;
    const g = b.factors[j]!;
    if (f.atom.key === g.atom.key) {
      factors.push({ atom: f.atom, power: f.power + g.power });
      i++;
      j++;
    } else if (f.atom.key < g.atom.key) {
      factors.push(f);
      i++;
    } else {
      factors.push(g);
      j++;
    }
  }
  return monomialOf([...factors, ...a.factors.slice(i), ...b.factors.slice(j)]);
}

/** The product of factors, which must be sorted by key. */
export function monomialOf(factors: readonly Factor[]): Monomial {
  if (factors.length === 0) return unit;
  let degree = 0;
  let key = '';
  for (let i = 0; i < factors.length; i++) {
    const { atom, power } = factors[i]!;
    degree += atom.degree * power;
    if (i > 0) key += '*';
    key += power === 1 ? atom.key : `${atom.key}^${power}`;
  }
  return { key, degree, factors };
}

/** Returns the c with a = b*c; undefined if a does not contain all factors of b. */
export function divideMonomials(a: Monomial, b: Monomial): Monomial | undefined {
  if (b.factors.length === 0) return a;
  const factors: Factor[] = [];
  let matched = 0;
  for (const f of a.factors) {
    const power = f.power - (b.factors.find((g) => g.atom.key === f.atom.key)?.power ?? 0);
    if (power < 0) return undefined;
    if (power > 0) factors.push(power === f.power ? f : { atom: f.atom, power });
    if (power !== f.power) matched++;
  }
  return matched === b.factors.length ? monomialOf(factors) : undefined;
}

export function mul(a: Dim, b: Dim): Dim {
  if (a === overflow || b === overflow || a.terms.length * b.terms.length > mostTerms) return overflow;
  if (a.terms.length === 0 || b.terms.length === 0) return zero;
  if (a.terms.length === 1 && a.terms[0]!.monomial.degree === 0) return scale(b, a.terms[0]!.coefficient);
  if (b.terms.length === 1 && b.terms[0]!.monomial.degree === 0) return scale(a, b.terms[0]!.coefficient);
  const terms: Term[] = [];
  for (const s of a.terms) {
    for (const t of b.terms) {
      const coefficient = exact(s.coefficient * t.coefficient);
      terms.push({ coefficient, monomial: mulMonomials(s.monomial, t.monomial) });
    }
  }
  return terms.length === 1 ? fromSorted(terms) : collect(terms);
}

/** Returns a^n, for n >= 0. */
export function power(a: Dim, n: number): Dim {
  if (!Number.isSafeInteger(n) || n < 0) throw new Error(`bug in crobc: a dim to the power ${n}`);
  let result = a === overflow ? overflow : one;
  for (let i = 0; i < n; i++) result = mul(result, a);
  return result;
}

export function sum(dims: readonly Dim[]): Dim {
  if (dims.length <= 2) return dims.reduce(add, zero);
  return collect(dims.flatMap((d) => d.terms));
}

export function product(dims: readonly Dim[]): Dim {
  let coefficient = 1;
  const factors: Factor[] = [];
  let others = one;
  let isZero = false;
  for (let i = 0; i < dims.length; i++) {
    const d = dims[i]!;
    const only = d.terms[0];
    if (d === overflow) return overflow;
    if (!only) {
      isZero = true;
      continue;
    }
    if (d.terms.length > 1) {
      others = mul(others, d);
      continue;
    }
    if (only.coefficient !== 1) coefficient = exact(coefficient * only.coefficient);
    const own = only.monomial.factors;
    for (let j = 0; j < own.length; j++) gather(factors, own[j]!);
  }
  return isZero ? zero : mul(fromSorted([{ coefficient, monomial: monomialOf(factors) }]), others);
}

/** Multiplies sorted factors by one more, in place; each atom stays one factor. */
function gather(factors: Factor[], factor: Factor): void {
  const { key } = factor.atom;
  let at = factors.length;
  while (at > 0 && factors[at - 1]!.atom.key > key) at--;
  const same = factors[at - 1];
  if (same?.atom.key === key) factors[at - 1] = { atom: same.atom, power: same.power + factor.power };
  else if (at === factors.length) factors.push(factor);
  else factors.splice(at, 0, factor);
}

export function asConstant(d: Dim): number | undefined {
  if (d.terms.length === 0) return 0;
  const term = d.terms[0]!;
  return d.terms.length === 1 && term.monomial.factors.length === 0 && d !== overflow ? term.coefficient : undefined;
}

/** Returns the atom if the dim is a single atom. */
export function asAtom(d: Dim): Atom | undefined {
  const term = d.terms[0];
  if (d.terms.length !== 1 || !term || term.coefficient !== 1) return undefined;
  return soleAtom(term.monomial);
}

/** Returns the atom if the monomial is a single atom to the first power. */
export function soleAtom(monomial: Monomial): Atom | undefined {
  const factor = monomial.factors[0];
  return monomial.factors.length === 1 && factor && factor.power === 1 ? factor.atom : undefined;
}

export function asVariable(d: Dim): string | undefined {
  const atom = asAtom(d);
  return atom?.kind === 'variable' ? atom.name : undefined;
}

/** Returns the constant term; NaN for `overflow`. */
export function constantTerm(d: Dim): number {
  const last = d.terms[d.terms.length - 1];
  return last && last.monomial.factors.length === 0 ? last.coefficient : 0;
}

/** Returns the terms other than the constant. */
export function symbolicTerms(d: Dim): readonly Term[] {
  return constantTerm(d) === 0 ? d.terms : d.terms.slice(0, -1);
}

const none: ReadonlySet<string> = new Set();

/** Returns the names of all variables in d, including those inside atoms, sorted. */
export function variables(d: Dim): ReadonlySet<string> {
  if (d.terms.length === 0) return none;
  const names = new Set<string>();
  for (const { monomial } of d.terms) {
    for (const { atom } of monomial.factors) {
      for (const name of atomVariables(atom)) names.add(name);
    }
  }
  return names.size < 2 ? names : new Set([...names].sort());
}

export function atomVariables(atom: Atom): Iterable<string> {
  if (atom.kind === 'variable') return [atom.name];
  if (atom.kind === 'floor') return variables(atom.of);
  return atom.of.flatMap((d) => [...variables(d)]);
}

/** Whether d contains one of the names; faster than `variables`. */
export function mentions(d: Dim, names: { has(name: string): boolean }): boolean {
  for (let i = 0; i < d.terms.length; i++) {
    const { factors } = d.terms[i]!.monomial;
    for (let j = 0; j < factors.length; j++) if (atomMentions(factors[j]!.atom, names)) return true;
  }
  return false;
}

export function atomMentions(atom: Atom, names: { has(name: string): boolean }): boolean {
  if (atom.kind === 'variable') return names.has(atom.name);
  return atom.kind === 'floor' ? mentions(atom.of, names) : atom.of.some((d) => mentions(d, names));
}
