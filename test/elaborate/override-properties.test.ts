// long: draws chains of variants

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { crobc } from '../cli/crobc.ts';
import { draws } from '../draws.ts';
import { drawnSeed } from '../seed.ts';
import { shippedModels } from '../shipped.ts';
import { countParameters } from '../stdlib/goldens.ts';
import { holdBadPaths } from './overrides/bad-paths.ts';
import { allBases, bench, cornerBases, smallBases } from './overrides/bases.ts';
import { graphOf } from './overrides/bench.ts';
import { header } from './overrides/case.ts';
import { drawChains, symbolicSource } from './overrides/chain.ts';
import { asSettings, type Finding, holdChains, noTally } from './overrides/hold.ts';

/**
 * Overrides drawn at random, against an account of their own of what they mean (`overrides/meaning.ts`). A few seeds here;
 * `npm run fuzz:overrides` takes as many as there is time for, and makes what it finds small.
 */
const text = (findings: readonly Finding[]) =>
  findings.map(({ kind, source, detail }) => `${kind}\n${source}${detail}`).join('\n\n');

describe('chains of variants mean what their numbers say', () => {
  test.each([1, 2, 3])('of a model with every kind of part, seed %i', (seed) => {
    const tally = noTally();
    expect(text(holdChains(cornerBases, { seed: drawnSeed(seed), chains: 25 }, tally, bench))).toBe('');
    expect(tally.changed).toBeGreaterThan(10);
  });

  test('of small shipped models', () => {
    const tally = noTally();
    expect(text(holdChains(smallBases, { seed: drawnSeed(4), chains: 12 }, tally, bench))).toBe('');
    expect(tally.changed).toBeGreaterThan(5);
  });

  test('of any shipped model', () => {
    expect(text(holdChains(allBases, { seed: drawnSeed(5), chains: 3 }, noTally(), bench))).toBe('');
  });
});

describe('a path that is none is refused at its line', () => {
  test.each([1, 2])('seed %i', (seed) => {
    const tally = noTally();
    expect(text(holdBadPaths(smallBases, { seed: drawnSeed(seed), count: 40 }, tally, bench))).toBe('');
    expect(text(holdBadPaths(cornerBases, { seed: drawnSeed(seed), count: 40 }, tally, bench))).toBe('');
    expect(tally.badPaths).toBeGreaterThan(40);
  });
});

test('crobc summary counts what the numbers give, in source and by --set', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'crobc-overrides-'));
  try {
    for (const [name, source] of Object.entries(shippedModels)) writeFileSync(join(folder, name), source);
    const { chains } = drawChains(draws(drawnSeed(6)), smallBases, 'V', 4, bench);
    for (const [i, chain] of chains.entries()) {
      const { source, lines } =
        i % 2 === 0 ? { source: symbolicSource(chain, 'V', chain.lines), lines: [] } : asSettings(chain);
      const text = header([source.text, ...lines].join('\n'), [chain.base]) + source.text;
      writeFileSync(join(folder, 'drawn.crob'), text);
      const settings = lines.flatMap((line) => ['--set', line]);
      const { out, err } = await crobc(['summary', 'drawn.crob', '--json', '-m', source.name, ...settings], {
        cwd: folder,
      });
      expect({ text, lines, err }).toEqual({ text, lines, err: '' });
      const { parameters } = JSON.parse(out);
      expect({ text, lines, parameters }).toEqual({
        text,
        lines,
        parameters: countParameters(graphOf(chain.model)).total,
      });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
