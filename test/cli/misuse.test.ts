import { mkdir, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, tiny } from './crobc.ts';

const at = temporaryFolder();
let folder: string;

beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  await writeFile(`${folder}/tiny.crob`, tiny);
});

const usage = async (line: string, message: string | RegExp) => {
  const ran = await crobc(line.split(' '), { cwd: folder });
  expect(ran).toMatchObject({ code: 2, out: '' });
  expect(ran.err).toMatch(message);
};

describe('what is wrong on the command line, whatever the files hold, ends with 2', () => {
  test.each([
    ['train tiny.crob', /^error: train needs --data/],
    ['eval tiny.crob', /^error: eval needs a \.crob file or a trained model, and --data/],
    [
      'eval tiny.crob --data d --protocol cris --at model',
      /^error: the protocol cris compares masks at the original size only\n$/,
    ],
    ['eval --compare a b --weights w', '--compare reads reports, and --weights has no effect: leave it out'],
    ['data synth -o d --val z', '--val z: give a share such as 0.1'],
    ['data synth -o d --scenes 3 --val 4', '--val and --test take 4 scenes of 3'],
    ['data synth -o d --size 3', '--size 3: scenes have 64 to 1024 pixels along each side'],
    ['data synth -o d --objects 5', '--objects 5: give the fewest and the most, such as 3,4; there is room for 5'],
    ['data synth -o d --phrases 9', '--phrases 9: each phrase of a scene is for another object'],
    ['explain CROB999', 'there is no message CROB999'],
    ['summary tiny.crob --depth x', "option '--depth <n>' argument 'x' is invalid. It is not a whole number."],
    ['eval tiny.crob --data d --limit 0', "option '--limit <n>' argument '0' is invalid. Too few: 1 or more."],
    ['predict tiny.crob -i a.png --threads 2000', "argument '2000' is invalid. Too many: 1,024 at most."],
    [
      'train tiny.crob --data d --steps 1000000000000',
      '--steps: a run has 1 to 99,999,999 steps, and not 1,000,000,000,000',
    ],
    ['train tiny.crob --data d --threads 5000', "argument '5000' is invalid. Too many: 1,024 at most."],
    ['train tiny.crob --data d --decode-threads 5000', "argument '5000' is invalid. Too many: 1,024 at most."],
    ['eval tiny.crob --data d --decode-threads few', "argument 'few' is invalid. It is not a whole number."],
    ['predict tiny.crob', 'error: there is nothing to predict: give --image, or --list\n'],
    ['build', "missing required argument 'file'"],
    ['build tiny.crob more.crob', "too many arguments for 'build'"],
    ['check --nothing', "unknown option '--nothing'"],
    ['nothing', "unknown command 'nothing'"],
  ])('%s', usage);
});

describe('an option that holds one value is given once', () => {
  test.each([
    ['predict tiny.crob -i a.png -i b.png -t x', '--image a.png and --image b.png: --image takes one value'],
    ['predict tiny.crob -i a.png -t x --image a.png', '--image a.png and --image a.png: --image takes one value'],
    ['build tiny.crob -o a --out=b', '--out a and --out b: --out takes one value'],
    ['build tiny.crob --dtype f16 --dtype f32', '--dtype f16 and --dtype f32: --dtype takes one value'],
    ['build tiny.crob --weights w --no-weights', '--weights w and --no-weights: give one of them'],
    ['summary tiny.crob --depth 1 --depth 2', '--depth 1 and --depth 2: --depth takes one value'],
    ['data check d --split a --split b', '--split a and --split b: --split takes one value'],
    ['check --reporter json --reporter pretty', '--reporter json and --reporter pretty: --reporter takes one value'],
  ])('%s', usage);

  test('others collect, and a flag may be repeated', async () => {
    const line = 'summary tiny.crob --set B=1 --set H=32,W=32 --json --json';
    expect(await crobc(line.split(' '), { cwd: folder })).toMatchObject({ code: 0, err: '' });
  });
});

describe('what other programs call otherwise is answered with what there is', () => {
  test.each([
    ['train tiny.crob --learning-rate 1e-3', 'train has no --learning-rate: write --lr'],
    ['compare tiny.crob --lr 1e-3', 'compare has no --lr: write --set recipe.lr=…'],
    ['compare tiny.crob --seed 3', 'compare has no --seed: write --seeds 1, or a list such as --seeds 4,7'],
    ['train tiny.crob --weight-decay=0.1', 'train has no --weight-decay: write --set recipe.weight_decay=…'],
    ['train tiny.crob --gpu', 'train has no --gpu: write --device cuda'],
    ['eval tiny.crob --batch-size 4', 'eval has no --batch-size: write --batch'],
    ['predict tiny.crob --prompt ship', 'predict has no --prompt: write --text'],
    ['build tiny.crob --fp16', 'build has no --fp16: write --dtype f16'],
  ])('%s', usage);

  test('and is in no help', async () => {
    expect((await crobc(['train', '--help'])).out).not.toContain('--learning-rate');
  });
});
