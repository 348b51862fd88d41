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

/** Tensors below this size in bytes stay in the model file, because shape inference reads small constants. */
const smallestExternal = 1024;
/** If the larger tensors together are below this size in bytes, they stay in the model file as well. */
const smallestDataFile = 2 ** 20;
/** Alignment in the data file, which sessions map into memory: pages, and for large tensors Windows's 64 KiB. */
const page = 4096;
const largeTensor = 2 ** 20;
const largeAlignment = 65_536;

/**
 * Returns the names of a model's files in the order in which they are renamed
 * (`FileSet`): the graph refers to the data.
 */
export function onnxFileNames(model: string): readonly [data: string, graph: string] {
  return [`${model}.onnx.data`, `${model}.onnx`];
}

export interface WrittenModel {
  /** The graph, and the data file if there is one. */
  readonly files: readonly WrittenFile[];
  /** Hash of the weights' values by path, independent of how they are stored; undefined if none were written. */
  readonly weights: string | undefined;
}

/**
 * Writes a model's graph to a set of files, and a data file if the tensors are large. Reads one weight at a time and
 * stores equal tensors once, so only one tensor is in memory. Without `weights`, writes only the graph, in which every
 * weight refers to its place in a data file that is not written. Throws a UserError if a file cannot be written; errors
 * of the source pass through.
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

/** Encodes a model with its weights inside, for a session from memory. At most 2 GiB, the limit of protobuf. */
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

/**
 * The smallest number that half precision rounds to infinity: half way from its
 * maximum, 65504, to the next power of two.
 */
const beyondHalf = 65520;

function refuseBeyondHalf(path: string, data: TensorData['data']): void {
  for (const x of data)
    if (Math.abs(x) >= beyondHalf && Number.isFinite(x))
      throw new UserError(
        `${path} holds ${x}, and half precision nothing beyond 65504: declare the weight with @f32, or build without --dtype f16`,
      );
}

/** Returns the data of initialisers one at a time, and keeps a hash of each weight. */
class Contents {
  readonly #weights: WeightSource | undefined;
  readonly #hashes = new Map<string, string>();

  constructor(weights: WeightSource | undefined) {
    this.#weights = weights;
  }

  /** Returns the stored bytes (axes permuted, rounded). Initialisers with equal identities have equal bytes. */
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

  /** Returns a hash of all weights: of sorted lines of path, shape, and hash of the values as little-endian float32. */
  hash(): string {
    const lines = [...this.#hashes.values()].sort();
    return createHash('sha256')
      .update(lines.map((line) => `${line}\n`).join(''))
      .digest('hex');
  }
}
