// slow: trains models

import { existsSync, readdirSync, statSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';
import sharp from 'sharp';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { namedModels } from '../../cli/comparison/named-models.ts';
import { modelsOf } from '../../cli/model-reference.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import type { Signals, StopSignal } from '../../runtime/process/signals.ts';
import { plannedMemory } from '../../runtime/training/device-need.ts';
import { readPdf } from '../runtime/drawing/read-pdf.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { type CallOptions, crobc } from './crobc.ts';
import { learner, writeDataset } from './training-data.ts';

const at = temporaryFolder();
const wide = learner
  .replace('model Learner where', 'model Learner(width: int = 8) where')
  .replace('Embedding(2560, 8)', 'Embedding(2560, width)')
  .replace('Conv2d(3, 8, 4', 'Conv2d(3, width, 4')
  .replace('evaluate_every = 20', 'evaluate_every = 4')
  .concat('\n/// Twice as wide.\nmodel Wide extends Learner { width = 16 }\n');
const shared = ['--data', 'data', '--device', 'cpu', '--threads', '1'];

const compare = (args: readonly string[], options: CallOptions = {}) =>
  crobc(['compare', ...args, ...shared, '--split', 'val'], { cwd: at('.'), ...options });

interface Result {
  readonly baseline: string;
  readonly samples: number;
  readonly seeds: readonly number[];
  readonly models: readonly {
    readonly label: string;
    readonly parameters: number;
    readonly flops: number;
    readonly steps: number;
    readonly values: Readonly<Record<string, { mean: number; deviation: number | null; values: readonly number[] }>>;
    readonly differences: Readonly<Record<string, { difference: number; low: number; high: number; p: number }>> | null;
    readonly runs: readonly { readonly folder: string; readonly seconds: object }[];
  }[];
}

/** The result without what depends on the clock and on the name of the folder. */
async function resultOf(out: string): Promise<Result> {
  const text = await readFile(at(`${out}/comparison.json`), 'utf8');
  return JSON.parse(text, (key, value) =>
    key === 'seconds' ? {} : typeof value === 'string' ? value.replace(`${out}/`, '') : value,
  );
}

const models = ['learner.crob:Learner', 'learner.crob:Wide'];
const budget = ['--seeds', '2', '--steps', '8'];

beforeAll(async () => {
  await writeFile(at('learner.crob'), wide);
  await writeDataset(at('data'));
  const ran = await compare([...models, ...budget, '-o', 'whole']);
  expect(ran.code, ran.err).toBe(0);
});

describe('a comparison', () => {
  test('has the numbers of `train` and `eval`', async () => {
    const result = await resultOf('whole');
    expect(result).toMatchObject({ baseline: 'Learner', samples: 2, seeds: [0, 1] });
    for (const { label, values, runs } of result.models) {
      const reports = [];
      for (const seed of [0, 1]) {
        const out = `hand/${label}-${seed}`;
        const training = ['--steps', '8', '--seed', String(seed), '-o', out];
        const trained = await crobc(['train', 'learner.crob', '-m', label, ...shared, ...training], { cwd: at('.') });
        expect(trained.code, trained.err).toBe(0);
        const evaluated = await crobc(['eval', out, ...shared, '--split', 'val', '-o', out], { cwd: at('.') });
        expect(evaluated.code, evaluated.err).toBe(0);
        const report = JSON.parse(await readFile(at(`${out}/${label}.val.json`), 'utf8'));
        const own = JSON.parse(await readFile(at(`whole/${label}/seed-${seed}/${label}.val.json`), 'utf8'));
        expect(own.each).toEqual(report.each);
        for (const name of ['best', 'last'])
          expect(
            (await readFile(at(`whole/${label}/seed-${seed}/${name}.safetensors`))).equals(
              await readFile(at(`${out}/${name}.safetensors`)),
            ),
          ).toBe(true);
        reports.push(report);
      }
      expect(runs).toHaveLength(2);
      const [a, b] = reports.map(({ mIoU }) => mIoU);
      expect(values.mIoU!.values).toEqual([a, b]);
      expect(values.mIoU!.mean).toBeCloseTo((a + b) / 2, 12);
      // Of two values, the sample standard deviation is their distance over √2.
      expect(values.mIoU!.deviation).toBeCloseTo(Math.abs(a - b) / Math.SQRT2, 12);
      expect(values['Pr@0.5']!.values).toEqual(reports.map(({ precision }) => precision['0.5']));
      expect(values.oIoU!.values).toEqual(reports.map(({ oIoU }) => oIoU));
    }
    const [base, other] = result.models;
    expect(base!.differences).toBeNull();
    const { difference, low, high, p } = other!.differences!.mIoU!;
    expect(difference).toBeCloseTo(other!.values.mIoU!.mean - base!.values.mIoU!.mean, 12);
    expect(low).toBeLessThanOrEqual(difference);
    expect(high).toBeGreaterThanOrEqual(difference);
    expect(p).toBeGreaterThan(0);
  });

  test('has the cost that `summary` has for one sample', async () => {
    for (const { label, parameters, flops } of (await resultOf('whole')).models) {
      const sizes = ['--set', 'B=1,H=16,W=16,T=10', '--json'];
      const { out } = await crobc(['summary', 'learner.crob', '-m', label, ...sizes], { cwd: at('.') });
      expect(JSON.parse(out)).toMatchObject({ parameters, flops });
    }
  });

  test('draws plots', async () => {
    for (const name of ['curves', 'parameters', 'flop']) {
      const svg = await readFile(at(`whole/${name}.svg`));
      expect(String(svg)).toContain('>Wide</text>');
      expect(String(svg)).not.toMatch(/NaN|Infinity|undefined/);
      // Only well-formed XML can be drawn.
      expect((await sharp(svg).metadata()).width).toBe(860);
      const texts = [...String(svg).matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, line]) => line);
      const page = readPdf(await readFile(at(`whole/${name}.pdf`)));
      expect(page.fonts.map(({ name }) => name.slice(7))).toEqual(['Arimo-Regular']);
      expect(new Set(page.texts)).toEqual(new Set(texts));
    }
  });

  test('is printed in several forms, and does nothing again', async () => {
    const before = statSync(at('whole/Wide/seed-1/metrics.jsonl')).mtimeMs;
    const text = await compare([...models, ...budget, '-o', 'whole']);
    expect(text.err).toBe('');
    expect(text.out).toMatch(
      /^2 models, seeds 0, 1, 2 samples of val, protocol lavt, in percent: mean ± standard deviation over seeds\n\n/,
    );
    expect(text.out).toMatch(/^A {2}Learner +20,872 +[\d.]+ k +[\d.]+ ± [\d.]+ /m);
    expect(text.out).toMatch(/^B - A /m);
    expect(text.out).toContain('(paired bootstrap over images and seeds)');
    const markdown = await compare([...models, ...budget, '-o', 'whole', '--markdown']);
    expect(markdown.out).toBe(await readFile(at('whole/comparison.md'), 'utf8'));
    expect(markdown.out).toContain('| model | parameters | FLOP | oIoU | mIoU |');
    const latex = await compare([...models, ...budget, '-o', 'whole', '--latex', '--baseline', 'Wide']);
    expect(latex.out).toBe(await readFile(at('whole/comparison.tex'), 'utf8'));
    expect(latex.out).toMatch(/^A {2}Learner & 20,872 & [\d.]+ k & [\d.]+ \$\\pm\$ /m);
    expect(latex.out).toMatch(/^A - B & /m);
    const csv = await compare([...models, ...budget, '-o', 'whole', '--csv']);
    expect(csv.out.split('\n')).toHaveLength(1 + 2 * 7 + 1);
    expect(csv.out).toContain('\nWide,learner.crob,Wide,quick,');
    const json = await compare([...models, ...budget, '-o', 'whole', '--json']);
    expect(JSON.parse(json.out)).toEqual(JSON.parse(await readFile(at('whole/comparison.json'), 'utf8')));
    expect(statSync(at('whole/Wide/seed-1/metrics.jsonl')).mtimeMs).toBe(before);
  });
});

