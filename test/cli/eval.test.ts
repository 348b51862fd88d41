// slow: opens models

import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, type Ran, tiny } from './crobc.ts';
import { safetensorsBytes, tinyWeights } from './safetensors-bytes.ts';

const at = temporaryFolder();
let folder: string;
const side = 32;

/** Masks of one, two, … rows; Tiny's weights below answer with the whole image. */
async function dataSet(dir: string, samples: number): Promise<void> {
  await mkdir(`${dir}/img_rgb`, { recursive: true });
  await mkdir(`${dir}/mask`, { recursive: true });
  const lines: string[] = [];
  const attributes: string[] = [];
  for (let i = 0; i < samples; i++) {
    const plane = new Uint8Array(side * side).fill(255, 0, side * (i + 1) * 6);
    const raw = { width: side, height: side, channels: 1 } as const;
    await sharp(plane, { raw }).png().toFile(`${dir}/mask/${i}.png`);
    await sharp({ create: { width: side, height: side, channels: 3, background: '#5a783c' } })
      .png()
      .toFile(`${dir}/img_rgb/${i}.png`);
    lines.push(`${i}.png the white ${i === 1 ? '<b>ship' : 'ship'}\n`);
    attributes.push(
      `${JSON.stringify({ category: i < 2 ? 'ship' : 'court', attributes: { color: i === 4 ? 'red' : 'white' } })}\n`,
    );
  }
  await writeFile(`${dir}/output_phrase_test.txt`, lines.join(''));
  await writeFile(`${dir}/attributes_test.jsonl`, attributes.join(''));
}

/** Without the lines of progress, which a slow machine gets. */
const run = async (...args: string[]): Promise<Ran> => {
  const ran = await crobc(['eval', 'tiny.crob', '-d', 'data', '--device', 'cpu', '--threads', '1', ...args], {
    cwd: folder,
  });
  return { ...ran, err: ran.err.replace(/^.*: \d+\/\d+ .*\n/gm, '') };
};

beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  await writeFile(`${folder}/tiny.crob`, tiny);
  await writeFile(`${folder}/tiny.safetensors`, safetensorsBytes(tinyWeights));
  await dataSet(`${folder}/data`, 5);
});

/** The answer is the whole image, so that IoU is the truth's share: 6, 12, 18, 24 and 30 of 32 rows. */
const shares = [6, 12, 18, 24, 30].map((rows) => rows / 32);

test('a table, JSON, CSV and a page', async () => {
  const ran = await run('-w', 'tiny.safetensors', '-o', 'whole');
  expect(ran).toMatchObject({ code: 0, err: '' });
  expect(ran.out).toBe(`Tiny on test of data, cpu, protocol lavt

              samples   oIoU   mIoU  Pr@0.5  Pr@0.6  Pr@0.7  Pr@0.8  Pr@0.9
------------  -------  -----  -----  ------  ------  ------  ------  ------
all                 5  56.25  56.25   60.00   40.00   40.00   20.00   20.00
  court             3  75.00  75.00  100.00   66.67   66.67   33.33   33.33
  ship              2  28.13  28.13    0.00    0.00    0.00    0.00    0.00
  class mean           51.56  51.56   50.00   33.33   33.33   16.67   16.67
color
  white             4  46.88  46.88   50.00   25.00   25.00    0.00    0.00
  red               1  93.75  93.75  100.00  100.00  100.00  100.00  100.00

95 % bounds of all (bootstrap over images, seed 0): oIoU 33.75 to 78.75, mIoU 33.75 to 78.75, Pr@0.5 20.00 to 100.00, Pr@0.6 0.00 to 80.00, Pr@0.7 0.00 to 80.00, Pr@0.8 0.00 to 60.00, Pr@0.9 0.00 to 60.00

  json   whole/Tiny.test.json
  csv    whole/Tiny.test.csv
  scores whole/Tiny.test.scores.csv
  html   whole/Tiny.test.html
`);
  const report = JSON.parse(await readFile(`${folder}/whole/Tiny.test.json`, 'utf8'));
  expect(report).toMatchObject({
    model: 'Tiny',
    split: 'test',
    weights: 'tiny.safetensors',
    phrases: true,
    samples: 5,
  });
  expect(report.each.map(({ iou }: { iou: number }) => iou)).toEqual(shares);
  expect(report.mIoU).toBeCloseTo(0.5625, 12);
  const csv = await readFile(`${folder}/whole/Tiny.test.csv`, 'utf8');
  expect(csv.split('\r\n')).toHaveLength(7);
  expect(csv).toContain(
    'data/output_phrase_test.txt,1,data/img_rgb/0.png,the white ship,ship,white,192,1024,0.1875\r\n',
  );
  const scores = await readFile(`${folder}/whole/Tiny.test.scores.csv`, 'utf8');
  expect(scores.split('\r\n').map((row) => row.split(',').slice(0, 5).join())).toEqual([
    'group,value,samples,oIoU,mIoU',
    'all,,5,0.5625,0.5625',
    'category,court,3,0.75,0.75',
    'category,ship,2,0.28125,0.28125',
    'mean of categories,,,0.515625,0.515625',
    'color,white,4,0.46875,0.46875',
    'color,red,1,0.9375,0.9375',
    '',
  ]);
  const page = await readFile(`${folder}/whole/Tiny.test.html`, 'utf8');
  expect(page).toContain('the white &lt;b&gt;ship');
  expect(page).not.toContain('white <b>');
  expect(page.match(/<article>/g)).toHaveLength(15);
});

