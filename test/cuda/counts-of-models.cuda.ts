import { readFileSync } from 'node:fs';
import onnxProto from 'onnx-proto';
import { expect, test } from 'vitest';
import { compile } from '../../compiler/compile.ts';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { Target } from '../../compiler/emit/onnx/profile.ts';
import { staticShape } from '../../compiler/ir/shapes.ts';
import { type Precision, runPipeline } from '../../compiler/passes/pipeline.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { encodeOnnx } from '../../runtime/onnx/onnx-file.ts';
import { loadOnnxRuntime } from '../../runtime/ort/node-session.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { counted, total } from './counts.ts';

const at = temporaryFolder();

/** A model for one image of 480×480 and 20 words, whose weights are all zero. */
function modelFor(file: string, model: string, profile: Target, dtype: Precision) {
  const dims = new Map(Object.entries({ B: 1, H: 480, W: 480, ...(model === 'CroBIM' ? { T: 20 } : {}) }));
  const { graph, diagnostics } = compile(diskHost(), file, { model, dims, overrides: [] });
  if (!graph) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  const optimised = runPipeline(graph, { dtype });
  const sizes = new Map<string, number>();
  for (const { op, attributes, outputs } of optimised.nodes)
    if (op === 'weight')
      sizes.set(
        attributes.path,
        staticShape(outputs[0].type).reduce((n, size) => n * size, 1),
      );
  const read = (path: string) => new Float32Array(sizes.get(path)!);
  return { graph, bytes: () => encodeOnnx(emitOnnx(optimised, { producerVersion: 'test', profile }), { read }) };
}

/** The operators that onnxruntime's CUDA provider is left with, and the kernels that it starts in a run. */
async function countsOf(file: string, model: string, profile: Target, dtype: Precision = 'f32') {
  const ort = await loadOnnxRuntime();
  const { graph, bytes } = modelFor(file, model, profile, dtype);
  const path = at(`${model}.onnx`);
  const session = await ort.InferenceSession.create(await bytes(), {
    executionProviders: ['cuda'],
    logSeverityLevel: 4,
    optimizedModelFilePath: path,
    extra: { session: { optimized_model_external_initializers_file_name: `${model}.onnx.data` } },
  });
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, value }) => {
      const shape = staticShape(value.type);
      const count = shape.reduce((n, size) => n * size, 1);
      switch (value.type.dtype) {
        case 'f32':
          return [name, new ort.Tensor('float32', new Float32Array(count), shape)];
        case 'i64':
          return [name, new ort.Tensor('int64', new BigInt64Array(count), shape)];
        default:
          return [name, new ort.Tensor('bool', new Uint8Array(count), shape)];
      }
    }),
  );
  const { launched } = await counted(() => session.run(feeds));
  await session.release();
  const nodes = onnxProto.onnx.ModelProto.decode(readFileSync(path)).graph!.node!.length;
  return { nodes, launches: total(launched), slow: launched.get('cudnnReduceTensor') ?? 0 };
}

test('CroBIM for CUDA is at most 1,500 operators and as many kernels', async () => {
  const { nodes, launches, slow } = await countsOf('models/crobim.crob', 'CroBIM', 'cuda');
  expect(nodes).toBeLessThanOrEqual(1500);
  expect(launches).toBeLessThanOrEqual(1500);
  // A maximum has no other kernel.
  expect(slow).toBeLessThanOrEqual(8);
});

// Sampling is in float32, between casts.
test.each(['f16', 'bf16'] as const)('CroBIM for CUDA in %s needs few casts', async (dtype) => {
  const { nodes, launches } = await countsOf('models/crobim.crob', 'CroBIM', 'cuda', dtype);
  expect(nodes).toBeLessThanOrEqual(1800);
  expect(launches).toBeLessThanOrEqual(1650);
});

test('Swin-B for CUDA is less than half of what it is in portable form', async () => {
  const cuda = await countsOf('bench/models/backbones.crob', 'SwinBMaps', 'cuda');
  const portable = await countsOf('bench/models/backbones.crob', 'SwinBMaps', 'portable');
  expect(cuda.nodes).toBeLessThanOrEqual(300);
  expect(cuda.launches).toBeLessThanOrEqual(400);
  expect(cuda.nodes).toBeLessThan(portable.nodes / 2);
  // The count is of kernels that a run starts in either form.
  expect(portable.launches).toBeGreaterThan(cuda.launches);
});
