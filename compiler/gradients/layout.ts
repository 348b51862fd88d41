import { add, constant, mul, one, sub, sum, zero } from '../dims/dim.ts';
import type { Builder } from '../graphs/builder.ts';
import type { Value } from '../ir/graph.ts';
import { sameDim } from '../ir/shapes.ts';
import { at } from '../ops/typing.ts';
import { sumTo } from './repeat.ts';
import { ofOne, perInput } from './rule.ts';

export const reshapeGradient = ofOne<'reshape'>(({ build, x, dy }) => build.reshape(dy, x.type.shape));

export const transposeGradient = ofOne<'transpose'>(({ build, dy, attributes: { perm } }) =>
  build.transpose(
    dy,
    perm.map((_, axis) => perm.indexOf(axis)),
  ),
);

export const broadcastGradient = ofOne<'broadcast'>(({ build, x, dy }) => sumTo(build, dy, x.type.shape));

/** Each input gets its slice of dy. */
export const concatGradient = perInput<'concat'>(({ build, inputs, dy, attributes: { axis } }) =>
  inputs.map(({ type: { shape } }, i) => () => {
    const before = sum(inputs.slice(0, i).map((input) => at(input.type.shape, axis)));
    const start = shape.map((_, other) => (other === axis ? before : zero));
    const stop = shape.map((size, other) => (other === axis ? add(before, size) : size));
    return build.slice(
      dy,
      start,
      stop,
      shape.map(() => 1),
    );
  }),
);

export const padGradient = ofOne<'pad'>(({ build, x, dy, attributes: { low } }) => {
  const stop = x.type.shape.map((size, axis) => add(at(low, axis), size));
  return build.slice(
    dy,
    low,
    stop,
    stop.map(() => 1),
  );
});

/** Elements that the slice left out get zeros: around the slice, and between its elements if it has steps. */
export const sliceGradient = ofOne<'slice'>(({ build, x, dy, attributes: { start, step } }) => {
  const spread = spaced(build, dy, step);
  const after = x.type.shape.map((size, axis) => sub(size, add(at(start, axis), at(spread.type.shape, axis))));
  return build.pad(spread, start, after, 0);
});

/** Puts element i of an axis at position i·step, with zeros between; nothing follows the last element. */
function spaced(build: Builder, x: Value, step: readonly number[]): Value {
  const { shape } = x.type;
  const apart = shape.flatMap((size, axis) => (step[axis] === 1 || sameDim(build.facts, size, one) ? [] : [axis]));
  if (apart.length === 0) return x;
  const alone = shape.flatMap((size, axis) => (apart.includes(axis) ? [size, one] : [size]));
  const after = shape.flatMap((_, axis) => (apart.includes(axis) ? [zero, constant(step[axis]! - 1)] : [zero]));
  const filled = build.pad(
    build.reshape(x, alone),
    after.map(() => zero),
    after,
    0,
  );
  const whole = shape.map((size, axis) => (apart.includes(axis) ? mul(size, constant(step[axis]!)) : size));
  const kept = shape.map((size, axis) =>
    apart.includes(axis) ? add(mul(sub(size, one), constant(step[axis]!)), one) : size,
  );
  return build.slice(
    build.reshape(filled, whole),
    kept.map(() => zero),
    kept,
    kept.map(() => 1),
  );
}