test('a table in LaTeX', async () => {
  const ran = await run('-w', 'tiny.safetensors', '-o', 'latex', '--latex');
  expect(ran).toMatchObject({ code: 0, err: '' });
  expect(ran.out).toBe(`% Tiny on test of data, cpu, protocol lavt
% in percent
\\begin{tabular}{lrrrrrrrr}
\\toprule
 & samples & oIoU & mIoU & Pr@0.5 & Pr@0.6 & Pr@0.7 & Pr@0.8 & Pr@0.9 \\\\
\\midrule
all & 5 & 56.25 & 56.25 & 60.00 & 40.00 & 40.00 & 20.00 & 20.00 \\\\
\\quad court & 3 & 75.00 & 75.00 & 100.00 & 66.67 & 66.67 & 33.33 & 33.33 \\\\
\\quad ship & 2 & 28.13 & 28.13 & 0.00 & 0.00 & 0.00 & 0.00 & 0.00 \\\\
\\quad class mean &  & 51.56 & 51.56 & 50.00 & 33.33 & 33.33 & 16.67 & 16.67 \\\\
color \\\\
\\quad white & 4 & 46.88 & 46.88 & 50.00 & 25.00 & 25.00 & 0.00 & 0.00 \\\\
\\quad red & 1 & 93.75 & 93.75 & 100.00 & 100.00 & 100.00 & 100.00 & 100.00 \\\\
\\bottomrule
\\end{tabular}
`);
  const compared = await crobc(['eval', '--compare', 'latex/Tiny.test.json', 'latex/Tiny.test.json', '--latex'], {
    cwd: folder,
  });
  expect(compared).toMatchObject({ code: 0, err: '' });
  expect(compared.out).toMatch(
    /^% 5 samples of test, protocol lavt, in percent\n% below each .*\n\\begin\{tabular\}\{lrrrrrrr\}\n/,
  );
});

test('the batch changes nothing, a limit takes a part, and the last batch need not be full', async () => {
  const figures = async (...args: string[]) => {
    const ran = await run('-w', 'tiny.safetensors', '--json', '-o', 'json', ...args);
    expect(ran).toMatchObject({ code: 0, err: '' });
    const { seconds: _, ...rest } = JSON.parse(ran.out);
    return rest;
  };
  const whole = await figures();
  expect(whole).toMatchObject({ samples: 5, limited: false, files: { csv: 'json/Tiny.test.csv' } });
  expect(whole.each).toBeUndefined();
  expect(await figures('--batch', '2')).toEqual(whole);
  expect(await figures('--limit', '2')).toMatchObject({
    samples: 2,
    limited: true,
    mIoU: (shares[0]! + shares[2]!) / 2,
  });
});

