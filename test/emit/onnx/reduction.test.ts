import { expect, test } from 'vitest';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import { seededRandom } from '../../../compiler/ops/random.ts';
import { emitted, graphOf, lines } from './graphs.ts';
import { runOnnx } from './session.ts';

/** Numbers of one size, whose rounding errors do not cancel. */
function weights(shape: readonly number[]): TensorData {
  const random = seededRandom(7);
  const count = shape.reduce((n, d) => n * d, 1);
  return { dtype: 'f32', shape, data: Float32Array.from({ length: count }, () => 0.9 + 0.2 * random.int(0, 1)) };
}

// The last is a prime: it stays one row.
test.each([
  { shape: [2, 1, 320, 480], axes: [0, 1, 2, 3], off: 1e-6 },
  { shape: [4, 307_200], axes: [1], off: 1e-6 },
  { shape: [3, 8, 96, 112], axes: [0, 2, 3], off: 1e-6 },
  { shape: [3, 1, 1031], axes: [0, 2], off: 1e-4 },
])('a long sum is right to the last digits: $shape over $axes', async ({ shape, axes, off }) => {
  for (const keep of [false, true]) {
    const graph = graphOf((build) => {
      const x = build.given('x', 'f32', ...shape);
      return { sum: build.sum(x, axes, keep), mean: build.mean(x, axes, keep) };
    });
    const feeds = new Map([['x', weights(shape)]]);
    const wanted = interpret(graph, feeds, () => {
      throw new Error('no weights here');
    });
    for (const [name, given] of await runOnnx(emitted(graph), feeds)) {
      expect(given.shape).toEqual(wanted.get(name)!.shape);
      for (const [i, x] of wanted.get(name)!.data.entries()) expect(Math.abs(given.data[i]! / x - 1)).toBeLessThan(off);
    }
  }
});

test('a short one, and one over other axes than the last, is one node', () => {
  const graph = graphOf((build) => ({
    short: build.sum(build.given('x', 'f32', 4, 8, 16), [0, 1, 2]),
    rows: build.sum(build.given('y', 'f32', 64, 512, 16), [0, 1]),
  }));
  expect(lines(emitted(graph))).toEqual([
    'short = ReduceSum(x, [0, 1, 2], keepdims=0)',
    'rows = ReduceSum(y, [0, 1], keepdims=0)',
  ]);
});

test('sizes that are not known are taken axis by axis', () => {
  const graph = graphOf((build) => ({ y: build.sum(build.given('x', 'f32', 'B', 1, 'H', 'W'), [0, 1, 2, 3]) }));
  const [stage, , last] = lines(emitted(graph));
  expect(stage).toMatch(/= ReduceSum\(x, \[3\]\)$/);
  expect(last).toMatch(/^y = ReduceSum\(.*, \[0, 1, 2, 3\], keepdims=0\)$/);
});

test('a maximum names no axes where the others have one element', () => {
  const graph = graphOf((build) => ({
    kept: build.reduceMax(build.given('x', 'f32', 1, 'H', 'W'), [1, 2], true),
    all: build.reduceMax(build.given('y', 'f32', 'H', 'W'), [0, 1]),
    dropped: build.reduceMax(build.given('z', 'f32', 1, 'H', 'W'), [1, 2]),
    batch: build.reduceMax(build.given('w', 'f32', 'B', 'H', 'W'), [1, 2], true),
  }));
  expect(lines(emitted(graph))).toEqual([
    'kept = ReduceMax(x)',
    'all = ReduceMax(y, keepdims=0)',
    'dropped = ReduceMax(z, [1, 2], keepdims=0)',
    'batch = ReduceMax(w, [1, 2])',
  ]);
});
