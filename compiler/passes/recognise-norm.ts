import type { NodeOf, Value } from '../ir/graph.ts';

import { either, numberOf, producer } from './match.ts';
import { type Rule, rule } from './rule.ts';

/** (x - mean) / sqrt(variance + eps), along the last axis. */
const normalisation = rule('normalisation', ['div'], 'gradients', (node, { build, miss }) => {
  const [centred, deviation] = [node.inputs[0]!, node.inputs[1]!];
  const shifted = producer(deviation, 'sqrt')?.inputs[0];
  const sum = shifted && producer(shifted, 'add');
  const eps = sum && either(sum.inputs, numberOf);
  if (eps === undefined) return miss('the divisor is not the root of something plus a number');
  if (!(eps.found >= 0 && Number.isFinite(eps.found))) return miss('the number under the root is no epsilon');
  const variance = lastMean(eps.other);
  const square = variance && producer(variance, 'mul');
  if (square?.inputs[0] !== centred || square.inputs[1] !== centred)
    return miss('what is under the root is not the mean of the squared dividend along the last axis');
  const difference = producer(centred, 'sub');
  const x = difference?.inputs[0];
  if (x === undefined || lastMean(difference!.inputs[1]!) !== x) return miss('the dividend is not x - mean(x)');
  const last = x.type.shape.slice(-1);
  const { dtype } = x.type;
  return build.layerNorm(x, build.full(1, dtype, last), build.full(0, dtype, last), eps.found);
});

/** What a value is the mean of, along its last axis, which is kept. */
function lastMean(value: Value): Value | undefined {
  const mean = producer(value, 'mean');
  const x = mean?.inputs[0];
  if (mean === undefined || x === undefined || !mean.attributes.keep) return undefined;
  return mean.attributes.axes.length === 1 && mean.attributes.axes[0] === x.type.shape.length - 1 ? x : undefined;
}

/** The scale after a normalisation without one. */
const scaleOfNorm = rule('scale-of-norm', ['mul'], 'gradients', (node, { build, uses, miss }) => {
  const pair = either(node.inputs, (value) => producer(value, 'layer_norm'));
  if (pair === undefined || !isPerChannel(pair.found, pair.other))
    return miss('not a norm and a vector of its channels');
  const [x, scale, bias] = [pair.found.inputs[0]!, pair.found.inputs[1]!, pair.found.inputs[2]!];
  if (numberOf(scale) !== 1 || numberOf(bias) !== 0) return miss('the norm has a scale or a bias');
  if (uses(pair.found.outputs[0]) > 1) return miss('the norm is needed elsewhere');
  return build.layerNorm(x, pair.other, bias, pair.found.attributes.eps);
});

/** The bias after a norm without one. */
const biasOfNorm = rule('bias-of-norm', ['add'], 'gradients', (node, { build, uses, miss }) => {
  const pair = either(node.inputs, (value) => producer(value, 'layer_norm'));
  if (pair === undefined || !isPerChannel(pair.found, pair.other))
    return miss('not a norm and a vector of its channels');
  const [x, scale, bias] = [pair.found.inputs[0]!, pair.found.inputs[1]!, pair.found.inputs[2]!];
  if (numberOf(bias) !== 0) return miss('the norm has a bias');
  if (uses(pair.found.outputs[0]) > 1) return miss('the norm is needed elsewhere');
  return build.layerNorm(x, scale, pair.other, pair.found.attributes.eps);
});

function isPerChannel(norm: NodeOf<'layer_norm'>, vector: Value): boolean {
  const channels = norm.outputs[0].type.shape.at(-1)!;
  return vector.type.shape.length === 1 && vector.type.shape[0]!.key === channels.key;
}

/** Layer normalisation that was written out. */
export const normRules: readonly Rule[] = [normalisation, scaleOfNorm, biasOfNorm];