test('phrases that the model does not see to their end are told', async () => {
  const cut =
    'note: 2 of 2 phrases have more word pieces than T = 4 takes, and are cut: data/output_phrase_long.txt:1 is the first\n';
  await writeFile(`${folder}/data/output_phrase_long.txt`, '0.png the white ship\n1.png the large white ship\n');
  const args = ['-w', 'tiny.safetensors', '--split', 'long', '--set', 'T=4', '--pictures', '0', '-o', 'long'];
  expect(await run(...args)).toMatchObject({ code: 0, err: cut });
  expect(await run(...args, '--no-phrases')).toMatchObject({ code: 0, err: '' });
  await rm(`${folder}/data/output_phrase_long.txt`);
});

test('without weights it says so, loudly', async () => {
  const ran = await run('-o', 'untrained', '--pictures', '0');
  expect(ran.code).toBe(0);
  expect(ran.err).toBe(
    'note: NO --weights: Tiny is untrained (initial weights of seed 0), and its figures mean nothing\n',
  );
  expect(await readFile(`${folder}/untrained/Tiny.test.html`, 'utf8')).toContain(
    'Initial weights: the model is untrained',
  );
});

test('reports side by side', async () => {
  await run('-w', 'tiny.safetensors', '-o', 'a', '--pictures', '0');
  await run('-w', 'tiny.safetensors', '-o', 'b', '--pictures', '0', '--no-phrases');
  const reports = ['a/Tiny.test.json', 'b/Tiny.test.json'];
  const ran = await crobc(['eval', '--compare', ...reports], { cwd: folder });
  expect(ran).toMatchObject({ code: 0, err: '' });
  expect(ran.out).toMatch(/^5 samples of test, protocol lavt, in percent\n/);
  expect(ran.out).toMatch(/^A {2}Tiny +56\.25 +56\.25 +60\.00 /m);
  expect(ran.out).toMatch(/^B {2}Tiny without phrases +\d/m);
  expect(ran.out).toMatch(/^B - A +[+-]\d+\.\d\d/m);
  const json = JSON.parse((await crobc(['eval', '--compare', ...reports, '--json'], { cwd: folder })).out);
  expect(json).toMatchObject([
    { report: reports[0], phrases: true, values: { 'Pr@0.5': 0.6 }, differences: null },
    { report: reports[1], phrases: false },
  ]);
  const wrong = await crobc(['eval', '--compare', 'a/Tiny.test.json', 'data/attributes_test.jsonl'], { cwd: folder });
  expect(wrong).toEqual({ code: 1, out: '', err: 'crobc: data/attributes_test.jsonl is not JSON\n' });
});

test('half precision is in the report, and told apart from f32', async () => {
  await run('-w', 'tiny.safetensors', '-o', 'a', '--pictures', '0');
  const half = await run('-w', 'tiny.safetensors', '-o', 'half', '--pictures', '0', '--dtype', 'f16');
  expect(half.out).toContain(', cpu in f16, protocol lavt');
  expect(JSON.parse(await readFile(`${folder}/half/Tiny.test.json`, 'utf8'))).toMatchObject({ dtype: 'f16' });
  expect(await readFile(`${folder}/half/Tiny.test.html`, 'utf8')).toContain('cpu in f16, ');
  // Reports of older versions do not say it.
  const old = JSON.parse(await readFile(`${folder}/a/Tiny.test.json`, 'utf8'));
  expect(old.dtype).toBe('f32');
  await mkdir(`${folder}/old`, { recursive: true });
  await writeFile(`${folder}/old/Tiny.test.json`, JSON.stringify({ ...old, dtype: undefined }));
  const reports = ['a/Tiny.test.json', 'half/Tiny.test.json', 'old/Tiny.test.json'];
  const { out } = await crobc(['eval', '--compare', ...reports], { cwd: folder });
  expect(out).toMatch(/^A {2}Tiny +\d.*\nB {2}Tiny in f16 +\d.*\nC {2}Tiny +\d/m);
  const json = JSON.parse((await crobc(['eval', '--compare', ...reports, '--json'], { cwd: folder })).out);
  expect(json.map(({ dtype }: { dtype: unknown }) => dtype)).toEqual(['f32', 'f16', null]);
});

