import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { openTokenizer } from '../../runtime/text/tokenizer.ts';
import { dataFolder, mask, writePhrases } from '../runtime/data/data-folder.ts';
import { readPdf } from '../runtime/drawing/read-pdf.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc } from './crobc.ts';

const at = temporaryFolder();
let folders = 0;
const fresh = () => dataFolder(at(`set-${folders++}`), ['a.png', 'b.png', 'c.png']);
const run = (...args: string[]) => crobc(['data', ...args]);

describe('data check', () => {
  test('a sound data set', async () => {
    const dir = await fresh();
    await writePhrases(dir, ['a.png the ship'], 'val');
    expect(await run('check', dir)).toEqual({
      code: 0,
      out: `train: 3 samples, 0 errors
val: 1 sample, 0 errors

data set  triplets  image size  resolution  attributes
--------  --------  ----------  ----------  ----------
set-0            4  8 × 8       -                    -
`,
      err: '',
    });
  });

  test('errors with file and line, exit code 1; notes alone are none', async () => {
    const dir = await fresh();
    const file = await writePhrases(dir, ['a.png ship', 'd.png ship', 'a.png ship']);
    expect(await run('check', dir, '--split', 'train')).toEqual({
      code: 1,
      out:
        `${file}:2: there is no image d.png in ${dir}/img_rgb\n` +
        `${file}:3: note: the same as line 1\n` +
        'train: 2 samples, 1 error, 1 note\n',
      err: '',
    });
    await writePhrases(dir, ['a.png ship', 'b.png ship']);
    await mask(join(dir, 'mask', 'a.png'), 8, 8, () => 0);
    expect(await run('check', dir)).toMatchObject({ code: 0, out: expect.stringContaining('0 errors, 1 note\n') });
  });

  test('no data set, no such split', async () => {
    expect(await run('check', at('nowhere'))).toEqual({
      code: 1,
      out: '',
      err: `crobc: cannot read ${at('nowhere')}: no such file or folder\n`,
    });
    const dir = await fresh();
    expect(await run('check', dir, '--split', 'val')).toMatchObject({
      code: 1,
      err: `crobc: ${dir} has no split "val": it has train\n`,
    });
  });
});

