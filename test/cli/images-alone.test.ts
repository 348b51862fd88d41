// slow: trains and evaluates

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc } from './crobc.ts';
import { writeDataset } from './training-data.ts';

const at = temporaryFolder();
let folder: string;

/** Scores patches by their colour, with no words. */
const source = (bands: number) => `model Bright where H % 4 == 0, W % 4 == 0 {
  patch = Conv2d(${bands}, 1, 4, stride = 4)
  input image: f32[B, ${bands}, H, W]
  output logits: f32[B, 1, H, W] = resize(patch(image), [H, W])
}
recipe quick for Bright at B = 2, H = 16, W = 16 {
  input target: f32[B, 1, H, W]
  term ce = cross_entropy(logits, target)
  optimizer = AdamW(lr = 1e-1)
  steps = 30
  evaluate_every = 15
}
`;

/** Inference reads neither the auxiliary head, nor what only training makes, nor the second of the encoder's maps. */
const partlyRead = `module Encoder() {
  fine = Conv2d(3, 2, 4, stride = 4)
  coarse = Conv2d(2, 4, 2, stride = 2)
  noise = Conv2d(2, 2, 1) if training
  forward(x: f32[B, 3, H, W]) -> [f32[B, 2, H/4, W/4], f32[B, 4, H/8, W/8]] where H % 8 == 0, W % 8 == 0 {
    let map = if training { noise(fine(x)) } else { fine(x) }
    return [map, coarse(map)]
  }
}
model Part where H % 8 == 0, W % 8 == 0 {
  encoder = Encoder()
  head = Conv2d(2, 1, 1)
  auxiliary = Conv2d(2, 1, 1)
  input image: f32[B, 3, H, W]
  let maps = encoder(image)
  output logits: f32[B, 1, H, W] = resize(head(maps[0]), [H, W])
  output(train) early: f32[B, 1, H, W] = resize(auxiliary(maps[0]), [H, W])
}
recipe quick for Part at B = 2, H = 16, W = 16 {
  input target: f32[B, 1, H, W]
  term ce = cross_entropy(logits, target) + cross_entropy(early, target)
  optimizer = AdamW(lr = 1e-1)
  steps = 2
}
`;

/** Takes logarithms of products that are as often negative. */
const broken = `model Broken {
  patch = Conv2d(3, 1, 4, stride = 4)
  input image: f32[B, 3, 16, 16]
  output logits: f32[B, 1, 16, 16] = resize(log(patch(image)), [16, 16])
}
`;

const run = (...args: readonly string[]) => crobc(args, { cwd: folder });

beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  await writeFile(`${folder}/bright.crob`, source(3));
  await writeFile(`${folder}/four.crob`, source(4));
  await writeFile(`${folder}/part.crob`, partlyRead);
  await writeFile(`${folder}/broken.crob`, broken);
  await writeFile(
    `${folder}/odd.crob`,
    'model Odd {\n  input image: f32[B, 3, 16, 16]\n  input tokens: i64[B, T]\n  output y = mean(image, "b c h w -> b 1 h w") + f32(sum(i32(tokens), "b t -> b 1 1 1"))\n}\n',
  );
  await writeDataset(`${folder}/data`);
});

test('a model of images alone trains, is evaluated and predicts, without words', async () => {
  const trained = await run('train', 'bright.crob', '--data', 'data', '--device', 'cpu', '-o', 'run', '--json');
  expect(trained, trained.err).toMatchObject({ code: 0 });
  expect(JSON.parse(trained.out)).toMatchObject({ end: 'done', step: 30, tokenizer: null });
  const losses = (await readFile(`${folder}/run/metrics.jsonl`, 'utf8'))
    .trimEnd()
    .split('\n')
    .flatMap((line) => (line.includes('"loss"') ? [JSON.parse(line).loss as number] : []));
  // The squares are bright: their colour is enough.
  expect(losses.at(-1)).toBeLessThan(0.7 * losses[0]!);
  const weights = ['--weights', 'run/last.safetensors', '--device', 'cpu', '-o', 'out'];
  const found = await run('eval', 'bright.crob', ...weights, '--data', 'data', '--split', 'val', '--json');
  expect(found, found.err).toMatchObject({ code: 0 });
  expect(JSON.parse(found.out)).toMatchObject({ words: null, samples: 2 });
  expect(JSON.parse(found.out).mIoU).toBeGreaterThan(0.3);
  const predicted = await run('predict', 'bright.crob', ...weights, '-i', 'data/img_rgb/val_7.png', '--json');
  expect(predicted, predicted.err).toMatchObject({ code: 0 });
  expect(JSON.parse(predicted.out)).toMatchObject({ text: null, tokens: [], truncated: false });
});

