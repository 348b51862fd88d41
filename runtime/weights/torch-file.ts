import type { FileHandle } from 'node:fs/promises';
import { fileError } from '../files/file-error.ts';
import { quoted } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';
import type { PickleTensor } from '../pickle/pickle-value.ts';
import { bytesPerElement } from '../tensors/tensor-dtype.ts';
import { type StateDict, stateDict } from './state-dict.ts';
import { gathered, isContiguous, spanOf } from './strided.ts';
import { type FileRemark, type FileTensor, TensorFile } from './tensor-file.ts';
import { readTorchPickle } from './torch-host.ts';
import type { ZipArchive, ZipEntry } from './zip.ts';

/** Reads the bytes of storages. */
export interface Storages {
  /** Number of bytes of a storage; undefined if the file lacks it. */
  size(key: string): number | undefined;
  /** Returns a part of a storage. The range is within its size. */
  read(key: string, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * A checkpoint of `torch.save`. Its pickle is interpreted when it is opened, and no code of it runs; tensors are read from
 * their storages one at a time.
 */
export class TorchFile extends TensorFile {
  readonly path: string;
  readonly format: string;
  readonly tensors: ReadonlyMap<string, FileTensor>;
  readonly remarks: readonly FileRemark[];
  readonly #views: ReadonlyMap<string, PickleTensor>;
  readonly #storages: Storages;
  readonly #handle: FileHandle;

  /** Checks that every tensor is within its storage. Throws a UserError without the file's name. */
  constructor(path: string, format: string, { tensors, remarks }: StateDict, storages: Storages, handle: FileHandle) {
    super();
    this.path = path;
    this.format = format;
    this.remarks = remarks;
    this.#views = tensors;
    this.#storages = storages;
    this.#handle = handle;
    this.tensors = new Map([...tensors].map(([name, { dtype, shape }]) => [name, { name, dtype, shape }]));
    for (const [name, { storage, dtype, offset, shape, strides }] of tensors) {
      const size = storages.size(storage.key);
      if (size === undefined)
        throw new UserError(`the storage ${quoted(storage.key)} of ${quoted(name)} is missing: truncated or damaged`);
      const end = (offset + spanOf(shape, strides)) * bytesPerElement(dtype);
      if (end > size && !shape.includes(0))
        throw new UserError(`the tensor ${quoted(name)} reaches to byte ${end} of a storage of ${size}`);
    }
  }

  async bytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const view = this.#views.get(name);
    if (view === undefined) throw new UserError(`${this.path} has no tensor ${name}`);
    const { storage, dtype, offset, shape, strides } = view;
    const width = bytesPerElement(dtype);
    const begin = offset * width;
    try {
      const span = spanOf(shape, strides);
      if (span === 0) return new Uint8Array(0);
      const bytes = await this.#storages.read(storage.key, begin, begin + span * width);
      return isContiguous(shape, strides) ? bytes : gathered(bytes, shape, strides, width);
    } catch (error) {
      throw error instanceof UserError
        ? new UserError(`cannot read ${this.path}: ${error.message}`)
        : fileError('read', this.path, error);
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** Maximum size of the pickle in a zip archive. */
const largestPickle = 2 ** 27;

/** Opens a checkpoint of PyTorch 1.6 or later: a zip archive with a pickle and a file for each storage. */
export async function openTorchZip(
  path: string,
  archive: ZipArchive,
  pickle: ZipEntry,
  handle: FileHandle,
): Promise<TorchFile> {
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  if (archive.entries.has(`${folder}constants.pkl`))
    throw new UserError('it is a TorchScript program: save the state_dict() of the module instead');
  const order = archive.entries.get(`${folder}byteorder`);
  if (order && order.size < 16 && Buffer.from(await archive.read(order)).toString() !== 'little')
    throw new UserError('its numbers are big-endian, which crobc does not read');
  if (pickle.size > largestPickle) throw new UserError(`its pickle has ${pickle.size} bytes, which is too much`);
  const { value } = readTorchPickle(await archive.read(pickle));
  const entryOf = (key: string) => archive.entries.get(`${folder}data/${key}`);
  const storages: Storages = {
    size: (key) => entryOf(key)?.size,
    read: (key, begin, end) => archive.read(entryOf(key)!, begin, end),
  };
  return new TorchFile(path, 'PyTorch checkpoint', stateDict(value), storages, handle);
}
