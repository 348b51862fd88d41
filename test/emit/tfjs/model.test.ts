// slow: runs CroBIM_micro in TensorFlow.js

import { expect, test } from 'vitest';
import { compile } from '../../../compiler/compile.ts';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import { seededRandom } from '../../../compiler/ops/random.ts';
import { runPipeline } from '../../../compiler/passes/pipeline.ts';
import { diskHost } from '../../../runtime/files/source-host.ts';
import { weightsOf } from '../../../runtime/weights/graph-weights.ts';
import { initialWeights } from '../../../runtime/weights/initialise.ts';
import { runOnnx } from '../onnx/session.ts';
import { runTfjs } from './run.ts';

const sizes = { B: 2, H: 64, W: 96, T: 6 };

/** One image and sentence through the same weights: float32 in TensorFlow.js against float32 in onnxruntime. */
test('CroBIM_micro gives what onnxruntime gives', async () => {
  const dims = new Map(Object.entries(sizes));
  const { graph, diagnostics } = compile(diskHost(), 'models/crobim.crob', {
    model: 'CroBIM_micro',
    dims,
    overrides: [],
  });
  expect(diagnostics).toEqual([]);
  const optimised = runPipeline(graph!);
  const random = seededRandom(3);
  const pixels = Array.from({ length: sizes.B * 3 * sizes.H * sizes.W }, () => 2 * random.real() - 1);
  const feeds = new Map<string, TensorData>([
    ['image', tensor('f32', [sizes.B, 3, sizes.H, sizes.W], pixels)],
    ['tokens', tensor('i64', [sizes.B, sizes.T], [101, 5, 7, 9, 102, 0, 101, 8, 102, 0, 0, 0])],
    ['mask', tensor('bool', [sizes.B, sizes.T], [1, 1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0])],
  ]);
  const wanted = weightsOf(optimised);
  const source = initialWeights(wanted, 11);
  const weights = new Map<string, Float32Array>();
  for (const { path } of wanted) weights.set(path, await source.read(path));
  const expected = (await runOnnx(emitOnnx(optimised, { producerVersion: 'test' }), feeds, source)).get('logits')!;
  const { results, leaked } = await runTfjs(optimised, feeds, weights);
  const actual = results.get('logits')!;
  expect(actual.shape).toEqual(expected.shape);
  const largest = Math.max(...Array.from(expected.data, Math.abs));
  const furthest = Math.max(...Array.from(expected.data, (value, i) => Math.abs(value - actual.data[i]!)));
  expect(furthest).toBeLessThan(1e-4 * largest);
  expect(leaked).toBe(0);
});
