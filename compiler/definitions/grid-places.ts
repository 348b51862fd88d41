import { add, constant, type Dim, mul, one, product, zero } from '../dims/dim.ts';
import type { Builder } from '../graphs/builder.ts';
import { extent, scalar } from '../graphs/scalar.ts';
import type { Value } from '../ir/graph.ts';
import { at } from '../ops/typing.ts';

type Image = readonly [batch: Dim, channels: Dim, height: Dim, width: Dim];

/** The positions of points along one axis of an image; each value is [B, 1, P]. */
export interface Places {
  /** The last pixel at or before a point; -1 for a point before the first pixel. */
  readonly before: Value;
  /** Weights of that pixel and of the next one. */
  readonly near: Value;
  readonly far: Value;
  /** False for a point so far outside that moving it does not change the result. */
  readonly inside: Value;
}

export interface GridPlaces {
  readonly rows: Places;
  readonly columns: Places;
}

/** The 2×2 pixels around a point, as row and column offsets from the first one. */
const corners = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
] as const;

/**
 * The total width of the frame of zeros: one pixel before the image and two after it, so that every point, however far
 * outside, has 2×2 pixels around it.
 */
const frame = 3;

/** Returns the positions of the points [B, P, 2] in x[B, C, H, W]. */
export function gridPlaces(build: Builder, x: Value, points: Value): GridPlaces {
  const [batch, , height, width] = x.type.shape as Image;
  const count = at(points.type.shape, 1);
  const planes = build.transpose(points, [0, 2, 1]);
  const along = (axis: 0 | 1, size: Dim): Places => {
    const place = build.slice(planes, [zero, constant(axis), zero], [batch, constant(axis + 1), count], [1, 1, 1]);
    const held = build.min(build.max(place, scalar(build, x, -1)), extent(build, x, size));
    const before = build.floor(held);
    const far = build.sub(held, before);
    return { before, far, near: build.sub(scalar(build, x, 1), far), inside: build.eq(held, place) };
  };
  return { rows: along(1, height), columns: along(0, width) };
}

/** Returns the pixels of all framed images, [B·(H+3)·(W+3), C]. */
export function framedPixels(build: Builder, x: Value): Value {
  const [batch, channels, height, width] = x.type.shape as Image;
  const [before, after] = [one, constant(frame - 1)];
  const image = build.transpose(x, [0, 2, 3, 1]);
  const padded = build.pad(image, [zero, before, before, zero], [zero, after, after, zero], 0);
  return build.reshape(padded, [product([batch, framed(height), framed(width)]), channels]);
}

/** The adjoint of `framedPixels`: returns the images without their frames from pixels [B·(H+3)·(W+3), C]. */
export function unframed(build: Builder, pixels: Value, shape: readonly Dim[]): Value {
  const [batch, channels, height, width] = shape as Image;
  const whole = build.reshape(pixels, [batch, framed(height), framed(width), channels]);
  const end = [batch, add(height, one), add(width, one), channels];
  return build.transpose(build.slice(whole, [zero, one, one, zero], end, [1, 1, 1, 1]), [0, 3, 1, 2]);
}

export function framed(size: Dim): Dim {
  return add(size, constant(frame));
}

/** Returns the indices of the four pixels around each point among the pixels of all framed images, i32[B, 4, P]. */
export function cornerIndex(build: Builder, x: Value, { rows, columns }: GridPlaces): Value {
  const [batch, , height, width] = x.type.shape as Image;
  const stride = framed(width);
  const row = build.mul(build.cast(rows.before, 'i32'), build.dim(stride));
  const within = build.add(row, build.cast(columns.before, 'i32'));
  const image = build.reshape(build.mul(build.iota(batch), build.dim(mul(framed(height), stride))), [batch, one, one]);
  // The frame puts the first pixel at (1, 1).
  const steps = corners.map(([down, across]) =>
    build.reshape(build.dim(add(mul(constant(down + 1), stride), constant(across + 1))), [one, one]),
  );
  return build.add(within, build.add(image, build.concat(steps, 0)));
}

/** Returns the weights of those pixels for each point, [B, 4, P]. */
export function cornerWeights(build: Builder, { rows, columns }: GridPlaces): Value {
  const weights = corners.map(([down, across]) =>
    build.mul(down === 0 ? rows.near : rows.far, across === 0 ? columns.near : columns.far),
  );
  return build.concat(weights, 1);
}
