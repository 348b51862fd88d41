import type { Facts } from '../dims/facts.ts';
import type { Guard } from './graph.ts';

/**
 * A guard in a form that other programs can evaluate: static values are numbers, and only dims of the inputs are left.
 */
export interface GuardCondition {
  /** The whole condition: `T <= 512`, `H % 32 == 0`. */
  readonly condition: string;
  readonly left: string;
  readonly relation: Guard['relation'];
  readonly right: string;
  /** With `%`: left % right == remainder. */
  readonly remainder?: number;
  /** The condition as written in the source: `T <= text.positions`. */
  readonly source: string;
}

export function guardCondition({ left, relation, right, remainder = 0, text }: Guard, facts: Facts): GuardCondition {
  const [a, b] = [facts.show(left), facts.show(right)];
  if (relation !== '%') return { condition: `${a} ${relation} ${b}`, left: a, relation, right: b, source: text };
  const condition = `${a.includes(' ') ? `(${a})` : a} % ${b} == ${remainder}`;
  return { condition, left: a, relation, right: b, remainder, source: text };
}