describe('a comparison that goes on', () => {
  test('after a signal during a training has the same result', async () => {
    const handlers = new Map<StopSignal, () => void>();
    const signals: Signals = {
      on: (signal, handler) => void handlers.set(signal, handler),
      off: (signal) => void handlers.delete(signal),
      end: () => undefined,
    };
    const args = [...models, ...budget, '-o', 'stopped'];
    const running = compare(args, { signals });
    const log = at('stopped/Wide/seed-0/metrics.jsonl');
    while (!existsSync(log) || statSync(log).size === 0) await turn();
    handlers.get('SIGINT')?.();
    const { code, err } = await running;
    // The training may have ended before the signal; then the next one, or none, was stopped.
    expect([0, 130]).toContain(code);
    if (code === 130) expect(err).toContain('stopped by SIGINT; the same command goes on\n');
    const first = await readFile(at('stopped/Learner/seed-0/run.json'), 'utf8');
    expect((await compare(args)).code).toBe(0);
    expect(await readFile(at('stopped/Learner/seed-0/run.json'), 'utf8')).toBe(first);
    expect(await resultOf('stopped')).toEqual(await resultOf('whole'));
  });

  test.each([
    ['before the training was recorded', { trained: null, evaluated: null }, 'continues its training of 8 steps'],
    ['between training and evaluation', { evaluated: null }, 'evaluates'],
  ])('after a kill %s has the same result', async (_, lost, what) => {
    await rm(at('killed'), { recursive: true, force: true });
    await cp(at('whole'), at('killed'), { recursive: true });
    const path = at('killed/Wide/seed-0/run.json');
    await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...lost }));
    await rm(at('killed/Wide/seed-0/Wide.val.json'));
    for (const name of readdirSync(at('killed'))) if (name.startsWith('comparison.')) await rm(at(`killed/${name}`));
    const { code, err } = await compare([...models, ...budget, '-o', 'killed']);
    expect(code, err).toBe(0);
    expect(err.split('\n').filter((line) => /^\d\/4 /.test(line))).toEqual([`2/4 Wide, seed 0: ${what}`]);
    expect(await resultOf('killed')).toEqual(await resultOf('whole'));
  });

  test('with more seeds and another model trains only those', async () => {
    await cp(at('whole'), at('more'), { recursive: true });
    await mkdir(at('other'), { recursive: true });
    await writeFile(at('other/learner.crob'), wide.replace('width: int = 8', 'width: int = 4'));
    const given = [...models, 'other/learner.crob:Wide', '--seeds', '0,1,5', '--steps', '8', '-o', 'more'];
    const dry = await compare([...given, '--dry-run', '--json']);
    const planned: { runs: { label: string; folder: string; state: string; seconds: number }[] } = JSON.parse(dry.out);
    const todo = planned.runs.filter(({ state }) => state !== 'done');
    expect(todo.map(({ label, folder, state }) => [label, folder, state])).toEqual([
      ['other/learner.crob:Wide', 'more/Wide-2/seed-0', 'new'],
      ['other/learner.crob:Wide', 'more/Wide-2/seed-1', 'new'],
      ['Learner', 'more/Learner/seed-5', 'new'],
      ['learner.crob:Wide', 'more/Wide/seed-5', 'new'],
      ['other/learner.crob:Wide', 'more/Wide-2/seed-5', 'new'],
    ]);
    for (const { seconds } of todo) expect(seconds).toBeGreaterThanOrEqual(0);
    expect(existsSync(at('more/Wide-2'))).toBe(false);
    const { code, err } = await compare(given);
    expect(code, err).toBe(0);
    expect(err.match(/^\d\/9 /gm)).toHaveLength(5);
    const [learned] = (await resultOf('more')).models;
    const [before] = (await resultOf('whole')).models;
    expect(learned!.values.mIoU!.values.slice(0, 2)).toEqual(before!.values.mIoU!.values);
  });

  test('knows its models from another working folder', async () => {
    const above = at('.')
      .split('/')
      .filter((part) => part !== '')
      .at(-1)!;
    const args = ['compare', ...models.map((name) => `${above}/${name}`), ...budget, '--split', 'val', '--dry-run'];
    const options = ['--data', `${above}/data`, '-o', `${above}/whole`];
    const { out } = await crobc([...args, ...options], { cwd: at('..') });
    expect(out).toContain('2 models, 2 seeds: 0 of 4 runs to do\n');
  });

  test('notes that runs were trained by several versions', async () => {
    await cp(at('whole'), at('mixed'), { recursive: true });
    const path = at('mixed/Wide/seed-1/run.json');
    const text = await readFile(path, 'utf8');
    expect(text).toMatch(/"surroundings": "crobc [\d.]+, onnx on cpu"/);
    await writeFile(path, text.replace(', onnx on cpu', ', tfjs on wasm'));
    const { code, err } = await compare([...models, ...budget, '-o', 'mixed']);
    expect(code).toBe(0);
    expect(err).toMatch(
      /^the runs were not all trained in the same way, .*: crobc \S+, onnx on cpu; crobc \S+, tfjs on wasm\n$/,
    );
  });

  test('evaluates another split without training', async () => {
    await cp(at('whole'), at('split'), { recursive: true });
    const args = ['compare', ...models, ...budget, ...shared, '--split', 'train', '--limit', '3', '-o', 'split'];
    const { code, err, out } = await crobc(args, { cwd: at('.') });
    expect(code, err).toBe(0);
    expect(err.split('\n').filter((line) => /^\d\/4 /.test(line))).toEqual(
      ['1/4 Learner, seed 0', '2/4 Wide, seed 0', '3/4 Learner, seed 1', '4/4 Wide, seed 1'].map(
        (run) => `${run}: evaluates`,
      ),
    );
    expect(out).toContain('3 samples of train');
  });

  test('notices a changed source, and redoes what it changes', async () => {
    await cp(at('whole'), at('changed'), { recursive: true });
    const source = at('changed.crob');
    await writeFile(source, wide);
    const record = at('changed/compare.json');
    const remembered = await readFile(record, 'utf8');
    expect(remembered).toContain('"../learner.crob"');
    await writeFile(record, remembered.replaceAll('learner.crob', 'changed.crob'));
    const args = ['changed.crob', ...budget, '-o', 'changed'];
    expect((await compare(args)).err).toBe('');
    await writeFile(source, wide.replace('{ width = 16 }', '{ width = 24 }'));
    const refused = await compare(args);
    expect(refused.code).toBe(1);
    expect(refused.err).toBe(
      'crobc: changed/Wide/seed-0 has Wide with seed 0 from before: the model Wide was changed; --redo trains it again, or put that back, or choose another -o\n',
    );
    const dry = await compare([...args, '--redo', '--dry-run']);
    expect(dry.out.match(/to train again/g)).toHaveLength(2);
    const redone = await compare([...args, '--redo']);
    expect(redone.code, redone.err).toBe(0);
    expect(redone.err).toContain('2/4 Wide, seed 0: trains 8 steps again, since the model Wide was changed\n');
    expect(redone.err).not.toContain('Learner');
    expect((await resultOf('changed')).models[0]!.values).toEqual((await resultOf('whole')).models[0]!.values);
    const longer = await compare(['changed.crob', '--seeds', '2', '--steps', '9', '-o', 'changed']);
    expect(longer.err).toContain('changed/Learner/seed-0 has Learner with seed 0 from before: steps was 8 and is 9');
  });
});

