import { describe, expect, test } from 'vitest';
import { constant } from '../../../compiler/dims/dim.ts';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import type { Graph, Value } from '../../../compiler/ir/graph.ts';
import { scalar } from '../../../compiler/ir/tensor-data.ts';
import { seededRandom } from '../../../compiler/ops/random.ts';
import { floats } from '../../../compiler/ops/sampling.ts';
import { expectClose } from './closeness.ts';
import { type GraphBuilder, graphOf, lines } from './graphs.ts';
import { runOnnx } from './session.ts';

interface Sizes {
  readonly batch?: number;
  readonly channels?: number;
  readonly image: readonly [number | string, number | string];
  readonly taps: number;
  readonly queries: number;
  /** The shape of what is added to the points; default: nothing is. */
  readonly shift?: readonly number[];
}

/** Deformable attention to one map, as its module in `stdlib` computes it. */
function attended(build: GraphBuilder, name: string, sizes: Sizes): { readonly samples: Value; readonly y: Value } {
  const { batch = 2, channels = 3, image, taps, queries, shift } = sizes;
  const x = build.given(`${name}.x`, 'f32', batch, channels, ...image);
  const given = build.given(`${name}.points`, 'f32', batch, 2, taps, queries);
  const at = shift === undefined ? given : build.add(given, build.constant(floats(seededRandom(3), shift, 0, 5)));
  const planes = build.reshape(at, [batch, 2, taps * queries].map(constant));
  const sampled = build.gridSample(x, build.transpose(planes, [0, 2, 1]));
  const samples = build.reshape(sampled, [batch, channels, taps, queries].map(constant));
  return {
    samples,
    y: build.sum(build.mul(samples, build.given(`${name}.weights`, 'f32', batch, 1, taps, queries)), [2]),
  };
}

const attention = (sizes: Sizes) => graphOf((build) => ({ y: attended(build, 'map', sizes).y }));

const emit = (graph: Graph, profile: 'portable' | 'cpu' | 'cuda' = 'cuda') =>
  emitOnnx(graph, { producerVersion: 'test', profile });

const hasDeformConv = (graph: Graph) => emit(graph).graph.nodes.some(({ op }) => op === 'DeformConv');

/** Points lie on the image and up to three pixels around it. */
async function expectSame(graph: Graph, extent: number): Promise<void> {
  const random = seededRandom(11);
  const feeds = new Map(
    graph.inputs.map(({ name, value }) => {
      const shape = value.type.shape.map((dim) => Number(dim.key));
      return [name, name.endsWith('points') ? floats(random, shape, -3, extent) : floats(random, shape)] as const;
    }),
  );
  const wanted = interpret(graph, feeds, () => scalar('f32', 0)).get('y')!;
  for (const profile of ['portable', 'cpu', 'cuda'] as const)
    expectClose(profile, (await runOnnx(emit(graph, profile), feeds)).get('y')!, wanted, 1e-5);
}

describe('a weighted sum of samples is the same as a deformable convolution', () => {
  test.each<Sizes>([
    { image: [6, 8], taps: 4, queries: 20 },
    { image: [6, 8], taps: 4, queries: 20, shift: [2, 1, 20] },
    { image: [6, 8], taps: 4, queries: 20, shift: [2, 4, 20] },
    { image: [6, 8], taps: 4, queries: 20, shift: [1, 2, 4, 1] },
    { image: [6, 8], taps: 4, queries: 20, shift: [2, 1, 1] },
    // The result is larger than the image, and smaller.
    { image: [3, 2], taps: 3, queries: 12 * 17, shift: [2, 1, 204] },
    { image: [19, 23], taps: 2, queries: 6, shift: [2, 1, 6] },
    // The result has one row, or one place; the image has one; the kernel is wider than the image.
    { image: [5, 4], taps: 4, queries: 13, shift: [2, 1, 13] },
    { image: [5, 4], taps: 4, queries: 1 },
    { image: [1, 1], taps: 4, queries: 9 },
    { image: [4, 3], taps: 9, queries: 6, shift: [2, 9, 6] },
    { image: [7, 5], taps: 1, queries: 6, batch: 1, channels: 1 },
  ])('%o', async (sizes) => {
    const graph = attention(sizes);
    expect(hasDeformConv(graph)).toBe(true);
    await expectSame(graph, Number(sizes.image[0]) + 2);
  });
});

