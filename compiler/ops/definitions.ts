import { add, asConstant, constant, type Dim, floorDiv, mul, one, product, sub, zero } from '../dims/dim.ts';
import type { Builder } from '../ir/builder.ts';
import type { Value } from '../ir/graph.ts';
import type { OpAttributes } from './names.ts';
import { at } from './typing.ts';

type Definition<O extends keyof OpAttributes> = (
  build: Builder,
  inputs: readonly Value[],
  attributes: OpAttributes[O],
) => readonly Value[];

function operand(inputs: readonly Value[], i: number): Value {
  const value = inputs[i];
  if (value === undefined) throw new Error(`bug in crobc: operand ${i} of a definition is missing`);
  return value;
}

/** A number of x's dtype. */
function scalar(build: Builder, x: Value, value: number): Value {
  return build.full(value, x.type.dtype, []);
}

/** A dim as a number of x's dtype. */
function extent(build: Builder, x: Value, dim: Dim): Value {
  const known = asConstant(dim);
  return known === undefined ? build.cast(build.dim(dim), x.type.dtype) : scalar(build, x, known);
}

function average(build: Builder, x: Value, axes: readonly number[], keep: boolean): Value {
  const n = product(axes.map((axis) => at(x.type.shape, axis)));
  return build.div(build.sum(x, axes, keep), extent(build, x, n));
}

export const mean: Definition<'mean'> = (build, inputs, { axes, keep }) => [
  average(build, operand(inputs, 0), axes, keep),
];

/** x - max: the result does not depend on the maximum, so no gradient flows through it. */
function shifted(build: Builder, x: Value, axis: number): Value {
  return build.sub(x, build.stopGradient(build.reduceMax(x, [axis], true)));
}

export const softmax: Definition<'softmax'> = (build, inputs, { axis }) => {
  const powers = build.exp(shifted(build, operand(inputs, 0), axis));
  return [build.div(powers, build.sum(powers, [axis], true))];
};

export const logSoftmax: Definition<'log_softmax'> = (build, inputs, { axis }) => {
  const x = shifted(build, operand(inputs, 0), axis);
  return [build.sub(x, build.log(build.sum(build.exp(x), [axis], true)))];
};

export const layerNorm: Definition<'layer_norm'> = (build, inputs, { eps }) => {
  const [x, scale, bias] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)];
  const last = [x.type.shape.length - 1];
  const centred = build.sub(x, average(build, x, last, true));
  const variance = average(build, build.mul(centred, centred), last, true);
  const normal = build.div(centred, build.sqrt(build.add(variance, scalar(build, x, eps))));
  return [build.add(build.mul(normal, scale), bias)];
};

/** x/2 · (1 + erf(x/√2)), or by tanh as in the paper (Hendrycks and Gimpel, arXiv 1606.08415). */
export const gelu: Definition<'gelu'> = (build, inputs, { approximate }) => {
  const x = operand(inputs, 0);
  const number = (value: number) => scalar(build, x, value);
  const cube = () => build.mul(x, build.mul(x, x));
  const gate = approximate
    ? build.tanh(build.mul(number(Math.sqrt(2 / Math.PI)), build.add(x, build.mul(number(0.044715), cube()))))
    : build.erf(build.mul(x, number(Math.SQRT1_2)));
  return [build.mul(build.mul(number(0.5), x), build.add(number(1), gate))];
};

/** The maximum over the taps of the window, each a strided slice of the padded input. */
export const maxPool2d: Definition<'max_pool2d'> = (build, inputs, { kernel, stride, pad }) => {
  const x = operand(inputs, 0);
  const around = (top: number, left: number) => [zero, zero, constant(top), constant(left)];
  const padded = build.pad(x, around(pad[0], pad[1]), around(pad[2], pad[3]), Number.NEGATIVE_INFINITY);
  const [batch, channels, height, width] = [0, 1, 2, 3].map((axis) => at(padded.type.shape, axis)) as [
    Dim,
    Dim,
    Dim,
    Dim,
  ];
  const step = [1, 1, ...stride];
  // The last tap's start plus the reach of the last window: the same number of steps from every tap.
  const reach = (size: Dim, k: number, by: number): Dim => mul(floorDiv(sub(size, constant(k)), by), constant(by));
  const [down, across] = [reach(height, kernel[0], stride[0]), reach(width, kernel[1], stride[1])];
  let largest: Value | undefined;
  for (let i = 0; i < kernel[0]; i++)
    for (let j = 0; j < kernel[1]; j++) {
      const stop = [batch, channels, add(down, constant(i + 1)), add(across, constant(j + 1))];
      const tap = build.slice(padded, around(i, j), stop, step);
      largest = largest === undefined ? tap : build.max(largest, tap);
    }
  if (largest === undefined) throw new Error('bug in crobc: a pooling window without taps');
  return [largest];
};

/** Four corners, each a flat gather of pixels weighed by nearness, and by 0 outside the image. */
export const gridSample: Definition<'grid_sample'> = (build, inputs) => {
  const [x, points] = [operand(inputs, 0), operand(inputs, 1)];
  const [batch, channels, height, width] = [0, 1, 2, 3].map((axis) => at(x.type.shape, axis)) as [Dim, Dim, Dim, Dim];
  const count = at(points.type.shape, 1);
  const coordinate = (axis: 0 | 1): Value => {
    const picked = build.slice(points, [zero, zero, constant(axis)], [batch, count, constant(axis + 1)], [1, 1, 1]);
    return build.reshape(picked, [batch, count]);
  };
  const pixels = build.reshape(build.transpose(x, [0, 2, 3, 1]), [product([batch, height, width]), channels]);
  const image = build.reshape(build.mul(build.iota(batch), build.dim(mul(height, width))), [batch, one]);
  const [right, down] = [neighbours(build, coordinate(0), width), neighbours(build, coordinate(1), height)];
  let total: Value | undefined;
  for (const row of down)
    for (const column of right) {
      const index = build.add(image, build.add(build.mul(row.index, build.dim(width)), column.index));
      const weight = build.reshape(build.mul(row.weight, column.weight), [batch, count, one]);
      const corner = build.mul(build.gather(pixels, index), weight);
      total = total === undefined ? corner : build.add(total, corner);
    }
  if (total === undefined) throw new Error('bug in crobc: a sample without corners');
  return [build.transpose(total, [0, 2, 1])];
};

/** The two pixels beside a coordinate: their index, held inside 0..size-1, and their weight, 0 outside. */
function neighbours(build: Builder, coordinate: Value, size: Dim): { index: Value; weight: Value }[] {
  const number = (value: number) => scalar(build, coordinate, value);
  const last = extent(build, coordinate, sub(size, one));
  const before = build.floor(coordinate);
  const fraction = build.sub(coordinate, before);
  const beside = (place: Value, nearness: Value) => {
    const inside = build.and(build.le(number(0), place), build.le(place, last));
    return {
      index: build.cast(build.min(build.max(place, number(0)), last), 'i32'),
      weight: build.select(inside, nearness, number(0)),
    };
  };
  return [beside(before, build.sub(number(1), fraction)), beside(build.add(before, number(1)), fraction)];
}
