// slow: trains a small model

import { copyFile, cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { SafetensorsFile, writeSafetensors } from '../../runtime/weights/safetensors.ts';
import { recordKey } from '../../runtime/weights/trained-record.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, type Ran, tiny } from './crobc.ts';
import { safetensorsBytes, tinyWeights } from './safetensors-bytes.ts';
import { learner, writeDataset } from './training-data.ts';

const at = temporaryFolder();
let folder: string;

const run = (...args: string[]): Promise<Ran> => crobc(args, { cwd: folder });
const asked = ['-i', 'data/img_rgb/val_7.png', '-t', 'the white roof on the left below', '--device', 'cpu'];
const mask = (out: string) => readFile(`${folder}/${out}/val_7.mask.png`);
const train = (file: string, out: string, ...args: string[]) =>
  run('train', file, '--data', 'data', '--device', 'cpu', '--threads', '1', '-o', out, ...args);

/** The pieces of the aerial vocabulary in another order: every word is there, under another id. */
async function writeOtherVocabulary(file: string): Promise<void> {
  const [pad, unknown, cls, sep, ...words] = (await readFile('models/vocab/aerial.txt', 'utf8')).trimEnd().split('\n');
  await writeFile(file, `${[pad, unknown, cls, sep, ...words.reverse()].join('\n')}\n`);
}

beforeAll(async () => {
  folder = at('work');
  await mkdir(`${folder}/mine`, { recursive: true });
  await writeDataset(`${folder}/data`);
  await writeFile(`${folder}/learner.crob`, learner);
  await writeFile(`${folder}/tiny.crob`, tiny);
  await writeFile(`${folder}/bare.safetensors`, safetensorsBytes(tinyWeights));
  await writeOtherVocabulary(`${folder}/other.txt`);
  expect(await train('learner.crob', 'run', '--steps', '40')).toMatchObject({ code: 0 });
});

describe('a trained model', () => {
  test('needs neither its source nor its vocabulary', async () => {
    const apart = at('apart');
    await mkdir(apart);
    await copyFile(`${folder}/run/best.safetensors`, `${apart}/roofs.safetensors`);
    const named = await run('predict', 'learner.crob', '-w', 'run/best.safetensors', ...asked, '-o', 'by-source');
    expect(named).toMatchObject({ code: 0, err: '' });
    const alone = await run('predict', `${apart}/roofs.safetensors`, ...asked, '-o', 'alone');
    expect(alone).toMatchObject({ code: 0, err: '' });
    expect(alone.out).toMatch(/^Learner on cpu: /);
    expect(await mask('alone')).toEqual(await mask('by-source'));
  });

  test('is the best weights of a folder, or the last', async () => {
    const best = await run('predict', 'run', ...asked, '-o', 'folder');
    expect(best).toMatchObject({ code: 0, err: 'note: Learner with the weights of run/best.safetensors\n' });
    await cp(`${folder}/run`, `${folder}/stopped`, { recursive: true });
    await rm(`${folder}/stopped/best.safetensors`);
    const last = await run('predict', 'stopped', ...asked, '-o', 'folder');
    expect(last).toMatchObject({ code: 0, err: 'note: Learner with the weights of stopped/last.safetensors\n' });
  });

  test('is described by `weights inspect`, without the texts that it carries', async () => {
    const ran = await run('weights', 'inspect', 'run/best.safetensors');
    expect(ran).toMatchObject({ code: 0, err: '' });
    expect(ran.out).toMatch(
      /\ntrained by crobc: Learner by the recipe quick, images of 16×16, 10 words of aerial\.txt\n$/,
    );
    expect(ran.out.length).toBeLessThan(2000);
    const { trained, beside } = JSON.parse((await run('weights', 'inspect', 'run/best.safetensors', '--json')).out);
    expect(trained).toMatchObject({ model: 'Learner', recipe: 'quick', text: { words: 10, vocabulary: 'aerial.txt' } });
    expect(JSON.stringify(beside)).not.toContain('the ');
  });

  test('is evaluated and built like its source', async () => {
    const scores = async (...given: string[]) => {
      const ran = await run('eval', ...given, '--data', 'data', '--split', 'val', '--device', 'cpu', '--json');
      expect(ran).toMatchObject({ code: 0 });
      const { files: _, file: __, settings: ___, seconds: ____, ...found } = JSON.parse(ran.out);
      return found;
    };
    const given = ['-w', 'run/best.safetensors'];
    expect(await scores('run/best.safetensors')).toEqual(await scores('learner.crob', ...given));
    const built = await run('build', 'run/best.safetensors', '-o', 'built');
    expect(built).toMatchObject({ code: 0, err: '' });
    const manifest = JSON.parse(await readFile(`${folder}/built/Learner.manifest.json`, 'utf8'));
    expect(manifest).toMatchObject({ dims: { H: 16, W: 16, T: 10 }, weights: { kind: 'file' } });
  });

  test('contains the files that its source uses, and its overrides', async () => {
    const model = learner.slice(0, learner.indexOf('recipe quick'));
    await mkdir(`${folder}/mine/parts`, { recursive: true });
    await writeFile(
      `${folder}/mine/parts/scores.crob`,
      'fn upward(x: f32[B, H, W], k: float) -> f32[B, H, W] = x + k\n',
    );
    await writeFile(
      `${folder}/mine/model.crob`,
      `use parts.scores.{upward}\n\n${model.replace('rearrange(score,', 'rearrange(upward(score, 3.0),')}`,
    );
    await writeFile(
      `${folder}/mine/recipes.crob`,
      `use model.{Learner}\n\n${learner.slice(learner.indexOf('recipe quick'), learner.indexOf('recipe careful'))}`,
    );
    const trained = await train('mine/recipes.crob', 'far', '--steps', '4', '--set', 'table.dim=8', '--set', 'H=32');
    expect(trained).toMatchObject({ code: 0, err: expect.not.stringContaining('need the .crob file') });
    await rename(`${folder}/mine`, `${folder}/gone`);
    const ran = await run('predict', 'far/last.safetensors', ...asked, '-o', 'far-out');
    expect(ran).toMatchObject({ code: 0, err: '' });
    const file = await SafetensorsFile.open(`${folder}/far/last.safetensors`);
    const record = JSON.parse(file.metadata.get(recordKey)!);
    await file.close();
    expect(record.model).toMatchObject({
      name: 'Learner',
      file: 'source/model.crob',
      dims: { H: 32, W: 16, T: 10 },
    });
    expect(Object.keys(record.model.sources)).toEqual(
      expect.arrayContaining([
        'source/model.crob',
        'source/parts/scores.crob',
        'source/recipes.crob',
        'std/prelude.crob',
      ]),
    );
    expect(JSON.stringify(record)).not.toContain(folder);
  });

  test('is taken with another vocabulary by no command', async () => {
    const why =
      'crobc: run/best.safetensors was trained with the vocabulary aerial.txt, and other.txt is another, in which its words are other words: leave --tokenizer out, as the weights contain their vocabulary\n';
    const weights = ['-w', 'run/best.safetensors', '--tokenizer', 'other.txt'];
    expect(await run('predict', 'learner.crob', ...weights, ...asked)).toMatchObject({ code: 1, out: '', err: why });
    const evaluated = ['--data', 'data', '--split', 'val', '--device', 'cpu'];
    expect(await run('eval', 'learner.crob', ...weights, ...evaluated)).toMatchObject({ code: 1, out: '', err: why });
    await cp(`${folder}/data`, `${folder}/elsewhere`, { recursive: true });
    await copyFile(`${folder}/other.txt`, `${folder}/elsewhere/vocab.txt`);
    const scores = async (data: string) => {
      const ran = await run('eval', 'run', '--data', data, '--split', 'val', '--device', 'cpu', '--json');
      expect(ran.code).toBe(0);
      return JSON.parse(ran.out).mIoU;
    };
    expect(await scores('elsewhere')).toBe(await scores('data'));
  });

  test('takes its vocabulary in another format', async () => {
    const pieces = await readFile('models/vocab/aerial.txt', 'utf8');
    await writeFile(`${folder}/windows.txt`, pieces.replaceAll('\n', '\r\n'));
    expect(await run('predict', 'run/best.safetensors', ...asked, '--tokenizer', 'windows.txt')).toMatchObject({
      code: 0,
      err: '',
    });
  });

  test('with a source that has changed is a note', async () => {
    await writeFile(
      `${folder}/changed.crob`,
      learner.replace('sum(words, "b t d -> b d")', 'mean(words, "b t d -> b d")'),
    );
    const note = async (...args: string[]) => {
      const ran = await run('predict', ...args, '-w', 'run/best.safetensors', ...asked);
      expect(ran.code).toBe(0);
      return ran.err;
    };
    expect(await note('changed.crob')).toBe(
      'note: the weights were trained for a Learner with other equations: its source or its settings have changed\n',
    );
    expect(await note('learner.crob', '--set', 'H=32')).toBe(
      'note: the weights were trained on images of 16 × 16, and the model takes 32 × 16\n',
    );
    expect(await note('learner.crob', '--set', 'T=6')).toMatch(
      /^note: the weights were trained on phrases of 10 tokens, and the model takes 6\n/,
    );
    expect(await note('tiny.crob', '--set', 'H=16,W=16,T=10')).toBe(
      'note: the weights were trained for Learner, and this is Tiny\n',
    );
  });

  test('goes on with its own vocabulary, and is one to start from', async () => {
    await cp(`${folder}/data`, `${folder}/worded`, { recursive: true });
    await copyFile(`${folder}/other.txt`, `${folder}/worded/vocab.txt`);
    const on = (data: string, out: string, ...args: string[]) =>
      run('train', 'learner.crob', '--data', data, '--device', 'cpu', '--threads', '1', '-o', out, ...args);
    const next = await on('worded', 'next', '--steps', '4', '-w', 'run/best.safetensors');
    expect(next).toMatchObject({ code: 0 });
    expect(next.out).toContain('vocabulary  aerial.txt in run/best.safetensors\n');
    expect(await on('worded', 'next', '--steps', '4', '--resume')).toMatchObject({ code: 0 });
    const record = await run('predict', 'next/last.safetensors', ...asked);
    expect(record).toMatchObject({ code: 0, err: '' });
  });
});

test('training says what is other than in the training that its weights are from', async () => {
  const started = async (...args: string[]) => {
    const ran = await run(...['train', ...args, '-d', 'data', '--device', 'cpu', '--threads', '1', '--dry-run']);
    return { code: ran.code, said: ran.err.split('\n').filter((line) => /weights|crobc:/.test(line)) };
  };
  const from = ['-w', 'run/best.safetensors'];
  expect(await started('learner.crob', ...from)).toEqual({ code: 0, said: [] });
  expect(await started('learner.crob', ...from, '--set', 'recipe.lr=1e-3')).toEqual({ code: 0, said: [] });
  expect(await started('changed.crob', ...from)).toEqual({
    code: 0,
    said: ['the weights were trained for a Learner with other equations: its source or its settings have changed'],
  });
  expect(await started('learner.crob', ...from, '--set', 'H=32,T=8')).toEqual({
    code: 0,
    said: [
      'the weights were trained on images of 16 × 16, and the model takes 32 × 16',
      'the weights were trained on phrases of 10 tokens, and the model takes 8',
    ],
  });
  expect(await started('learner.crob', ...from, '--truncation', 'plain')).toEqual({
    code: 0,
    said: ['the weights were trained with --truncation keep-sep, and longer phrases are truncated by plain'],
  });
  expect(await started('learner.crob', ...from, '--tokenizer', 'other.txt')).toEqual({
    code: 1,
    said: [expect.stringContaining('was trained with the vocabulary aerial.txt, and other.txt is another')],
  });
});

describe('refuses in one line', () => {
  test.each([
    [
      ['run', '-w', 'run/last.safetensors'],
      2,
      '--weights is for a .crob file, and run is a trained model, which has its weights and sizes',
    ],
    [
      ['run', '--set', 'H=32'],
      2,
      '--set is for a .crob file, and run is a trained model, which has its weights and sizes',
    ],
    [['run', '-m', 'Tiny'], 2, '--model Tiny: run/best.safetensors is Learner'],
    [
      ['data'],
      1,
      'data is a folder, neither a .crob file nor the folder of a training: it has no best.safetensors or last.safetensors',
    ],
    [
      ['bare.safetensors'],
      1,
      'bare.safetensors does not record its model, as weights of "crobc train" do: name the .crob file, and give these with --weights',
    ],
    [['none.safetensors'], 1, 'cannot read none.safetensors: no such file or folder'],
  ])('%j', async (args, code, message) => {
    const ran = await run('predict', ...args, ...asked);
    expect(ran).toMatchObject({ code, out: '' });
    expect(ran.err.split('\n')[0]).toBe(`${code === 2 ? 'error' : 'crobc'}: ${message}`);
  });

  test.each([
    ['--target', 'tfjs'],
    ['--print-after', 'all'],
    ['--explain', 'list'],
  ])('build with %s %s', async (...option) => {
    const ran = await run('build', 'run', ...option, '-o', 'none');
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toContain('take a .crob file, and run is a trained model');
  });

  test('a record that is damaged, of a later format, or of sources with errors', async () => {
    const file = await SafetensorsFile.open(`${folder}/run/best.safetensors`);
    const record = JSON.parse(file.metadata.get(recordKey)!);
    const tensors = await Promise.all(
      [...file.tensors.values()].map(async ({ name, dtype, shape }) => {
        const bytes = await file.bytes(name);
        return { name, dtype, shape, data: () => bytes };
      }),
    );
    await file.close();
    const refusal = async (text: string) => {
      await writeSafetensors(`${folder}/spoilt.safetensors`, tensors, { [recordKey]: text });
      const ran = await run('predict', 'spoilt.safetensors', ...asked);
      expect(ran).toMatchObject({ code: 1, out: '' });
      return ran.err;
    };
    const { model } = record;
    const spoilt = 'crobc: the record of the trained model in spoilt.safetensors is damaged\n';
    expect(await refusal('{"format": ')).toBe(spoilt);
    expect(await refusal('[]')).toBe(spoilt);
    expect(await refusal(JSON.stringify({ ...record, model: { ...model, dims: { H: -1 } } }))).toBe(spoilt);
    expect(await refusal(JSON.stringify({ ...record, format: 'crobc trained model 7' }))).toBe(
      'crobc: spoilt.safetensors was written by another version of crobc (its record is "crobc trained model 7")\n',
    );
    const sources = { ...model.sources, 'source/learner.crob': 'model Learner {' };
    expect(await refusal(JSON.stringify({ ...record, model: { ...model, sources } }))).toMatch(
      /^crobc: spoilt\.safetensors was trained by crobc [\d.]+, and this crobc has an error in its sources \(CROB\d+: .*\): name the \.crob file, and give these with --weights\n$/,
    );
    expect(await refusal(JSON.stringify({ ...record, model: { ...model, file: 'source/none.crob' } }))).toMatch(
      /^crobc: .*\n$/,
    );
    expect(await refusal(JSON.stringify({ ...record, threshold: 0.35 }))).toBe(
      'crobc: spoilt.safetensors was trained with another preprocessing than that of this crobc\n',
    );
  });
});
