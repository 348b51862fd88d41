import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import type { Context } from '../../compiler/elaborate/context/context.ts';
import { inlineModel } from '../../compiler/elaborate/models/inline.ts';
import type { ModelGraph } from '../../compiler/elaborate/models/model.ts';
import { emitTorch } from '../../compiler/emit/torch/emit.ts';
import type { WrittenFile } from '../files/atomic-file.ts';
import { FileSet } from '../files/file-set.ts';
import { makeFolder } from '../files/make-folder.ts';
import { sourceName } from '../files/source-name.ts';
import { checkWeightSizes, type GraphWeight, weightsOf } from '../weights/graph-weights.ts';
import { writeSafetensorsTo } from '../weights/safetensors.ts';
import { openModelWeights, type Source } from './build-model.ts';

export interface TorchSource extends Source {
  readonly context: Context | undefined;
  /** Elaborates the model in the form of training. */
  readonly otherMode: () => ModelGraph | undefined;
}

export interface TorchBuildOptions {
  /** The folder of the package. */
  readonly out: string;
  readonly weightsFile: string | undefined;
  readonly seed: number;
  readonly writeWeights: boolean;
}

export interface TorchBuilt {
  readonly model: string;
  readonly parameters: number;
  readonly files: readonly WrittenFile[];
  /** What cannot be written for PyTorch; then there are no files. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Writes a Python package with the model as a PyTorch module, and its weights beside it: all files, or none. Throws a
 * UserError for weights that do not fit and a folder that is not writable.
 */
export async function buildTorch(source: TorchSource, options: TorchBuildOptions): Promise<TorchBuilt> {
  const { program, context, model, graph } = source;
  if (!context) throw new Error('bug in crobc: a model without errors has no context');
  const { name } = graph;
  const weights = allWeights(source);
  const needed = new Set(weightsOf(graph).map(({ path }) => path));
  const emitted = emitTorch(program, context, model, {
    weights: weights.map(({ path, shape }) => ({ path, shape, needed: needed.has(path) })),
    sourceName: (file) => sourceName(file, source.file),
  });
  const parameters = weights
    .filter(({ role }) => role === 'param')
    .reduce((total, { shape }) => total + shape.reduce((n, size) => n * size, 1), 0);
  if (emitted.diagnostics.length > 0) return { model: name, parameters, files: [], diagnostics: emitted.diagnostics };
  if (options.writeWeights) checkWeightSizes(weights);
  const weightsName = `${name}.safetensors`;
  const files: WrittenFile[] = [];
  const opened = options.writeWeights ? await openModelWeights(source, weights, options) : undefined;
  // A build without weights leaves an existing weights file alone: it may be the user's.
  const set = new FileSet(options.out, [
    ...(options.writeWeights ? [weightsName] : []),
    ...emitted.files.map((file) => file.name),
  ]);
  try {
    await makeFolder(options.out);
    for (const file of emitted.files) files.push(await set.write(file.name, file.text));
    if (opened) {
      const file = await set.open(weightsName);
      await writeSafetensorsTo(
        file,
        weights.map(({ path, shape }) => ({ name: path, dtype: 'F32', shape, data: () => opened.read(path) })),
      );
      files.push(file.written());
    }
    await set.commit();
  } finally {
    await set.abort();
    await opened?.close();
  }
  return { model: name, parameters, files, diagnostics: [] };
}

/** The weights that inference reads, followed by those that only training reads. */
function allWeights({ graph, otherMode }: TorchSource): readonly GraphWeight[] {
  const all = new Map(weightsOf(graph).map((weight) => [weight.path, weight]));
  const training = otherMode();
  if (training)
    for (const weight of weightsOf({ ...graph, ...inlineModel(training, new Map()) }))
      if (!all.has(weight.path)) all.set(weight.path, weight);
  return [...all.values()];
}
