import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { Initialiser, OnnxModel } from '../compiler/emit/onnx/model.ts';
import { elementCount } from '../compiler/ir/tensor-data.ts';
import { AtomicFile, writeFileAtomic } from './atomic-file.ts';
import { encodeModel, type Payload } from './onnx-encoding.ts';
import { permuteAxes } from './permute-axes.ts';
import { elementBytes, tensorBytes } from './tensor-bytes.ts';
import type { WeightSource } from './weights.ts';

/** A tensor smaller than this stays in the model: shape inference reads small constants there. */
const smallestExternal = 1024;
/** Below this much in all, one file is handier than two. */
const smallestDataFile = 2 ** 20;
/** Sessions map the data file: tensors start at pages, large ones where Windows can map them too (64 KiB). */
const page = 4096;
const largeTensor = 2 ** 20;
const largeAlignment = 65_536;

export interface WrittenFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Writes `path`, and `path` + `.data` beside it when there is much to store; each appears complete or
 * not at all, the data first. Weights are read one at a time and equal tensors are stored once, so
 * memory holds one tensor and not the model. Without `weights` the graph is written alone, every
 * weight referring to the data file as it would lie there. Throws a UserError where a file cannot be
 * written; what the source throws passes through.
 */
export async function writeOnnxFile(
  model: OnnxModel,
  { path, weights }: { readonly path: string; readonly weights: WeightSource | undefined },
): Promise<readonly WrittenFile[]> {
  const location = `${basename(path)}.data`;
  const { initialisers } = model.graph;
  const large = initialisers.filter((initialiser) => byteLength(initialiser) >= smallestExternal);
  const apart = large.reduce((total, initialiser) => total + byteLength(initialiser), 0) >= smallestDataFile;
  const external = (initialiser: Initialiser) =>
    weights === undefined ? initialiser.source.kind === 'weight' : apart && byteLength(initialiser) >= smallestExternal;

  const payloads = new Map<Initialiser, Payload>();
  const written: WrittenFile[] = [];
  const outside = initialisers.filter(external);
  for (const initialiser of initialisers)
    if (!external(initialiser))
      payloads.set(initialiser, { kind: 'inline', bytes: await bytesOf(initialiser, weights) });
  if (weights === undefined) {
    let end = 0;
    for (const initialiser of outside) {
      const [offset, length] = [aligned(end, byteLength(initialiser)), byteLength(initialiser)];
      payloads.set(initialiser, { kind: 'external', location, offset, length });
      end = offset + length;
    }
  } else if (outside.length > 0) {
    const file = await AtomicFile.open(`${path}.data`);
    try {
      const { places, bytes, sha256 } = await writeTensors(file, outside, weights);
      for (const [initialiser, place] of places) payloads.set(initialiser, { kind: 'external', location, ...place });
      await file.commit();
      written.push({ path: `${path}.data`, bytes, sha256 });
    } finally {
      await file.abort();
    }
  }
  const bytes = encodeModel(model, (initialiser) => payloads.get(initialiser)!);
  await writeFileAtomic(path, bytes);
  return [{ path, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }, ...written];
}

/** The whole model as bytes, weights inside: for a session made in memory. At most 2 GiB (a limit of protobuf). */
export async function encodeOnnx(model: OnnxModel, weights: WeightSource): Promise<Uint8Array> {
  const payloads = new Map<Initialiser, Payload>();
  for (const initialiser of model.graph.initialisers)
    payloads.set(initialiser, { kind: 'inline', bytes: await bytesOf(initialiser, weights) });
  return encodeModel(model, (initialiser) => payloads.get(initialiser)!);
}

async function writeTensors(file: AtomicFile, initialisers: readonly Initialiser[], weights: WeightSource) {
  const places = new Map<Initialiser, { offset: number; length: number }>();
  const byContent = new Map<string, { offset: number; length: number }>();
  const whole = createHash('sha256');
  let end = 0;
  const append = async (bytes: Uint8Array) => {
    await file.write(bytes);
    whole.update(bytes);
    end += bytes.length;
  };
  for (const initialiser of initialisers) {
    const bytes = await bytesOf(initialiser, weights);
    const content = createHash('sha256').update(bytes).digest('hex');
    let place = byContent.get(content);
    if (place === undefined) {
      const offset = aligned(end, bytes.length);
      if (offset > end) await append(new Uint8Array(offset - end));
      place = { offset, length: bytes.length };
      byContent.set(content, place);
      await append(bytes);
    }
    places.set(initialiser, place);
  }
  return { places, bytes: end, sha256: whole.digest('hex') };
}

function aligned(end: number, length: number): number {
  const unit = length >= largeTensor ? largeAlignment : page;
  return Math.ceil(end / unit) * unit;
}

function byteLength({ dtype, dims }: Initialiser): number {
  return elementCount(dims) * elementBytes[dtype];
}

/** The tensor as stored: read, its axes permuted, rounded. */
async function bytesOf({ name, dtype, dims, source, transposes }: Initialiser, weights: WeightSource | undefined) {
  if (source.kind === 'weight' && weights === undefined) throw new Error(`bug in crobc: no source for ${source.path}`);
  let data = source.kind === 'data' ? source.tensor.data : await weights!.read(source.path);
  if (data.length !== elementCount(dims))
    throw new Error(`bug in crobc: ${data.length} elements for ${name} of shape [${dims.join(', ')}]`);
  for (const { shape, perm } of transposes) data = permuteAxes(data, shape, perm);
  return tensorBytes(dtype, data);
}
