// slow: builds shipped models

import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc } from './crobc.ts';

const at = temporaryFolder();

/** A folder with these files alone. */
function folder(name: string, files: Readonly<Record<string, string>>): string {
  const path = at(name);
  mkdirSync(path, { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  return path;
}

/** The first variant of the README, as it stands there. */
function readmeVariant(): string {
  const [, text] = /^```crob light\.crob\n([\s\S]*?)^```$/m.exec(readFileSync('README.md', 'utf8')) ?? [];
  if (text === undefined) throw new Error('README.md has no block light.crob');
  return text;
}

const narrow = (from: string) =>
  `use ${from}.{CroBIM_micro}\n\nmodel Narrow extends CroBIM_micro { mid.hidden = 64 }\n`;

test('the first variant of the README checks in a folder that has nothing else', async () => {
  const cwd = folder('light', { 'light.crob': readmeVariant() });
  expect(await crobc(['check', 'light.crob'], { cwd })).toEqual({ code: 0, out: '', err: '' });
});

test('a shipped model gives the same graph wherever it is used from', async () => {
  const alone = folder('alone', { 'narrow.crob': narrow('models.crobim') });
  const beside = folder('beside', { 'models/narrow.crob': narrow('crobim') });
  cpSync('models', join(beside, 'models'), { recursive: true });
  const built = await Promise.all([
    crobc(['build', 'narrow.crob', '-o', 'out'], { cwd: alone }),
    crobc(['build', 'models/narrow.crob', '-o', 'out'], { cwd: beside }),
  ]);
  for (const { code, err } of built) expect(code, err).toBe(0);
  const [one, other] = [alone, beside].map(
    (path) => JSON.parse(readFileSync(join(path, 'out', 'Narrow.manifest.json'), 'utf8')).hashes,
  );
  expect(one.graph).toMatch(/^[0-9a-f]{64}$/);
  expect(one.graph).toBe(other.graph);
  expect(Object.keys(one.sources)).toEqual(['crobc/models/crobim.crob', 'narrow.crob']);
});

test('a use without `models` is told the line to write, and that line checks', async () => {
  const cwd = folder('bare', { 'bare.crob': narrow('crobim'), 'near.crob': narrow('models.crobin') });
  const { code, out } = await crobc(['check', 'bare.crob'], { cwd });
  expect(code).toBe(1);
  expect(out).toContain('error[CROB2003]: there is no file for `use crobim`: crobim.crob');
  const [, line] = /help: the shipped models are `(use .*)`/.exec(out) ?? [];
  expect(line).toBe('use models.crobim.{CroBIM_micro}');
  writeFileSync(join(cwd, 'bare.crob'), narrow('crobim').replace(/^use .*/, line!));
  expect(await crobc(['check', 'bare.crob'], { cwd })).toEqual({ code: 0, out: '', err: '' });
  expect((await crobc(['check', 'near.crob'], { cwd })).out).toContain(
    'help: did you mean `use models.crobim.{CroBIM_micro}`?',
  );
});

test("a file beside the user's goes before a shipped one", async () => {
  const own = 'model CroBIM_micro {\n  mid = Mlp(8, 8)\n  input x: f32[B, 8]\n  output y = mid(x)\n}\n';
  const cwd = folder('own', { 'models/crobim.crob': own, 'narrow.crob': narrow('models.crobim') });
  expect(await crobc(['check', 'narrow.crob'], { cwd })).toEqual({ code: 0, out: '', err: '' });
  const { out } = await crobc(['summary', 'narrow.crob', '--set', 'B=1'], { cwd });
  expect(out).toContain('input  x: f32[1, 8]');
  expect(out).not.toContain('image');
});

test('messages name a shipped file as such', async () => {
  const cwd = folder('heads', {
    'heads.crob': 'use models.crobim.{CroBIM}\n\nmodel Heads extends CroBIM { mid.heads = 7 }\n',
  });
  const { out } = await crobc(['check', 'heads.crob'], { cwd });
  expect(out).toMatch(/crobc\/models\/crobim\.crob:\d+:\d+ .*MID\(/);
});

test('a command takes a shipped model by its name in any folder, and a file of that name where there is one', async () => {
  const cwd = folder('commands', {
    'crobc/models/crobim.crob': 'model Own {\n  input x: f32[B]\n  output y = x + x\n}\n',
  });
  const sizes = ['--set', 'B=1,H=64,W=64,T=20', '--depth', '1'];
  const shipped = await crobc(['summary', 'models/crobim.crob', '-m', 'CroBIM_micro', ...sizes], { cwd });
  expect(shipped, shipped.err).toMatchObject({ code: 0, out: expect.stringContaining('CroBIM_micro') });
  expect(await crobc(['check', 'models/sizes.crob'], { cwd })).toEqual({ code: 0, out: '', err: '' });
  const own = await crobc(['summary', 'crobc/models/crobim.crob'], { cwd });
  expect(own).toMatchObject({ code: 0, out: expect.stringMatching(/^Own\n/) });
  const formatted = await crobc(['fmt', 'models/sizes.crob'], { cwd });
  expect(formatted).toMatchObject({ code: 1, err: expect.stringContaining('cannot read crobc/models/sizes.crob') });
});
