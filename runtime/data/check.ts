import { availableParallelism } from 'node:os';
import { UserError } from '../files/user-error.ts';
import { readImage } from '../images/image.ts';
import { startProgress } from '../process/progress.ts';
import { phraseFile, readSamples } from './dataset.ts';
import { openLayout } from './folders.ts';
import { sizeFault } from './image-sizes.ts';
import { inParallel } from './in-parallel.ts';
import { maskThreshold, readMask } from './mask-file.ts';
import type { Problem } from './problems.ts';
import type { Sample } from './sample.ts';

/** A message about a data set: an error or a note. */
export interface Finding extends Problem {
  readonly severity: 'error' | 'note';
}

export interface CheckedSplit {
  readonly split: string;
  /** Number of lines that give a sample, whether or not its images can be decoded. */
  readonly samples: number;
  /** Ordered by file and line. */
  readonly findings: readonly Finding[];
}

/**
 * Checks every line and every pixel of a split; of all splits if undefined. Throws
 * a UserError if `dir` is not a data set.
 */
export async function checkDataset(dir: string, split: string | undefined): Promise<CheckedSplit[]> {
  const { splits } = await openLayout(dir);
  const checked: CheckedSplit[] = [];
  // Splits may share images, as in RISBench; each image is decoded once.
  const pictures = new Map<string, Promise<Picture>>();
  for (const name of split === undefined ? splits : [split]) checked.push(await checkSplit(dir, name, pictures));
  return checked;
}

/** The result of decoding an image or a mask: its size, or what is wrong. */
type Picture = { readonly size: readonly [number, number]; readonly empty: boolean } | string;

async function checkSplit(dir: string, split: string, pictures: Map<string, Promise<Picture>>): Promise<CheckedSplit> {
  const findings: Finding[] = [];
  const error = (problem: Problem) => void findings.push({ ...problem, severity: 'error' });
  const { samples } = await readSamples(dir, split, error);
  for (const [sample, first] of repeated(samples)) {
    findings.push({ file: sample.file, line: sample.line, severity: 'note', text: `the same as line ${first}` });
  }
  const decoded = (path: string, of: 'image' | 'mask') => {
    const key = `${of} ${path}`;
    const known = pictures.get(key) ?? picture(path, of);
    pictures.set(key, known);
    return known;
  };
  const progress = startProgress(`checking ${split}`, samples.length);
  let done = 0;
  try {
    await inParallel(samples, availableParallelism() + 1, async ({ image, mask, file, line }) => {
      const [of, masked] = await Promise.all([decoded(image, 'image'), decoded(mask, 'mask')]);
      const wrong = (text: string) => error({ file, line, text });
      if (typeof of === 'string') wrong(of);
      if (typeof masked === 'string') wrong(masked);
      if (typeof of === 'object' && typeof masked === 'object') {
        const fault = sizeFault(mask, of.size, masked.size);
        if (fault !== undefined) wrong(fault);
      }
      if (typeof masked === 'object' && masked.empty) {
        const text = `the mask ${mask} is empty: no value is above ${maskThreshold(mask)}`;
        findings.push({ file, line, severity: 'note', text });
      }
      progress.update(++done);
    });
  } finally {
    progress.finish();
  }
  const phrases = phraseFile(dir, split);
  if (samples.length === 0 && findings.length === 0) error({ file: phrases, line: 1, text: 'there is no phrase' });
  findings.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? 1 : -1));
  return { split, samples: samples.length, findings };
}

/** Yields samples with the same phrase and image as an earlier one, with the line of the earlier one. */
function* repeated(samples: readonly Sample[]): Generator<readonly [Sample, number]> {
  const lines = new Map<string, number>();
  for (const sample of samples) {
    const key = `${sample.image}\0${sample.phrase}`;
    const first = lines.get(key);
    if (first === undefined) lines.set(key, sample.line);
    else yield [sample, first];
  }
}

async function picture(path: string, of: 'image' | 'mask'): Promise<Picture> {
  try {
    const { width, height, data } = of === 'image' ? await readImage(path) : await readMask(path);
    return { size: [width, height], empty: of === 'mask' && !data.includes(1) };
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
