import { type PoolTap, poolTaps } from '../definitions/table.ts';
import { add, constant, type Dim, mul, one, product, zero } from '../dims/dim.ts';
import type { Value } from '../ir/graph.ts';
import { at } from '../ops/typing.ts';
import { ofOne } from './rule.ts';

/**
 * The dy of each window goes to the first of its largest elements: a single scatter by flat position. Positions are in
 * the padded image, so that a window that contains only NaN has one too.
 */
export const maxPoolGradient = ofOne<'max_pool2d'>(({ build, x, y, dy, attributes }) => {
  const { padded, taps } = poolTaps(build, x, attributes);
  const shape = padded.type.shape;
  const [images, height, width] = [mul(at(shape, 0), at(shape, 1)), at(shape, 2), at(shape, 3)];
  const [rows, columns] = [at(y.type.shape, 2), at(y.type.shape, 3)];
  const [down, across] = attributes.stride;
  const offset = ({ row, column }: PoolTap) => build.dim(add(mul(constant(row), width), constant(column)));
  const spread = (n: Dim, step: Dim, to: readonly Dim[]) =>
    build.reshape(build.mul(build.iota(n), build.dim(step)), to);

  const last = taps.length - 1;
  let place = offset(taps[last]!);
  for (const tap of taps.slice(0, last).reverse()) place = build.select(build.eq(tap.value, y), offset(tap), place);
  const window = build.add(
    spread(rows, mul(constant(down), width), [rows, one]),
    spread(columns, constant(across), [columns]),
  );
  const image = spread(images, mul(height, width), [at(shape, 0), at(shape, 1), one, one]);
  const index: Value = build.add(build.add(place, window), image);

  const count = [product(y.type.shape)];
  const flat = build.scatterAdd(build.reshape(index, count), build.reshape(dy, count), product(shape));
  const around = [zero, zero, constant(attributes.pad[0]), constant(attributes.pad[1])];
  const stop = x.type.shape.map((size, axis) => add(size, around[axis]!));
  return build.slice(build.reshape(flat, shape), around, stop, [1, 1, 1, 1]);
});
