import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { readPhrases } from '../../../runtime/data/phrase-files.ts';
import { readImage } from '../../../runtime/images/image.ts';
import { crobc } from '../../cli/crobc.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const inFolder = temporaryFolder();

async function count(items: AsyncIterable<unknown>): Promise<number> {
  let n = 0;
  for await (const _ of items) n++;
  return n;
}

it('empty lines between phrases are faults, and those at the end are none', async () => {
  const file = inFolder('between.txt');
  writeFileSync(file, 'a.png one\n\n\nb.png two\n\n\n');
  const lines: number[] = [];
  const all: number[] = [];
  expect(
    await count(
      readPhrases(
        file,
        ({ line }) => lines.push(line),
        (line) => all.push(line),
      ),
    ),
  ).toBe(2);
  expect({ lines, all }).toEqual({ lines: [2, 3], all: [1, 2, 3, 4] });
});

it('many wrong lines are ten messages and a count', async () => {
  const dir = inFolder('wrong');
  for (const name of ['img_rgb', 'mask']) mkdirSync(join(dir, name), { recursive: true });
  writeFileSync(join(dir, 'output_phrase_train.txt'), 'no.png a phrase\n'.repeat(20_000));
  const { code, out } = await crobc(['data', 'check', dir]);
  const lines = out.trimEnd().split('\n');
  expect(code).toBe(1);
  expect(lines).toHaveLength(16);
  expect(lines.slice(10, 12)).toEqual(['and 19,990 more like these', 'train: 0 samples, 20000 errors']);
});

it('a picture of one row without an end is refused', async () => {
  const path = inFolder('row.png');
  await sharp({ create: { width: 70_000, height: 1, channels: 3, background: 'red' } })
    .png()
    .toFile(path);
  await expect(readImage(path)).rejects.toThrow('70000 × 1 pixels: a side has 65,535 at most');
});
