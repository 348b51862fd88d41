import fc from 'fast-check';
import { expect, test } from 'vitest';
import { constant } from '../../../compiler/dims/dim.ts';
import { Facts } from '../../../compiler/dims/facts.ts';
import { moveTo, type RowMove } from '../../../compiler/emit/onnx/fused/row-moves.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import type { Value } from '../../../compiler/ir/graph.ts';
import { staticShape } from '../../../compiler/ir/shapes.ts';
import { elementCount, tensor } from '../../../compiler/ir/tensor-data.ts';
import { seededRandom } from '../../../compiler/ops/random.ts';
import type { Random } from '../../../compiler/ops/row.ts';
import { holds } from '../../property.ts';
import { GraphBuilder } from './graphs.ts';

const noWeights = () => {
  throw new Error('no weights');
};

const dims = (sizes: readonly number[]) => sizes.map(constant);

/** A view of a value, and of the same value next to it where parts are joined. */
function viewOf(build: GraphBuilder, x: Value, random: Random): Value {
  const shape = staticShape(x.type);
  const axis = random.int(0, shape.length - 1);
  const at = (n: number) => dims(shape.map((_, i) => (i === axis ? n : 0)));
  const stop = (n: number) => dims(shape.map((size, i) => (i === axis ? n : size)));
  switch (random.int(0, 5)) {
    case 0: {
      const perm = shape.map((_, i) => i);
      const other = random.int(0, shape.length - 1);
      [perm[axis], perm[other]] = [perm[other]!, perm[axis]!];
      return build.transpose(x, perm);
    }
    case 1: {
      const divisors = shape.map((size) => [2, 3, 16].filter((by) => size % by === 0));
      const by = divisors[axis]!.length === 0 ? 1 : random.pick(divisors[axis]!);
      return build.reshape(
        x,
        dims(
          shape.toSpliced(
            axis,
            1,
            ...random.pick([
              [by, shape[axis]! / by],
              [shape[axis]!, 1],
            ]),
          ),
        ),
      );
    }
    case 2:
      return axis === 0 ? x : build.reshape(x, dims(shape.toSpliced(axis - 1, 2, shape[axis - 1]! * shape[axis]!)));
    case 3: {
      const from = random.int(0, shape[axis]! - 1);
      const to = random.int(from + 1, shape[axis]!);
      const steps = shape.map(() => 1);
      return build.slice(x, at(from), stop(to), steps);
    }
    case 4:
      return build.concat([x, x], axis);
    default:
      return build.pad(x, at(random.int(0, 2)), at(random.int(0, 2)), 0);
  }
}

/** The elements of a value whose rows are moved, by the numbers that they had. */
function moved({ index, width }: RowMove): number[] {
  return [...index].flatMap((row) => Array.from({ length: width }, (_, i) => (row < 0 ? 0 : 1 + row * width + i)));
}

test('rows that views move are where the views put them', () => {
  const found = { moves: 0 };
  holds(
    fc.property(fc.integer(), (seed) => {
      const random = seededRandom(seed);
      const build = new GraphBuilder(Facts.none);
      const sizes = [random.pick([1, 2, 3]), random.pick([2, 3, 4]), random.pick([1, 6, 16]), random.pick([16, 48])];
      let view = build.given('x', 'f32', ...sizes);
      for (let n = random.int(2, 6); n > 0; n--) view = viewOf(build, view, random);
      const move = moveTo(view, new Set(), Facts.none);
      if (move === undefined || move.from.node.op !== 'input') return;
      found.moves++;
      const numbers = Float64Array.from({ length: elementCount(sizes) }, (_, i) => i + 1);
      const feeds = new Map([['x', tensor('f32', sizes, numbers)]]);
      const { data } = interpret(build.graph({ y: view }), feeds, noWeights).get('y')!;
      expect(moved(move)).toEqual([...data]);
    }),
    { seed: 1, numRuns: 800 },
  );
  expect(found.moves).toBeGreaterThan(150);
});
