import { UserError } from '../files/user-error.ts';
import { startProgress } from '../process/progress.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import type { Dataset } from './dataset.ts';

/** What a `TextInput` has. */
interface CutBy {
  readonly tokenizer: Pick<Tokenizer, 'encode'>;
  readonly words: number;
}

/** Says how many phrases a model will not see to their end; undefined where it sees all. */
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
    // A phrase without a token is a bad sample: its turn comes.
    if (error instanceof UserError) return false;
    throw error;
  }
}
