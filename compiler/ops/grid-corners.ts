import { constant, type Dim, mul, one, sub, zero } from '../dims/dim.ts';
import type { Builder } from '../ir/builder.ts';
import type { Value } from '../ir/graph.ts';
import { extent, scalar } from './scalar.ts';
import { at } from './typing.ts';

/** One of the two pixels beside a coordinate, along one axis: all of [B, P]. */
export interface Neighbour {
  /** Held inside 0..size-1. */
  readonly index: Value;
  /** How near it is; 0 outside the image. */
  weight(): Value;
  /** The weight's derivative in the coordinate. */
  slope(): Value;
}

export interface Corner {
  readonly row: Neighbour;
  readonly column: Neighbour;
  /** Of the pixel in its image: i32[B, P]. */
  readonly pixel: Value;
  /** Of the pixel among those of all images. */
  index(): Value;
}

/** The four pixels of x[B, C, H, W] around each of the points [B, P, 2], row by row. */
export function gridCorners(build: Builder, x: Value, points: Value): Corner[] {
  const [batch, , height, width] = x.type.shape as [Dim, Dim, Dim, Dim];
  const count = at(points.type.shape, 1);
  const coordinate = (axis: 0 | 1): Value => {
    const picked = build.slice(points, [zero, zero, constant(axis)], [batch, count, constant(axis + 1)], [1, 1, 1]);
    return build.reshape(picked, [batch, count]);
  };
  const image = build.reshape(build.mul(build.iota(batch), build.dim(mul(height, width))), [batch, one]);
  const [across, down] = [neighbours(build, coordinate(0), width), neighbours(build, coordinate(1), height)];
  return down.flatMap((row) => {
    const start = build.mul(row.index, build.dim(width));
    return across.map((column) => {
      const pixel = build.add(start, column.index);
      return { row, column, pixel, index: () => build.add(image, pixel) };
    });
  });
}

function neighbours(build: Builder, coordinate: Value, size: Dim): Neighbour[] {
  const number = (value: number) => scalar(build, coordinate, value);
  const last = extent(build, coordinate, sub(size, one));
  const before = build.floor(coordinate);
  const fraction = build.sub(coordinate, before);
  const beside = (place: Value, nearness: () => Value, slope: number): Neighbour => {
    const inside = build.and(build.le(number(0), place), build.le(place, last));
    return {
      index: build.cast(build.min(build.max(place, number(0)), last), 'i32'),
      weight: () => build.select(inside, nearness(), number(0)),
      slope: () => build.select(inside, number(slope), number(0)),
    };
  };
  return [
    beside(before, () => build.sub(number(1), fraction), -1),
    beside(build.add(before, number(1)), () => fraction, 1),
  ];
}
