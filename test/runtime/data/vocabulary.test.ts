import { writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { trainVocabulary } from '../../../runtime/data/vocabulary.ts';
import { UserError } from '../../../runtime/files/user-error.ts';
import { openTokenizer } from '../../../runtime/text/tokenizer.ts';
import { holds } from '../../property.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();

/** [PAD] … [MASK], 36 letters and digits and 32 marks, and the letters and digits again as continuations. */
const FIRST = 5 + 36 + 32 + 36;
const merged = (phrases: readonly string[], size = 10_000) => trainVocabulary(phrases, size).slice(FIRST);

test('special tokens first, then every character alone and as a continuation', () => {
  const vocabulary = trainVocabulary(['the ship'], 10_000);
  expect(vocabulary.slice(0, 5)).toEqual(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']);
  expect(new Set(vocabulary).size).toBe(vocabulary.length);
  for (const c of 'az09') expect(vocabulary).toEqual(expect.arrayContaining([c, `##${c}`]));
  expect(vocabulary).toContain('-');
  expect(vocabulary).not.toContain('##-');
  expect(vocabulary.length).toBe(FIRST);
});

test('pairs are merged by frequency, by hand', () => {
  // aab five times, ab three times: ##a ##b 5, a ##a 5, a ##b 3; of equals the first by name goes first.
  expect(merged([...Array(5).fill('aab'), ...Array(3).fill('ab')])).toEqual(['##ab', 'aab', 'ab']);
  // aaaa: a ##a 2 and ##a ##a 4, which makes a ##aa ##a.
  expect(merged(['aaaa', 'aaaa'])).toEqual(['##aa', '##aaa', 'aaaa']);
});

/** Counts everything anew before each merge. */
function naive(phrases: readonly string[], merges: number): string[] {
  let words = phrases
    .flatMap((p) => p.split(' ').filter((w) => w !== ''))
    .map((w) => [...w].map((c, i) => (i ? `##${c}` : c)));
  const made: string[] = [];
  while (made.length < merges) {
    const counts = new Map<string, number>();
    for (const pieces of words)
      for (let i = 1; i < pieces.length; i++) {
        const pair = `${pieces[i - 1]} ${pieces[i]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    const [best] = [...counts].sort(([a, n], [b, m]) => {
      const [[a0, a1], [b0, b1]] = [a.split(' '), b.split(' ')];
      return m - n || (a0! < b0! ? -1 : a0! > b0! ? 1 : a1! < b1! ? -1 : 1);
    });
    if (!best || best[1] < 2) break;
    const [left, right] = best[0].split(' ') as [string, string];
    const both = left + right.slice(2);
    if (!made.includes(both)) made.push(both);
    words = words.map((pieces) => {
      const out: string[] = [];
      for (let i = 0; i < pieces.length; i++) {
        if (pieces[i] === left && pieces[i + 1] === right) {
          out.push(both);
          i++;
        } else {
          out.push(pieces[i]!);
        }
      }
      return out;
    });
  }
  return made;
}

test('the same as counting everything anew before each merge, whatever the order of the phrases', () => {
  const phrase = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 7 }), {
    maxLength: 6,
  });
  holds(
    fc.property(fc.array(phrase, { maxLength: 12 }), fc.nat(30), (all, merges) => {
      const phrases = all.map((words) => words.join(' '));
      const want = naive(phrases, merges);
      expect(merged(phrases, FIRST + merges)).toEqual(want);
      expect(merged([...phrases].reverse(), FIRST + merges)).toEqual(want);
    }),
    { seed: 5, numRuns: 100 },
  );
});

describe('the tokenizer reads it', () => {
  const phrases = [
    'The white ship moored at the harbour',
    "the ship's naïve crew, upper-left (2 m)",
    '白い船 on the water',
    'Größe: 42 ğ\u0301x',
    'the white ship',
    'tabs\tand\u00a0no-break\u200b spaces',
  ];

  test('no phrase it was made of has an unknown piece, and frequent words are whole', async () => {
    await writeFile(at('vocab.txt'), `${trainVocabulary(phrases, 400).join('\n')}\n`);
    const tokenizer = await openTokenizer(at('vocab.txt'));
    for (const phrase of phrases) expect(tokenizer.encode(phrase, 100).ids.filter((id) => id === 1)).toEqual([]);
    expect(tokenizer.encode('The WHITE ship', 9).tokens).toEqual(['the', 'white', 'ship']);
    expect(tokenizer.encode('the white ship', 5).ids.at(-1)).toBe(3);
    // Letters that no phrase had are pieces all the same.
    expect(tokenizer.encode('quixotic jazz #7', 60).ids.filter((id) => id === 1)).toEqual([]);
  });

  test('a word too long for any tokenizer takes no pieces', () => {
    const long = 'ab'.repeat(60);
    expect(merged([long, long])).toEqual([]);
  });
});

test('too small a size is one line that says what is needed', () => {
  expect(() => trainVocabulary(['ship'], FIRST - 1)).toThrow(UserError);
  expect(() => trainVocabulary(['ship'], FIRST - 1)).toThrow(
    `a vocabulary of ${FIRST - 1} pieces is too small: its ${FIRST - 5} characters and 5 special tokens take ${FIRST}`,
  );
  expect(trainVocabulary(['ship ship'], FIRST).length).toBe(FIRST);
});
