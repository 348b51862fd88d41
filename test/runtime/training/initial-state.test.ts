import { writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { namePattern } from '../../../compiler/elaborate/source/name-pattern.ts';
import type { TrainedWeight } from '../../../compiler/training/compile-training.ts';
import type { Initialisation } from '../../../compiler/training/recipe.ts';
import type { StateTensor } from '../../../compiler/training/step-graph.ts';
import { initialState } from '../../../runtime/training/initial-state.ts';
import { initialWeight } from '../../../runtime/weights/initialise.ts';
import { safetensorsBytes } from '../../cli/safetensors-bytes.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
const weight = (path: string, role: 'param' | 'buffer' = 'param'): TrainedWeight => ({
  path,
  shape: [2],
  role,
  init: { name: 'normal', args: {} },
  frozen: false,
  lrFactor: 1,
  weightDecay: 0,
  decays: true,
});
const weights = [weight('a.w'), weight('b.w'), weight('b.mean', 'buffer')];
const held = (kind: StateTensor['kind'], path: string): StateTensor => ({
  name: `${kind}:${path}`,
  next: `next:${kind}:${path}`,
  kind,
  path,
  shape: [2],
});
const state = [
  held('weight', 'a.w'),
  held('moment', 'a.w'),
  held('average', 'a.w'),
  held('weight', 'b.w'),
  held('buffer', 'b.mean'),
];
const drawn = (path: string, seed: number) => initialWeight(weights.find((one) => one.path === path)!, seed);
const init = (file: string, roots: readonly string[], source = at('recipe.crob:3')): Initialisation => ({
  pattern: roots.join(),
  roots,
  file,
  source,
  via: undefined,
  except: [],
});
const base = { weights, state, seed: 4, weightsFile: undefined, inits: [] };

beforeAll(async () => {
  const tensors = (values: readonly number[]) =>
    Object.fromEntries(
      ['a.w', 'b.w', 'b.mean'].map((path, i) => [path, { shape: [2], values: Float32Array.of(values[i]!, i) }]),
    );
  await writeFile(at('one.safetensors'), safetensorsBytes(tensors([1, 2, 3])));
  await writeFile(
    at('two.safetensors'),
    safetensorsBytes({ ...tensors([5, 6, 7]), more: { shape: [1], values: Float32Array.of(1) } }),
  );
});

test('weights are drawn from the seed, averages are their weights, the rest is 0', async () => {
  const values = await initialState(base);
  expect(values.get('weight:a.w')).toEqual(drawn('a.w', 4));
  expect(values.get('weight:a.w')).not.toEqual(drawn('a.w', 5));
  expect(values.get('buffer:b.mean')).toEqual(drawn('b.mean', 4));
  expect(values.get('average:a.w')).toEqual(drawn('a.w', 4));
  expect(values.get('average:a.w')).not.toBe(values.get('weight:a.w'));
  expect(values.get('moment:a.w')).toEqual(new Float32Array(2));
});

test('weights of a file, averages with them', async () => {
  const values = await initialState({ ...base, weightsFile: at('one.safetensors') });
  expect([...values.get('weight:b.w')!]).toEqual([2, 1]);
  expect([...values.get('buffer:b.mean')!]).toEqual([3, 2]);
  expect([...values.get('average:a.w')!]).toEqual([1, 0]);
});

test('parts from files beside the recipe, a later one over an earlier one, under the whole', async () => {
  const inits = [init('one.safetensors', ['']), init('two.safetensors', ['b'])];
  const values = await initialState({ ...base, inits });
  expect([...values.get('weight:a.w')!]).toEqual([1, 0]);
  expect([...values.get('average:a.w')!]).toEqual([1, 0]);
  expect([...values.get('weight:b.w')!]).toEqual([6, 1]);
  const whole = await initialState({ ...base, inits, weightsFile: at('one.safetensors') });
  expect([...whole.get('weight:b.w')!]).toEqual([2, 1]);
});

test('files that are not there or do not fit are one line', async () => {
  await expect(initialState({ ...base, inits: [init('none.safetensors', ['a'])] })).rejects.toThrow(
    /^cannot read [^\n]*none\.safetensors/,
  );
  await expect(initialState({ ...base, weightsFile: at('two.safetensors') })).rejects.toThrow(
    /1 unknown to the model \(more\)/,
  );
});

test('published names by a map, of the selected weights alone', async () => {
  const via = {
    name: 'published',
    rules: [rule('{i}.gamma', '{i}.w'), rule('{i}.running_mean', '{i}.mean')],
    places: [{ path: '', declared: new Set(weights.map(({ path }) => path)) }],
  };
  const tensor = (first: number) => ({ shape: [2], values: Float32Array.of(first, 0) });
  await writeFile(
    at('published.safetensors'),
    safetensorsBytes({ 'a.gamma': tensor(8), 'b.gamma': tensor(9), 'b.running_mean': tensor(10) }),
  );
  const values = await initialState({ ...base, inits: [{ ...init('published.safetensors', ['b']), via }] });
  expect([...values.get('weight:b.w')!]).toEqual([9, 0]);
  expect([...values.get('buffer:b.mean')!]).toEqual([10, 0]);
  expect(values.get('weight:a.w')).toEqual(drawn('a.w', 4));
  await expect(initialState({ ...base, inits: [{ ...init('one.safetensors', ['b']), via }] })).rejects.toThrow(
    '2 missing (b.w, b.mean); 3 in the file that the map does not mention (a.w, b.w, b.mean)',
  );
});

function rule(from: string, to: string) {
  return { from: [pattern(from)], transforms: [], to: [pattern(to)] };
}

function pattern(text: string) {
  const found = namePattern(text);
  if ('reason' in found) throw new Error(found.reason);
  return found;
}
