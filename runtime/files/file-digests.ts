import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { writeFileAtomic } from './atomic-file.ts';
import { fileError } from './file-error.ts';
import { isText, objectOf, recordOf } from './json.ts';
import { parseJson } from './parse-json.ts';
import { readParts, readText } from './read-file.ts';

/** Returns a text that changes with every write and rename of a file: its device, inode, size and times. */
export async function fileStamp(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    throw fileError('read', path, error);
  }
}

export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of readParts(path, 'bytes', 2 ** 22)) hash.update(part);
  return hash.digest('hex');
}

interface Digest {
  readonly stamp: string;
  readonly sha256: string;
}

const areDigests = recordOf<Digest>(
  objectOf({ stamp: isText, sha256: (value): value is string => isText(value) && /^[0-9a-f]{64}$/.test(value) }),
);

/**
 * A cache of file hashes, stored in a file, so that large files are not read
 * every time. A changed file is hashed again.
 */
export class FileDigests {
  readonly #path: string;
  readonly #known: Map<string, Digest>;
  #changed = false;

  private constructor(path: string, known: Map<string, Digest>) {
    this.#path = path;
    this.#known = known;
  }

  /** Opens the cache; an unreadable file counts as empty. */
  static async open(path: string): Promise<FileDigests> {
    const json = await readText(path, 'record')
      .then(parseJson)
      .catch(() => undefined);
    return new FileDigests(path, new Map(areDigests(json) ? Object.entries(json) : []));
  }

  /** Returns the SHA-256 of a file. Throws a UserError if it cannot be read. */
  async of(file: string): Promise<string> {
    const name = resolve(file);
    const stamp = await fileStamp(file);
    const known = this.#known.get(name);
    if (known?.stamp === stamp) return known.sha256;
    const sha256 = await fileSha256(file);
    this.#known.set(name, { stamp, sha256 });
    this.#changed = true;
    return sha256;
  }

  async save(): Promise<void> {
    if (this.#changed)
      await writeFileAtomic(this.#path, `${JSON.stringify(Object.fromEntries(this.#known), null, 1)}\n`);
    this.#changed = false;
  }
}
