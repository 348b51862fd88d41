import { evaluate } from './dim.ts';
import { euclidean } from './integers.ts';
import { type Dim, overflow, variables } from './polynomial.ts';
import { print } from './print.ts';

/** A condition that a `where` can state about dims. */
export type Clause =
  | { readonly kind: 'eq' | 'le' | 'lt'; readonly left: Dim; readonly right: Dim }
  | { readonly kind: 'mod'; readonly value: Dim; readonly modulus: number; readonly remainder: number };

export const signs = { eq: '==', le: '<=', lt: '<' } as const;

/** Returns the clause in crob syntax: `H % 32 == 0`, `T <= 512`. */
export function showClause(c: Clause, show: (d: Dim) => string = print): string {
  if (c.kind !== 'mod') return `${show(c.left)} ${signs[c.kind]} ${show(c.right)}`;
  const value = show(c.value);
  const grouped = c.value.terms.length > 1 && / /.test(value) ? `(${value})` : value;
  return `${grouped} % ${c.modulus} == ${c.remainder}`;
}

export function clauseVariables(c: Clause): ReadonlySet<string> {
  return c.kind === 'mod' ? variables(c.value) : new Set([...variables(c.left), ...variables(c.right)]);
}

/** Whether a side of the clause is `overflow`, about which nothing is known. */
export function isBeyond(c: Clause): boolean {
  return c.kind === 'mod' ? c.value === overflow : c.left === overflow || c.right === overflow;
}

/** Returns the two numbers that a clause compares at a point; NaN beyond 2^53. */
export function sidesAt(c: Clause, at: (variable: string) => number): { left: number; right: number } {
  if (c.kind === 'mod')
    return { left: euclidean(evaluate(c.value, at), c.modulus), right: euclidean(c.remainder, c.modulus) };
  return { left: evaluate(c.left, at), right: evaluate(c.right, at) };
}

/** Whether the clause is false at a point; with a side beyond 2^53 it counts as neither true nor false. */
export function failsAt(c: Clause, at: (variable: string) => number): boolean {
  const { left, right } = sidesAt(c, at);
  if (Number.isNaN(left) || Number.isNaN(right)) return false;
  return c.kind === 'le' ? left > right : c.kind === 'lt' ? left >= right : left !== right;
}

export function holdsAt(c: Clause, at: (variable: string) => number): boolean {
  const { left, right } = sidesAt(c, at);
  return c.kind === 'le' ? left <= right : c.kind === 'lt' ? left < right : left === right;
}
