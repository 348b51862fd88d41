import type { Facts } from '../../dims/facts.ts';
import type { Value } from '../../ir/graph.ts';

/** Whether an i32 value is certainly never negative: index arithmetic mostly is. */
export function isNonNegative(value: Value, facts: Facts): boolean {
  const { node } = value;
  const input = (i: number) => isNonNegative(node.inputs[i]!, facts);
  switch (node.op) {
    case 'iota':
    case 'mod':
    case 'topk':
      return true;
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
      return node.inputs[0]!.type.dtype === 'bool' || input(0);
    case 'add':
    case 'mul':
    case 'min':
      return input(0) && input(1);
    case 'max':
      return input(0) || input(1);
    default:
      return false;
  }
}
