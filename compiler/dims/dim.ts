import { exact } from './integers.ts';
import { type Dim, isOverflow } from './polynomial.ts';

export { max, min } from './extremum.ts';
export {
  add,
  asConstant,
  asVariable,
  constant,
  type Dim,
  isOverflow,
  mostTerms,
  mul,
  negate,
  one,
  overflow,
  power,
  product,
  sub,
  sum,
  variable,
  variables,
  zero,
} from './polynomial.ts';
export { print } from './print.ts';
export { ceilDiv, divideExactly, floorDiv, mod } from './quotient.ts';
export { substitute } from './substitute.ts';

/**
 * Returns the value of d for given values of its variables; NaN if the result or an intermediate value exceeds 2^53.
 */
export function evaluate(d: Dim, at: (variable: string) => number): number {
  let total = 0;
  for (const { coefficient, monomial } of d.terms) {
    let value = coefficient;
    for (const { atom, power } of monomial.factors) {
      let n: number;
      if (atom.kind === 'variable') n = at(atom.name);
      else if (atom.kind === 'floor') n = Math.floor(evaluate(atom.of, at) / atom.by);
      else n = Math[atom.kind](...atom.of.map((of) => evaluate(of, at)));
      for (let i = 0; i < power; i++) value *= n;
    }
    total = exact(total + exact(value));
  }
  return total + 0;
}

/** Constructors with which `fold` builds a dim in another representation. */
export interface DimCases<T> {
  constant(n: number): T;
  variable(name: string): T;
  /** At least two items. */
  add(items: T[]): T;
  /** At least two items; a coefficient comes first, a power is a repeated item. */
  mul(items: T[]): T;
  floorDiv(a: T, k: number): T;
  min(a: T, b: T): T;
  max(a: T, b: T): T;
}

/**
 * Rebuilds a dim in another representation, such as that of an emitter. Throws on `overflow`, which an emitter never
 * gets.
 */
export function fold<T>(d: Dim, cases: DimCases<T>): T {
  if (isOverflow(d)) throw new Error('bug in crobc: a size beyond 2^53 went on behind its diagnostic');
  const terms = d.terms.map(({ coefficient, monomial }) => {
    const items: T[] = coefficient === 1 && monomial.factors.length > 0 ? [] : [cases.constant(coefficient)];
    for (const { atom, power } of monomial.factors) {
      let item: T;
      if (atom.kind === 'variable') item = cases.variable(atom.name);
      else if (atom.kind === 'floor') item = cases.floorDiv(fold(atom.of, cases), atom.by);
      else {
        const { kind } = atom;
        item = atom.of.map((of) => fold(of, cases)).reduce((a, b) => cases[kind](a, b));
      }
      for (let i = 0; i < power; i++) items.push(item);
    }
    return items.length === 1 ? items[0]! : cases.mul(items);
  });
  if (terms.length === 0) return cases.constant(0);
  return terms.length === 1 ? terms[0]! : cases.add(terms);
}
