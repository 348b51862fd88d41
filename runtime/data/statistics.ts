import { availableParallelism } from 'node:os';
import { UserError } from '../files/user-error.ts';
import { startProgress } from '../process/progress.ts';
import { inParallel } from './in-parallel.ts';
import type { Layout } from './layout.ts';
import { readMask } from './mask-source.ts';
import { problemLine } from './problems.ts';
import type { Sample } from './sample.ts';
import { basicWords } from './vocabulary.ts';

/** Names with their number of occurrences, most frequent first, ties by name. */
export type Counts = readonly (readonly [name: string, count: number])[];

export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly mean: number;
  readonly most: number;
}

export interface SplitStatistics {
  readonly split: string;
  readonly phrases: number;
  readonly images: number;
  readonly distinctPhrases: number;
  readonly distinctWords: number;
  /** Words as split by an uncased BERT tokenizer, including punctuation. */
  readonly wordsPerPhrase: Spread;
  /** Numbers of words in ascending order, each with the number of phrases: figure 3a of the CroBIM paper. */
  readonly phraseLengths: readonly (readonly [words: number, phrases: number])[];
  readonly words: Counts;
  readonly categories: Counts;
  readonly attributes: Readonly<Record<string, Counts>>;
  /** Number of masks by size, such as `512 × 512`. */
  readonly sizes: Counts;
  /** Share of the image that the mask covers, 0…1. */
  readonly maskArea: Spread;
  /** Histogram of mask areas: upper bound of each bin as a share of the image, and number of masks. */
  readonly maskAreas: readonly (readonly [upTo: number, count: number])[];
  /** The areas of each category's masks, the most frequent category first: figure 3b of the CroBIM paper. */
  readonly areasByCategory: readonly (readonly [category: string, area: Spread])[];
  readonly emptyMasks: number;
  /** Number of phrases that describe nothing in their image; they have no mask. */
  readonly withoutTarget: number;
  /** Number of lines and masks that could not be read. */
  readonly unreadable: number;
}

/** Upper bounds of the mask area bins, which are finer for small objects. */
const areaBins = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1] as const;

/** The samples of a split with the measures of their masks, of which statistics are computed. */
export interface MeasuredSplit {
  readonly split: string;
  readonly samples: readonly Sample[];
  readonly masks: readonly MaskMeasure[];
  readonly unreadable: number;
}

/**
 * Reads the samples and the masks of a split; unreadable items are reported and skipped.
 * Throws a UserError if none is readable.
 */
export async function measureSplit(
  layout: Layout,
  split: string,
  report: (problem: string) => void,
): Promise<MeasuredSplit> {
  let unreadable = 0;
  const leftOut = (problem: string) => {
    unreadable++;
    report(problem);
  };
  const { samples } = await layout.read(split, (problem) => leftOut(problemLine(problem)));
  if (samples.length === 0) throw new UserError(`the split ${split} of ${layout.dir} has no sample that can be used`);
  const masks = await measureMasks(samples, split, leftOut);
  return { split, samples, masks, unreadable };
}

/** Returns the statistics of some splits together; `name` is what they are called. */
export function statisticsOf(name: string, measured: readonly MeasuredSplit[]): SplitStatistics {
  const samples = measured.flatMap((one) => one.samples);
  const masks = measured.flatMap((one) => one.masks);
  const words = new Tally();
  const lengths = samples.map(({ phrase }) => {
    const all = basicWords(phrase);
    for (const word of all) words.add(word);
    return all.length;
  });
  const [categories, sizes] = [new Tally(), new Tally()];
  const attributes = new Map<string, Tally>();
  for (const sample of samples) {
    if (sample.category !== undefined) categories.add(sample.category);
    for (const [attribute, value] of Object.entries(sample.attributes ?? {})) {
      const tally = attributes.get(attribute) ?? new Tally();
      attributes.set(attribute, tally);
      tally.add(value);
    }
  }
  for (const { width, height } of masks) sizes.add(`${width} × ${height}`);
  const areas = masks.map(shareOf);
  const ofCategory = new Map<string, number[]>();
  for (const mask of masks) {
    if (mask.category === undefined) continue;
    const held = ofCategory.get(mask.category);
    if (held) held.push(shareOf(mask));
    else ofCategory.set(mask.category, [shareOf(mask)]);
  }
  return {
    split: name,
    phrases: samples.length,
    images: new Set(samples.map(({ image }) => image)).size,
    distinctPhrases: new Set(samples.map(({ phrase }) => phrase)).size,
    distinctWords: words.counts().length,
    wordsPerPhrase: spread(lengths),
    phraseLengths: histogram(lengths),
    words: words.counts(),
    categories: categories.counts(),
    attributes: Object.fromEntries([...attributes].map(([name, tally]) => [name, tally.counts()])),
    sizes: sizes.counts(),
    maskArea: spread(areas),
    maskAreas: areaBins.map((bound, i) => {
      const above = areaBins[i - 1] ?? 0;
      return [bound, areas.filter((area) => area > above && area <= bound).length] as const;
    }),
    areasByCategory: categories.counts().flatMap(([category]) => {
      const held = ofCategory.get(category);
      return held ? [[category, spread(held)] as const] : [];
    }),
    withoutTarget: samples.filter(({ mask }) => mask.kind === 'nothing').length,
    emptyMasks: areas.filter((area) => area === 0).length,
    unreadable: measured.reduce((sum, one) => sum + one.unreadable, 0),
  };
}

function shareOf({ on, width, height }: MaskMeasure): number {
  return on / (width * height);
}

/** Values in ascending order with their numbers of occurrences. */
function histogram(values: readonly number[]): [value: number, count: number][] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a - b);
}

interface MaskMeasure {
  readonly category: string | undefined;
  readonly width: number;
  readonly height: number;
  /** Number of pixels in the mask. */
  readonly on: number;
}

async function measureMasks(
  samples: readonly Sample[],
  split: string,
  leftOut: (problem: string) => void,
): Promise<MaskMeasure[]> {
  const measures: MaskMeasure[] = [];
  const progress = startProgress(`masks of ${split}`, samples.length);
  let done = 0;
  try {
    await inParallel(samples, availableParallelism() + 1, async ({ mask, category, file, line }) => {
      try {
        const read = await readMask(mask);
        if (read !== undefined) {
          const { width, height, data } = read.mask;
          let on = 0;
          for (let i = 0; i < data.length; i++) on += data[i]!;
          measures.push({ category, width, height, on });
        }
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        leftOut(problemLine({ file, line, text: error.message }));
      }
      progress.update(++done);
    });
  } finally {
    progress.finish();
  }
  return measures;
}

class Tally {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  counts(): Counts {
    return [...this.#counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  }
}

/** All values are zero if there are none. */
function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  if (n === 0) return { least: 0, median: 0, mean: 0, most: 0 };
  const median = (sorted[(n - 1) >> 1]! + sorted[n >> 1]!) / 2;
  return { least: sorted[0]!, median, mean: sorted.reduce((sum, v) => sum + v, 0) / n, most: sorted[n - 1]! };
}
