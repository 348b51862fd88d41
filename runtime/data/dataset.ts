import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { UserError } from '../files/user-error.ts';
import { readAttributes } from './attributes.ts';
import { nameFault, openLayout } from './folders.ts';
import { checkSizes } from './image-sizes.ts';
import { MAX_LINES, readLines } from './lines.ts';
import { type OnBad, type Problem, Problems } from './problems.ts';
import type { Sample } from './sample.ts';

export interface Dataset extends Phrases {
  readonly dir: string;
  readonly split: string;
  /** Indices of samples whose images failed to decode; later epochs skip them without another message. */
  readonly undecodable: Set<number>;
}

/** The usable samples of a phrase file. */
export interface Phrases {
  readonly samples: readonly Sample[];
  /** Number of lines of the file, including those that give no sample. */
  readonly lines: number;
  /** SHA-256 of the content of all lines, whether or not their images exist. A resumed run must find the same hash. */
  readonly hash: string;
}

export interface DatasetOptions {
  /** Whether to skip a bad sample (ten are reported, then their number) or to throw. */
  readonly onBad: OnBad;
  report(problem: string): void;
  /** Folder for cached image sizes if the folder of the data set is not writable. */
  readonly cache?: string;
}

/**
 * Opens a split of a data set in RISBench's layout. Checks that every line has a phrase, that every image and mask
 * exists, and that their sizes agree; does not read pixels. Throws a UserError if the folder is not a data set or no
 * usable sample remains.
 */
export async function openDataset(dir: string, split: string, options: DatasetOptions): Promise<Dataset> {
  const problems = new Problems(options.onBad, (problem) => options.report(problem));
  const add = (problem: Problem) => problems.add(problem);
  const { samples: read, ...phrases } = await readSamples(dir, split, add);
  const file = phraseFile(dir, split);
  if (phrases.lines === 0) throw new UserError(`${file} is empty: put phrases into it, or remove it`);
  const samples = await checkSizes(read, { dir, cache: options.cache }, add);
  problems.finish();
  if (samples.length === 0) throw new UserError(`${file} has no sample that can be used`);
  return { dir, split, samples, undecodable: new Set(), ...phrases };
}

export function phraseFile(dir: string, split: string): string {
  return join(dir, `output_phrase_${split}.txt`);
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
    const [, name, phrase = ''] = /^(\S+)\s*(.*)$/.exec(text?.trim() ?? '') ?? [];
    if (text === undefined || name === undefined) wrong(fault ?? 'the line is empty');
    else if (nameFault(name) !== undefined) wrong(nameFault(name)!);
    else if (!/[^\p{C}\p{Z}\p{M}]/u.test(phrase)) wrong(`there is no phrase behind ${name}`);
    else yield { name, phrase, line: number };
  }
}

/** Returns the samples whose phrase, image and mask exist; reports every problem to `onProblem`. */
export async function readSamples(dir: string, split: string, onProblem: (problem: Problem) => void): Promise<Phrases> {
  const { images, masks, splits } = await openLayout(dir);
  if (!splits.includes(split))
    throw new UserError(`${dir} has no split ${JSON.stringify(split)}: it has ${splits.join(', ')}`);
  const file = phraseFile(dir, split);
  const attributesFile = join(dir, `attributes_${split}.jsonl`);
  const attributes = await readAttributes(attributesFile);
  const samples: Sample[] = [];
  const hash = createHash('sha256');
  let lines = 0;
  const phrases = readPhrases(file, onProblem, (line) => {
    lines = line;
  });
  for await (const { name, phrase, line } of phrases) {
    hash.update(`${JSON.stringify([line, name, phrase])}\n`);
    const [image, mask] = [images.image(name), masks.mask(name)];
    const wrong = (text: string) => onProblem({ file, line, text });
    if (image === undefined) {
      wrong(`there is no image ${name} in ${images.path}`);
    } else if (mask === undefined) {
      wrong(`there is no mask ${name} in ${masks.path}`);
    } else {
      const known = attributes?.[line - 1];
      if (typeof known === 'string') onProblem({ file: attributesFile, line, text: known });
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
