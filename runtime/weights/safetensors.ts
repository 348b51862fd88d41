import type { FileHandle } from 'node:fs/promises';
import { AtomicFile } from '../files/atomic-file.ts';
import { FileError, fileError } from '../files/file-error.ts';
import { openFile } from '../files/open-file.ts';
import { UserError } from '../files/user-error.ts';
import { bytesPerElement, type TensorDType } from '../tensors/tensor-dtype.ts';
import { readRange } from './read-range.ts';
import {
  layoutOrder,
  MAX_HEADER_BYTES,
  parseHeader,
  type SafetensorsHeader,
  type TensorEntry,
} from './safetensors-header.ts';
import { type FileRemark, TensorFile } from './tensor-file.ts';

/**
 * An open safetensors file (github.com/huggingface/safetensors, format 0.4). Opening reads only the header; tensors are
 * read one at a time on request. Must be closed.
 */
export class SafetensorsFile extends TensorFile {
  readonly path: string;
  readonly format = 'safetensors';
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** The file's `__metadata__`: text by key. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly #handle: FileHandle;
  readonly #dataStart: number;

  private constructor(path: string, header: SafetensorsHeader, handle: FileHandle, dataStart: number) {
    super();
    this.path = path;
    this.tensors = header.tensors;
    this.metadata = header.metadata;
    this.#handle = handle;
    this.#dataStart = dataStart;
  }

  get remarks(): readonly FileRemark[] {
    return [...this.metadata].map(([name, text]) => ({ name, text }));
  }

  /** Throws a UserError that names the file if it cannot be read, is truncated, or is inconsistent. */
  static async open(path: string): Promise<SafetensorsFile> {
    let handle: FileHandle | undefined;
    try {
      const file = await openFile(path, 'weights');
      handle = file.handle;
      const { size } = file.stats;
      if (size < 8) throw new UserError(`it has ${size} bytes, and a safetensors file has at least 10`);
      const length = Buffer.from(await readRange(handle, 0, 8)).readBigUInt64LE();
      if (length > BigInt(size - 8)) {
        throw new UserError(`its header would be ${length} bytes of ${size}: truncated, or not a safetensors file`);
      }
      if (length > BigInt(MAX_HEADER_BYTES))
        throw new UserError(`its header of ${length} bytes is over the limit of 100 MB`);
      const bytes = await readRange(handle, 8, Number(length));
      let text: string;
      try {
        text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
      } catch {
        throw new UserError('its header is not UTF-8 text: not a safetensors file');
      }
      const dataStart = 8 + Number(length);
      return new SafetensorsFile(path, parseHeader(text, size - dataStart), handle, dataStart);
    } catch (error) {
      await handle?.close();
      throw error instanceof UserError && !(error instanceof FileError)
        ? new UserError(`cannot read ${path}: ${error.message}`)
        : fileError('read', path, error);
    }
  }

  /** Returns the bytes of a tensor as in the file: row-major, little-endian. */
  async bytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const entry = this.tensors.get(name);
    if (entry === undefined) throw new UserError(`${this.path} has no tensor ${name}`);
    try {
      return await readRange(this.#handle, this.#dataStart + entry.begin, entry.end - entry.begin);
    } catch (error) {
      throw fileError('read', this.path, error);
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** A tensor to write. `data` is called when the tensor before is written, so that only two need be in memory. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: TensorDType;
  readonly shape: readonly number[];
  readonly data: () => ArrayBufferView | Promise<ArrayBufferView>;
}

/**
 * Writes a safetensors file with the layout of the Python and Rust libraries, so that equal tensors and metadata
 * give the same bytes. Writes atomically.
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<TensorToWrite>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const file = await AtomicFile.open(path);
  try {
    await writeSafetensorsTo(file, tensors, metadata);
    await file.commit();
  } finally {
    await file.abort();
  }
}

/** Writes the same content to a file that the caller commits. */
export async function writeSafetensorsTo(
  file: AtomicFile,
  tensors: Iterable<TensorToWrite>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const sorted = [...tensors].sort(layoutOrder);
  await file.write(encodeHeader(sorted, metadata));
  for await (const { tensor, data } of readAhead(sorted)) {
    const wanted = byteLength(tensor);
    if (data.byteLength !== wanted) {
      throw new Error(`bug in crobc: ${data.byteLength} bytes for ${tensor.name}, which has ${wanted}`);
    }
    await file.write(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
}

/** Yields the data of each tensor; the next one is read while the caller uses it. */
async function* readAhead(tensors: readonly TensorToWrite[]) {
  let reading: Promise<ArrayBufferView> | undefined;
  for (const [i, tensor] of tensors.entries()) {
    const data = await (reading ?? started(tensor));
    const after = tensors[i + 1];
    reading = after && started(after);
    yield { tensor, data };
  }
}

/** Starts to read a tensor. If the write of the one before fails, nobody waits for it. */
function started({ data }: TensorToWrite): Promise<ArrayBufferView> {
  const read = Promise.resolve().then(data);
  read.catch(() => undefined);
  return read;
}

function byteLength({ dtype, shape }: TensorToWrite): number {
  return shape.reduce((product, d) => product * d, bytesPerElement(dtype));
}

function encodeHeader(tensors: readonly TensorToWrite[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const members: string[] = [];
  const keys = Object.keys(metadata).sort();
  if (keys.length > 0) {
    const pairs = keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`);
    members.push(`"__metadata__":{${pairs.join(',')}}`);
  }
  const names = new Set<string>();
  let at = 0;
  for (const tensor of tensors) {
    if (names.has(tensor.name) || tensor.name === '__metadata__') {
      throw new Error(`bug in crobc: two tensors to write are called ${tensor.name}`);
    }
    names.add(tensor.name);
    const end = at + byteLength(tensor);
    const fields = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [at, end] };
    members.push(`${JSON.stringify(tensor.name)}:${JSON.stringify(fields)}`);
    at = end;
  }
  const json = Buffer.from(`{${members.join(',')}}`);
  // Trailing spaces align the data to 8 bytes.
  const padded = Math.ceil(json.length / 8) * 8;
  const out = Buffer.alloc(8 + padded, ' ');
  out.writeBigUInt64LE(BigInt(padded));
  json.copy(out, 8);
  return out;
}
