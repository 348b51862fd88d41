import { UserError } from '../files/user-error.ts';
import type { Resized } from './map-fit.ts';
import { openTensorFile } from './open-tensors.ts';
import type { FileTensor, TensorFile } from './tensor-file.ts';
import { describeMismatch, listed, matchWeights, type WantedWeight, type WeightMismatch } from './weights-match.ts';

/** A source of weight values: a file, or an initialiser. */
export interface WeightSource {
  /** Returns the row-major values of the weight at a path; integers and booleans as numbers. */
  read(path: string): Promise<Float32Array> | Float32Array;
}

/** The weights that a file provides, and how. */
export interface FileWeights extends WeightSource {
  readonly file: TensorFile;
  /** Number of tensors in the file that no weight uses. */
  readonly unused: number;
  /** The weights map by whose names the file is read; undefined for crob's names. */
  readonly map: string | undefined;
  /** Weights that are interpolated from a tensor of another size. */
  readonly resized: readonly Resized[];
  /** Number of tensors that a rule of the map skips. */
  readonly skipped: number;
  /** Number of float64 tensors that are rounded to float32. */
  readonly narrowed: number;
  close(): Promise<void>;
}

/** Returns advice on weights that a file lacks, from their paths. */
export interface MissingHint {
  readonly hint?: ((missing: readonly string[]) => string | undefined) | undefined;
}

/** Returns the hint as the end of a message. */
export function hinted(hint: MissingHint['hint'], missing: readonly string[]): string {
  const text = hint?.(missing);
  return text === undefined ? '' : `; ${text}`;
}

export interface OpenOptions extends MissingHint {
  /** Whether the file may contain tensors that the graph does not read. */
  readonly extra?: 'refuse' | 'allow';
  /** Weights of the model that the graph does not read. The file may contain these even with `extra: 'refuse'`. */
  readonly declared?: (() => ReadonlySet<string>) | undefined;
}

/** Opens a file of tensors as the weights of a graph. Throws a UserError that names what does not fit. */
export async function openWeights(
  path: string,
  wanted: readonly WantedWeight[],
  options: OpenOptions = {},
): Promise<FileWeights> {
  return ownWeights(await openTensorFile(path), wanted, options);
}

/** Uses an open file with crob's names as the weights of a graph; closes it if it does not fit. */
export async function ownWeights(
  file: TensorFile,
  wanted: readonly WantedWeight[],
  options: OpenOptions,
): Promise<FileWeights> {
  const { extra = 'refuse', hint } = options;
  const mismatch = mismatchOf(file.tensors, wanted, options);
  const fault = describeMismatch(mismatch);
  if (fault !== undefined) {
    await file.close();
    const missing = mismatch.missing.map((weight) => weight.path);
    // Where no name is known, the names of the file show what it is.
    const none = missing.length === wanted.length && extra === 'allow';
    const own = none ? listed('in the file', [...file.tensors.keys()], (name) => name) : undefined;
    throw new UserError(
      `the weights in ${file.path} do not fit the model: ${fault}${own === undefined ? '' : `; ${own}`}${hinted(hint, missing)}`,
    );
  }
  const used = new Set(wanted.map(({ path }) => file.tensors.get(path)!));
  return {
    file,
    unused: file.tensors.size - used.size,
    map: undefined,
    resized: [],
    skipped: 0,
    narrowed: narrowedBy(used),
    read: (name) => file.float32(name),
    close: () => file.close(),
  };
}

/** Returns the number of tensors whose values are rounded when they are read as float32. */
export function narrowedBy(tensors: Iterable<FileTensor>): number {
  return [...tensors].filter(({ dtype }) => dtype === 'F64').length;
}

/** Says what does not fit if a file has crob's names; undefined if everything fits. */
export function ownFault(
  tensors: ReadonlyMap<string, FileTensor>,
  wanted: readonly WantedWeight[],
  options: OpenOptions,
): string | undefined {
  return describeMismatch(mismatchOf(tensors, wanted, options));
}

/** Compares a file with the weights; tensors that it may have beside them are no mismatch. */
function mismatchOf(
  tensors: ReadonlyMap<string, FileTensor>,
  wanted: readonly WantedWeight[],
  { extra = 'refuse', declared }: OpenOptions,
): WeightMismatch {
  const mismatch = matchWeights(wanted, tensors);
  return { ...mismatch, extra: extra === 'allow' ? [] : undeclared(mismatch.extra, declared) };
}

function undeclared(extra: readonly FileTensor[], declared: OpenOptions['declared']): readonly FileTensor[] {
  if (extra.length === 0 || declared === undefined) return extra;
  const known = declared();
  return extra.filter(({ name }) => !known.has(name));
}
