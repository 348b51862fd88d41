import type { Value } from '../ir/graph.ts';
import { producer } from './match.ts';
import { type Rule, rule } from './rule.ts';

/** e^x / Σe^x, with or without the maximum taken off first. */
const softmaxWrittenOut = rule('softmax-written-out', ['div'], 'gradients', (node, { build, miss }) => {
  const [powers, total] = [node.inputs[0]!, node.inputs[1]!];
  const axis = keptAxis(total, 'sum');
  const x = producer(powers, 'exp')?.inputs[0];
  if (axis === undefined || x === undefined || total.node.inputs[0] !== powers)
    return miss('not exponentials over their sum along one axis');
  return build.softmax(unshifted(x, axis), axis);
});

/** x - log Σe^x, with or without the maximum taken off first. */
const logSoftmaxWrittenOut = rule('log-softmax-written-out', ['sub'], 'gradients', (node, { build, miss }) => {
  const x = node.inputs[0]!;
  const total = producer(node.inputs[1]!, 'log')?.inputs[0];
  const axis = total && keptAxis(total, 'sum');
  if (axis === undefined || producer(total!.node.inputs[0]!, 'exp')?.inputs[0] !== x)
    return miss('not x less the logarithm of the sum of its exponentials along one axis');
  return build.logSoftmax(unshifted(x, axis), axis);
});

const logOfSoftmax = rule('log-of-softmax', ['log'], 'gradients', (node, { build, miss }) => {
  const softmax = producer(node.inputs[0]!, 'softmax');
  return softmax ? build.logSoftmax(softmax.inputs[0]!, softmax.attributes.axis) : miss('not of a softmax');
});

/** The one axis that a reduction keeps as 1. */
function keptAxis(value: Value, op: 'sum' | 'reduce_max'): number | undefined {
  const attributes = producer(value, op)?.attributes;
  return attributes?.keep && attributes.axes.length === 1 ? attributes.axes[0] : undefined;
}

/** x of x - max(x): softmax does not change with it. */
function unshifted(value: Value, axis: number): Value {
  const difference = producer(value, 'sub');
  if (difference === undefined) return value;
  const [x, largest] = [difference.inputs[0]!, difference.inputs[1]!];
  const maximum = producer(largest, 'stop_gradient')?.inputs[0] ?? largest;
  return keptAxis(maximum, 'reduce_max') === axis && maximum.node.inputs[0] === x ? x : value;
}

/** Softmax that was written out. */
export const softmaxRules: readonly Rule[] = [softmaxWrittenOut, logSoftmaxWrittenOut, logOfSoftmax];