test('the weights of a training run fit the model, though inference reads only some of them', async () => {
  const trained = await run('train', 'part.crob', '--data', 'data', '--device', 'cpu', '-o', 'part', '--json');
  expect(trained, trained.err).toMatchObject({ code: 0 });
  const weights = ['--weights', 'part/last.safetensors', '-o', 'part-out'];
  const found = await run(
    'eval',
    'part.crob',
    ...weights,
    '--device',
    'cpu',
    '--data',
    'data',
    '--split',
    'val',
    '--json',
  );
  expect(found, found.err).toMatchObject({ code: 0 });
  const built = await run('build', 'part.crob', ...weights);
  expect(built, built.err).toMatchObject({ code: 0 });
  const tfjs = await run('build', 'part.crob', '--target', 'tfjs', ...weights);
  expect(tfjs, tfjs.err).toMatchObject({ code: 0 });
  const other = await run('build', 'bright.crob', ...weights);
  expect(other.err).toContain('unknown to the model');
});

test.each<[string, readonly string[], string]>([
  ['predict --text', ['predict', 'bright.crob', '-i', 'data/img_rgb/val_7.png', '-t', 'roof'], '--text'],
  [
    'predict --tokenizer',
    ['predict', 'bright.crob', '-i', 'data/img_rgb/val_7.png', '--tokenizer', 'v.txt'],
    '--tokenizer',
  ],
  ['train --no-phrases', ['train', 'bright.crob', '--data', 'data', '--no-phrases'], '--no-phrases'],
  ['train --tokenizer', ['train', 'bright.crob', '--data', 'data', '--tokenizer', 'v.txt'], '--tokenizer'],
  ['eval --no-phrases', ['eval', 'bright.crob', '--data', 'data', '--split', 'val', '--no-phrases'], '--no-phrases'],
])('%s means nothing to it, and is refused', async (_, args, option) => {
  expect(await run(...args)).toMatchObject({
    code: 1,
    out: '',
    err: `crobc: ${option} is for models that take words, and Bright has the input image alone\n`,
  });
});

test('tokens without a mask are no words', async () => {
  const { code, err } = await run('predict', 'odd.crob', '-i', 'data/img_rgb/val_7.png', '-t', 'roof');
  expect({ code, err }).toMatchObject({ code: 1, err: expect.stringMatching(/Odd has image, tokens\n$/) });
});

test('images of other bands than pictures have are refused before anything is done, in one line', async () => {
  const line =
    /^crobc: Bright takes images of 4 bands, and train, eval and predict read pictures as RGB, which has 3: [^\n]*\n$/;
  const commands = [
    ['train', 'four.crob', '--data', 'nowhere'],
    ['eval', 'four.crob', '--data', 'data', '--split', 'val'],
    ['predict', 'four.crob', '-i', 'nothing.png'],
  ];
  for (const args of commands) {
    expect(await run(...args)).toMatchObject({ code: 1, out: '', err: expect.stringMatching(line) });
  }
  const dry = await run('train', 'four.crob', '--data', 'data', '--dry-run');
  expect(dry).toMatchObject({
    code: 1,
    out: expect.stringMatching(/^refused +Bright takes images/m),
    err: expect.stringMatching(line),
  });
  expect((await run('check', 'four.crob')).code).toBe(0);
});

test.each(['f32', 'f16'])(
  'logits that are not numbers are traced to the operator that made the first, in %s',
  async (dtype) => {
    const traced =
      'the model gave logits that are not numbers: the first NaN came out of log in Broken, broken.crob:4\n';
    const options = ['--dtype', dtype, '--device', 'cpu', '-o', 'broken-out'];
    const predicted = await run('predict', 'broken.crob', '-i', 'data/img_rgb/val_7.png', ...options);
    expect(predicted).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(new RegExp(`^crobc: ${traced}$`, 'm')),
    });
    const found = await run('eval', 'broken.crob', '--data', 'data', '--split', 'val', ...options);
    expect(found).toMatchObject({ code: 1, out: '', err: expect.stringContaining(`.txt:1: ${traced}`) });
  },
);
