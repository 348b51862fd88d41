import { buildTorch } from '../../runtime/build/build-torch.ts';
import { byteSize } from '../../runtime/files/byte-size.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { isPrintedRight } from '../compile-file.ts';
import { givenModel } from '../given-model.ts';
import type { Invocation } from '../io.ts';
import { complain, printJson, printLine } from '../print.ts';
import type { BuildOptions } from './build-options.ts';

/** `crobc build --target torch`. */
export async function buildForTorch(io: Invocation, file: string, options: BuildOptions): Promise<number> {
  if (options.dtype !== 'f32')
    throw new UsageError('--dtype is for --target onnx: PyTorch converts a module, model.half()');
  if (options.recompute !== undefined)
    throw new UsageError('--recompute is for --target tfjs, which writes the training program, and for crobc train');
  const started = io.clock.now();
  const chosen = await givenModel(io, file, options);
  if (!chosen) return 1;
  const { compiled, weightsFile } = chosen;
  if (options.set !== undefined && compiled.dims.size > 0)
    throw new UsageError(
      `--set ${[...compiled.dims.keys()].join(', ')}: a PyTorch module has the sizes of its arguments`,
    );
  const built = await buildTorch(compiled, {
    out: options.out,
    weightsFile: options.weights === false ? undefined : weightsFile,
    seed: options.seed,
    writeWeights: options.weights !== false,
  });
  if (!isPrintedRight(io, { ...compiled, diagnostics: built.diagnostics })) return 1;
  const milliseconds = Math.round(io.clock.now() - started);
  const { model, parameters, files } = built;
  if (options.json) {
    printJson(io, { model, parameters, files, milliseconds });
    return 0;
  }
  printLine(io, `${model}: ${parameters.toLocaleString('en')} parameters, ${(milliseconds / 1000).toFixed(1)} s`);
  for (const { path, bytes } of files) printLine(io, `  ${path}  ${byteSize(bytes)}`);
  if (options.weights !== false && weightsFile === undefined && parameters > 0)
    complain(io, `note: weights are initial ones, drawn from seed ${options.seed}; give trained ones with --weights`);
  return 0;
}
