import { expect, test } from 'vitest';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { seededRandom } from '../../../compiler/ops/random.ts';
import { floats } from '../../../compiler/ops/sampling.ts';
import { emitted, type GraphBuilder, graphOf, lines } from './graphs.ts';
import { runOnnx } from './session.ts';

const forCuda = (graph: Graph) => emitOnnx(graph, { producerVersion: 'test', profile: 'cuda' });

const terms = (build: GraphBuilder, count: number) =>
  [...Array(count).keys()].map((i) => build.given(`x${i}`, 'f32', 3, 4));

/** The order of additions is that of the portable model, so the sums are the same, to the bit. */
async function expectSame(graph: Graph): Promise<void> {
  const random = seededRandom(5);
  const feeds = new Map(
    graph.inputs.map(({ name, value }) => [
      name,
      floats(
        random,
        value.type.shape.map((dim) => Number(dim.key)),
      ),
    ]),
  );
  const wanted = await runOnnx(emitted(graph), feeds);
  for (const [name, given] of await runOnnx(forCuda(graph), feeds)) expect(given).toEqual(wanted.get(name));
}

test('additions on either side become one Sum, in the order in which they were written', async () => {
  const graph = graphOf((build) => {
    const [a, b, c, d, e] = terms(build, 5) as [never, never, never, never, never];
    return { y: build.add(e, build.add(build.add(build.add(a, b), c), d)) };
  });
  expect(lines(forCuda(graph))).toMatchInlineSnapshot(`
    [
      "y = Sum(x0, x1, x2, x3, x4)",
    ]
  `);
  await expectSame(graph);
});

test('sums of more operands than one kernel adds are split', async () => {
  const graph = graphOf((build) => {
    const [first, ...rest] = terms(build, 11);
    return { y: rest.reduce((sum, one) => build.add(sum, one), first!) };
  });
  expect(lines(forCuda(graph))).toMatchInlineSnapshot(`
    [
      "Sum = Sum(x0, x1, x2, x3, x4, x5, x6, x7)",
      "y = Sum(Sum, x8, x9, x10)",
    ]
  `);
  await expectSame(graph);
});

test('an addition of other shapes, and one that is read elsewhere, stays', async () => {
  const graph = graphOf((build) => {
    const [a, b, c] = terms(build, 3) as [never, never, never];
    const read = build.add(a, b);
    const y = build.add(build.add(read, c), build.given('row', 'f32', 4));
    return { y, z: build.neg(read) };
  });
  expect(lines(forCuda(graph))).toMatchInlineSnapshot(`
    [
      "Add = Add(x0, x1)",
      "Add_1 = Add(Add, x2)",
      "y = Add(Add_1, row)",
      "z = Neg(Add)",
    ]
  `);
  await expectSame(graph);
});

test('integers are added two by two', () => {
  const graph = graphOf((build) => {
    const [a, b, c] = [...Array(3).keys()].map((i) => build.given(`x${i}`, 'i32', 3, 4)) as [never, never, never];
    return { y: build.add(build.add(a, b), c) };
  });
  expect(lines(forCuda(graph))).toEqual(['Add = Add(x0, x1)', 'y = Add(Add, x2)']);
});
