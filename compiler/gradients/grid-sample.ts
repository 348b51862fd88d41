import {
  cornerIndex,
  cornerWeights,
  framed,
  framedPixels,
  type GridPlaces,
  gridPlaces,
  type Places,
  unframed,
} from '../definitions/grid-places.ts';
import { asConstant, constant, type Dim, mul, one, product, zero } from '../dims/dim.ts';
import type { Builder } from '../graphs/builder.ts';
import { scalar } from '../graphs/scalar.ts';
import type { Value } from '../ir/graph.ts';
import { at } from '../ops/typing.ts';
import { operand, perInput } from './rule.ts';

/**
 * y = Σ weight · pixel over the 2×2 pixels around a point. The gradient of x adds weight · dy to each pixel. The
 * gradient of the points sums, over the pixels, the dot product of the pixel with dy times the slope of its weight.
 */
export const gridSampleGradient = perInput<'grid_sample'>(({ build, inputs, dy }) => {
  const [x, points] = [operand(inputs, 0), operand(inputs, 1)];
  return [
    () =>
      isSmall(build, x) ? weighedPixels(build, x, points, dy) : scatteredPixels(build, x, points, rowsOf(build, dy)),
    () => pointGradient(build, x, points, rowsOf(build, dy)),
  ];
});

type Image = readonly [batch: Dim, channels: Dim, height: Dim, width: Dim];

/**
 * Whether a matrix of weights for all points and pixels is less work than scattering to four pixels per channel. Per
 * point, the matrix takes about 0.8 ns per pixel and the scatter 6 ns per channel (onnxruntime, two cores). The matrix
 * takes up to twice the memory.
 */
function isSmall({ facts }: Builder, x: Value): boolean {
  const [, channels, height, width] = x.type.shape.map((dim) => asConstant(facts.normalize(dim)));
  return channels !== undefined && height !== undefined && width !== undefined && height * width <= 8 * channels;
}

/**
 * The product of dy[B, C, P] and weights[B, P, H·W]. A bilinear weight is the product of a hat function of the row and
 * one of the column.
 */
function weighedPixels(build: Builder, x: Value, points: Value, dy: Value): Value {
  const [batch, , height, width] = x.type.shape as Image;
  const count = at(points.type.shape, 1);
  const hats = (axis: 0 | 1, size: Dim, shape: readonly Dim[]): Value => {
    const picked = build.slice(points, [zero, zero, constant(axis)], [batch, count, constant(axis + 1)], [1, 1, 1]);
    const places = build.cast(build.iota(size), x.type.dtype);
    const distance = build.abs(build.sub(picked, places));
    return build.reshape(build.relu(build.sub(scalar(build, x, 1), distance)), shape);
  };
  const rows = hats(1, height, [batch, count, height, one]);
  const columns = hats(0, width, [batch, count, one, width]);
  const weights = build.reshape(build.mul(rows, columns), [batch, count, mul(height, width)]);
  return build.reshape(build.matmul(dy, weights), x.type.shape);
}

/**
 * Computes the contribution of each point to each of the 2×2 pixels around it, and adds the contributions up by pixel.
 */
function scatteredPixels(build: Builder, x: Value, points: Value, dy: Rows): Value {
  const [batch, channels, height, width] = x.type.shape as Image;
  const places = gridPlaces(build, x, points);
  const weights = cornerWeights(build, places);
  const shared = dy.shares === undefined ? weights : build.mul(weights, dy.shares);
  const given = build.mul(build.reshape(shared, [...dy.corners, one]), dy.rows);
  const rows = build.reshape(given, [...weights.type.shape, channels]);
  const pixels = product([batch, framed(height), framed(width)]);
  return unframed(build, build.scatterAdd(cornerIndex(build, x, places), rows, pixels, true), x.type.shape);
}

