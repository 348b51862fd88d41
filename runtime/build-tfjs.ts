import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateTfjs } from '../compiler/emit/tfjs/generate.ts';
import { freeDims, inferenceProgram, trainingProgram } from '../compiler/emit/tfjs/programs.ts';
import type { Graph } from '../compiler/ir/graph.ts';
import { graphHash } from '../compiler/ir/hash.ts';
import type { Training } from '../compiler/training/compile-training.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { type GraphWeight, weightsOf } from './graph-weights.ts';
import { initialWeights } from './initialise.ts';
import { makeFolder } from './make-folder.ts';
import type { WrittenFile } from './onnx-file.ts';
import { writeSafetensors } from './safetensors.ts';
import { stepParts } from './training/step-parts.ts';
import { namedSteps } from './training/tfjs-backend.ts';
import { UserError } from './user-error.ts';
import { openWeights } from './weights.ts';

export interface TfjsSource {
  /** The inference form; its weights are `weight` nodes. */
  readonly graph: Graph;
  /** Sizes of its dims; the batch `B` is 1 where nothing says more. */
  readonly dims: ReadonlyMap<string, number>;
  /** Where a recipe trains the model. */
  readonly training: Training | undefined;
}

export interface TfjsBuildOptions {
  readonly out: string;
  /** safetensors; initial weights drawn from `seed` when undefined. */
  readonly weightsFile: string | undefined;
  readonly seed: number;
  readonly writeWeights: boolean;
}

export interface TfjsBuilt {
  readonly model: string;
  readonly hash: string;
  readonly parameters: number;
  readonly files: readonly WrittenFile[];
}

/**
 * Writes `<Model>.tfjs.ts`, `<Model>.train.tfjs.ts` where there is a recipe, and `<Model>.safetensors` to a
 * folder. Throws a UserError for sizes that are not known, weights that do not fit, and a folder that cannot be written.
 */
export async function buildTfjs({ graph, dims, training }: TfjsSource, options: TfjsBuildOptions): Promise<TfjsBuilt> {
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
  const texts = new Map([[`${name}.tfjs.ts`, await generateTfjs(inferenceProgram(graph, sizes))]]);
  if (training !== undefined)
    texts.set(`${name}.train.tfjs.ts`, await generateTfjs(trainingProgram(name, namedSteps(stepParts(training)))));
  const wanted = wantedWeights(graph, training);
  const opened = weightsFile === undefined ? undefined : await openWeights(weightsFile, wanted);
  const files: WrittenFile[] = [];
  try {
    await makeFolder(out);
    for (const [file, text] of texts) {
      const path = join(out, file);
      await writeFileAtomic(path, text);
      files.push(written(path, Buffer.from(text)));
    }
    if (options.writeWeights) {
      const weights = opened ?? initialWeights(wanted, seed);
      const path = join(out, `${name}.safetensors`);
      await writeSafetensors(
        path,
        wanted.map(({ path: weight, shape }) => ({
          name: weight,
          dtype: 'F32',
          shape,
          data: () => weights.read(weight),
        })),
      );
      files.push(written(path, await readFile(path)));
    }
  } finally {
    await opened?.close();
  }
  const parameters = wanted
    .filter(({ role }) => role === 'param')
    .reduce((total, { shape }) => total + shape.reduce((n, size) => n * size, 1), 0);
  return { model: name, hash: graphHash(graph), parameters, files };
}

/** Those of the inference form, and those that only training has. */
function wantedWeights(graph: Graph, training: Training | undefined): GraphWeight[] {
  const all = new Map<string, GraphWeight>();
  for (const weight of training?.weights ?? []) all.set(weight.path, { ...weight, dtype: 'f32' });
  for (const weight of weightsOf(graph)) all.set(weight.path, weight);
  return [...all.values()];
}

function written(path: string, content: Uint8Array): WrittenFile {
  return { path, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}
