import { add, constant, type Dim, floorDiv, mul, one, product, sub, zero } from '../dims/dim.ts';
import type { Builder } from '../graphs/builder.ts';
import { extent, scalar } from '../graphs/scalar.ts';
import type { Value } from '../ir/graph.ts';
import type { CompositeName, OpAttributes, OpName } from '../ir/names.ts';
import { at } from '../ops/typing.ts';
import { cornerIndex, cornerWeights, framedPixels, gridPlaces } from './grid-places.ts';

/** Appends nodes to `build` that compute the same results with other operators. */
export type Definition<O extends OpName> = (
  build: Builder,
  inputs: readonly Value[],
  attributes: OpAttributes[O],
) => readonly Value[];

function operand(inputs: readonly Value[], i: number): Value {
  const value = inputs[i];
  if (value === undefined) throw new Error(`bug in crobc: operand ${i} of a definition is missing`);
  return value;
}

function average(build: Builder, x: Value, axes: readonly number[], keep: boolean): Value {
  const n = product(axes.map((axis) => at(x.type.shape, axis)));
  return build.div(build.sum(x, axes, keep), extent(build, x, n));
}

const mean: Definition<'mean'> = (build, inputs, { axes, keep }) => [average(build, operand(inputs, 0), axes, keep)];

/** x - max. The final result does not depend on the maximum, so no gradient flows through it. */
function shifted(build: Builder, x: Value, axis: number): Value {
  return build.sub(x, build.stopGradient(build.reduceMax(x, [axis], true)));
}

const softmax: Definition<'softmax'> = (build, inputs, { axis }) => {
  const powers = build.exp(shifted(build, operand(inputs, 0), axis));
  return [build.div(powers, build.sum(powers, [axis], true))];
};

const logSoftmax: Definition<'log_softmax'> = (build, inputs, { axis }) => {
  const x = shifted(build, operand(inputs, 0), axis);
  return [build.sub(x, build.log(build.sum(build.exp(x), [axis], true)))];
};

const layerNorm: Definition<'layer_norm'> = (build, inputs, { eps }) => {
  const [x, scale, bias] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
  const last = [x.type.shape.length - 1];
  const centred = build.sub(x, average(build, x, last, true));
  const variance = average(build, build.mul(centred, centred), last, true);
  const normal = build.div(centred, build.sqrt(build.add(variance, scalar(build, x, eps))));
  return [build.add(build.mul(normal, scale), bias)];
};

/** x/2 · (1 + erf(x/√2)), or the tanh approximation of the paper (Hendrycks and Gimpel, arXiv 1606.08415). */
const gelu: Definition<'gelu'> = (build, inputs, { approximate }) => {
  const x = operand(inputs, 0);
  const number = (value: number) => scalar(build, x, value);
  const cube = () => build.mul(x, build.mul(x, x));
  const gate = approximate
    ? build.tanh(build.mul(number(Math.sqrt(2 / Math.PI)), build.add(x, build.mul(number(0.044715), cube()))))
    : build.erf(build.mul(x, number(Math.SQRT1_2)));
  return [build.mul(build.mul(number(0.5), x), build.add(number(1), gate))];
};

/** The elements at one position of every pooling window. */
export interface PoolTap {
  readonly row: number;
  readonly column: number;
  readonly value: Value;
}

/** Returns the taps of a pooling window, row by row; each is a strided slice of the padded input. */
export function poolTaps(
  build: Builder,
  x: Value,
  { kernel, stride, pad }: OpAttributes['max_pool2d'],
): { readonly padded: Value; readonly taps: readonly PoolTap[] } {
  const around = (top: number, left: number) => [zero, zero, constant(top), constant(left)];
  const padded = build.pad(x, around(pad[0], pad[1]), around(pad[2], pad[3]), Number.NEGATIVE_INFINITY);
  const [batch, channels, height, width] = padded.type.shape as [Dim, Dim, Dim, Dim];
  const step = [1, 1, ...stride];
  // The distance between the first window and the last one, so that every tap takes the same number of steps.
  const reach = (size: Dim, k: number, by: number): Dim => mul(floorDiv(sub(size, constant(k)), by), constant(by));
  const [down, across] = [reach(height, kernel[0], stride[0]), reach(width, kernel[1], stride[1])];
  const taps: PoolTap[] = [];
  for (let row = 0; row < kernel[0]; row++)
    for (let column = 0; column < kernel[1]; column++) {
      const stop = [batch, channels, add(down, constant(row + 1)), add(across, constant(column + 1))];
      taps.push({ row, column, value: build.slice(padded, around(row, column), stop, step) });
    }
  return { padded, taps };
}

/** The maximum over the taps of each window. */
const maxPool2d: Definition<'max_pool2d'> = (build, inputs, attributes) => {
  const { taps } = poolTaps(build, operand(inputs, 0), attributes);
  return [taps.map(({ value }) => value).reduce((largest, tap) => build.max(largest, tap))];
};

/** A flat gather of the four pixels around each point, weighted by distance; pixels outside the image are 0. */
const gridSample: Definition<'grid_sample'> = (build, inputs) => {
  const [x, points] = [operand(inputs, 0), operand(inputs, 1)];
  const places = gridPlaces(build, x, points);
  const pixels = build.gather(framedPixels(build, x), cornerIndex(build, x, places));
  const weights = cornerWeights(build, places);
  const weighed = build.mul(pixels, build.reshape(weights, [...weights.type.shape, one]));
  return [build.transpose(build.sum(weighed, [1]), [0, 2, 1])];
};

/** The definitions of the composite operators. */
export const definitions: { readonly [O in CompositeName]: Definition<O> } = {
  mean,
  softmax,
  log_softmax: logSoftmax,
  layer_norm: layerNorm,
  gelu,
  max_pool2d: maxPool2d,
  grid_sample: gridSample,
};

/** Returns the definition of an operator; undefined for primitive operators. */
export function definitionOf<O extends OpName>(op: O): Definition<O> | undefined {
  return (definitions as { readonly [P in OpName]?: Definition<P> })[op];
}
