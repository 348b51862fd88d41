import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asConstant } from '../../compiler/dims/dim.ts';
import { type Built, buildModel, type Source } from '../build/build-model.ts';
import { type BuildRecord, readBuildRecord } from '../build/build-record.ts';
import { dimValue } from '../build/dim-text.ts';
import { manifestName } from '../build/manifest.ts';
import type { WrittenFile } from '../files/atomic-file.ts';
import { FileSet } from '../files/file-set.ts';
import { makeFolder } from '../files/make-folder.ts';
import { packageRoot } from '../files/package-root.ts';
import { readText } from '../files/read-file.ts';
import { UserError } from '../files/user-error.ts';
import { type Feeds, openSession } from '../ort/session.ts';
import { batchDim, batchingOf } from '../serve/row-independence.ts';
import { tritonConfig } from './config.ts';
import { checkTogether, type Limits, openDims, type SizeRange, sizeRanges, sizesAt } from './size-ranges.ts';

export interface TritonBuildOptions {
  /** The model repository, in which the model gets a folder. */
  readonly out: string;
  readonly dtype: 'f32' | 'f16';
  readonly weightsFile: string | undefined;
  readonly seed: number;
  readonly maxBatch: number;
  readonly tensorrt: boolean;
  readonly limits: ReadonlyMap<string, Limits>;
}

export interface TritonBuilt extends Built {
  /** Most rows of a run; 0 if Triton does not join requests. */
  readonly maxBatch: number;
}

/** The name that Triton looks for, of a folder where weights lie beside the graph, and of the graph in it. */
const triton = { version: '1', folder: 'model.onnx', stem: 'model' } as const;

/**
 * Writes a model into a model repository of Triton: `<Model>/config.pbtxt`, `<Model>/1/model.onnx/` with the graph, its weights, the
 * manifest and the vocabulary, data for a first run, and a client in Python. Throws a UserError if rows of the batch depend on each
 * other, as Triton would join requests, and if TensorRT's profile lacks a size.
 */
export async function buildTriton(source: Source, options: TritonBuildOptions): Promise<TritonBuilt> {
  const { out, dtype, weightsFile, seed } = options;
  const folder = join(out, source.graph.name);
  const version = join(folder, triton.version, triton.folder);
  const built = await buildModel(source, {
    ...{ out: version, dtype, weightsFile, seed, writeWeights: true },
    ...{ client: false, vocabulary: true, stem: triton.stem, checksRows: true },
  });
  try {
    return await configured(source, options, built, folder);
  } catch (error) {
    // Without a configuration, Triton would make up one.
    for (const { path } of built.files) await rm(path, { force: true });
    throw error;
  }
}

async function configured(
  source: Source,
  { maxBatch, tensorrt, limits }: TritonBuildOptions,
  built: Built,
  folder: string,
): Promise<TritonBuilt> {
  const version = join(folder, triton.version, triton.folder);
  const record = await readBuildRecord(join(version, manifestName(triton.stem)));
  const expected = new Map(
    [...(source.graph.expected ?? [])].flatMap(([name, dim]) => {
      const size = asConstant(dim);
      return size === undefined ? [] : [[name, size] as const];
    }),
  );
  const ranges = sizeRanges(record, openDims(record, batchDim(record)), { expected, limits });
  if (tensorrt) requireBounds(record, ranges);
  else checkTogether(record, sizesAt(ranges, 'usual'), 'bind them with --set');
  const batch = await joinedBatch(record, ranges, join(version, `${triton.stem}.onnx`));
  const warmup = new Map(record.inputs.filter(({ dtype: type }) => type === 'bool').map(({ name }) => [name, name]));
  const config = tritonConfig({ record, batch, maxBatch, ranges, tensorrt, warmup });
  const files = [...built.files, ...(await writeBeside(folder, config, record, ranges, warmup))];
  return { ...built, files, maxBatch: batch === undefined ? 0 : maxBatch };
}

/** TensorRT builds its engines for sizes up to a largest one. */
function requireBounds(record: BuildRecord, ranges: ReadonlyMap<string, SizeRange>): void {
  for (const [name, { min, usual, max }] of ranges)
    if (max === undefined)
      throw new UserError(
        `TensorRT needs the largest ${name} of ${record.model}, which nothing bounds: give --range ${name}=${min}..${2 * usual}, or bind it with --set`,
      );
  for (const end of ['min', 'usual', 'max'] as const)
    checkTogether(record, sizesAt(ranges, end), 'give others with --range');
}

/**
 * The dim by which Triton may join requests; undefined if the batch is bound. Triton itself completes a model with an open first axis to
 * one with batches, so a model whose rows depend on each other is refused.
 */
async function joinedBatch(
  record: BuildRecord,
  ranges: ReadonlyMap<string, SizeRange>,
  onnx: string,
): Promise<string | undefined> {
  const dim = batchDim(record);
  if (dim === undefined) return undefined;
  const session = await openSession(onnx, { device: 'cpu', half: record.dtype === 'f16' });
  try {
    const run = async (feeds: Feeds) => ({ outputs: await session.run(feeds) });
    const batching = await batchingOf(record, run, sizesAt(ranges, 'usual'));
    if (batching.kind === 'rows') return dim;
    throw new UserError(`${batching.reason}, and Triton would join requests: bind the batch with --set ${dim}=1`);
  } finally {
    await session.release();
  }
}

/** Writes what lies beside the versions. */
async function writeBeside(
  folder: string,
  config: string,
  record: BuildRecord,
  ranges: ReadonlyMap<string, SizeRange>,
  warmup: ReadonlyMap<string, string>,
): Promise<readonly WrittenFile[]> {
  const sizes = new Map(sizesAt(ranges, 'usual'));
  const dim = batchDim(record);
  if (dim !== undefined) sizes.set(dim, 1);
  const written: WrittenFile[] = [];
  if (warmup.size > 0) {
    await makeFolder(join(folder, 'warmup'));
    const set = new FileSet(join(folder, 'warmup'), [...warmup.values()]);
    try {
      for (const { name, shape } of record.inputs) {
        const file = warmup.get(name);
        if (file === undefined) continue;
        const count = shape.reduce((product, one) => product * (dimValue(one, sizes) ?? 1), 1);
        written.push(await set.write(file, new Uint8Array(count).fill(1)));
      }
      await set.commit();
    } finally {
      await set.abort();
    }
  }
  const examples = join(packageRoot(), 'examples', 'python');
  const clients = record.preprocessing === null ? [] : ['client.py', 'predict.py'];
  const set = new FileSet(folder, [...clients, 'config.pbtxt']);
  try {
    for (const name of clients) written.push(await set.write(name, await readText(join(examples, name), 'record')));
    written.push(await set.write('config.pbtxt', config));
    await set.commit();
  } finally {
    await set.abort();
  }
  return written;
}
