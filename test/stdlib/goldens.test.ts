import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { compile } from '../../compiler/compile.ts';
import { interpret } from '../../compiler/graphs/interpret.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { goldenSource, readGolden, readingsSource, relativeError, rivalsSource } from './goldens.ts';

const host = diskHost();

// Swin at 50×38 pads patches, windows and odd maps, and shifts; the last three are plain PyTorch versions of CroBIM's parts.
const defaults = ['swin', 'convnext', 'bert', 'deformable', 'capm', 'lgfa', 'mid'];
// Other readings: the paper's letter, and what LAVT, CARIS and RMSIN do.
const readings = [
  'swin_masked',
  'words_lavt',
  'words_plain',
  'words_literal',
  'compensation_literal',
  'compensation_across',
  'capm_literal',
  'mid_caris',
  'mid_plain',
  'losses',
];
// Whole models that CroBIM is compared with.
const rivals = ['lavt', 'rmsin', 'caris', 'cris'];

describe('the library gives what PyTorch gives', () => {
  test.each([
    ...defaults.map((name) => [name, goldenSource] as const),
    ...readings.map((name) => [name, readingsSource] as const),
    ...rivals.map((name) => [name, rivalsSource] as const),
  ])('%s', async (name, source) => {
    const { graph, diagnostics } = compile(host, source, { model: name, dims: new Map(), overrides: [] });
    expect(diagnostics).toEqual([]);
    const golden = await readGolden(name);
    const unread = new Set(golden.weights.keys());
    const outputs = interpret(graph!, golden.values, (path, shape) => {
      unread.delete(path);
      expect(golden.weights.get(path)?.shape, path).toEqual(shape);
      return golden.weights.get(path)!;
    });
    expect([...unread], 'weights of the checkpoint that nothing reads').toEqual([]);
    expect(outputs.size).toBeGreaterThan(0);
    for (const [output, value] of outputs)
      expect(relativeError(value, golden.values.get(output)!), output).toBeLessThan(1e-5);
  });
});

test('a wrong weight does not go unnoticed', async () => {
  const { graph } = compile(host, goldenSource, { model: 'capm', dims: new Map(), overrides: [] });
  const golden = await readGolden('capm');
  const outputs = interpret(graph!, golden.values, (path) => {
    const weight = golden.weights.get(path)!;
    return path === 'capm.key.2.weight' ? { ...weight, data: weight.data.map((x) => x * 1.1) } : weight;
  });
  expect(relativeError(outputs.get('prompt')!, golden.values.get('prompt')!)).toBeGreaterThan(1e-4);
});

test('every example, module and map of the library checks', () => {
  const files = readdirSync('stdlib').filter((name) => name.endsWith('.crob'));
  const { diagnostics, missing } = check(
    host,
    files.map((name) => `std/${name}`),
  );
  expect(diagnostics.map((d) => `${d.code} ${d.span.file} ${d.message}`)).toEqual([]);
  expect(missing).toEqual([]);
});
