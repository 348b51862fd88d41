import { basename, join } from 'node:path';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { byteSize } from '../files/byte-size.ts';
import { makeFolder } from '../files/make-folder.ts';
import { openFile } from '../files/open-file.ts';
import { UserError } from '../files/user-error.ts';
import { ZipArchive, type ZipEntry } from '../weights/zip.ts';
import { CUDA_PROVIDER, SHARED_PROVIDER } from './cuda-libraries.ts';
import { elfMachine, type ReadBytes } from './elf.ts';

export interface SetupOptions {
  /** A wheel of onnxruntime-gpu. */
  readonly wheel: string;
  /** The version of onnxruntime that crobc runs: a provider works with exactly this one. */
  readonly version: string;
  /** Node's name of the processor, such as `x64`. */
  readonly processor: string;
  /** Where the libraries are written. */
  readonly folder: string;
}

/** A library that was taken out of a wheel. */
export interface UnpackedLibrary {
  readonly path: string;
  readonly bytes: number;
}

/** The two libraries of a wheel of which onnxruntime's CUDA provider consists; the one that needs the other is last. */
const libraries = [SHARED_PROVIDER, CUDA_PROVIDER];

/** Values of `e_machine` (System V ABI) by Node's names of processors. */
const machines: ReadonlyMap<number, string> = new Map([
  [62, 'x64'],
  [183, 'arm64'],
]);

/**
 * Unpacks onnxruntime's CUDA provider from a wheel, and compares checksums. Throws a UserError if the file is not a
 * wheel of onnxruntime-gpu in this version, or is for another system.
 */
export async function unpackProvider(options: SetupOptions): Promise<readonly UnpackedLibrary[]> {
  const { wheel, folder } = options;
  const { handle, stats } = await openFile(wheel, 'bytes');
  try {
    const archive = await named(wheel, ZipArchive.open(handle, stats.size));
    checkVersion(archive, options);
    const entries = libraries.map((name) => libraryEntry(archive, name, options));
    const files: { readonly path: string; readonly bytes: Uint8Array }[] = [];
    for (const entry of entries) {
      const bytes = await named(wheel, archive.read(entry));
      checkMachine(bytes, entry, options);
      files.push({ path: join(folder, basename(entry.name)), bytes });
    }
    await makeFolder(folder);
    for (const { path, bytes } of files) await writeFileAtomic(path, bytes);
    return files.map(({ path, bytes }) => ({ path, bytes: bytes.length }));
  } finally {
    await handle.close();
  }
}

/** Messages of archives do not name the archive. */
async function named<Result>(wheel: string, reading: Promise<Result>): Promise<Result> {
  return reading.catch((error: unknown) => {
    throw error instanceof UserError ? new UserError(`${wheel}: ${error.message}`) : error;
  });
}

function checkVersion(archive: ZipArchive, { wheel, version }: SetupOptions): void {
  const found = [...archive.entries.keys()]
    .map((name) => /^([\w.]+)-([\w.+]+)\.dist-info\/METADATA$/.exec(name))
    .find((parts) => parts !== null);
  if (!found) throw new UserError(`${wheel} is not a wheel: it has no .dist-info/METADATA`);
  const [, name, held] = found;
  if (name !== 'onnxruntime_gpu') throw new UserError(`${wheel} is a wheel of ${name}, not of onnxruntime-gpu`);
  if (held !== version)
    throw new UserError(
      `${wheel} is onnxruntime-gpu ${held}, and crobc runs onnxruntime ${version}, which takes no other: ` +
        `"pip download --no-deps onnxruntime-gpu==${version}" gets it`,
    );
}

function libraryEntry(archive: ZipArchive, name: string, { wheel }: SetupOptions): ZipEntry {
  const entry = archive.entries.get(`onnxruntime/capi/${name}`);
  if (entry) return entry;
  throw new UserError(`${wheel} has no onnxruntime/capi/${name}: it is for another system than Linux`);
}

function checkMachine(bytes: Uint8Array, { name, size }: ZipEntry, { wheel, processor }: SetupOptions): void {
  const read: ReadBytes = (offset, length) => bytes.subarray(offset, offset + length);
  const machine = elfMachine(read);
  if (machine === undefined) throw new UserError(`${wheel}: ${name} (${byteSize(size)}) is not a library of Linux`);
  const held = machines.get(machine) ?? `processor ${machine} of ELF`;
  if (held !== processor) throw new UserError(`${wheel} is for ${held}, and this machine is ${processor}`);
}
