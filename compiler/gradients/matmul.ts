import { type Dim, product } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { Builder } from '../graphs/builder.ts';
import type { Value } from '../ir/graph.ts';
import { sameShape } from '../ir/shapes.ts';
import { provedOne } from '../ops/typing.ts';
import { sumTo } from './repeat.ts';
import { operand, perInput } from './rule.ts';

/** da = dy·bᵀ and db = aᵀ·dy, summed over the batch axes along which an operand was broadcast. */
export const matmulGradient = perInput<'matmul'>(({ build, inputs, dy }) => {
  const [a, b] = [operand(inputs, 0), operand(inputs, 1)];
  return [
    () => sumTo(build, build.matmul(dy, swapped(build, b)), a.type.shape),
    () => {
      if (!isOneMatrix(build.facts, b) || !sameShape(build.facts, batch(a), batch(dy)))
        return sumTo(build, build.matmul(swapped(build, a), dy), b.type.shape);
      // One product over the rows of all batch entries also computes the sum over them.
      const product = build.matmul(swapped(build, asRows(build, a)), asRows(build, dy));
      return build.reshape(product, b.type.shape);
    },
  ];
});

const batch = (x: Value): readonly Dim[] => x.type.shape.slice(0, -2);

function isOneMatrix(facts: Facts, x: Value): boolean {
  return batch(x).every((size) => provedOne(facts, size));
}

function asRows(build: Builder, x: Value): Value {
  const { shape } = x.type;
  return build.reshape(x, [product(shape.slice(0, -1)), ...shape.slice(-1)]);
}

function swapped(build: Builder, x: Value): Value {
  const axes = [...x.type.shape.keys()];
  return build.transpose(x, [...axes.slice(0, -2), ...axes.slice(-2).reverse()]);
}