describe('the memory of trainings', () => {
  const large = ['--seeds', '1', '--steps', '2', '--set', 'B=6,H=1024,W=1024'];

  test('is checked before one is trained', async () => {
    // As if in a container in which the first fits, and the second does not.
    const limit = vi.spyOn(process, 'constrainedMemory').mockReturnValue(215 * 2 ** 20);
    try {
      const { code, err } = await compare(['learner.crob', ...large, '-o', 'narrow']);
      expect(code).toBe(1);
      expect(err).toMatch(
        /^crobc: Wide: a step of Wide with batches of 6 takes about [\d.]+ MiB .*, and this machine has 215\.0 MiB: /m,
      );
    } finally {
      limit.mockRestore();
    }
    expect(readdirSync(at('narrow'))).toEqual([]);
  });

  test('of a GPU is in the plan, with what would fit', async () => {
    const args = ['compare', ...models, '--data', 'data', '--split', 'val', ...large, '--dry-run'];
    const planned = async (more: readonly string[]) => crobc([...args, ...more, '-o', 'planned'], { cwd: at('.') });
    const { out } = await planned(['--device-memory', '1TiB', '--json']);
    const plan: { models: { label: string; memory: object; device: { needed: number } }[] } = JSON.parse(out);
    const [learner, wide] = plan.models;
    expect(learner).toMatchObject({ label: 'Learner', memory: { fits: true, refused: null } });
    expect(wide!.device.needed).toBeGreaterThan(learner!.device.needed);
    // A GPU on which the first fits, and the second does not.
    const ofCuda = 2 ** 40 - plannedMemory(2 ** 40).free;
    const text = await planned(['--device-memory', `${Math.ceil((learner!.device.needed + ofCuda) / 2 ** 20)}MiB`]);
    expect(text.code, text.err).toBe(0);
    expect(text.out).toMatch(/^Learner .* MiB$/m);
    expect(text.out).toMatch(/^Wide .* MiB!$/m);
    expect(text.out).toMatch(
      /^Wide: training Wide .*: as many samples in a step fit with --set B=3,recipe\.accumulate=2 /m,
    );
  });

  test('counts with what is recomputed, where a model has it', async () => {
    const { code, err } = await compare([...models, ...large, '--recompute', 'nowhere', '--dry-run', '-o', 'planned']);
    expect(code).toBe(1);
    expect(err).toContain('crobc: none of the models has a module nowhere; "crobc summary" lists them\n');
  });
});

