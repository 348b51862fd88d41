import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { byteSize } from './byte-size.ts';
import { FileError, fileError } from './file-error.ts';

/** Maximum size of each kind of file in bytes. Text is limited by the maximum length of a string, 512 MiB. */
export const largest = {
  source: 4 * 2 ** 20,
  image: 2 ** 31 - 1,
  weights: Number.POSITIVE_INFINITY,
  vocabulary: 2 ** 27,
  /** Phrases and attributes, which are read line by line. */
  lines: 2 ** 36,
  /** Samples and annotations in one file, as those of RRSIS-D; they are held in memory. */
  annotations: 2 ** 28,
  /** Images and phrases to predict. */
  list: 2 ** 28,
  report: 2 ** 29 - 2 ** 10,
  /** Files that crobc wrote itself: manifests, checkpoints, caches, locks, its own package. */
  record: 2 ** 28,
  /** The log of a run: one object per step. */
  log: 2 ** 29 - 2 ** 10,
  /** Files whose bytes are only hashed or counted. */
  bytes: Number.POSITIVE_INFINITY,
} as const;

export type FileKind = keyof typeof largest;

/**
 * Without these flags, opening a pipe would wait for its writer, and opening a terminal
 * could make it the controlling terminal.
 */
const careful = (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** An open file with the stats of its handle, so that the checked file is the one that is read. */
export interface OpenFile {
  readonly handle: FileHandle;
  readonly stats: Stats;
}

/** Opens a file for reading. Throws a FileError if it is not a regular file or is too large for its kind. */
export function openFile(path: string, kind: FileKind): Promise<OpenFile> {
  return opened('read', path, kind, constants.O_RDONLY);
}

/** Opens a file for reading and appending, or creates it. Throws a FileError as `openFile` does. */
export function openToAppend(path: string, kind: FileKind): Promise<OpenFile> {
  return opened('write', path, kind, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT);
}

/** Opens a file for reading and writing anywhere in it, or creates it. Throws a FileError as `openFile` does. */
export function openToRewrite(path: string, kind: FileKind): Promise<OpenFile> {
  return opened('write', path, kind, constants.O_RDWR | constants.O_CREAT);
}

/** Creates a file for writing. Throws a FileError (with the name `shown`) if the name exists. */
export async function createFile(path: string, shown: string = path): Promise<FileHandle> {
  try {
    return await open(path, 'wx');
  } catch (error) {
    throw fileError('write', shown, error);
  }
}

/** Flushes the entries of a folder to disk, if the system supports it. */
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

/** Synchronous form: calls `use` with the descriptor and closes it afterwards. */
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

/** Returns why a file is refused; undefined if it is accepted. */
export function faultOf(stats: Stats, kind: FileKind): string | undefined {
  if (stats.isDirectory()) return 'it is a folder';
  return stats.isFile() ? sizeFault(stats.size, kind) : 'it is not a regular file';
}

/** Returns why a size is refused. Also checked while reading, since a file may grow. */
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
  annotations: 'a file of annotations',
  list: 'a list',
  report: 'a report',
  record: "a file of crobc's own",
  log: 'a log',
  bytes: 'a file',
} as const satisfies Record<FileKind, string>;
