import { expect, test } from 'vitest';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import { expectClose } from './closeness.ts';
import { graphOf, lines } from './graphs.ts';
import { runOnnx } from './session.ts';

const forCuda = (graph: Parameters<typeof emitOnnx>[0]) =>
  emitOnnx(graph, { producerVersion: 'test', profile: 'cuda' });

const reductions = (shape: readonly (number | string)[], axes: readonly number[]) =>
  graphOf((build) => {
    const x = build.given('x', 'f32', ...shape);
    return {
      sum: build.sum(x, axes),
      kept: build.sum(x, axes, true),
      mean: build.mean(x, axes),
      keptMean: build.mean(x, axes, true),
    };
  });

test.each([
  { shape: [3, 4, 5], axes: [1] },
  { shape: [2, 3, 8, 5], axes: [2] },
  { shape: [2, 8, 1, 5], axes: [1, 2] },
  { shape: [2, 9, 7], axes: [1] },
  { shape: [2, 3, 32, 1, 5], axes: [2] },
  { shape: [2, 3, 4, 32, 5, 6], axes: [3] },
  { shape: [1, 4, 5], axes: [1] },
  { shape: [3, 4, 1], axes: [1] },
  { shape: [2, 513, 3], axes: [1] },
  { shape: [2, 3, 1024, 3], axes: [2] },
  { shape: [2, 1031, 3], axes: [1] },
  { shape: [2, 3, 4, 5], axes: [1, 2] },
  { shape: [2, 3, 4, 5], axes: [0, 3] },
  { shape: [2, 3, 4, 5, 6], axes: [1, 3] },
  { shape: [2, 3, 16, 5, 6, 7], axes: [0, 2, 5] },
  { shape: [2, 3, 4, 5], axes: [0, 1] },
  { shape: [2, 3, 4, 5], axes: [0, 1, 2, 3] },
])('a sum is the same for CUDA: $shape over $axes', async ({ shape, axes }) => {
  const graph = reductions(shape, axes);
  const count = shape.reduce((a, b) => a * b, 1);
  const x = tensor(
    'f32',
    shape,
    Float64Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i * 1.7))),
  );
  const feeds = new Map([['x', x]]);
  const wanted = interpret(graph, feeds, () => {
    throw new Error('no weights here');
  });
  const model = forCuda(graph);
  for (const [name, given] of await runOnnx(model, feeds)) expectClose(name, given, wanted.get(name)!, 2e-6);
});

test('few parts are added, more are pooled, and what lies first or last is reduced', () => {
  const graph = graphOf((build) => ({
    few: build.sum(build.given('a', 'f32', 'B', 32, 4, 'N'), [2]),
    many: build.sum(build.given('b', 'f32', 'B', 32, 4, 5), [1], true),
    first: build.sum(build.given('c', 'f32', 'B', 4, 5), [0]),
    last: build.sum(build.given('d', 'f32', 'B', 4, 5), [2]),
    integers: build.sum(build.given('e', 'i32', 2, 4, 5), [1]),
  }));
  expect(lines(forCuda(graph))).toMatchInlineSnapshot(`
    [
      "Split:0, Split:1, Split:2, Split:3 = Split(a, [1, 1, 1, 1], axis=2)",
      "Sum = Sum(Split:0, Split:1, Split:2, Split:3)",
      "Reshape = Reshape(b, [0, 1, 32, 20])",
      "AveragePool = AveragePool(Reshape, kernel_shape=[32, 1], strides=[32, 1])",
      "Mul = Mul(AveragePool, 32)",
      "first = ReduceSum(c, [0], keepdims=0)",
      "last = ReduceSum(d, [2], keepdims=0)",
      "integers = ReduceSum(e, [1], keepdims=0)",
      "few = Reshape(Sum, [0, 32, -1])",
      "many = Reshape(Mul, [0, 1, 4, 5])",
    ]
  `);
});

test('a short axis is summed together with what is added to it', async () => {
  const graph = graphOf((build) => {
    const [x, y] = [build.given('x', 'f32', 2, 3, 4, 5), build.given('y', 'f32', 2, 3, 4, 5)];
    const z = build.given('z', 'f32', 2, 3, 5);
    const sums = build.add(build.add(z, build.sum(x, [2])), build.sum(y, [2]));
    return { sums, wide: build.add(build.sum(x, [2]), build.given('w', 'f32', 3, 1)) };
  });
  const model = forCuda(graph);
  expect(lines(model)).toMatchInlineSnapshot(`
    [
      "Split:0, Split:1, Split:2, Split:3 = Split(x, [1, 1, 1, 1], axis=2)",
      "Reshape = Reshape(z, [2, 3, 1, 5])",
      "Sum = Sum(Reshape, Split:0, Split:1, Split:2, Split:3)",
      "Split_1:0, Split_1:1, Split_1:2, Split_1:3 = Split(y, [1, 1, 1, 1], axis=2)",
      "Sum_1 = Sum(Sum, Split_1:0, Split_1:1, Split_1:2, Split_1:3)",
      "Split_2:0, Split_2:1, Split_2:2, Split_2:3 = Split(x, [1, 1, 1, 1], axis=2)",
      "Sum_2 = Sum(Split_2:0, Split_2:1, Split_2:2, Split_2:3)",
      "Reshape_1 = Reshape(Sum_2, [2, 3, 5])",
      "wide = Add(Reshape_1, w)",
      "sums = Reshape(Sum_1, [2, 3, 5])",
    ]
  `);
  const numbers = (shape: readonly number[], seed: number) =>
    tensor(
      'f32',
      shape,
      Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.fround(Math.sin(i * 1.7 + seed))),
    );
  const feeds = new Map([
    ['x', numbers([2, 3, 4, 5], 1)],
    ['y', numbers([2, 3, 4, 5], 2)],
    ['z', numbers([2, 3, 5], 3)],
    ['w', numbers([3, 1], 4)],
  ]);
  const wanted = interpret(graph, feeds, () => {
    throw new Error('no weights here');
  });
  for (const [name, given] of await runOnnx(model, feeds)) expectClose(name, given, wanted.get(name)!, 2e-6);
});
