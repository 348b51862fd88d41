// slow: compiles every recipe

import { describe, expect, test } from 'vitest';
import { compileTraining } from '../../compiler/training/compile-training.ts';
import { differentiate } from '../../compiler/training/differentiated.ts';
import { memoryHost } from '../memory-host.ts';
import { shippedModels } from '../shipped.ts';

/** Weights that the recipe trains, and of these what the differentiated step leaves alone, in numbers; and what the notes count. */
function unreached(source: string, options: { readonly model: string; readonly overrides?: readonly string[] }) {
  const host = memoryHost({ ...shippedModels, 'main.crob': source });
  const { training, diagnostics } = compileTraining(host, 'main.crob', { overrides: [], dims: new Map(), ...options });
  if (!training) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  const learn = new Set(differentiate(training).learning);
  const left = training.weights.filter(({ path, role, frozen }) => role === 'param' && !frozen && !learn.has(path));
  const size = left.reduce((sum, { shape }) => sum + shape.reduce((n, dim) => n * dim, 1), 0);
  const told = diagnostics.filter(({ code }) => code === 'CROB2317' || code === 'CROB2319');
  return {
    left: left.map(({ path }) => path).sort(),
    size,
    told: told.reduce(
      (sum, { message }) => sum + Number(/: ([\d,]+) weights?$/.exec(message)?.[1]?.replaceAll(',', '')),
      0,
    ),
  };
}

const micro = 'use crobim.{CroBIM_micro}\nmodel Variant extends CroBIM_micro {\n';
const ofMicro = (...lines: string[]) =>
  unreached(`${micro}${lines.map((line) => `  ${line}\n`).join('')}}\n`, { model: 'Variant' });

describe('what the notes count is what the differentiated step leaves alone', () => {
  test('nothing of a shipped model', () => {
    const source = 'use crobim.{CroBIM_micro, micro}\nrecipe again extends micro {\n}\n';
    expect(unreached(source, { model: 'CroBIM_micro' })).toEqual({ left: [], size: 0, told: 0 });
  });

  test('one map that the decoder does not read', () => {
    const { left, size, told } = ofMicro('mid.levels = [1, 2, 3]');
    expect(left).toEqual(['lgfa.compensation.0.back.0.bias', 'lgfa.compensation.0.back.0.weight']);
    expect(told).toBe(size);
  });

  test('a stage that the choice of regions alone reads', () => {
    const { left, size, told } = ofMicro('mid.levels = [1, 2, 3]', 'lgfa.stages = [1, 2, 3]');
    expect(left).toEqual(expect.arrayContaining(['lgfa.stage.0.query.weight', 'lgfa.stage.0.key.bias']));
    expect(told).toBe(size);
  });

  test('what stands behind a stop_gradient', () => {
    const lines = ['let words = stop_gradient(text.encode(concat([text.embed(tokens), prompt], "b * d"), seen))'];
    const { left, size, told } = ofMicro(...lines);
    expect(left.filter((path) => !/^(text|capm)\./.test(path))).toEqual([]);
    expect(left.length).toBeGreaterThan(10);
    expect(told).toBe(size);
  });

  test('by --set', () => {
    const overrides = ['mid.levels = [1, 2, 3]', 'lgfa.stages = [1, 2, 3]'];
    const source = 'use crobim.{CroBIM_micro, micro}\nrecipe again extends micro {\n}\n';
    const { left, size, told } = unreached(source, { model: 'CroBIM_micro', overrides });
    expect(left.length).toBeGreaterThan(0);
    expect(told).toBe(size);
  });
});
