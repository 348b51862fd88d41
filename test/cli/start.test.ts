// slow: trains and evaluates

import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc } from './crobc.ts';

const at = temporaryFolder();

describe('crobc init', () => {
  test('makes a folder, of which the commands in its README work', async () => {
    const folder = at('ships');
    const made = await crobc(['init', folder]);
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(readdirSync(folder).sort()).toEqual(['README.md', 'variant.crob']);
    expect(made.out.split('\n').slice(0, 2)).toEqual([join(folder, 'README.md'), join(folder, 'variant.crob')]);

    const readme = readFileSync(join(folder, 'README.md'), 'utf8');
    const lines = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) =>
      block.trim().split('\n'),
    );
    expect(lines.map((line) => /^npx crobc (data synth|\w+)/.exec(line)?.[1])).toEqual([
      'check',
      'data synth',
      'train',
      'eval',
      'predict',
    ]);
    for (const line of lines) {
      const words = [...line.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word).slice(2);
      // The same commands, smaller: 20 scenes, and a few steps.
      const small = words.map((word) => (word === '300' ? '20' : word));
      const ran = await crobc([...small, ...(words[0] === 'train' ? ['--steps', '2'] : [])], { cwd: folder });
      expect(ran.code, `${line}\n${ran.err}`).toBe(0);
      if (words[0] === 'check') expect(ran).toEqual({ code: 0, out: '', err: '' });
    }
    expect(readdirSync(join(folder, 'out'))).toContain('test_00001.mask.png');
  });

  test('its source is formatted, and trains with its own recipe', async () => {
    const folder = at('own');
    await crobc(['init', folder]);
    expect(await crobc(['fmt', '--check', folder])).toEqual({ code: 0, out: '', err: '' });
    const dry = await crobc(['train', 'variant.crob', '--dry-run', '--json'], { cwd: folder });
    expect(JSON.parse(dry.out)).toMatchObject({ model: 'Mine', recipe: 'short' });
  });

  test('writes to the working folder when none is named', async () => {
    const folder = at('here');
    mkdirSync(folder);
    expect(await crobc(['init'], { cwd: folder })).toMatchObject({ code: 0, err: '' });
    expect(readdirSync(folder).sort()).toEqual(['README.md', 'variant.crob']);
  });

  test.each([
    ['README.md', (path: string) => writeFileSync(path, 'mine')],
    ['variant.crob', (path: string) => symlinkSync('/nowhere', path)],
  ])('leaves a folder alone that has a %s', async (name, make) => {
    const folder = at(`taken-${name}`);
    mkdirSync(folder);
    make(join(folder, name));
    const ran = await crobc(['init', folder]);
    expect(ran).toEqual({
      code: 1,
      out: '',
      err: `crobc: ${folder} has ${name} already: name another folder, "crobc init FOLDER"\n`,
    });
    expect(readdirSync(folder)).toEqual([name]);
  });

  test('names a file that is no folder', async () => {
    writeFileSync(at('file'), '');
    const ran = await crobc(['init', at('file')]);
    expect(ran).toMatchObject({ code: 1, out: '' });
    expect(ran.err).toMatch(/^crobc: cannot write .*file: .*\n$/);
  });
});