describe('minutes', () => {
  /** Each look at the clock takes so long. */
  const clock = () => {
    let time = 0;
    return { now: () => (time += 5) };
  };

  test('are the same number of steps for each model, which is remembered', async () => {
    const args = [...models, '--seeds', '1', '--minutes', '0.005', '-o', 'minutes'];
    const dry = await compare([...args, '--dry-run']);
    expect(dry.out).toContain(' at most: the pace of each model is measured first\n');
    expect(existsSync(at('minutes'))).toBe(false);
    const { code, err } = await compare(args, { clock: clock() });
    expect(code, err).toBe(0);
    const { steps } = JSON.parse(await readFile(at('minutes/compare.json'), 'utf8')).budget;
    expect(steps).toBeGreaterThan(0);
    expect((await resultOf('minutes')).models.map((model) => model.steps)).toEqual([steps, steps]);
    expect(err).toMatch(
      /^\d+ steps for each training: (Learner|Wide) takes [\d.]+ s a step, and may take 0\.005 minutes$/m,
    );
    expect(readdirSync(at('minutes')).filter((name) => name.startsWith('.'))).toEqual([]);
    const again = await compare(args);
    expect(again).toMatchObject({ code: 0, err: '' });
  });

  test('that are too few are refused', async () => {
    const few = await compare([...models, '--seeds', '1', '--minutes', '1e-6', '-o', 'few'], { clock: clock() });
    expect(few.code).toBe(1);
    expect(few.err).toMatch(
      /crobc: 0\.000001 minutes are too few for Learner: an evaluation takes [\d.]+ s, and a step/,
    );
  });
});

