// slow: hundreds of programs

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { memoryHost } from '../memory-host.ts';
import { drawnSeed } from '../seed.ts';
import type { Counts } from './compare/checks.ts';
import { tryProgram } from './compare/trial.ts';
import { keptPrograms, keptSources } from './corpus.ts';
import { drawProgram } from './draw/program.ts';
import { plantedFaults, sourceOf } from './planted/faults.ts';
import { sites } from './program/exprs.ts';
import { printProgram } from './program/print.ts';
import { shrunk } from './program/shrink.ts';
import { tried } from './worker.ts';

/** As many as take about half a minute on two cores with other tests beside them; `npm run fuzz` tries any number. */
const programs = 400;
const root = fileURLToPath(new URL('../../', import.meta.url));

test(`${programs} programs mean the same to everything that runs them`, async () => {
  const counts: Counts = {};
  for (let i = 1; i <= programs; i++) {
    const seed = drawnSeed(i);
    const { failure, counts: made } = await tried(seed);
    if (failure) expect.fail(`${failure.kind}: ${failure.detail}\nnpm run fuzz -- --program ${seed} --shrink`);
    for (const [name, n] of Object.entries(made)) counts[name] = (counts[name] ?? 0) + n;
  }
  // What was compared, and that most of it could be.
  expect(counts['programs checked']).toBeGreaterThan(0.7 * programs);
  expect(counts.clear).toBeGreaterThan(0.8 * counts.interpreter!);
  for (const name of [
    'passes',
    'onnxruntime',
    'onnxruntime without passes',
    'onnxruntime, as for CUDA',
    'half precision',
    'TensorFlow.js, best',
    'TensorFlow.js, cpu',
    'gradients',
    'finite differences',
    'optimizer: AdamW',
    'optimizer: SGD',
    'a step that computes modules again',
    'training step in onnxruntime',
    'training step in place',
    'mistakes run',
    'mistakes trained',
  ])
    expect(counts[name], name).toBeGreaterThan(0);
});

describe('the corpus', () => {
  test.each(keptPrograms.map((one) => [one.file, one] as const))('%s', async (_, kept) => {
    const { failure, counts } = await tryProgram(kept.program, kept.seed, {
      half: true,
      tfjs: true,
      plain: true,
      training: true,
      mutated: true,
    });
    expect(failure, kept.note).toBeUndefined();
    expect(counts.clear).toBeGreaterThan(0);
  });

  test.each(keptSources.map((one) => [one.file, one.text] as const))('%s comes to an end', (file, text) => {
    expect(check(memoryHost({ [file]: text }), [file]).diagnostics).toBeInstanceOf(Array);
  });
});

describe('the harness', () => {
  test('draws the same program for the same number', () => {
    expect(printProgram(drawProgram(17))).toBe(printProgram(drawProgram(17)));
    expect(printProgram(drawProgram(17))).not.toBe(printProgram(drawProgram(18)));
  });

  test('makes a program smaller as long as it fails', async () => {
    const program = drawProgram(3);
    const op = sites(program)[0]!.op;
    const smaller = await shrunk(program, async (one) => sites(one).some((e) => e.op === op), Date.now() + 60_000);
    expect(sites(smaller).some((e) => e.op === op)).toBe(true);
    expect(sites(smaller).length).toBeLessThan(sites(program).length);
  });

  test.each(plantedFaults.map((fault) => [fault.name, fault] as const))('can be given the fault: %s', (_, fault) => {
    expect(sourceOf(fault, root).split(fault.right)).toHaveLength(2);
  });
});