describe('data stats', () => {
  test('a figure and a word cloud of all splits together, and of one', async () => {
    const dir = await fresh();
    await writePhrases(dir, ['a.png the white ship', 'b.png ship']);
    await writePhrases(dir, ['a.png the red boat', 'c.png boat'], 'val');
    const files = { figure: at('figure.svg'), cloud: at('cloud.svg'), png: at('figure.png'), pdf: at('figure.pdf') };
    const drawn = await run('stats', dir, '--figure', files.figure, '--cloud', files.cloud);
    expect(drawn).toMatchObject({ code: 0, err: '', out: (await run('stats', dir)).out });
    const texts = async (file: string) => {
      const svg = await readFile(file, 'utf8');
      return [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, line]) => line);
    };
    expect(await texts(files.figure)).toContain('mean 2.0');
    expect(await texts(files.cloud)).toEqual(['boat', 'ship', 'red', 'white']);
    await run('stats', dir, '--split', 'val', '--figure', files.png, '--cloud', files.cloud);
    expect(await sharp(files.png).metadata()).toMatchObject({ format: 'png', width: 2000, channels: 3 });
    expect(await texts(files.cloud)).toEqual(['boat', 'red']);
    await run('stats', dir, '--figure', files.pdf);
    const page = readPdf(await readFile(files.pdf));
    expect(page.texts).toEqual(await texts(files.figure));
    expect(page.fonts.map(({ name }) => name.slice(7))).toEqual(['Arimo-Regular', 'Arimo-Bold']);
  });

  test.each([
    ['--figure', 'f.eps', 'the name of a picture ends in .svg, .pdf or .png'],
    ['--cloud', 'cloud', 'the name of a picture ends in .svg, .pdf or .png'],
  ])('%s %s is refused before anything is read', async (option, file, message) => {
    const ran = await run('stats', at('nowhere'), option, file);
    expect(ran.err).toContain(`${option} ${file}: ${message}`);
    expect(ran.code).toBe(2);
  });

  test('a table, and JSON', async () => {
    const dir = await fresh();
    await writePhrases(dir, ['a.png the white ship', 'b.png the ship', 'none.png ship']);
    await writeFile(join(dir, 'attributes_train.jsonl'), '{"category": "ship"}\n{"category": "boat"}\n{}\n');
    const { code, out, err } = await run('stats', dir);
    expect(code).toBe(0);
    expect(err).toBe(`${dir}/output_phrase_train.txt:3: there is no image none.png in ${dir}/img_rgb\n`);
    expect(out).toBe(`train: 2 phrases (2 distinct), 2 images
  words       3 distinct; 2 to 3 a phrase, 2.5 on average
  mask areas  50 % to 50 % of the image, median 50 %
  sizes       8 × 8 2
  left out    1 line
  categories  boat 1, ship 1
  frequent    ship 2, the 2, white 1

words  phrases
-----  -------
    2        1
    3        1

mask area       masks
--------------  -----
0 % to 0.1 %        0
0.1 % to 0.3 %      0
0.3 % to 1 %        0
1 % to 3 %          0
3 % to 10 %         0
10 % to 30 %        0
30 % to 100 %       2

category  least area  median  most
--------  ----------  ------  ----
boat            50 %    50 %  50 %
ship            50 %    50 %  50 %
`);
    const json = JSON.parse((await run('stats', dir, '--json')).out);
    expect(json).toMatchObject({
      dir,
      splits: [
        {
          split: 'train',
          phrases: 2,
          unreadable: 1,
          categories: [
            ['boat', 1],
            ['ship', 1],
          ],
        },
      ],
    });
  });

  test('ten problems are told and the rest counted; nothing to count is an error', async () => {
    const dir = await fresh();
    await writePhrases(dir, ['a.png ship', ...Array.from({ length: 12 }, (_, i) => `${i}.png ship`)]);
    const lines = (await run('stats', dir)).err.trimEnd().split('\n');
    expect(lines.length).toBe(11);
    expect(lines[10]).toBe('and 2 more problems like these');
    await writePhrases(dir, ['none.png ship']);
    expect(await run('stats', dir)).toMatchObject({
      code: 1,
      err: expect.stringContaining(`crobc: the split train of ${dir} has no sample that can be used\n`),
    });
  });
});

describe('data vocab', () => {
  test('beside the data or where it is told; pictures are not needed', async () => {
    const dir = await fresh();
    await writePhrases(dir, ['a.png the white ship', 'b.png the white boat', 'c.png']);
    await writePhrases(dir, ['a.png un bateau, un bateau'], 'val');
    await rm(join(dir, 'img_rgb', 'a.png'));
    const ran = await run('vocab', dir);
    const pieces = (await readFile(join(dir, 'vocab.txt'), 'utf8')).trimEnd().split('\n');
    expect(ran).toEqual({
      code: 0,
      out: `${dir}/vocab.txt: ${pieces.length} word pieces of 2 phrases of train\n`,
      err: `${dir}/output_phrase_train.txt:3: there is no phrase behind c.png\n`,
    });
    expect(pieces.slice(0, 5)).toEqual(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']);
    expect(pieces).toEqual(expect.arrayContaining(['the', 'white']));
    const out = at('french.txt');
    expect((await run('vocab', dir, '-o', out, '--split', 'val', '--size', '112')).code).toBe(0);
    expect((await openTokenizer(out)).vocabularySize).toBe(112);
  });

  test('too small, no phrases, a place that cannot be written', async () => {
    const dir = await fresh();
    expect(await run('vocab', dir, '--size', '50')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^crobc: a vocabulary of 50 pieces is too small: /),
    });
    expect(await run('vocab', dir, '-o', at('none/vocab.txt'))).toMatchObject({
      code: 1,
      err: `crobc: cannot write ${at('none/vocab.txt')}: no such file or folder\n`,
    });
    await writeFile(join(dir, 'output_phrase_train.txt'), '\n');
    expect(await run('vocab', dir)).toMatchObject({
      code: 1,
      err: `crobc: ${dir}/output_phrase_train.txt has no phrase\n`,
    });
  });
});

test('data alone shows its commands', async () => {
  const ran = await run();
  expect(ran).toMatchObject({ code: 2, out: '' });
  for (const name of ['check', 'stats', 'vocab']) expect(ran.err).toContain(`\n  ${name} `);
});
