import { UserError } from '../files/user-error.ts';
import { startProgress } from '../process/progress.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import type { Dataset } from './dataset.ts';

/** The members of `TextInput` that are used here. */
interface CutBy {
  readonly tokenizer: Pick<Tokenizer, 'encode'>;
  readonly words: number;
}

/** Returns a note on how many phrases are truncated; undefined if there are none. */
export function cutPhrases(
  { samples, split }: Pick<Dataset, 'samples' | 'split'>,
  { tokenizer, words }: CutBy,
): string | undefined {
  const progress = startProgress(`words of ${split}`, samples.length);
  const cut = samples.filter(({ phrase }, i) => {
    progress.update(i);
    return isCut(phrase, { tokenizer, words });
  });
  progress.finish();
  if (cut.length === 0) return undefined;
  const [{ file, line }] = cut as [Dataset['samples'][number]];
  return `${cut.length} of ${samples.length} phrases have more word pieces than T = ${words} takes, and are cut: ${file}:${line} is the first`;
}

function isCut(phrase: string, { tokenizer, words }: CutBy): boolean {
  try {
    return tokenizer.encode(phrase, words).truncated;
  } catch (error) {
    // A phrase without a token is a bad sample, which is reported when it is loaded.
    if (error instanceof UserError) return false;
    throw error;
  }
}
