import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { fileError } from '../files/file-error.ts';
import { type Check, isCount, isNumber, isText, objectOf, recordOf } from '../files/json.ts';
import { faultOf } from '../files/open-file.ts';
import { parseJson } from '../files/parse-json.ts';
import { readStartSync, readText } from '../files/read-file.ts';
import { UserError } from '../files/user-error.ts';
import { loadSharp } from '../images/load-sharp.ts';
import { startProgress } from '../process/progress.ts';
import { inParallel } from './in-parallel.ts';
import { type MaskSource, maskName } from './mask-source.ts';
import type { Problem } from './problems.ts';
import type { Sample } from './sample.ts';
import { type OnSizeMismatch, sizeFault, sizeMismatchHint } from './size-mismatch.ts';

/** Width and height in pixels after EXIF orientation; or an error for the file. */
export type ImageSize = readonly [width: number, height: number] | UserError;

/** Name of the cache file beside the phrases. It is hidden, since it is not part of the data set. */
const CACHE_NAME = '.crobc-sizes.json';
const CACHE_VERSION = 2;

/** The size found in a file, with the file's length and modification time. */
type CacheEntry = readonly [bytes: number, mtimeMs: number, width: number, height: number];

/** Number of files that are checked per turn of the event loop, and that sharp reads at a time. */
const TURN = 256;
const PARALLEL = 8;

export interface SizeChecked {
  readonly samples: readonly Sample[];
  /** A note on the masks of another size than their images, where these are resized or skipped. */
  readonly mismatched: string | undefined;
}

/**
 * Returns the samples whose image and mask can be read, and have the same size unless they are resized. Reports the
 * others to `onProblem`.
 */
export async function checkSizes(
  samples: readonly Sample[],
  where: {
    readonly dir: string;
    readonly cache?: string | undefined;
    readonly onSizeMismatch: OnSizeMismatch | undefined;
  },
  onProblem: (problem: Problem) => void,
): Promise<SizeChecked> {
  const { onSizeMismatch } = where;
  const files = samples.flatMap(({ image, mask }) => (mask.kind === 'file' ? [image, mask.path] : [image]));
  const sizes = await imageSizes(new Set(files), where);
  const different: Sample[] = [];
  const usable = samples.filter((sample) => {
    const { image, mask, file, line } = sample;
    const size = sizes.get(image);
    const masked = maskSize(mask, sizes);
    if (size === undefined) throw new Error(`bug in crobc: no size of ${image}`);
    if (size instanceof UserError) {
      onProblem({ file, line, text: size.message });
      return false;
    }
    if (masked instanceof UserError) {
      onProblem({ file, line, text: masked.message });
      return false;
    }
    const fault = masked && sizeFault(maskName(mask), size, masked);
    if (fault === undefined) return true;
    if (onSizeMismatch === 'stop') throw new UserError(`${file}:${line}: ${fault} (${sizeMismatchHint})`);
    if (onSizeMismatch === undefined) onProblem({ file, line, text: fault, hint: sizeMismatchHint });
    else different.push(sample);
    return onSizeMismatch === 'resize';
  });
  const [first] = different;
  const done = onSizeMismatch === 'skip' ? 'are left out' : 'are resized by themselves';
  const mismatched =
    first &&
    `${different.length} of ${samples.length} masks have another size than their images and ${done}: ${first.file}:${first.line} is the first`;
  return { samples: usable, mismatched };
}

/** Undefined for a phrase without a target. */
function maskSize(mask: MaskSource, sizes: ReadonlyMap<string, ImageSize>): ImageSize | undefined {
  switch (mask.kind) {
    case 'file':
      return sizes.get(mask.path);
    case 'regions':
      return [mask.width, mask.height];
    case 'nothing':
      return undefined;
  }
}

/**
 * Reads image sizes from file headers. Caches them in `.crobc-sizes.json` in the folder of the data set, or in `cache`
 * if that folder is not writable; an entry is valid while the file's length and modification time do not change.
 */
