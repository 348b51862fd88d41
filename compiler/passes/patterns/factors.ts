import type { Value } from '../../ir/graph.ts';
import { numberOf } from '../match.ts';

/** A factored product: `number` times each of `values`. */
export interface Factors {
  readonly number: number;
  readonly values: readonly Value[];
}

/** Factors a value by looking through mul, neg, division by a number, and small integer powers. */
export function factorsOf(value: Value): Factors {
  const number = numberOf(value);
  if (number !== undefined) return { number, values: [] };
  const { node } = value;
  switch (node.op) {
    case 'mul':
      return multiply(factorsOf(node.inputs[0]!), factorsOf(node.inputs[1]!));
    case 'neg':
      return multiply({ number: -1, values: [] }, factorsOf(node.inputs[0]!));
    case 'div': {
      const divisor = numberOf(node.inputs[1]!);
      if (divisor === undefined) return { number: 1, values: [value] };
      return multiply({ number: 1 / divisor, values: [] }, factorsOf(node.inputs[0]!));
    }
    case 'pow': {
      const exponent = numberOf(node.inputs[1]!);
      if (exponent !== 2 && exponent !== 3) return { number: 1, values: [value] };
      const base = factorsOf(node.inputs[0]!);
      return exponent === 2 ? multiply(base, base) : multiply(base, multiply(base, base));
    }
    default:
      return { number: 1, values: [value] };
  }
}

function multiply(a: Factors, b: Factors): Factors {
  return { number: a.number * b.number, values: [...a.values, ...b.values] };
}

/** Published formulas round their numbers to six digits or more, so a relative error of 2e-6 is accepted. */
export function isAbout(x: number, wanted: number): boolean {
  return Math.abs(x - wanted) <= 2e-6 * Math.abs(wanted);
}
