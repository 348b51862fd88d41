import { UserError } from '../files/user-error.ts';
import type { Problem } from './problems.ts';
import type { Sample } from './sample.ts';

/** The samples of a split. */
export interface Phrases {
  readonly samples: readonly Sample[];
  /** Number of lines of the file, including those that give no sample. */
  readonly lines: number;
  /** SHA-256 of the content of all lines, whether or not their images exist. A resumed run must find the same hash. */
  readonly hash: string;
}

/** A data set on disk, in one of the layouts that crobc reads in place. */
export interface Layout {
  /** `phrase-files` is that of RISBench and RefSegRS, `sample-lines` is JSONL. */
  readonly kind: 'phrase-files' | 'sample-lines' | 'rrsis-d';
  readonly dir: string;
  /** The splits that have samples, train, val and test first. */
  readonly splits: readonly string[];
  /** The file that has the phrases of a split. */
  file(split: string): string;
  /** Yields the phrases of a split, whether or not their images exist. */
  phrases(split: string, onProblem: (problem: Problem) => void): AsyncIterable<string>;
  /** Returns the samples whose phrase, image and mask exist; reports every problem. */
  read(split: string, onProblem: (problem: Problem) => void): Promise<Phrases>;
}

/** Throws a UserError if a data set does not have a split. */
export function refuseUnknownSplit({ dir, splits }: Pick<Layout, 'dir' | 'splits'>, split: string): void {
  if (!splits.includes(split))
    throw new UserError(`${dir} has no split ${JSON.stringify(split)}: it has ${splits.join(', ')}`);
}
