// long: checks types in a copy of the sources

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { copiedSources } from '../copied-sources.ts';

// `npm run new` in a copy of the sources: one of each, and what is refused.

const root = fileURLToPath(new URL('../..', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'crobc-new-'));
const copied = [...copiedSources, 'README.md'];
const kinds = new Set(['.ts', '.mjs', '.crob', '.py', '.md', '.json']);

beforeAll(() => {
  const filter = (path: string) => extname(path) === '' || kinds.has(extname(path));
  for (const name of [...copied, 'docs/builtins.md', 'biome.json'])
    cpSync(join(root, name), join(copy, name), { recursive: true, filter });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
});
afterAll(() => rmSync(copy, { recursive: true }));

function run(...args: string[]): { readonly status: number | null; readonly out: string; readonly err: string } {
  const { status, stdout, stderr } = spawnSync('node', ['scripts/new.mjs', ...args], { cwd: copy, encoding: 'utf8' });
  return { status, out: stdout, err: stderr };
}
/** Every file with its last change. */
const state = () =>
  copied
    .filter((name) => statSync(join(copy, name)).isDirectory())
    .flatMap((name) =>
      readdirSync(join(copy, name), { recursive: true, encoding: 'utf8' }).map((file) => join(name, file)),
    )
    .map((file) => `${file} ${statSync(join(copy, file)).mtimeMs}`);

const made = [
  ['operator', 'twice_as', '--kind', 'unary', '--onnx', 'TwiceAs', '--tfjs', 'twiceAs', '--torch', 'torch.twice_as'],
  ['operator', 'half_as', '--kind', 'binary'],
  ['pass', 'merge-things'],
  ['message', 'shapes'],
  ['module', 'pooling.BlurPool'],
  ['module', 'sharpening.Sharpen'],
];

test('nothing is left to fill in where the compiler does not look', () => {
  const library = readdirSync(join(root, 'stdlib')).map((file) => `stdlib/${file}`);
  const left = [...library, 'test/fuzz/pytorch/operators.py'].filter((file) =>
    readFileSync(join(root, file), 'utf8').includes('FILL_IN'),
  );
  expect(left).toEqual([]);
});

describe('one of each', () => {
  test.each(made.map((args) => [args]))('%j', (args) => {
    const { status, out, err } = run(...args);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toMatch(/^wrote /);
  });

  // The compiler looks at most of the sources.
  test('compiles but for the places that are to be filled in', () => {
    const include = ['compiler', 'test/ops', 'test/passes', 'test/fuzz', 'test/stdlib'];
    const config = {
      extends: './tsconfig.base.json',
      compilerOptions: { types: ['node'], noEmit: true },
      include: [...include, 'test/runtime/training/in-place.test.ts'],
    };
    writeFileSync(join(copy, 'tsconfig.new.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync('node', [tsc, '-p', 'tsconfig.new.json'], { cwd: copy, encoding: 'utf8' });
    const errors = stdout.trim().split('\n');
    expect(errors.filter((line) => !line.endsWith("error TS2304: Cannot find name 'FILL_IN'."))).toEqual([]);
    const counts: Record<string, number> = {};
    for (const line of errors) {
      const file = line.replace(/\(.*/, '');
      counts[file] = (counts[file] ?? 0) + 1;
    }
    expect(counts).toEqual({
      // What it is in ONNX and TensorFlow.js was given for the first operator.
      'compiler/emit/onnx/elementwise.ts': 1,
      'compiler/emit/tfjs/elementwise.ts': 1,
      'compiler/ops/unary.ts': 2,
      'compiler/ops/binary.ts': 2,
      'compiler/gradients/unary.ts': 1,
      'compiler/gradients/binary.ts': 2,
      'compiler/elaborate/eval/builtins/elementwise.ts': 4,
      'compiler/diagnostics/messages/shapes.ts': 4,
      'compiler/passes/merge-things.ts': 1,
      'test/fuzz/compare/lanes.ts': 2,
      'test/fuzz/draw/rules/pointwise.ts': 2,
      'test/fuzz/meaning/tensors.ts': 4,
      'test/ops/twice-as.test.ts': 1,
      'test/ops/half-as.test.ts': 1,
      'test/passes/merge-things.test.ts': 2,
      'test/stdlib/blur-pool.test.ts': 3,
      'test/stdlib/sharpen.test.ts': 3,
    });
  });

  test('counts operators, and leaves a mark in the library', () => {
    const count = (text: string) => Number(/^- (\d+) operators, each/m.exec(text)?.[1]);
    const readme = (folder: string) => readFileSync(join(folder, 'README.md'), 'utf8');
    expect(count(readme(copy))).toBe(count(readme(root)) + 2);
    for (const file of ['pooling', 'sharpening'])
      expect(readFileSync(join(copy, `stdlib/${file}.crob`), 'utf8')).toContain(' = FILL_IN\n');
  });
});

describe('what is refused, without a change', () => {
  test.each([
    [['operator', 'abs', '--kind', 'unary'], 'there is an operator abs'],
    [['operator', 'gelu', '--kind', 'unary'], 'there is an operator gelu'],
    [['operator', 'square', '--kind', 'unary'], '`square` is a function of std.tensor, which would have to go'],
    [['operator', 'rearrange', '--kind', 'unary'], '`rearrange` is a built-in function'],
    [['operator', 'model', '--kind', 'unary'], '`model` is a word of the language'],
    [['operator', 'TwiceAs', '--kind', 'unary'], 'a name has small letters, digits and single underscores'],
    [['pass', 'half'], 'there is a pass half'],
    [['pass', 'reshapes'], 'compiler/passes/reshapes.ts exists'],
    [['pass', 'Merge'], 'a pass is called in small letters with hyphens'],
    [['message', 'sizes'], 'no group sizes; there are syntax, names, shapes, statics, variants'],
    [['module', 'norm.LayerNorm'], 'std.norm has LayerNorm'],
    [['module', 'drop.LayerNorm'], 'std.norm has LayerNorm'],
    [['module', 'Norm'], 'a module is named with its file'],
  ])('%j', (args, message) => {
    const before = state();
    const { status, out, err } = run(...args);
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toContain(`error: ${message}`);
    expect(state()).toEqual(before);
  });

  test('a kind that there is not', () => {
    expect(run('operator', 'twice_as', '--kind', 'ternary').err).toContain('Allowed choices are unary, binary');
    expect(run('operator', 'twice_as').err).toContain("required option '--kind <kind>' not specified");
  });
});
