import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { byteSize } from './byte-size.ts';
import { FileError, fileError } from './file-error.ts';

/** The largest file of each kind that is read, in bytes. Text stays below what a string can hold, 512 MiB. */
export const largest = {
  source: 4 * 2 ** 20,
  image: 2 ** 31 - 1,
  weights: Number.POSITIVE_INFINITY,
  vocabulary: 2 ** 27,
  /** Phrases and attributes: they are read line by line. */
  lines: 2 ** 36,
  report: 2 ** 29 - 2 ** 10,
  /** What crobc has written for itself: manifests, checkpoints, caches, locks, its own package. */
  record: 2 ** 28,
  /** Of a run: one object for each step. */
  log: 2 ** 29 - 2 ** 10,
  /** Any file whose bytes are only hashed or counted. */
  bytes: Number.POSITIVE_INFINITY,
} as const;

export type FileKind = keyof typeof largest;

/** Opening a pipe waits for its other end, and a terminal may become the process's own: neither is wanted. */
const careful = (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** A file that was looked at after it was opened, so that what was looked at is what is read. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly stats: Stats;
}

/** Opens a file to read. Throws a FileError for what is not a regular file, and for a file too large for its kind. */
export function openFile(path: string, kind: FileKind): Promise<OpenFile> {
  return opened('read', path, kind, constants.O_RDONLY);
}

/** Opens a file to read and to append to; a new one where there is none. Throws a FileError as `openFile` does. */
export function openToAppend(path: string, kind: FileKind): Promise<OpenFile> {
  return opened('write', path, kind, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT);
}

/** A new file to write to. Throws a FileError, under the name `shown`, where anything of that name exists. */
export async function createFile(path: string, shown: string = path): Promise<FileHandle> {
  try {
    return await open(path, 'wx');
  } catch (error) {
    throw fileError('write', shown, error);
  }
}

/** Names in a folder are on disk when this returns, where the system lets folders be flushed. */
export async function flushFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | careful).catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

async function opened(action: 'read' | 'write', path: string, kind: FileKind, flags: number): Promise<OpenFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, flags | careful);
    const stats = await handle.stat();
    const fault = faultOf(stats, kind);
    if (fault !== undefined) throw new FileError(action, path, fault, undefined);
    return { handle, stats };
  } catch (error) {
    await handle?.close().catch(() => undefined);
    throw fileError(action, path, error);
  }
}

/** The same at once, for what cannot wait: `use` gets the descriptor, which is closed afterwards. */
export function withFileSync<T>(path: string, kind: FileKind, use: (descriptor: number, stats: Stats) => T): T {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | careful);
    const stats = fstatSync(descriptor);
    const fault = faultOf(stats, kind);
    if (fault !== undefined) throw new FileError('read', path, fault, undefined);
    return use(descriptor, stats);
  } catch (error) {
    throw fileError('read', path, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Why a file is not read; undefined where it is. */
export function faultOf(stats: Stats, kind: FileKind): string | undefined {
  if (stats.isDirectory()) return 'it is a folder';
  return stats.isFile() ? sizeFault(stats.size, kind) : 'it is not a regular file';
}

/** For a file that grows while it is read, too. */
export function sizeFault(size: number, kind: FileKind): string | undefined {
  const most = largest[kind];
  if (size <= most) return undefined;
  return `it has ${size.toLocaleString('en')} bytes, and ${nouns[kind]} ${byteSize(most)} at most`;
}

const nouns = {
  source: 'a source',
  image: 'an image',
  weights: 'a model',
  vocabulary: 'a vocabulary',
  lines: 'a text',
  report: 'a report',
  record: "a file of crobc's own",
  log: 'a log',
  bytes: 'a file',
} as const satisfies Record<FileKind, string>;
