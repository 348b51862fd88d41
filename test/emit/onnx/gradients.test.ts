import { expect, test } from 'vitest';
import { evaluate } from '../../../compiler/dims/dim.ts';
import { Facts } from '../../../compiler/dims/facts.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import type { Graph, Value } from '../../../compiler/ir/graph.ts';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import { seededRandom, seedOf } from '../../../compiler/ops/random.ts';
import { floats } from '../../../compiler/ops/sampling.ts';
import { type GradientOptions, gradients } from '../../../compiler/passes/differentiate.ts';
import { runPipeline } from '../../../compiler/passes/pipeline.ts';
import { emitted, GraphBuilder } from './graphs.ts';
import { runOnnx } from './session.ts';

const noWeights = (): never => {
  throw new Error('no weights here');
};

/** A convolution, pooling, samples at computed places, a norm, gelu and softmax, to the mean of the squares; the batch is free. */
function step(options: GradientOptions): Graph {
  const build = new GraphBuilder(Facts.none);
  const given: Record<string, Value> = {};
  const f32 = (name: string, ...shape: (number | string)[]): Value => {
    given[name] = build.given(name, 'f32', ...shape);
    return given[name];
  };
  const image = f32('image', 'B', 2, 8, 9);
  build.origin = { span: undefined, path: 'stem', label: '' };
  const conv = build.conv2d(image, f32('kernel', 3, 2, 3, 3), {
    stride: [1, 1],
    pad: [1, 1, 1, 1],
    dilation: [1, 1],
    groups: 1,
  });
  const pooled = build.maxPool2d(conv, { kernel: [2, 2], stride: [2, 2], pad: [0, 0, 0, 0] });
  build.origin = { span: undefined, path: 'read', label: '' };
  const offsets = build.matmul(f32('queries', 'B', 5, 3), f32('places', 3, 2));
  const at = build.add(offsets, build.constant(tensor('f32', [2], [1.4, 1.7])));
  const rows = build.transpose(build.gridSample(pooled, at), [0, 2, 1]);
  const normal = build.layerNorm(rows, f32('scale', 3), f32('shift', 3), 1e-5);
  const hidden = build.gelu(build.matmul(normal, f32('wide', 3, 6)), true);
  const y = build.softmax(hidden, 2);
  build.origin = { span: undefined, path: '', label: '' };
  const loss = build.mean(build.mul(y, hidden), [0, 1, 2]);
  const found = gradients(build, loss, Object.values(given), options);
  const outputs = Object.entries(given).map(([name, value]): [string, Value] => [`d ${name}`, found.get(value)!]);
  return runPipeline(build.graph({ loss, ...Object.fromEntries(outputs) }), { verify: true });
}

test.each([
  ['kept', {}],
  ['computed again', { rematerialise: (path: string) => (path === '' ? undefined : path) }],
])('gradients in onnxruntime are those of the interpreter, activations %s', async (_, options) => {
  const graph = step(options);
  const feeds = new Map(
    graph.inputs.map(({ name, value }) => [
      name,
      floats(
        seededRandom(seedOf(name)),
        value.type.shape.map((dim) => evaluate(dim, () => 2)),
        -1,
        1,
      ),
    ]),
  );
  const expected = interpret(graph, feeds, noWeights);
  const actual = await runOnnx(emitted(graph), feeds);
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, wanted] of expected) {
    const scale = Math.max(...Array.from(wanted.data, Math.abs));
    expect(scale, name).toBeGreaterThan(1e-4);
    // Float32 against float64, relative to the largest element.
    for (const [i, x] of wanted.data.entries())
      expect(Math.abs(actual.get(name)!.data[i]! - x), `${name}[${i}]`).toBeLessThan(2e-5 * scale);
  }
});
