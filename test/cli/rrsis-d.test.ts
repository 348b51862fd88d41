// slow: trains and evaluates a model

import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc } from './crobc.ts';
import { learner } from './training-data.ts';

const at = temporaryFolder();
let folder: string;

beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  await writeFile(`${folder}/learner.crob`, learner);
  await cp('test/goldens/rrsis-d', `${folder}/rrsis-d`, { recursive: true });
});

const run = (...args: string[]) => crobc(args, { cwd: folder });

test('data check: each mismatch is an error, or a note where the option says so; the published numbers', async () => {
  const file = 'rrsis-d/rrsisd/refs(unc).p';
  const strict = await run('data', 'check', 'rrsis-d');
  expect(strict).toMatchObject({ code: 1, err: '' });
  expect(strict.out).toMatch(
    `${file}:2: the mask has 800 × 800 pixels, and its image 800 × 801\ntrain: 2 samples, 1 error\n`,
  );
  expect(strict.out).toContain('masks of another size than their images: --on-size-mismatch resize would resize each');
  const ran = await run('data', 'check', 'rrsis-d', '--on-size-mismatch', 'resize');
  expect(ran).toEqual({
    code: 0,
    err: '',
    out: `${file}:2: note: masks of another size than their images are resized by themselves: 1, of which this is the first
train: 2 samples, 0 errors, 1 note
val: 1 sample, 0 errors
${file}:1: note: masks of another size than their images are resized by themselves: 3, of which this is the first
test: 4 samples, 0 errors, 1 note
note: these are not all samples of RRSIS-D as it was published: train 2 of 12,181, val 1 of 1,740, test 4 of 3,481

data set            triplets  image size              resolution     attributes
------------------  --------  ----------------------  -------------  ----------
rrsis-d                    7  800 × 800 and 2 others  -                       1
RRSIS-D, published    17,402  800 × 800               0.5 m to 30 m           7
`,
  });
});

test('stats and a vocabulary', async () => {
  const stats = await run('data', 'stats', 'rrsis-d', '--split', 'test');
  expect(stats).toMatchObject({ code: 0, err: '' });
  expect(stats.out).toContain('test: 4 phrases (4 distinct), 3 images');
  expect(stats.out).toContain('categories  airplane 3, storage tank 1');
  const vocabulary = await run('data', 'vocab', 'rrsis-d', '-o', 'words.txt');
  expect(vocabulary).toMatchObject({ code: 0, err: '' });
  expect(vocabulary.out).toMatch(/^words\.txt: \d+ word pieces of 2 phrases of train\n$/);
});

test('train stops at a mismatch, and takes steps with the option; so does eval', async () => {
  const training = ['train', 'learner.crob', '-d', 'rrsis-d', '--steps', '2', '--device', 'cpu', '-o', 'run'];
  expect(await run(...training)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/refs\(unc\)\.p:2: the mask has 800 × 800 pixels.*\(--on-size-mismatch resize would/),
  });
  const trained = await run(...training, '--on-size-mismatch', 'resize');
  expect(trained).toMatchObject({ code: 0 });
  expect(trained.err).toContain('1 of 2 masks have another size than their images and are resized by themselves');
  const evaluating = ['eval', 'learner.crob', '-w', 'run/last.safetensors', '-d', 'rrsis-d', '--device', 'cpu'];
  const sizes = ['--set', 'H=16,W=16,T=10', '--pictures', '1'];
  expect(await run(...evaluating, ...sizes)).toMatchObject({
    code: 1,
    err: expect.stringContaining('--on-size-mismatch'),
  });
  const evaluated = await run(...evaluating, ...sizes, '--on-size-mismatch', 'resize', '-o', 'report');
  expect(evaluated).toMatchObject({ code: 0 });
  const report = JSON.parse(await readFile(`${folder}/report/Learner.test.json`, 'utf8'));
  expect(report).toMatchObject({
    samples: 4,
    byCategory: { airplane: { samples: 3 }, 'storage tank': { samples: 1 } },
  });
  expect(await run(...evaluating, ...sizes, '--on-size-mismatch', 'skip', '-o', 'one')).toMatchObject({ code: 0 });
  expect(JSON.parse(await readFile(`${folder}/one/Learner.test.json`, 'utf8'))).toMatchObject({ samples: 1 });
});
