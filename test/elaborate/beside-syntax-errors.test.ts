// slow: hundreds of mistakes

import { expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { type MistakeKind, mistake } from '../grammar/mistakes.ts';
import { sources } from '../grammar/sources.ts';
import { memoryHost } from '../memory-host.ts';
import { drawnSeed } from '../seed.ts';

/** Those that take no name out of the text: a name that is gone is missing wherever it is used. */
const kinds: readonly MistakeKind[] = [
  'bracket dropped',
  'bracket doubled',
  'bracket of another kind',
  'comma dropped',
  'comma doubled',
  'operator doubled',
  'keyword misspelt',
  'quote dropped',
];

const textOf = (file: string) => sources.find(([name]) => name === file)![1];

/** Checks `main.crob` after each of some mistakes in a file, and returns what is said beside the syntax errors. */
function besides(
  file: string,
  times: number,
  filesWith: (changed: string) => Readonly<Record<string, string>>,
): { readonly count: number; readonly wrong: readonly string[] } {
  const wrong: string[] = [];
  let count = 0;
  for (const kind of kinds)
    for (let i = 0; i < times; i++) {
      const made = mistake(textOf(file), kind, drawnSeed(i * 6661 + 17));
      if (!made) continue;
      const { diagnostics } = check(memoryHost(filesWith(made.text)), ['main.crob']);
      if (!diagnostics.some(({ code }) => code.startsWith('CROB1'))) continue;
      count++;
      const others = diagnostics.filter(({ code }) => !code.startsWith('CROB1'));
      wrong.push(...others.map(({ code, message }) => `${kind}: ${made.shown.trim()} → ${code} ${message}`));
    }
  return { count, wrong };
}

test.each(['stdlib/interaction.crob', 'stdlib/linear.crob', 'stdlib/swin.crob', 'models/crobim.crob'])(
  'a syntax error in %s brings no error of another kind with it',
  (file) => {
    const { count, wrong } = besides(file, 4, (changed) => ({ 'main.crob': changed }));
    expect(count).toBeGreaterThan(20);
    expect(wrong).toEqual([]);
  },
);

test.each(['interaction', 'linear', 'rris', 'backbone'])(
  'a syntax error in std/%s.crob brings none into a model that imports it',
  (name) => {
    const main = textOf('models/crobim.crob');
    const { count, wrong } = besides(`stdlib/${name}.crob`, 2, (changed) => ({
      [`std/${name}.crob`]: changed,
      'main.crob': main,
    }));
    expect(count).toBeGreaterThan(8);
    expect(wrong).toEqual([]);
  },
);
