import { showType } from '../../compiler/elaborate/report/report.ts';
import { buildModel } from '../../runtime/build/build-model.ts';
import { exposing } from '../../runtime/build/exposed-values.ts';
import { byteSize } from '../../runtime/files/byte-size.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { isTrainedModel } from '../../runtime/predict/trained-model.ts';
import { givenModel } from '../given-model.ts';
import type { Invocation } from '../io.ts';
import { complain, printJson, printLine } from '../print.ts';
import { isLook, look } from './build-look.ts';
import type { BuildOptions } from './build-options.ts';
import { isValueList, listValues } from './build-values.ts';

/** `crobc build`. `given` holds the options that were given on the command line. */
export async function build(
  io: Invocation,
  file: string,
  options: BuildOptions,
  given: ReadonlySet<string>,
): Promise<number> {
  if ((isLook(options) || options.target === 'tfjs') && (await isTrainedModel(file)))
    throw new UsageError(
      `--target tfjs, --print-after and --explain take a .crob file, and ${file} is a trained model`,
    );
  if (options.recipe !== undefined && options.target !== 'torch')
    throw new UsageError('--recipe is for --target torch, which writes the training program of a recipe');
  if (given.has('for') && (options.target !== 'onnx' || isLook(options)))
    throw new UsageError(
      '--for is for --target onnx, and --print-after and --explain show graphs before it has an effect',
    );
  if (options.dtype === 'bf16' && (options.for === 'cpu' || options.for === 'webgpu'))
    throw new UsageError(
      `--dtype bf16 is not for --for ${options.for}: onnxruntime has no kernels of bfloat16 there; take --for cuda, or f32 or f16`,
    );
  if (options.expose !== undefined) refuseExposing(options);
  if (isLook(options)) {
    if (options.target !== 'onnx')
      throw new UsageError('--print-after and --explain are for --target onnx; --graph step shows a training step');
    return look(io, file, options, given);
  }
  if (options.graph === 'step') throw new UsageError('--graph goes with --print-after or --explain');
  if (isValueList(options)) return listValues(io, file, options, given);
  if (options.target !== 'triton') refuseForTriton(given);
  if (options.target === 'tfjs') return (await import('./build-tfjs.ts')).buildForTfjs(io, file, options);
  if (options.target === 'torch') return (await import('./build-torch.ts')).buildForTorch(io, file, options, given);
  if (options.recompute !== undefined)
    throw new UsageError('--recompute is for --target tfjs, which writes the training program, and for crobc train');
  if (options.target === 'triton') return (await import('./build-triton.ts')).buildForTriton(io, file, options);
  const started = io.clock.now();
  const chosen = await givenModel(io, file, options);
  if (!chosen) return 1;
  const { weightsFile } = chosen;
  const compiled = options.expose === undefined ? chosen.compiled : exposing(chosen.compiled, options.expose);
  const built = await buildModel(compiled, {
    out: options.out,
    dtype: options.dtype,
    profile: options.for,
    weightsFile: options.weights === false ? undefined : weightsFile,
    seed: options.seed,
    writeWeights: options.weights !== false,
    client: true,
  });
  const milliseconds = Math.round(io.clock.now() - started);
  const exposed = compiled.graph.outputs.slice(chosen.compiled.graph.outputs.length);
  if (options.json) {
    const { model, hash, parameters, files, emitted } = built;
    const further = options.expose === undefined ? {} : { exposed: exposed.map(({ name }) => name) };
    printJson(io, { model, hash, parameters, nodes: emitted.graph.nodes.length, milliseconds, files, ...further });
    return 0;
  }
  printLine(
    io,
    `${built.model}: ${built.parameters.toLocaleString('en')} parameters, ${built.emitted.graph.nodes.length.toLocaleString('en')} nodes, ${(milliseconds / 1000).toFixed(1)} s`,
  );
  for (const { path, bytes } of built.files) printLine(io, `  ${path}  ${byteSize(bytes)}`);
  for (const { name, value } of exposed)
    printLine(io, `  output ${name}: ${showType(value.type, compiled.graph.facts)}`);
  if (options.weights !== false && weightsFile === undefined && built.weights > 0)
    complain(io, `note: weights are initial ones, drawn from seed ${options.seed}; give trained ones with --weights`);
  if (options.weights === false && built.weights > 0)
    complain(io, `note: ${built.model}.onnx names weights that were not written; it runs when they are there`);
  return 0;
}

/** Throws a UsageError for options of Triton's configuration, which other targets do not write. */
function refuseForTriton(given: ReadonlySet<string>): void {
  for (const [name, flag] of [
    ['maxBatch', '--max-batch'],
    ['tensorrt', '--tensorrt'],
    ['range', '--range'],
  ] as const)
    if (given.has(name)) throw new UsageError(`${flag} is for --target triton`);
}

/** Throws a UsageError for options that --expose has no effect with. */
function refuseExposing(options: BuildOptions): void {
  if (isLook(options)) throw new UsageError('--print-after and --explain show the graph as it is: leave --expose out');
  if (options.target === 'triton')
    throw new UsageError('--expose is for --target onnx: Triton gives the outputs of the model as it is');
  if (options.target === 'torch')
    throw new UsageError('--expose is for --target onnx: a PyTorch module has hooks for the results of its parts');
  if (options.target === 'tfjs')
    throw new UsageError(
      "--expose is for --target onnx: TensorFlow.js programs share the training's graph, which has the model's own outputs",
    );
}
