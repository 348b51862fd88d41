// slow: trains models

import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { fixture, height, width } from '../runtime/images/tiff/fixtures.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, type Ran, tiny } from './crobc.ts';

const at = temporaryFolder();
let folder: string;

/** A data set whose images have five bands of 16 bits. */
beforeAll(async () => {
  folder = at('work');
  for (const name of ['data/img_rgb', 'data/mask']) await mkdir(`${folder}/${name}`, { recursive: true });
  await writeFile(`${folder}/tiny.crob`, tiny);
  const mask = Uint8Array.from({ length: width * height }, (_, i) => (i % width < 12 ? 255 : 0));
  const lines: string[] = [];
  for (let i = 0; i < 4; i++) {
    await copyFile(fixture('uint16-five-bands'), `${folder}/data/img_rgb/${i}.tif`);
    await sharp(mask, { raw: { width, height, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toFile(`${folder}/data/mask/${i}.png`);
    lines.push(`${i}.tif the ship on the left ${i}`);
  }
  for (const split of ['train', 'val', 'test'])
    await writeFile(`${folder}/data/output_phrase_${split}.txt`, `${lines.join('\n')}\n`);
});

const run = (...args: string[]): Promise<Ran> => crobc(args, { cwd: folder });
const first =
  /data\/img_rgb\/\d\.tif: it has 5 bands, and the first three are taken as red, green and blue; .* \(said for the first such image alone\)/g;
const notes = ({ out, err }: Ran) => `${out}${err}`.match(first)?.length ?? 0;

describe('bands of the images of a data set', () => {
  const training = ['train', 'tiny.crob', '-d', 'data', '--device', 'cpu', '--steps', '2'];

  test('data check notes what is assumed once, and nothing where bands are chosen', async () => {
    const plain = await run('data', 'check', 'data');
    expect(plain.code, plain.out).toBe(0);
    expect(notes(plain)).toBe(1);
    const chosen = await run('data', 'check', 'data', '--bands', '4,3,2');
    expect(notes(chosen)).toBe(0);
    const wrong = await run('data', 'check', 'data', '--bands', '6');
    expect(wrong.code).toBe(1);
    expect(wrong.out).toContain('it has 5 bands, and --bands asks for band 6');
  });

  test('train and eval read the bands that are chosen, and note the others once', async () => {
    const plain = await run(...training, '-o', 'plain');
    expect(plain.code, plain.err).toBe(0);
    expect(notes(plain)).toBe(1);
    const chosen = await run(...training, '--bands', '5,4,3', '--stretch', '2,98', '-o', 'chosen');
    expect(chosen.code, chosen.err).toBe(0);
    expect(notes(chosen)).toBe(0);
    const weights = await Promise.all(
      ['plain', 'chosen'].map((name) => readFile(`${folder}/${name}/last.safetensors`)),
    );
    expect(weights[0]!.equals(weights[1]!)).toBe(false);
    const scores = async (...args: string[]) => {
      const ran = await run(
        'eval',
        'tiny.crob',
        '-w',
        'plain/last.safetensors',
        '-d',
        'data',
        '--device',
        'cpu',
        '-o',
        'scores',
        '--json',
        ...args,
      );
      expect(ran.code, ran.err).toBe(0);
      return { noted: notes(ran) };
    };
    expect((await scores()).noted).toBe(1);
    expect((await scores('--bands', '1')).noted).toBe(0);
  });

  test('a run does not continue with other bands', async () => {
    const begun = await run(...training, '--bands', '1,2,3', '-o', 'begun');
    expect(begun.code, begun.err).toBe(0);
    const other = await run(...training, '--bands', '3,2,1', '-o', 'begun', '--resume');
    expect(other.code).not.toBe(0);
  });
});