/** The dot product of each pixel around a point with dy over the channels, without the shares, [B, 4, P]. */
function agreementsOf(build: Builder, x: Value, places: GridPlaces, dy: Rows): Value {
  const index = cornerIndex(build, x, places);
  const pixels = build.gather(framedPixels(build, x), index);
  const arranged = build.reshape(pixels, [...dy.corners, at(x.type.shape, 1)]);
  return build.reshape(build.sum(build.mul(arranged, dy.rows), [dy.corners.length]), index.type.shape);
}

function pointGradient(build: Builder, x: Value, points: Value, dy: Rows): Value {
  const [batch] = x.type.shape as Image;
  const count = at(points.type.shape, 1);
  const places = gridPlaces(build, x, points);
  const agreements = agreementsOf(build, x, places, dy);
  const [aboveLeft, aboveRight, belowLeft, belowRight] = [0, 1, 2, 3].map((i) =>
    build.slice(agreements, [zero, constant(i), zero], [batch, constant(i + 1), count], [1, 1, 1]),
  ) as [Value, Value, Value, Value];
  const { rows, columns } = places;
  const between = ({ near, far }: Places, first: Value, second: Value) =>
    build.add(build.mul(near, first), build.mul(far, second));
  const slopes = [
    [columns, between(rows, build.sub(aboveRight, aboveLeft), build.sub(belowRight, belowLeft))],
    [rows, between(columns, build.sub(belowLeft, aboveLeft), build.sub(belowRight, aboveRight))],
  ] as const;
  const held = slopes.map(([{ inside }, slope]) => {
    const shared = dy.shares === undefined ? slope : build.mul(slope, dy.shares);
    return build.select(inside, shared, scalar(build, x, 0));
  });
  return build.transpose(build.concat(held, 1), [0, 2, 1]);
}

/** The gradient of samples at P points, with channels last. */
interface Rows {
  /** Broadcasts to [...corners, C]. */
  readonly rows: Value;
  /** [B, 4, P], or the same with P as two axes. */
  readonly corners: readonly Dim[];
  /** Factors of the rows, [B, 1, P]. */
  readonly shares: Value | undefined;
}

/** Returns dy[B, C, P] with rows [B, 1, P, C]. */
function rowsOf(build: Builder, dy: Value): Rows {
  const [batch, channels, count] = dy.type.shape as [Dim, Dim, Dim];
  const rows = build.reshape(build.transpose(dy, [0, 2, 1]), [batch, one, count, channels]);
  return { rows, corners: [batch, constant(4), count], shares: undefined };
}

/**
 * The gradients of a weighted sum over samples y[B, C, Q]. A dot product of a pixel with dy serves weights and points, so
 * nothing of the size of the samples is kept for it.
 */
export function sampledSumGradient(
  build: Builder,
  { x, points, weights }: { readonly x: Value; readonly points: Value; readonly weights: Value },
  dy: Value,
): { readonly x: () => Value; readonly points: () => Value; readonly weights: () => Value } {
  const [batch, , taps, queries] = weights.type.shape as Image;
  const channels = at(x.type.shape, 1);
  const count = at(points.type.shape, 1);
  const rows: Rows = {
    rows: build.reshape(build.transpose(dy, [0, 2, 1]), [batch, one, one, queries, channels]),
    corners: [batch, constant(4), taps, queries],
    shares: build.reshape(weights, [batch, one, count]),
  };
  const ofSamples = () => {
    const spread = build.mul(build.reshape(dy, [batch, channels, one, queries]), weights);
    return build.reshape(spread, [batch, channels, count]);
  };
  return {
    x: () =>
      isSmall(build, x) ? weighedPixels(build, x, points, ofSamples()) : scatteredPixels(build, x, points, rows),
    points: () => pointGradient(build, x, points, rows),
    weights: () => {
      const places = gridPlaces(build, x, points);
      const samples = build.mul(cornerWeights(build, places), agreementsOf(build, x, places, rows));
      return build.reshape(build.sum(samples, [1]), weights.type.shape);
    },
  };
}
