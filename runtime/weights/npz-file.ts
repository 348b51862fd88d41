import type { FileHandle } from 'node:fs/promises';
import { fileError } from '../files/file-error.ts';
import { cut, quoted } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';
import { bytesPerElement, type TensorDType } from '../tensors/tensor-dtype.ts';
import { gathered } from './strided.ts';
import { type FileTensor, TensorFile } from './tensor-file.ts';
import type { ZipArchive, ZipEntry } from './zip.ts';

const dtypes: Readonly<Record<string, TensorDType>> = {
  '<f4': 'F32',
  '<f8': 'F64',
  '<f2': 'F16',
  '<i8': 'I64',
  '<i4': 'I32',
  '<i2': 'I16',
  '|i1': 'I8',
  '|u1': 'U8',
  '<u2': 'U16',
  '<u4': 'U32',
  '<u8': 'U64',
  '|b1': 'BOOL',
};

/** An array in an archive; `start` is the position of its values in the file of the array. */
interface NpyTensor extends FileTensor {
  readonly entry: ZipEntry;
  readonly start: number;
  readonly columnsFirst: boolean;
}

/** Maximum length of the header of an array. */
const longestHeader = 2 ** 14;

/** An archive of arrays that `numpy.savez` or `savez_compressed` wrote. Arrays of Python objects are refused. */
export class NpzFile extends TensorFile {
  readonly path: string;
  readonly format = 'npz';
  readonly tensors: ReadonlyMap<string, NpyTensor>;
  readonly remarks = [];
  readonly #archive: ZipArchive;
  readonly #handle: FileHandle;

  private constructor(path: string, archive: ZipArchive, tensors: ReadonlyMap<string, NpyTensor>, handle: FileHandle) {
    super();
    this.path = path;
    this.tensors = tensors;
    this.#archive = archive;
    this.#handle = handle;
  }

  static async open(path: string, archive: ZipArchive, handle: FileHandle): Promise<NpzFile> {
    const tensors = new Map<string, NpyTensor>();
    for (const entry of archive.entries.values()) {
      if (!entry.name.endsWith('.npy')) throw new UserError(`it has ${quoted(entry.name)}, which is not an array`);
      const tensor = await npyTensor(archive, entry);
      tensors.set(tensor.name, tensor);
    }
    return new NpzFile(path, archive, tensors, handle);
  }

  async bytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) throw new UserError(`${this.path} has no tensor ${name}`);
    const { entry, start, shape, dtype, columnsFirst } = tensor;
    try {
      // Read whole, so that its checksum is compared in one pass.
      const bytes = (await this.#archive.read(entry)).slice(start);
      if (!columnsFirst) return bytes;
      const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((product, n) => product * n, 1));
      return gathered(bytes, shape, strides, bytesPerElement(dtype));
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

/** Reads the header of an array: `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`. */
async function npyTensor(archive: ZipArchive, entry: ZipEntry): Promise<NpyTensor> {
  const name = entry.name.slice(0, -'.npy'.length);
  const label = quoted(name);
  const head = Buffer.from(await archive.peek(entry, longestHeader));
  if (head.length < 12 || head.toString('latin1', 0, 6) !== '\x93NUMPY')
    throw new UserError(`${label} is not an array`);
  const long = head[6]! >= 2;
  const start = long ? 12 + head.readUInt32LE(8) : 10 + head.readUInt16LE(8);
  if (start > head.length) throw new UserError(`the header of ${label} is truncated or too long`);
  const text = head.toString('latin1', long ? 12 : 10, start);
  const [, descr, order, sizes] =
    /^\{'descr': (.+), 'fortran_order': (True|False), 'shape': \(([\d, ]*)\), \}\s*$/.exec(text) ?? [];
  if (descr === undefined || sizes === undefined) throw new UserError(`the header of ${label} is not understood`);
  const dtype = dtypes[descr.replaceAll("'", '')];
  if (descr === "'|O'") throw new UserError(`${label} is an array of Python objects`);
  if (dtype === undefined) throw new UserError(`${label} has the dtype ${cut(descr)}, which crobc does not read`);
  const shape = sizes.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number(size)]));
  const bytes = shape.reduce((product, n) => product * n, bytesPerElement(dtype));
  if (bytes !== entry.size - start || !shape.every(Number.isSafeInteger))
    throw new UserError(`${label} has ${entry.size - start} bytes, and ${dtype}[${cut(shape.join(', '))}] is ${bytes}`);
  return { name, dtype, shape, entry, start, columnsFirst: order === 'True' };
}
