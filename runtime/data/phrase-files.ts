import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { UserError } from '../files/user-error.ts';
import { readAttributes } from './attributes.ts';
import { nameFault, PictureFolder } from './folders.ts';
import type { Layout, Phrases } from './layout.ts';
import { MAX_LINES, readLines } from './lines.ts';
import type { Problem } from './problems.ts';
import type { Sample } from './sample.ts';

/** The folders of images and of masks, in the layouts of RISBench and RefSegRS. */
export const imageFolders = ['img_rgb', 'images'] as const;
export const maskFolders = ['mask', 'masks'] as const;

/**
 * Opens a data set in the layout of RISBench and RefSegRS: phrase files beside a folder of images and one of masks.
 * Returns undefined if it has no phrase file, and throws a UserError if it has one and a folder is missing.
 */
export function openPhraseFiles(dir: string, names: readonly string[]): Layout | undefined {
  const splits = names.flatMap((name) => /^output_phrase_([\w-]+)\.txt$/.exec(name)?.[1] ?? []);
  if (splits.length === 0) return undefined;
  const images = pictureFolder(dir, names, imageFolders);
  const masks = pictureFolder(dir, names, maskFolders);
  const file = (split: string) => join(dir, `output_phrase_${split}.txt`);
  return {
    kind: 'phrase-files',
    dir,
    splits,
    file,
    async *phrases(split, onProblem) {
      for await (const { phrase } of readPhrases(file(split), onProblem)) yield phrase;
    },
    read(split, onProblem) {
      return readSamples({ file: file(split), images, masks }, join(dir, `attributes_${split}.jsonl`), onProblem);
    },
  };
}

/** The first of the folders that is there. Throws a UserError if none is. */
export function pictureFolder(
  dir: string,
  names: readonly string[],
  candidates: readonly [string, ...string[]],
): PictureFolder {
  const found = candidates.find((name) => names.includes(name));
  if (found === undefined)
    throw new UserError(`${dir} is not laid out as RISBench is: it has no folder ${candidates.join(' or ')}`);
  return new PictureFolder(join(dir, found));
}

/** Maximum length of a line in bytes. A longer one is not a phrase: text encoders read a few hundred tokens. */
const MAX_LINE_BYTES = 4096;
/** A line of a phrase file: the image's name and its phrase. */
export interface PhraseLine {
  readonly name: string;
  readonly phrase: string;
  readonly line: number;
}

/**
 * Reads a phrase file and checks each line without the images. Calls `onLine`
 * with the number of every line, good or bad.
 */
export async function* readPhrases(
  file: string,
  onProblem: (problem: Problem) => void,
  onLine?: (line: number) => void,
): AsyncGenerator<PhraseLine, void, undefined> {
  /** Number of consecutive empty lines before the current one. */
  let blank = 0;
  for await (const { number, text, fault } of readLines(file, MAX_LINE_BYTES)) {
    const wrong = (why: string) => onProblem({ file, line: number, text: why });
    if (number > MAX_LINES) throw new UserError(`${file} has more than ${MAX_LINES.toLocaleString('en')} lines`);
    if (text?.trim() === '') {
      blank++;
      continue;
    }
    // Empty lines are errors only if another line follows: at the end of the file they are ignored.
    for (let line = number - blank; line < number; line++) {
      onLine?.(line);
      onProblem({ file, line, text: 'the line is empty' });
    }
    blank = 0;
    onLine?.(number);
    const [, name, phrase = ''] = /^(\S+)\s*(.*)$/s.exec(text?.trim() ?? '') ?? [];
    if (text === undefined || name === undefined) wrong(fault ?? 'the line is empty');
    else if (nameFault(name) !== undefined) wrong(nameFault(name)!);
    else if (!hasWords(phrase)) wrong(`there is no phrase behind ${name}`);
    else yield { name, phrase, line: number };
  }
}

/** Whether a phrase has a visible character. */
export function hasWords(phrase: string): boolean {
  return /[^\p{C}\p{Z}\p{M}]/u.test(phrase);
}

/** The value above which pixels of an 8-bit mask are on: 50 in RefSegRS's TIFF files, 0 in RISBench's PNG files. */
export function maskLimit(path: string): number {
  return /\.tiff?$/i.test(path) ? 50 : 0;
}

async function readSamples(
  { file, images, masks }: { readonly file: string; readonly images: PictureFolder; readonly masks: PictureFolder },
  attributesFile: string,
  onProblem: (problem: Problem) => void,
): Promise<Phrases> {
  const attributes = await readAttributes(attributesFile);
  const samples: Sample[] = [];
  const hash = createHash('sha256');
  let lines = 0;
  const phrases = readPhrases(file, onProblem, (line) => {
    lines = line;
  });
  for await (const { name, phrase, line } of phrases) {
    hash.update(`${JSON.stringify([line, name, phrase])}\n`);
    const [image, path] = [images.image(name), masks.mask(name)];
    const wrong = (text: string) => onProblem({ file, line, text });
    if (image === undefined) {
      wrong(`there is no image ${name} in ${images.path}`);
    } else if (path === undefined) {
      wrong(`there is no mask ${name} in ${masks.path}`);
    } else {
      const known = attributes?.[line - 1];
      if (typeof known === 'string') onProblem({ file: attributesFile, line, text: known });
      const mask = { kind: 'file', path, above: maskLimit(path) } as const;
      samples.push({ image, mask, phrase, file, line, ...(typeof known === 'object' ? known : {}) });
    }
  }
  const read = { lines, hash: hash.update(`${lines}`).digest('hex') };
  if (attributes === undefined || attributes.length === lines || lines === 0) return { samples, ...read };
  // It is then unknown which line belongs to which phrase, and a wrong category would be worse than none.
  const text = `${attributes.length} lines for the ${lines} of ${file}: categories and attributes are left out`;
  onProblem({ file: attributesFile, line: Math.min(attributes.length, lines) + 1, text });
  return { samples: samples.map(({ category: _, attributes: __, ...sample }) => sample), ...read };
}
