import { writeFileSync } from 'node:fs';
import { emitOnnx } from '../compiler/emit/onnx/emit.ts';
import { compileTraining } from '../compiler/training/compile-training.ts';
import { differentiate } from '../compiler/training/differentiated.ts';
import { diskHost } from '../runtime/files/source-host.ts';
import { encodeOnnx } from '../runtime/onnx/onnx-file.ts';

/**
 * Writes the gradients of a training step as an ONNX file without weights. Inputs are those of the model and the recipe,
 * `weight:PATH` and `buffer:PATH`; outputs are `step:loss`, `next:buffer:PATH` and the gradients, `d:PATH`.
 */
export async function writeGradients(file: string, model: string, to: string): Promise<void> {
  const { training, diagnostics } = compileTraining(diskHost(), file, { model, dims: new Map(), overrides: [] });
  if (!training) throw new Error(`${file}: ${diagnostics.map(({ message }) => message).join('; ') || 'no recipe'}`);
  const { graph } = differentiate(training);
  const none = { read: (path: string) => Promise.reject(new Error(`a step has no weight ${path}`)) };
  writeFileSync(to, await encodeOnnx(emitOnnx(graph, { producerVersion: '' }), none));
}
