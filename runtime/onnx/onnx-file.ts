import { createHash } from 'node:crypto';
import type { Initialiser, OnnxModel } from '../../compiler/emit/onnx/model.ts';
import { elementCount } from '../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import type { AtomicFile, WrittenFile } from '../files/atomic-file.ts';
import type { FileSet } from '../files/file-set.ts';
import { UserError } from '../files/user-error.ts';
import { permuteAxes } from '../tensors/permute-axes.ts';
import { elementBytes, tensorBytes } from '../tensors/tensor-bytes.ts';
import type { WeightSource } from '../weights/weights.ts';
import { encodeModel, type Payload } from './onnx-encoding.ts';

/** A tensor smaller than this stays in the model: shape inference reads small constants there. */
const smallestExternal = 1024;
/** Below this much in all, one file is handier than two. */
const smallestDataFile = 2 ** 20;
/** Sessions map the data file: tensors start at pages, large ones where Windows can map them too (64 KiB). */
const page = 4096;
const largeTensor = 2 ** 20;
const largeAlignment = 65_536;

/** Names of a model's files, in the order in which they appear (`FileSet`): the graph refers to the data. */
export function onnxFileNames(model: string): readonly [data: string, graph: string] {
  return [`${model}.onnx.data`, `${model}.onnx`];
}

export interface WrittenModel {
  /** The graph, and the data where there are any. */
  readonly files: readonly WrittenFile[];
  /** Of the weights' values under their paths, however they are stored; undefined where none were written. */
  readonly weights: string | undefined;
}

/**
 * Writes a model's graph to a set of files, and its data when there is much to store. Weights are read one at a time and
 * equal tensors are stored once, so memory holds one tensor and not the model. Without `weights` the
 * graph is written alone, every weight referring to the data file as it would lie there. Throws a UserError
 * where a file cannot be written; what the source throws passes through.
 */
export async function writeOnnx(
  model: OnnxModel,
  { set, name, weights }: { readonly set: FileSet; readonly name: string; readonly weights: WeightSource | undefined },
): Promise<WrittenModel> {
  const [dataName, graphName] = onnxFileNames(name);
  const { initialisers } = model.graph;
  const large = initialisers.filter((initialiser) => byteLength(initialiser) >= smallestExternal);
  const apart = large.reduce((total, initialiser) => total + byteLength(initialiser), 0) >= smallestDataFile;
  const external = (initialiser: Initialiser) =>
    weights === undefined ? initialiser.source.kind === 'weight' : apart && byteLength(initialiser) >= smallestExternal;

  const payloads = new Map<Initialiser, Payload>();
  const contents = new Contents(weights);
  const written: WrittenFile[] = [];
  const outside = initialisers.filter(external);
  for (const initialiser of initialisers)
    if (!external(initialiser))
      payloads.set(initialiser, { kind: 'inline', bytes: (await contents.of(initialiser)).bytes() });
  if (weights === undefined) {
    let end = 0;
    for (const initialiser of outside) {
      const [offset, length] = [aligned(end, byteLength(initialiser)), byteLength(initialiser)];
      payloads.set(initialiser, { kind: 'external', location: dataName, offset, length });
      end = offset + length;
    }
  } else if (outside.length > 0) {
    const file = await set.open(dataName);
    const places = await writeTensors(file, outside, contents);
    for (const [initialiser, place] of places)
      payloads.set(initialiser, { kind: 'external', location: dataName, ...place });
    written.push(file.written());
  }
  const graph = await set.write(
    graphName,
    encodeModel(model, (initialiser) => payloads.get(initialiser)!),
  );
  return { files: [graph, ...written], weights: weights && contents.hash() };
}

/** The whole model as bytes, weights inside: for a session made in memory. At most 2 GiB (a limit of protobuf). */
export async function encodeOnnx(model: OnnxModel, weights: WeightSource): Promise<Uint8Array> {
  const contents = new Contents(weights);
  const payloads = new Map<Initialiser, Payload>();
  for (const initialiser of model.graph.initialisers)
    payloads.set(initialiser, { kind: 'inline', bytes: (await contents.of(initialiser)).bytes() });
  return encodeModel(model, (initialiser) => payloads.get(initialiser)!);
}

interface Place {
  readonly offset: number;
  readonly length: number;
}

async function writeTensors(file: AtomicFile, initialisers: readonly Initialiser[], contents: Contents) {
  const places = new Map<Initialiser, Place>();
  const byContent = new Map<string, Place>();
  for (const initialiser of initialisers) {
    const { identity, bytes } = await contents.of(initialiser);
    let place = byContent.get(identity);
    if (place === undefined) {
      const stored = bytes();
      const offset = aligned(file.bytes, stored.length);
      if (offset > file.bytes) await file.write(new Uint8Array(offset - file.bytes));
      place = { offset, length: stored.length };
      byContent.set(identity, place);
      await file.write(stored);
    }
    places.set(initialiser, place);
  }
  return places;
}

function aligned(end: number, length: number): number {
  const unit = length >= largeTensor ? largeAlignment : page;
  return Math.ceil(end / unit) * unit;
}

function byteLength({ dtype, dims }: Initialiser): number {
  return elementCount(dims) * elementBytes[dtype];
}

/** What half precision rounds to infinity: half way from its largest number, 65504, to the next power of two. */
const beyondHalf = 65520;

function refuseBeyondHalf(path: string, data: TensorData['data']): void {
  for (const x of data)
    if (Math.abs(x) >= beyondHalf && Number.isFinite(x))
      throw new UserError(
        `${path} holds ${x}, and half precision nothing beyond 65504: declare the weight with @f32, or build without --dtype f16`,
      );
}

/** What initialisers hold, one at a time; keeps a hash of each weight. */
class Contents {
  readonly #weights: WeightSource | undefined;
  readonly #hashes = new Map<string, string>();

  constructor(weights: WeightSource | undefined) {
    this.#weights = weights;
  }

  /** The bytes as they are stored: axes permuted, rounded. Two initialisers of one identity have the same ones. */
  async of({ name, dtype, dims, source, transposes }: Initialiser): Promise<{ identity: string; bytes(): Uint8Array }> {
    let data: TensorData['data'];
    if (source.kind === 'data') data = source.tensor.data;
    else if (this.#weights) data = await this.#weights.read(source.path);
    else throw new Error(`bug in crobc: no source for ${source.path}`);
    if (data.length !== elementCount(dims))
      throw new Error(`bug in crobc: ${data.length} elements for ${name} of shape [${dims.join(', ')}]`);
    const sha = createHash('sha256')
      .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      .digest('hex');
    if (source.kind === 'weight') this.#hashes.set(source.path, `${source.path} [${source.shape.join(', ')}] ${sha}`);
    if (dtype === 'f16' && source.kind === 'weight') refuseBeyondHalf(source.path, data);
    const kind = data.constructor.name;
    return {
      identity: JSON.stringify([sha, kind, dtype, dims, transposes]),
      bytes: () =>
        tensorBytes(
          dtype,
          transposes.reduce((moved, { shape, perm }) => permuteAxes(moved, shape, perm), data),
        ),
    };
  }

  /** Of all weights: a line each of path, shape and the hash of its values as little-endian float32, sorted. */
  hash(): string {
    const lines = [...this.#hashes.values()].sort();
    return createHash('sha256')
      .update(lines.map((line) => `${line}\n`).join(''))
      .digest('hex');
  }
}
