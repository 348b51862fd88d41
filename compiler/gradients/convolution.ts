import { asConstant } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { Value } from '../ir/graph.ts';
import type { ConvAttributes } from '../ir/names.ts';
import { at } from '../ops/typing.ts';
import { operand, perInput } from './rule.ts';

export const conv2dGradient = perInput<'conv2d'>(({ build, inputs, dy, attributes }) => {
  const [x, w] = [operand(inputs, 0), operand(inputs, 1)];
  return [
    () => build.conv2dDx(dy, w, { ...attributes, shape: x.type.shape }),
    () => build.conv2dDw(x, dy, { ...attributes, kernel: kernelOf(build.facts, w) }),
  ];
});

/**
 * Both gradients of a convolution are linear in each operand, like the convolution, so each of the three operators is a
 * gradient of the others.
 */
export const conv2dDxGradient = perInput<'conv2d_dx'>(({ build, inputs, dy: dx, attributes }) => {
  const [dy, w] = [operand(inputs, 0), operand(inputs, 1)];
  const conv = windowsOf(attributes);
  return [() => build.conv2d(dx, w, conv), () => build.conv2dDw(dx, dy, { ...conv, kernel: kernelOf(build.facts, w) })];
});

export const conv2dDwGradient = perInput<'conv2d_dw'>(({ build, inputs, dy: dw, attributes }) => {
  const [x, dy] = [operand(inputs, 0), operand(inputs, 1)];
  const conv = windowsOf(attributes);
  return [() => build.conv2dDx(dy, dw, { ...conv, shape: x.type.shape }), () => build.conv2d(x, dw, conv)];
});

function windowsOf({ stride, pad, dilation, groups }: ConvAttributes): ConvAttributes {
  return { stride, pad, dilation, groups };
}

function kernelOf(facts: Facts, w: Value): readonly [number, number] {
  const [height, width] = [2, 3].map((axis) => asConstant(facts.normalize(at(w.type.shape, axis))));
  if (height === undefined || width === undefined) throw new Error('bug in crobc: a kernel of unknown size');
  return [height, width];
}
