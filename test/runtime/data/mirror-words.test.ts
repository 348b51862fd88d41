import { expect, test } from 'vitest';
import { afterSide, beforeSide, pairs, remaining } from '../../../runtime/data/mirror.ts';
import { neutralWords } from '../../../runtime/data/neutral-words.ts';

/** Lines of words, at most as long as black has them. */
function lines(words: Iterable<string>): string {
  const all: string[] = [];
  for (const word of words) {
    const last = all.at(-1);
    if (last !== undefined && last.length + word.length < 88) all[all.length - 1] = `${last} ${word}`;
    else all.push(word);
  }
  return all.join('\n');
}

function words(name: string, docs: string, all: Iterable<string>): string {
  return `_${name} = """\n${lines(all)}\n"""\n${name} = frozenset(_${name}.split())\n"""${docs}"""\n`;
}

const module = `"""Words of mirrored phrases, written from crobc's lists (runtime/data/mirror.ts)."""

from __future__ import annotations

PAIRS = (
${pairs.map(([a, b]) => `    ("${a}", "${b}"),\n`).join('')})
"""Words of one side, each with that of the other."""

${words('BEFORE_SIDE', 'Before left and right, where these are words of a side.', beforeSide)}
${words('AFTER_SIDE', 'After left and right, where these are words of a side.', afterSide)}
${words('REMAINING', 'Before left at the end of a phrase, which may then be what remains.', remaining)}
${words('NEUTRAL', 'Words that mean the same in a mirrored image.', neutralWords)}`;

test('the training program for PyTorch has the same words', async () => {
  await expect(module).toMatchFileSnapshot('../../../runtime/torch/training/mirror_words.py');
});