describe('what is refused', () => {
  test.each([
    [[...models, '--json', '--csv'], '--json and --csv are forms of one result: give one'],
    [[...models, '--dry-run', '--latex'], '--latex is for results, and --dry-run has none'],
    [[...models, '--steps', '3', '--minutes', '1'], '--steps and --minutes both give the length of a training'],
    [[...models, '--steps', '3', '--set', 'recipe.epochs=1'], '--steps 3 and --set recipe.epochs=1 give the same'],
    [[...models, '--minutes', '3', '--set', 'recipe.epochs=1'], '--minutes and --set recipe.epochs=1 both give'],
    [[...models, '--set', 'recipe.seed=1'], '--set recipe.seed=1: --seeds gives the seeds'],
    [[...models, '--seeds', '1,1'], 'A seed is there twice.'],
    [[...models, '--seeds', '0'], 'There are 1 to 1000 seeds.'],
    [[...models, '--minutes', '0'], 'It is not a number above 0.'],
    [[...models, '--device-memory', '24GiB'], '--device-memory is for --dry-run: a training asks the GPU itself'],
    [[...models, '--baseline', 'Narrow'], '--baseline Narrow: none of the models is; there are Learner, Wide'],
    [[...models, 'learner.crob'], 'learner.crob:Learner is named twice'],
    [['@lists/a.txt:none'], 'lists/a.txt has no group none; its groups are one, two'],
    [['@lists/twice.txt'], 'lists/../learner.crob:Learner and lists/../learner.crob:Wide are both called it'],
  ])('%s', async (args, message) => {
    await mkdir(at('lists'), { recursive: true });
    await writeFile(at('lists/a.txt'), '[one]\n../learner.crob:Wide\n[two]\n../learner.crob:Learner # the base\n');
    await writeFile(at('lists/twice.txt'), '../learner.crob:Learner it\n../learner.crob:Wide it\n');
    const { code, err, out } = await compare([...args, '-o', 'refused']);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message.replaceAll('lists/../', ''));
    expect(existsSync(at('refused'))).toBe(false);
  });

  test.each([
    [['@lists/bad.txt'], 'crobc: lists/bad.txt:2: a line is a model such as crobim.crob:CroBIM with a label'],
    [['@lists/empty.txt'], 'crobc: lists/empty.txt:1: the list names no model'],
    [['nowhere.crob:A'], 'crobc: cannot read nowhere.crob: no such file or folder'],
    [['learner.crob:Wid'], 'learner.crob has no model Wid; did you mean Wide?'],
    [[...models, '--recipe', 'slow'], 'learner.crob has no recipe for Learner called slow; it has quick, careful'],
  ])('%s', async (args, message) => {
    await mkdir(at('lists'), { recursive: true });
    await writeFile(at('lists/bad.txt'), '../learner.crob:Wide\nWide\n');
    await writeFile(at('lists/empty.txt'), '# nothing\n');
    const { code, err } = await compare([...args, '-o', 'refused2']);
    expect(code).toBe(1);
    expect(err).toContain(message);
  });
});

