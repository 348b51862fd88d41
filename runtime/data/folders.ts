import { readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from '../files/file-error.ts';
import { quoted } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';

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

export interface Layout {
  readonly images: PictureFolder;
  readonly masks: PictureFolder;
  /** The splits that have a phrase file: train, val, test and others. */
  readonly splits: readonly string[];
}

const firsts = ['train', 'val', 'test'];

/** Finds the folders of the layouts of RISBench and RefSegRS. Throws a UserError that names what is missing. */
export async function openLayout(dir: string): Promise<Layout> {
  let names: string[];
  try {
    names = await readdir(dir);
  } catch (error) {
    throw fileError('read', dir, error);
  }
  const folder = (candidates: readonly string[]) => {
    const found = candidates.find((name) => names.includes(name));
    if (found === undefined)
      throw new UserError(`${dir} is not laid out as RISBench is: it has no folder ${candidates.join(' or ')}`);
    return new PictureFolder(join(dir, found));
  };
  const splits = names.flatMap((name) => /^output_phrase_([\w-]+)\.txt$/.exec(name)?.[1] ?? []);
  const rank = (split: string) => (firsts.includes(split) ? firsts.indexOf(split) : firsts.length);
  splits.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  if (splits.length === 0) throw new UserError(`${dir} has no phrases: no file output_phrase_train.txt, …`);
  return { images: folder(['img_rgb', 'images']), masks: folder(['mask', 'masks']), splits };
}
