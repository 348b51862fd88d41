import type { FileHandle } from 'node:fs/promises';
import { quoted } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';
import type { PickleStorage, PickleValue } from '../pickle/pickle-value.ts';
import { PickleEnd } from '../pickle/read-opcodes.ts';
import type { PickleHost } from '../pickle/read-pickle.ts';
import { bytesPerElement } from '../tensors/tensor-dtype.ts';
import { readRange } from './read-range.ts';
import { stateDict } from './state-dict.ts';
import { TorchFile } from './torch-file.ts';
import { readTorchPickle, torchHost } from './torch-host.ts';

/** The first of the pickles in such a file, and the second. */
const magic = 0x1950a86a20f9469cfc6cn;
const protocol = 1001;

/** Bytes of the file that are read at first for its pickles, and at most. */
const firstPart = 2 ** 20;
const largestPart = 2 ** 27;

/** Whether a file may begin with PyTorch's magic number, as a pickle of protocol 2 or later. */
export function mayBeLegacyTorch(start: Uint8Array): boolean {
  const number = Buffer.from([0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]);
  return start[0] === 0x80 && Buffer.from(start.subarray(0, 64)).includes(number);
}

/**
 * Opens a checkpoint as PyTorch wrote it before 1.6: five pickles, and behind them the storages, each after its length.
 */
export async function openLegacyTorch(path: string, handle: FileHandle, size: number): Promise<TorchFile> {
  const { root, keys, storages, end } = await pickles(handle, size);
  const places = new Map<string, { readonly at: number; readonly size: number }>();
  let at = end;
  for (const key of keys) {
    const storage = storages.get(key);
    if (!storage?.dtype)
      throw new UserError(`the storage ${quoted(key)} belongs to no tensor, so that its type is unknown`);
    if (places.has(key)) throw new UserError(`it has the storage ${quoted(key)} twice`);
    if (at + 8 > size) throw new UserError(`the storage ${quoted(key)} is missing: truncated or damaged`);
    const length = Buffer.from(await readRange(handle, at, 8)).readBigInt64LE();
    if (length !== BigInt(storage.length))
      throw new UserError(
        `the storage ${quoted(key)} has ${length} elements, and ${storage.length} by the pickle: damaged`,
      );
    const bytes = storage.length * bytesPerElement(storage.dtype);
    if (at + 8 + bytes > size)
      throw new UserError(`the storage ${quoted(key)} ends after the file: truncated or damaged`);
    places.set(key, { at: at + 8, size: bytes });
    at += 8 + bytes;
  }
  if (at !== size) throw new UserError(`${size - at} bytes at its end belong to no storage`);
  return new TorchFile(
    path,
    'PyTorch checkpoint (before 1.6)',
    stateDict(root),
    {
      size: (key) => places.get(key)?.size,
      read: (key, begin, end) => readRange(handle, places.get(key)!.at + begin, end - begin),
    },
    handle,
  );
}

/** Reads the pickles, from a part of the file that is made larger while they are longer. */
async function pickles(handle: FileHandle, size: number) {
  for (let part = firstPart; ; part *= 4) {
    const length = Math.min(part, size);
    const bytes = await readRange(handle, 0, length);
    try {
      return interpreted(bytes);
    } catch (error) {
      if (!(error instanceof PickleEnd) || length === size) throw error;
      if (part >= largestPart) throw new UserError(`its pickle has more than ${largestPart} bytes`);
    }
  }
}

function interpreted(bytes: Uint8Array) {
  const storages = new Map<string, PickleStorage>();
  const host: PickleHost = {
    ...torchHost,
    persistent(id) {
      const storage = torchHost.persistent(id);
      if (typeof storage !== 'object' || storage?.kind !== 'storage') return storage;
      const known = storages.get(storage.key);
      if (known && (known.dtype !== storage.dtype || known.length !== storage.length))
        throw new UserError(`the storage ${quoted(storage.key)} has two types or lengths`);
      storages.set(storage.key, known ?? storage);
      return storage;
    },
  };
  let end = 0;
  const next = (): PickleValue => {
    const read = readTorchPickle(bytes, end, host);
    end = read.end;
    return read.value;
  };
  if (next() !== magic) throw new UserError("its pickle does not begin with PyTorch's magic number");
  const version = next();
  if (version !== protocol) throw new UserError('it is of an unknown version of PyTorch');
  const system = next();
  if (typeof system === 'object' && system?.kind === 'dict') {
    const little = system.entries.find(([key]) => key === 'little_endian')?.[1];
    if (little === false) throw new UserError('its numbers are big-endian, which crobc does not read');
  }
  const root = next();
  const list = next();
  if (typeof list !== 'object' || list?.kind !== 'list') throw new UserError('it has no list of its storages');
  const keys = list.items.map((key) => {
    if (typeof key !== 'string') throw new UserError('a key in its list of storages is not a text');
    return key;
  });
  return { root, keys, storages, end };
}
