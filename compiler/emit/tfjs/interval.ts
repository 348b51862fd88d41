import type { Value } from '../../ir/graph.ts';
import type { Emission } from './emission.ts';

interface Interval {
  readonly low: number;
  readonly high: number;
}

const unknown: Interval = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/** Whether every element of an index lies in 0..rows-1, as far as the graph tells. */
export function isWithin(index: Value, rows: number, emission: Emission): boolean {
  const { low, high } = interval(index, emission, 24);
  return low >= 0 && high <= rows - 1;
}

/** Between what the elements of a value lie. NaN, as an integer, is 0, which every clamp of coordinates includes. */
function interval(value: Value, emission: Emission, depth: number): Interval {
  const { node } = value;
  if (depth === 0) return unknown;
  const of = (i: number) => interval(node.inputs[i]!, emission, depth - 1);
  switch (node.op) {
    case 'constant': {
      let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (const x of node.attributes.tensor.data) [low, high] = [Math.min(low, x), Math.max(high, x)];
      return { low, high };
    }
    case 'full':
      return { low: node.attributes.value, high: node.attributes.value };
    case 'iota':
      return { low: 0, high: emission.size(node.attributes.n) - 1 };
    case 'dim': {
      const size = emission.size(node.attributes.value);
      return { low: size, high: size };
    }
    case 'reshape':
    case 'transpose':
    case 'broadcast':
    case 'slice':
    case 'stop_gradient':
    case 'barrier':
    case 'relu':
    case 'floor':
    case 'cast': {
      const x = of(0);
      if (node.op === 'relu') return { low: Math.max(0, x.low), high: Math.max(0, x.high) };
      if (node.op === 'floor') return { low: Math.floor(x.low), high: Math.floor(x.high) };
      return x;
    }
    case 'gather':
      return of(0);
    case 'topk':
      return value.index === 0 ? of(0) : { low: 0, high: emission.shape(node.inputs[0]!).at(-1)! - 1 };
    case 'concat':
      return node.inputs.map((_, i) => of(i)).reduce(union);
    case 'select':
      return union(of(1), of(2));
    case 'add': {
      const [a, b] = [of(0), of(1)];
      return { low: a.low + b.low, high: a.high + b.high };
    }
    case 'sub': {
      const [a, b] = [of(0), of(1)];
      return { low: a.low - b.high, high: a.high - b.low };
    }
    case 'mul': {
      const [a, b] = [of(0), of(1)];
      const corners = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high];
      return corners.some(Number.isNaN) ? unknown : { low: Math.min(...corners), high: Math.max(...corners) };
    }
    case 'min': {
      const [a, b] = [of(0), of(1)];
      return { low: Math.min(a.low, b.low), high: Math.min(a.high, b.high) };
    }
    case 'max': {
      const [a, b] = [of(0), of(1)];
      return { low: Math.max(a.low, b.low), high: Math.max(a.high, b.high) };
    }
    case 'mod': {
      const by = of(1);
      return by.low >= 1 ? { low: 0, high: by.high - 1 } : unknown;
    }
    default:
      return unknown;
  }
}

function union(a: Interval, b: Interval): Interval {
  return { low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) };
}