export async function imageSizes(
  paths: ReadonlySet<string>,
  { dir, cache }: { readonly dir: string; readonly cache?: string | undefined },
): Promise<ReadonlyMap<string, ImageSize>> {
  const places = [dir, ...(cache === undefined ? [] : [cache])].map((folder) => join(folder, CACHE_NAME));
  const known = new Map<string, CacheEntry>();
  for (const place of places) for (const [name, entry] of await readCache(place)) known.set(name, entry);
  const found = new Map<string, ImageSize>();
  const entries: Record<string, CacheEntry> = {};
  const others: { readonly path: string; readonly size: number; readonly mtimeMs: number }[] = [];
  let fresh = 0;
  const keep = (path: string, entry: CacheEntry) => {
    entries[relative(dir, path)] = entry;
    found.set(path, [entry[2], entry[3]]);
  };
  const progress = startProgress('sizes of pictures', paths.size);
  try {
    let at = 0;
    for (const path of paths) {
      // Synchronous calls take a fifth of the time of asynchronous ones; this lets
      // signals and the progress bar run in between.
      if (++at % TURN === 0) await setImmediate();
      try {
        const stats = statSync(path);
        const fault = faultOf(stats, 'image');
        if (fault !== undefined) throw new UserError(`cannot read ${path}: ${fault}`);
        const { size, mtimeMs } = stats;
        const held = known.get(relative(dir, path));
        const unchanged = held !== undefined && held[0] === size && held[1] === mtimeMs;
        const side = unchanged ? undefined : squarePng(path);
        if (!unchanged) fresh++;
        if (unchanged) keep(path, held);
        else if (side !== undefined) keep(path, [size, mtimeMs, side, side]);
        else others.push({ path, size, mtimeMs });
      } catch (error) {
        found.set(path, fileError('read', path, error));
      }
      progress.update(found.size);
    }
    await inParallel(others, PARALLEL, async ({ path, size, mtimeMs }) => {
      try {
        keep(path, [size, mtimeMs, ...(await headerSize(path))]);
      } catch (error) {
        found.set(path, fileError('read', path, error));
      }
      progress.update(found.size);
    });
  } finally {
    progress.finish();
  }
  // Keeps the entries of other splits.
  if (fresh > 0) await writeCache(places, { ...Object.fromEntries(known), ...entries });
  return found;
}

async function readCache(path: string): Promise<Map<string, CacheEntry>> {
  try {
    const json: unknown = parseJson(await readText(path, 'record'));
    if (!isCache(json) || json.version !== CACHE_VERSION || json.sha256 !== checksum(json.files)) return new Map();
    return new Map(Object.entries(json.files));
  } catch {
    // The cache is missing or damaged: sizes are read again.
    return new Map();
  }
}

interface Cache {
  readonly version: number;
  readonly files: Readonly<Record<string, CacheEntry>>;
  /** Hash of the files' entries: a wrong size would make a good sample a bad one. */
  readonly sha256: string;
}

const isEntry: Check<CacheEntry> = (value): value is CacheEntry =>
  Array.isArray(value) && value.length === 4 && value.every(isNumber);
const isCache: Check<Cache> = objectOf({ version: isCount, files: recordOf(isEntry), sha256: isText });

function checksum(files: Cache['files']): string {
  return createHash('sha256').update(JSON.stringify(files)).digest('hex');
}

/** Writes to the first writable folder. If there is none, the sizes are read again next time. */
async function writeCache(places: readonly string[], files: Cache['files']): Promise<void> {
  const cache: Cache = { version: CACHE_VERSION, files, sha256: checksum(files) };
  for (const place of places) {
    try {
      await writeFileAtomic(place, `${JSON.stringify(cache)}\n`);
      return;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
}

const PNG_HEADER = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');

/** The side of a square PNG, from its first 24 bytes; EXIF orientation does not change the size of a square. */
function squarePng(path: string): number | undefined {
  const { bytes } = readStartSync(path, 'image', 24);
  if (bytes.length < 24) return undefined;
  const width = bytes.readUInt32BE(16);
  return bytes.subarray(0, 16).equals(PNG_HEADER) && bytes.readUInt32BE(20) === width ? width : undefined;
}

/** Reads the size of an image, after EXIF orientation, from its header. Throws a UserError. */
export async function headerSize(path: string): Promise<readonly [number, number]> {
  const sharp = await loadSharp();
  try {
    const { autoOrient } = await sharp(path).metadata();
    return [autoOrient.width, autoOrient.height];
  } catch {
    throw new UserError(`cannot read ${path}: it is not a PNG, JPEG, TIFF or WebP image`);
  }
}