describe('wrong', () => {
  test.each([
    [['--split', 'val'], 1, /^crobc: data has no split "val": it has test\n$/],
    [['--protocol', 'iou'], 2, /Allowed choices are lavt, caris, cris, rrsis, gres\./],
    [
      ['--protocol', 'cris', '--at', 'model'],
      2,
      /^error: the protocol cris compares masks at the original size only\n/,
    ],
    [['--latex', '--json'], 2, /^error: option '--latex' cannot be used with option '--json'\n/],
    [['--batch', '0'], 2, /^error: option '--batch <n>' argument '0' is invalid\. Too few: 1 or more\.\n/],
    [['-w', 'none.safetensors'], 1, /^crobc: cannot read none\.safetensors: no such file or folder\n$/],
    [['-m', 'Tiyn'], 1, /did you mean Tiny\?\n$/],
    [['--compare', 'a.json'], 2, /^error: --compare takes reports and no \.crob file\n$/],
  ])('%j', async (args, code, err) => {
    const weights = args.includes('-w') ? [] : ['-w', 'tiny.safetensors'];
    // The weights are opened when there is a folder to build in.
    const ran = await run(...weights, '-o', args.includes('-w') ? 'built' : 'never', ...args);
    expect(ran).toMatchObject({ code, out: '' });
    expect(ran.err).toMatch(err);
    expect(await readdir(folder)).not.toContain('never');
  });

  test('no data and nothing to compare', async () => {
    const ran = await crobc(['eval', 'tiny.crob'], { cwd: folder });
    expect(ran).toEqual({
      code: 2,
      out: '',
      err: 'error: eval needs a .crob file or a trained model, and --data; or --compare with reports\n',
    });
  });

  test('a damaged picture stops, or is left out and counted', async () => {
    await dataSet(`${folder}/damaged`, 3);
    const bytes = await readFile(`${folder}/damaged/mask/1.png`);
    await writeFile(`${folder}/damaged/mask/1.png`, bytes.subarray(0, bytes.length - 16));
    const args = ['eval', 'tiny.crob', '-w', 'tiny.safetensors', '-d', 'damaged', '--device', 'cpu', '-o', 'rest'];
    const stopped = await crobc(args, { cwd: folder });
    expect(stopped).toMatchObject({ code: 1, out: '' });
    expect(stopped.err).toMatch(/^crobc: damaged\/output_phrase_test\.txt:2: [^\n]*mask\/1\.png[^\n]*\n$/);
    const skipped = await crobc([...args, '--on-bad', 'skip'], { cwd: folder });
    expect(skipped.code).toBe(0);
    expect(skipped.err).toMatch(/output_phrase_test\.txt:2: .*\n(.*\n)*note: 1 sample could not be read/);
    expect(JSON.parse(await readFile(`${folder}/rest/Tiny.test.json`, 'utf8'))).toMatchObject({
      samples: 2,
      skipped: 1,
    });
  });
});

describe('a script that compares models', () => {
  const dry = (script: string, ...args: string[]) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [`scripts/${script}.mjs`, ...args, '--dry-run'], {
      encoding: 'utf8',
    });
    return { out: stdout.trimEnd().split('\n'), err: stderr, code: status };
  };

  test('learning: draws, trains with and without phrases, and compares three evaluations', () => {
    const { out, code } = dry('learning', '--steps', '5', '--out', 'no-such-folder');
    expect(code).toBe(0);
    expect(out.map((line) => line.split(' ').slice(1, 3).join(' '))).toEqual([
      'data synth',
      'train models/crobim.crob',
      'eval models/crobim.crob',
      'train models/crobim.crob',
      'eval models/crobim.crob',
      'eval models/crobim.crob',
      'eval --compare',
    ]);
    expect(out.map((line) => line.includes('--no-phrases'))).toEqual([false, false, false, true, true, true, false]);
  });

  test.each([
    ['learning', '--minutes', 'many'],
    ['learning', 'now'],
  ])('%s %s', (script, ...args) => {
    const { code, err } = dry(script, ...args);
    expect(code).toBe(2);
    expect(err).toMatch(/^npm run /);
  });
});
