import { byteSize } from '../../runtime/files/byte-size.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { buildTriton } from '../../runtime/triton/build-triton.ts';
import { givenModel } from '../given-model.ts';
import type { Invocation } from '../io.ts';
import { complain, printJson, printLine } from '../print.ts';
import type { BuildOptions } from './build-options.ts';

/** `crobc build --target triton`. */
export async function buildForTriton(io: Invocation, file: string, options: BuildOptions): Promise<number> {
  if (options.weights === false) throw new UsageError('Triton runs a model with its weights: leave --no-weights out');
  if (options.dtype === 'bf16')
    throw new UsageError(
      '--dtype bf16 is not for --target triton, whose model is run once on the CPU: take f32 or f16',
    );
  const { tensorrt = false, range = [], maxBatch = 8, out, dtype, seed } = options;
  if (range.length > 0 && !tensorrt) throw new UsageError('--range is for --tensorrt: other engines run any size');
  const twice = range.find(({ name }, i) => range.findIndex((one) => one.name === name) < i);
  if (twice) throw new UsageError(`--range ${twice.name} is there twice`);
  const started = io.clock.now();
  const chosen = await givenModel(io, file, options);
  if (!chosen) return 1;
  const { compiled, weightsFile } = chosen;
  const limits = new Map(range.map(({ name, low, high }) => [name, { low, high }]));
  const built = await buildTriton(compiled, { out, dtype, weightsFile, seed, maxBatch, tensorrt, limits });
  const milliseconds = Math.round(io.clock.now() - started);
  const { model, hash, parameters, files, weights } = built;
  if (options.json) {
    printJson(io, { model, hash, parameters, maxBatch: built.maxBatch, milliseconds, files });
    return 0;
  }
  printLine(io, `${model}: ${parameters.toLocaleString('en')} parameters, ${(milliseconds / 1000).toFixed(1)} s`);
  for (const { path, bytes } of files) printLine(io, `  ${path}  ${byteSize(bytes)}`);
  if (built.maxBatch === 0)
    complain(io, 'note: Triton joins no requests: the batch is bound, or not the first axis of every tensor');
  if (weightsFile === undefined && weights > 0)
    complain(io, `note: weights are initial ones, drawn from seed ${seed}; give trained ones with --weights`);
  return 0;
}