test('lists give labels, and their paths are relative to them', async () => {
  await mkdir(at('sub'), { recursive: true });
  await writeFile(
    at('sub/list.txt'),
    '# two\n[a]\n../learner.crob:Wide  the wide one # wider\n\n[b]\n../learner.crob\n',
  );
  const { out } = await compare(['@sub/list.txt', '--dry-run', '--json', '--seeds', '1']);
  expect(JSON.parse(out).runs.map(({ label, file }: { label: string; file: string }) => [label, file])).toEqual([
    ['the wide one', 'learner.crob'],
    ['Learner', 'learner.crob'],
  ]);
});

test.each(['models/tables.txt', 'models/tables_micro.txt'])('every name of %s is that of a model', (list) => {
  const host = diskHost();
  const named = namedModels(host, [`@${list}`]);
  for (const { file, model } of named) expect(modelsOf(host, file), file).toContain(model);
  expect(named.length).toBeGreaterThan(15);
  // Each rival is in its group, in the size of the list.
  const isMicro = list.includes('micro');
  const rivals = readdirSync('models/rivals').flatMap((name) =>
    modelsOf(host, `models/rivals/${name}`).filter((model) => model.endsWith('_micro') === isMicro),
  );
  const compared = namedModels(host, [`@${list}:rivals`]).map(({ model }) => model);
  expect(compared.slice(1).sort()).toEqual(rivals.sort());
  const groups = ['table-5a', 'table-5b', 'table-6', 'table-7', 'parts', 'rivals'];
  for (const group of groups) expect(namedModels(host, [`@${list}:${group}`])[0]!.label).toBe('CroBIM');
});
