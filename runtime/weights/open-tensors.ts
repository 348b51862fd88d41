import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FileError, fileError } from '../files/file-error.ts';
import { openFile } from '../files/open-file.ts';
import { UserError } from '../files/user-error.ts';
import { PickleEnd } from '../pickle/read-opcodes.ts';
import { mayBeLegacyTorch, openLegacyTorch } from './legacy-torch.ts';
import { NpzFile } from './npz-file.ts';
import { readRange } from './read-range.ts';
import { SafetensorsFile } from './safetensors.ts';
import { ShardedFile, shardsOf } from './sharded-file.ts';
import type { TensorFile } from './tensor-file.ts';
import { openTorchZip } from './torch-file.ts';
import { ZipArchive } from './zip.ts';

/** Maximum size of an index of shards: that of a large model has some hundred thousand bytes. */
const largestIndex = 2 ** 24;

/**
 * Opens a file of tensors: safetensors, a PyTorch checkpoint (a zip archive, or as before 1.6), an npz archive, or the
 * index of a model in several files. The content decides, not the name. Throws a UserError that names the file if it
 * cannot be read; nothing in it is run.
 */
export async function openTensorFile(path: string): Promise<TensorFile> {
  return opened(path, true);
}

async function opened(path: string, mayBeIndex: boolean): Promise<TensorFile> {
  let handle: FileHandle | undefined;
  try {
    const file = await openFile(path, 'weights');
    handle = file.handle;
    const { size } = file.stats;
    const start = Buffer.from(await readRange(handle, 0, Math.min(size, 512)));
    if (start.toString('latin1', 0, 4) === 'PK\x03\x04') return await openZip(path, handle, size);
    if (mayBeLegacyTorch(start)) return await openLegacyTorch(path, handle, size);
    if (mayBeIndex && isIndex(start, size)) {
      const text = Buffer.from(await readRange(handle, 0, size)).toString();
      return await ShardedFile.open(path, text, openShard).finally(() => handle?.close());
    }
    const other = isSafetensors(start, size) ? undefined : otherFormat(start);
    if (other !== undefined) throw new UserError(other);
  } catch (error) {
    await handle?.close().catch(() => undefined);
    if (error instanceof PickleEnd) throw new UserError(`cannot read ${path}: its pickle is damaged: ${error.message}`);
    throw error instanceof UserError && !(error instanceof FileError) && !error.message.startsWith('cannot read ')
      ? new UserError(`cannot read ${path}: ${error.message}`)
      : fileError('read', path, error);
  }
  await handle.close();
  return SafetensorsFile.open(path);
}

/** Whether a file may be the index of several others: it is JSON from the beginning. */
function isIndex(start: Buffer, size: number): boolean {
  return /^\s*\{\s*"/.test(start.toString('latin1')) && size <= largestIndex;
}

/**
 * Returns the hash of the weights in a file: of its bytes or, for an index, of its bytes and those of the files that it
 * names. `hash` returns the SHA-256 of a file. Throws a UserError that names a file that cannot be read.
 */
export async function weightsSha256(path: string, hash: (file: string) => Promise<string>): Promise<string> {
  const shards = await shardPaths(path);
  const own = await hash(path);
  if (shards.length === 0) return own;
  const digest = createHash('sha256').update(own);
  for (const shard of shards) digest.update(await hash(shard));
  return digest.digest('hex');
}

/** Returns the paths of the files that an index names; none for another file. */
async function shardPaths(path: string): Promise<readonly string[]> {
  const { handle, stats } = await openFile(path, 'weights');
  try {
    const start = Buffer.from(await readRange(handle, 0, Math.min(stats.size, 512)));
    if (!isIndex(start, stats.size)) return [];
    const names = shardsOf(Buffer.from(await readRange(handle, 0, stats.size)).toString());
    return names.map((name) => join(dirname(path), name));
  } catch (error) {
    throw error instanceof UserError && !(error instanceof FileError)
      ? new UserError(`cannot read ${path}: ${error.message}`)
      : fileError('read', path, error);
  } finally {
    await handle.close();
  }
}

/** Opens a file that an index names; a refusal of it is one of the index. */
async function openShard(path: string): Promise<TensorFile> {
  return opened(path, false).catch((error: unknown) => {
    throw error instanceof UserError ? new UserError(`of the files that it names: ${error.message}`) : error;
  });
}

async function openZip(path: string, handle: FileHandle, size: number): Promise<TensorFile> {
  const archive = await ZipArchive.open(handle, size);
  const entries = [...archive.entries.values()];
  const pickle = entries.find(({ name }) => /^([^/]+\/)?data\.pkl$/.test(name));
  if (pickle) return openTorchZip(path, archive, pickle, handle);
  if (entries.some(({ name }) => name.endsWith('.npy'))) return NpzFile.open(path, archive, handle);
  throw new UserError('it is a zip archive without tensors: neither of PyTorch nor of numpy');
}

/**
 * Whether a file begins as safetensors do: with the length of a header, and the header's brace. The bytes of a length may
 * be those with which another format begins: 1,152 is 80 04, as pickles begin.
 */
function isSafetensors(start: Buffer, size: number): boolean {
  return 8 < start.length && start[8] === 0x7b && start.readBigUInt64LE(0) <= BigInt(size - 8);
}

/** Says what a file is that is known and not read. */
function otherFormat(start: Buffer): string | undefined {
  const begins = (bytes: string) => start.toString('latin1', 0, bytes.length) === bytes;
  if (begins('\x89HDF\r\n')) return 'it is an HDF5 file, which crobc does not read: save the weights as safetensors';
  if (begins('\x93NUMPY')) return 'it is one array of numpy; crobc reads archives of named arrays (.npz)';
  if (begins('\x1f\x8b')) return 'it is compressed by gzip: unpack it first';
  if (start.toString('latin1', 257, 262) === 'ustar') return 'it is a tar archive: unpack it first';
  if (start[0] === 0x80 && start[1]! >= 2 && start[1]! <= 5)
    return "it is a pickle that PyTorch did not write: it lacks PyTorch's header";
  return undefined;
}
