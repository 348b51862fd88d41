import { expect, test } from 'vitest';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import type { Value } from '../../../compiler/ir/graph.ts';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import { expectClose } from './closeness.ts';
import { emitted, type GraphBuilder, graphOf, lines } from './graphs.ts';
import { runOnnx } from './session.ts';

function deviation(build: GraphBuilder, x: Value, eps: number): Value {
  const last = x.type.shape.length - 1;
  const centred = build.sub(x, build.mean(x, [last], true));
  const variance = build.mean(build.mul(centred, centred), [last], true);
  return build.sqrt(build.add(variance, build.full(eps, 'f32', [])));
}

const normal = (build: GraphBuilder, x: Value, eps: number): Value =>
  build.layerNorm(x, build.full(1, 'f32', [x.type.shape.at(-1)!]), build.full(0, 'f32', [x.type.shape.at(-1)!]), eps);

/** A graph whose `y` is g divided by the deviation of x, and `n` the norm of x. */
const divided = (eps: number, of: (build: GraphBuilder, x: Value) => Value = (_, x) => x) =>
  graphOf((build) => {
    const x = of(build, build.given('x', 'f32', 3, 4, 6));
    const n = normal(build, x, 1e-5);
    return { n, y: build.div(build.given('g', 'f32', 3, 4, 6), deviation(build, x, eps)) };
  });

const numbers = (seed: number) =>
  tensor(
    'f32',
    [3, 4, 6],
    Float64Array.from({ length: 72 }, (_, i) => Math.fround(Math.sin(i * 1.7 + seed))),
  );
const feeds = new Map([
  ['x', numbers(0)],
  ['g', numbers(1)],
]);

async function expectSame(graph: ReturnType<typeof divided>): Promise<readonly string[]> {
  const wanted = interpret(graph, feeds, () => {
    throw new Error('no weights here');
  });
  const model = emitted(graph);
  for (const [name, given] of await runOnnx(model, feeds)) expectClose(name, given, wanted.get(name)!, 2e-6);
  return lines(model);
}

test('a norm gives the deviation by which something is divided', async () => {
  expect(await expectSame(divided(1e-5))).toMatchInlineSnapshot(`
    [
      "n, , LayerNormalization:2 = LayerNormalization(x, [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0], axis=-1, epsilon=0.00001)",
      "y = Mul(g, LayerNormalization:2)",
    ]
  `);
});

test('so does a norm of a sum, whose rows have another axis', async () => {
  const text = (await expectSame(divided(1e-5, (build, x) => build.add(x, x)))).join('\n');
  expect(text).not.toContain('Sqrt');
});

test.each([
  ['another epsilon', divided(1e-3)],
  [
    'a deviation that something else reads',
    graphOf((build) => {
      const x = build.given('x', 'f32', 3, 4, 6);
      const d = deviation(build, x, 1e-5);
      return { n: normal(build, x, 1e-5), y: build.div(build.given('g', 'f32', 3, 4, 6), d), d };
    }),
  ],
  [
    'a norm that comes later',
    graphOf((build) => {
      const x = build.given('x', 'f32', 3, 4, 6);
      const y = build.div(build.given('g', 'f32', 3, 4, 6), deviation(build, x, 1e-5));
      return { y, n: normal(build, x, 1e-5) };
    }),
  ],
])('%s is computed by itself', async (_, graph) => {
  expect((await expectSame(graph)).join('\n')).toContain('Sqrt');
});
