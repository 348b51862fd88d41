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

test.each(['stdlib/interaction.crob', 'stdlib/linear.crob', 'stdlib/swin.crob', 'models/crobim.crob'])(
  'a syntax error in %s brings no error of another kind with it',
  (file) => {
    const text = sources.find(([name]) => name === file)![1];
    const wrong: string[] = [];
    let count = 0;
    for (const kind of kinds)
      for (let i = 0; i < 4; i++) {
        const made = mistake(text, kind, drawnSeed(i * 6661 + 17))!;
        const { diagnostics } = check(memoryHost({ 'main.crob': made.text }), ['main.crob']);
        if (!diagnostics.some(({ code }) => code.startsWith('CROB1'))) continue;
        count++;
        const others = diagnostics.filter(({ code }) => !code.startsWith('CROB1'));
        wrong.push(...others.map(({ code, message }) => `${kind}: ${made.shown.trim()} → ${code} ${message}`));
      }
    expect(count).toBeGreaterThan(20);
    expect(wrong).toEqual([]);
  },
);
