// slow: builds every shipped model

import { expect, test } from 'vitest';
import { compile } from '../../../compiler/compile.ts';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { elementCount, tensor } from '../../../compiler/ir/tensor-data.ts';
import type { DType } from '../../../compiler/ir/types.ts';
import { runPipeline } from '../../../compiler/passes/pipeline.ts';
import { diskHost } from '../../../runtime/files/source-host.ts';
import { weightsOf } from '../../../runtime/weights/graph-weights.ts';
import { initialWeights } from '../../../runtime/weights/initialise.ts';
import { expectValueTypes } from './value-types.ts';

const sizes = { B: 2, H: 64, W: 96, T: 5 };
const filled = (dtype: DType, shape: readonly number[], at: (i: number) => number) =>
  tensor(
    dtype,
    shape,
    Array.from({ length: elementCount(shape) }, (_, i) => at(i)),
  );

/** Tools that quantise and viewers read types from the file: those of a model whose sizes are open as well. */
test.each([
  ['open', {}],
  ['known', sizes],
])('the file has the type of every value of CroBIM_micro, sizes %s', async (_which, bound) => {
  const dims = new Map<string, number>(Object.entries(bound));
  const { graph } = compile(diskHost(), 'models/crobim.crob', { model: 'CroBIM_micro', dims, overrides: [] });
  const optimised = runPipeline(graph!);
  const model = emitOnnx(optimised, { producerVersion: 'test' });
  const { B, H, W, T } = sizes;
  const feeds = new Map([
    ['image', filled('f32', [B, 3, H, W], (i) => Math.sin(i))],
    ['tokens', filled('i64', [B, T], (i) => i)],
    ['mask', filled('bool', [B, T], (i) => (i % T < 4 ? 1 : 0))],
  ]);
  expect(model.graph.inputs.map(({ name }) => name)).toEqual([...feeds.keys()]);
  await expectValueTypes(model, feeds, initialWeights(weightsOf(optimised), 0));
});
