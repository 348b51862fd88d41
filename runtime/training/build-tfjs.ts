import { generateTfjs } from '../../compiler/emit/tfjs/generate.ts';
import { freeDims, inferenceProgram, trainingProgram } from '../../compiler/emit/tfjs/programs.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { graphHash } from '../../compiler/ir/hash.ts';
import type { Training } from '../../compiler/training/compile-training.ts';
import type { WrittenFile } from '../files/atomic-file.ts';
import { FileSet } from '../files/file-set.ts';
import { makeFolder } from '../files/make-folder.ts';
import { UserError } from '../files/user-error.ts';
import { checkWeightSizes, type GraphWeight, weightsOf } from '../weights/graph-weights.ts';
import { initialWeights } from '../weights/initialise.ts';
import { writeSafetensorsTo } from '../weights/safetensors.ts';
import { openWeights } from '../weights/weights.ts';
import { devicePrecision } from './precision.ts';
import { stepParts } from './step-parts.ts';
import { namedSteps } from './tfjs-backend.ts';

export interface TfjsSource {
  /** The inference form; weights are `weight` nodes. */
  readonly graph: Graph;
  /** Sizes of the dims; the default of the batch `B` is 1. */
  readonly dims: ReadonlyMap<string, number>;
  /** Defined if a recipe trains the model. */
  readonly training: Training | undefined;
  /** All weights that the model declares. A weights file may contain those that the graph does not read. */
  readonly declaredWeights?: (() => ReadonlySet<string>) | undefined;
}

export interface TfjsBuildOptions {
  readonly out: string;
  /** A safetensors file; if undefined, initial weights are drawn from `seed`. */
  readonly weightsFile: string | undefined;
  readonly seed: number;
  readonly writeWeights: boolean;
  /** Modules whose activations the training program recomputes in the backward pass. */
  readonly recompute: readonly string[];
}

export interface TfjsBuilt {
  readonly model: string;
  readonly hash: string;
  readonly parameters: number;
  readonly files: readonly WrittenFile[];
}

/**
 * Writes `<Model>.tfjs.ts`, with a recipe `<Model>.train.tfjs.ts`, and `<Model>.safetensors` to a folder: all of them,
 * or none, so that the previous files remain. Throws a UserError for unknown sizes, a recipe of half precision, weights
 * that do not fit, and a folder that is not writable.
 */
export async function buildTfjs(source: TfjsSource, options: TfjsBuildOptions): Promise<TfjsBuilt> {
  const { graph, dims, training, declaredWeights: declared } = source;
  const { out, weightsFile, seed } = options;
  const { name } = graph;
  const sizes = new Map([['B', 1], ...dims]);
  const open = freeDims(graph).filter((dim) => !sizes.has(dim));
  if (open.length > 0) {
    const example = open.map((dim) => `${dim}=…`).join(',');
    throw new UserError(
      `sizes in a TensorFlow.js program are numbers: give those of ${open.join(', ')} (--set ${example})`,
    );
  }
  if (training) await devicePrecision(training.recipe, { backend: 'tfjs', device: 'auto' });
  const programName = `${name}.tfjs.ts`;
  const trainerName = `${name}.train.tfjs.ts`;
  const weightsName = `${name}.safetensors`;
  const program = await generateTfjs(inferenceProgram(graph, sizes));
  const trainer =
    training === undefined
      ? undefined
      : await generateTfjs(
          trainingProgram(name, namedSteps(stepParts(training, { recompute: options.recompute, backend: 'tfjs' }))),
        );
  const wanted = wantedWeights(graph, training);
  if (options.writeWeights) checkWeightSizes(wanted);
  const opened = weightsFile === undefined ? undefined : await openWeights(weightsFile, wanted, { declared });
  // A build without weights leaves an existing weights file alone: it may be the user's.
  const set = new FileSet(out, [...(options.writeWeights ? [weightsName] : []), programName, trainerName]);
  const files: WrittenFile[] = [];
  try {
    await makeFolder(out);
    files.push(await set.write(programName, program));
    if (trainer !== undefined) files.push(await set.write(trainerName, trainer));
    if (options.writeWeights) {
      const weights = opened ?? initialWeights(wanted, seed);
      const file = await set.open(weightsName);
      await writeSafetensorsTo(
        file,
        wanted.map(({ path, shape }) => ({ name: path, dtype: 'F32', shape, data: () => weights.read(path) })),
      );
      files.push(file.written());
    }
    await set.commit();
  } finally {
    await set.abort();
    await opened?.close();
  }
  const parameters = wanted
    .filter(({ role }) => role === 'param')
    .reduce((total, { shape }) => total + shape.reduce((n, size) => n * size, 1), 0);
  return { model: name, hash: graphHash(graph), parameters, files };
}

/** Returns the weights of the inference form, and those that only training reads. */
function wantedWeights(graph: Graph, training: Training | undefined): GraphWeight[] {
  const all = new Map<string, GraphWeight>();
  for (const weight of training?.weights ?? []) all.set(weight.path, { ...weight, dtype: 'f32' });
  for (const weight of weightsOf(graph)) all.set(weight.path, weight);
  return [...all.values()];
}