test('it takes the points as they are, and all maps share their constants', () => {
  const graph = graphOf((build) => {
    const sizes = { image: [6, 8], taps: 2, queries: 6 } as const;
    return { y: build.add(attended(build, 'a', sizes).y, attended(build, 'b', sizes).y) };
  });
  expect(lines(emit(graph))).toMatchInlineSnapshot(`
    [
      "Reshape = Reshape(a.points, [2, 4, 2, 3])",
      "Gather = Gather(Reshape, [2, 0, 3, 1], axis=1)",
      "Add = Add(Gather, Constant)",
      "Reshape_1 = Reshape(a.weights, [2, 2, 2, 3])",
      "DeformConv = DeformConv(a.x, Constant_1, Add, , Reshape_1, kernel_shape=[1, 2], strides=[5, 3], pads=[0, 0, 0, 0])",
      "Reshape_2 = Reshape(b.points, [2, 4, 2, 3])",
      "Gather_1 = Gather(Reshape_2, [2, 0, 3, 1], axis=1)",
      "Add_1 = Add(Gather_1, Constant)",
      "Reshape_3 = Reshape(b.weights, [2, 2, 2, 3])",
      "DeformConv_1 = DeformConv(b.x, Constant_1, Add_1, , Reshape_3, kernel_shape=[1, 2], strides=[5, 3], pads=[0, 0, 0, 0])",
      "Reshape_4 = Reshape(DeformConv, [2, 3, 6])",
      "Reshape_5 = Reshape(DeformConv_1, [2, 3, 6])",
      "y = Add(Reshape_4, Reshape_5)",
    ]
  `);
});

test.each<[string, Sizes]>([
  ['an unknown size of the image', { image: ['H', 8], taps: 4, queries: 20 }],
  ['a number of queries that makes no small rectangle', { image: [6, 8], taps: 4, queries: 257 }],
  ['many channels', { image: [6, 8], taps: 4, queries: 20, channels: 65 }],
  ['shifts that differ between images', { image: [6, 8], taps: 4, queries: 20, shift: [2, 2, 1, 20] }],
])('samples are taken one by one with %s', (_, sizes) => {
  expect(hasDeformConv(attention(sizes))).toBe(false);
});

test('samples that something else reads are taken one by one', async () => {
  const graph = graphOf((build) => {
    const { y, samples } = attended(build, 'map', { image: [6, 8], taps: 4, queries: 20 });
    return { y, samples: build.neg(samples) };
  });
  expect(hasDeformConv(graph)).toBe(false);
  await expectSame(graph, 8);
});

test.each([
  ['planes that something else reads as rows', false, true],
  ['rows that a shift is added to', true, false],
])('points are %s', async (_, isShifted, isDeformed) => {
  const graph = graphOf((build) => {
    const x = build.given('x', 'f32', 2, 3, 6, 8);
    const planes = build.reshape(build.given('points', 'f32', 2, 2, 4, 5), [2, 2, 20].map(constant));
    const rows = build.transpose(planes, [0, 2, 1]);
    const points = isShifted ? build.add(rows, build.constant(floats(seededRandom(3), [2], 1, 4))) : rows;
    const samples = build.reshape(build.gridSample(x, points), [2, 3, 4, 5].map(constant));
    const y = build.sum(build.mul(samples, build.given('weights', 'f32', 2, 1, 4, 5)), [2]);
    return { y, ...(isShifted ? {} : { rows: build.neg(rows) }) };
  });
  expect(hasDeformConv(graph)).toBe(isDeformed);
  await expectSame(graph, 8);
});

test('a portable model has no deformable convolution', () => {
  const graph = attention({ image: [6, 8], taps: 4, queries: 20 });
  expect(emit(graph, 'portable').graph.nodes.map(({ op }) => op)).not.toContain('DeformConv');
});
