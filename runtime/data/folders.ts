import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileError } from '../files/file-error.ts';
import { quoted } from '../files/shown.ts';

/** File extensions, in the order in which they are tried for a name without one. */
const endings = ['.png', '.tif', '.tiff', '.jpg', '.jpeg', '.webp'] as const;

/** Maximum length of a file name in bytes, on all common file systems. */
const LONGEST_NAME = 255;
/** Maximum length of a path in the folder, in characters. */
const LONGEST_PATH = 500;

/** Why a name from a phrase file is refused: it points outside the folder or is too long; undefined if it is valid. */
export function nameFault(name: string): string | undefined {
  const outside = /[\\\0:]/.test(name) || name.split('/').some((part) => part === '' || part === '.' || part === '..');
  if (outside) return `${quoted(name)} is no name of a file in the folder`;
  const tooLong = name.length > LONGEST_PATH || name.split('/').some((part) => Buffer.byteLength(part) > LONGEST_NAME);
  return tooLong ? `${quoted(name)} is longer than the name of a file can be` : undefined;
}

/**
 * The images in a folder. Each folder is listed once, since a `stat` for each of tens of thousands of files is slow.
 */
export class PictureFolder {
  readonly path: string;
  readonly #listed = new Map<string, ReadonlySet<string>>();

  constructor(path: string) {
    this.path = path;
  }

  /** The path of a file; extensions are tried for a name that does not match as it is. */
  image(name: string): string | undefined {
    return this.#first(name, [name, ...endings.map((ending) => name + ending)]);
  }

  /** Like `image`; if no mask has that name, replaces the image's extension by others. */
  mask(name: string): string | undefined {
    const stem = name.replace(/\.(png|tiff?|jpe?g|webp|bmp|gif|jp2)$/i, '');
    return this.image(name) ?? this.#first(stem, stem === name ? [] : endings.map((ending) => stem + ending));
  }

  #first(name: string, candidates: readonly string[]): string | undefined {
    const at = name.lastIndexOf('/');
    const names = this.#list(name.slice(0, Math.max(0, at)));
    const found = candidates.find((candidate) => names.has(candidate.slice(at + 1)));
    return found === undefined ? undefined : join(this.path, found);
  }

  #list(below: string): ReadonlySet<string> {
    let listed = this.#listed.get(below);
    if (!listed) {
      const path = join(this.path, below);
      try {
        listed = new Set(readdirSync(path));
      } catch (error) {
        // A missing subfolder counts as empty; the sample then reports its missing file.
        const { code } = error as NodeJS.ErrnoException;
        if (below === '' || (code !== 'ENOENT' && code !== 'ENOTDIR')) throw fileError('read', path, error);
        listed = new Set();
      }
      this.#listed.set(below, listed);
    }
    return listed;
  }
}
