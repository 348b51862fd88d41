import { mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  CheckpointStore,
  type Progress,
  type RunIdentity,
  type StoredTensor,
} from '../../../runtime/training/checkpoint.ts';
import { SafetensorsFile } from '../../../runtime/weights/safetensors.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
let dir: string;
let store: CheckpointStore;
let runs = 0;

const identity: RunIdentity = {
  model: 'Toy',
  seed: 1,
  recipe: { lr: 0.1 },
  hashes: { model: 'm', loss: 'l', data: 'd', vocabulary: 'v' },
  surroundings: { crobc: '0', backend: 'onnx', device: 'cpu', threads: null, recompute: [] },
};
const stored: readonly StoredTensor[] = [
  { name: 'average:w', file: 'weights', as: 'w', shape: [2, 2] },
  { name: 'weight:w', file: 'state', as: 'weight:w', shape: [2, 2] },
  { name: 'moment:w', file: 'state', as: 'moment:w', shape: [2, 2] },
];
const state = (v: number) =>
  new Map(stored.map(({ name }, i) => [name, Float32Array.of(v, v + i, -0, 1e-40)] as const));
const progress = (step: number, best: Progress['best'] = null): Progress => ({
  step,
  seconds: step / 2,
  last: { loss: 1 / step, lr: 0.1 },
  best,
  worse: 0,
  evaluated: 0,
});
const never = (line: string) => {
  throw new Error(line);
};
const save = (step: number, best: Progress['best'] = null) =>
  store.save(progress(step, best), identity, state(step), stored);

beforeEach(async () => {
  dir = at(`run-${runs++}`);
  await mkdir(dir);
  store = new CheckpointStore(dir);
});

async function weightsIn(path: string): Promise<number[]> {
  const file = await SafetensorsFile.open(path);
  try {
    expect([...file.tensors.keys()]).toEqual(['w']);
    return [...(await file.float32('w'))];
  } finally {
    await file.close();
  }
}

test('what was saved is what is loaded, bit for bit', async () => {
  const path = await save(7);
  const checkpoint = (await store.latest(never))!;
  expect(checkpoint).toEqual({ path, progress: progress(7), identity });
  const loaded = await store.load(checkpoint, stored);
  expect(loaded).toEqual(state(7));
  expect(Object.is(loaded.get('weight:w')![2], -0)).toBe(true);
});

test('an empty folder has none', async () => {
  expect(await store.latest(never)).toBe(undefined);
});

test('the last two and the best are kept; best and last go by a name that stays', async () => {
  await save(1);
  await save(2, { step: 2, score: 0.5 });
  for (const step of [3, 4, 5]) await save(step, { step: 2, score: 0.5 });
  expect(await store.steps()).toEqual([5, 4, 2]);
  expect((await readdir(dir)).sort()).toEqual(['best.safetensors', 'checkpoints', 'last.safetensors']);
  expect((await weightsIn(`${dir}/best.safetensors`))[0]).toBe(2);
  expect((await weightsIn(`${dir}/last.safetensors`))[0]).toBe(5);
  await save(6, { step: 6, score: 0.6 });
  expect(await store.steps()).toEqual([6, 5]);
  expect((await weightsIn(`${dir}/best.safetensors`))[0]).toBe(6);
});

test('the same step again changes what is said of it', async () => {
  await save(3);
  await save(3, { step: 3, score: 0.5 });
  const checkpoint = (await store.latest(never))!;
  expect(checkpoint.progress.best).toEqual({ step: 3, score: 0.5 });
  expect(await store.load(checkpoint, stored)).toEqual(state(3));
  expect((await weightsIn(`${dir}/best.safetensors`))[0]).toBe(3);
});

test('what a killed run left half written is no checkpoint, and goes', async () => {
  await save(1);
  await mkdir(`${store.pathOf(2)}.123.part`);
  await writeFile(`${store.pathOf(2)}.123.part/weights.safetensors`, 'half');
  expect((await store.latest(never))!.progress.step).toBe(1);
  await store.clearUnfinished();
  expect(await readdir(`${dir}/checkpoints`)).toEqual(['step-00000001']);
});

describe('a damaged checkpoint is set aside, and the one before it counts', () => {
  const flip = async (file: string, place: number) => {
    const bytes = await readFile(file);
    bytes[place < 0 ? bytes.length + place : place]! ^= 1;
    await writeFile(file, bytes);
  };
  test.each<[string, (path: string) => Promise<unknown>, RegExp]>([
    ['a weight changed', (path) => flip(`${path}/weights.safetensors`, -1), /weights\.safetensors was changed/],
    ['state cut short', (path) => truncate(`${path}/state.safetensors`, 50), /state\.safetensors has 50 bytes of \d+/],
    ['state missing', (path) => rm(`${path}/state.safetensors`), /state\.safetensors is missing/],
    ['no JSON', (path) => writeFile(`${path}/checkpoint.json`, '{"format": '), /checkpoint\.json is no JSON/],
    ['empty JSON', (path) => writeFile(`${path}/checkpoint.json`, ''), /checkpoint\.json is no JSON/],
    ['another JSON', (path) => writeFile(`${path}/checkpoint.json`, '{}'), /checkpoint\.json is of another kind/],
    [
      'a number in the JSON changed',
      async (path) => {
        const text = await readFile(`${path}/checkpoint.json`, 'utf8');
        await writeFile(`${path}/checkpoint.json`, text.replace('"step": 2', '"step": 3'));
      },
      /checkpoint\.json was changed/,
    ],
    ['JSON missing', (path) => rm(`${path}/checkpoint.json`), /cannot read checkpoint\.json/],
  ])('%s', async (_name, damage, why) => {
    await save(1);
    const path = await save(2);
    await damage(path);
    const lines: string[] = [];
    const checkpoint = (await store.latest((line) => lines.push(line)))!;
    expect(checkpoint.progress.step).toBe(1);
    expect(await store.load(checkpoint, stored)).toEqual(state(1));
    expect(lines).toEqual([expect.stringMatching(why)]);
    expect(lines[0]).toContain(`${path}.damaged`);
    expect((await stat(`${path}.damaged`)).isDirectory()).toBe(true);
    // A later checkpoint of that step does not meet the damaged one.
    await save(2);
    expect((await store.latest(never))!.progress.step).toBe(2);
  });
});

test.each(['checkpoint.json', 'state.safetensors'])(
  'what the system cannot read, %s, is no damage: nothing is set aside',
  async (name) => {
    await save(1);
    const path = await save(2);
    await rm(`${path}/${name}`);
    // A link to itself: the system says ELOOP.
    await symlink(name, `${path}/${name}`);
    await expect(store.latest(never)).rejects.toThrow(
      `cannot read ${path}/${name}: symbolic links go round in a circle`,
    );
    expect(await store.steps()).toEqual([2, 1]);
  },
);

test('tensors of another shape are refused in one line', async () => {
  await save(1);
  const other = stored.map((one) => ({ ...one, shape: [4] }));
  await expect(store.load((await store.latest(never))!, other)).rejects.toThrow(/has no w of shape \[4\]/);
});

test('a folder that cannot be written is one line, and older checkpoints stay', async () => {
  await save(1);
  await writeFile(`${store.pathOf(2)}.${process.pid}.part`, 'a file in the way');
  await expect(save(2)).rejects.toThrow(/^cannot write [^\n]*step-00000002[^\n]*$/);
  expect((await store.latest(never))!.progress.step).toBe(1);
});
