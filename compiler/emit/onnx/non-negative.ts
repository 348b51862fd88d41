import { asConstant } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import { rangesUnder } from '../../graphs/value-range.ts';
import type { Value } from '../../ir/graph.ts';

/** What is known of the sign of an i32 value. A sum or product that wraps changes its sign. */
export type Sign = 'not negative' | 'far from the least' | 'unknown';

export function signOf(value: Value, facts: Facts): Sign {
  if (isNonNegative(value, facts)) return 'not negative';
  const { low } = rangesUnder(facts)(value);
  const least = low && (asConstant(low.at) ?? 0);
  return least !== undefined && least >= -(2 ** 30) ? 'far from the least' : 'unknown';
}

/** Whether a sum or product stays within 32 bits; a value that may wrap has no bounds. */
function isBounded(value: Value, facts: Facts): boolean {
  const { low, high } = rangesUnder(facts)(value);
  return low !== undefined && high !== undefined;
}

/** Whether an i32 value is proved to be non-negative, as in most index arithmetic. */
function isNonNegative(value: Value, facts: Facts): boolean {
  const { node } = value;
  const input = (i: number) => isNonNegative(node.inputs[i]!, facts);
  switch (node.op) {
    case 'iota':
    case 'mod':
      return true;
    case 'topk':
      // Indices are never negative; values have the sign of their input.
      return value.index === 1 || input(0);
    case 'dim':
      return facts.interval(node.attributes.value).lo >= 0;
    case 'full':
      return node.attributes.value >= 0;
    case 'constant':
      return node.attributes.tensor.data.every((x) => x >= 0);
    case 'reshape':
    case 'transpose':
    case 'broadcast':
    case 'slice':
    case 'gather':
    case 'floordiv':
      return input(0);
    case 'cast':
      return node.inputs[0].type.dtype === 'bool' || input(0);
    case 'add':
    case 'mul':
      return input(0) && input(1) && isBounded(value, facts);
    case 'min':
      return input(0) && input(1);
    case 'max':
      return input(0) || input(1);
    default:
      return false;
  }
}
