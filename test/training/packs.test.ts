import { describe, expect, test } from 'vitest';
import { verify } from '../../compiler/graphs/verify.ts';
import type { TrainedWeight } from '../../compiler/training/compile-training.ts';
import { differentiate } from '../../compiler/training/differentiated.ts';
import { packsOf } from '../../compiler/training/packs.ts';
import { type StepOptions, trainingStep } from '../../compiler/training/step.ts';
import { stepNames } from '../../compiler/training/step-graph.ts';
import { runStep, stateOf, trainingOf } from './interpret-step.ts';

const weight = (path: string, shape: readonly number[], more: Partial<TrainedWeight> = {}): TrainedWeight => ({
  path,
  shape,
  role: 'param',
  init: { name: 'zeros', args: {} },
  frozen: false,
  lrFactor: 1,
  weightDecay: 0,
  decays: true,
  ...more,
});

test('small weights with the same rates are packed, whole vectors first', () => {
  const packs = packsOf([
    weight('a', [3]),
    weight('b', [2, 16]),
    weight('table', [1000, 100]),
    weight('c', [16], { weightDecay: 0.01 }),
    weight('d', []),
    weight('e', [4, 8], { weightDecay: 0.01 }),
    weight('alone', [4], { lrFactor: 0.1 }),
  ]);
  expect(packs.map(({ id, size, weights }) => [id, size, weights.map(({ path }) => path)])).toEqual([
    ['0', 36, ['b', 'a', 'd']],
    ['1', 48, ['c', 'e']],
  ]);
});

test('a pack has groups of consecutive weights of one layer', () => {
  const paths = [
    'stem.bias',
    'layers.0.a',
    'layers.0.in.b',
    'layers.1.a',
    'layers.1.deep.0.b',
    'layers.1.deep.0.c',
    'end.bias',
  ];
  const [pack] = packsOf([...paths.map((path) => weight(path, [16])), weight('layers.1.odd', [3])]);
  expect(pack!.groups.map(({ id, size, weights }) => [id, size, weights.map(({ path }) => path)])).toEqual([
    ['0.0', 16, ['stem.bias']],
    ['0.1', 32, ['layers.0.a', 'layers.0.in.b']],
    ['0.2', 16, ['layers.1.a']],
    ['0.3', 32, ['layers.1.deep.0.b', 'layers.1.deep.0.c']],
    ['0.4', 16, ['end.bias']],
    ['0.5', 3, ['layers.1.odd']],
  ]);
  expect(pack!.weights).toEqual(pack!.groups.flatMap(({ weights }) => weights));
});

const source = (settings: string) => `
model Deep() where 2 <= B {
  first = Linear(2, 3)
  norm = BatchNorm(3)
  last = Linear(3, 1)
  input x: f32[B, 2]
  output y = last(rearrange(norm(rearrange(first(x), "b c -> b c 1 1")), "b c 1 1 -> b c"))
}
recipe plain for Deep at B = 4 {
  input target: f32[B, 1]
  term error = mean(square(y - target), "b c ->")
  ${settings}
  steps = 10
}`;

describe.each([
  ['AdamW', 'optimizer = AdamW(lr = 0.1, weight_decay = 0.25)'],
  [
    'AdamW with clipping, averages and groups',
    'optimizer = AdamW(lr = 0.1)\n  clip = 0.5\n  ema = 0.5\n  group first.* { lr = 0.5x }',
  ],
  ['SGD', 'optimizer = SGD(lr = 0.1, momentum = 0.75)'],
])('a packed step of %s is a step', (_name, settings) => {
  const x = [0.5, -1, 2, 0.25, -0.75, 1.5, 1, -0.5];
  const target = [1, 0, -1, 0.5];
  const start = {
    'weight:first.weight': [0.5, -0.25, 0.125, 1, -1, 0.75],
    'weight:norm.weight': [1, 0.5, 2],
    'buffer:norm.running_var': [1, 1, 1],
    'weight:last.weight': [0.5, 1, -0.5],
    'weight:last.bias': [0.125],
  };

  test('on a whole batch', () => {
    const training = trainingOf(source(settings));
    const [plain, packed] = [false, true].map((packed) => trainingStep(differentiate(training), { packed }));
    expect(plain!.packs).toEqual([]);
    expect(packed!.packs.length).toBeGreaterThan(0);
    expect(verify(packed!.graph)).toEqual([]);
    expect(packed!.graph.nodes.length).toBeLessThan(plain!.graph.nodes.length);
    const [one, other] = [stateOf([plain!], start), stateOf([packed!], start)];
    expect([...other.keys()].sort()).toEqual([...one.keys()].sort());
    for (const step of [1, 2, 3]) {
      const feeds = { x, target, [stepNames.learningRate]: [0.1], [stepNames.number]: [step] };
      close(Object.entries(runStep(packed!, other, feeds)), Object.entries(runStep(plain!, one, feeds)));
      close([...other].sort(byName), [...one].sort(byName));
    }
  });

  test('on micro-batches', () => {
    const training = trainingOf(source(settings), ['recipe.batch = 2', 'recipe.accumulate = 2']);
    const parts = (packed: boolean) =>
      (['accumulate', 'update'] as const).map((part) =>
        trainingStep(differentiate(training), { part, packed } satisfies StepOptions),
      );
    const [one, other] = [false, true].map((packed) => {
      const [accumulate, update] = parts(packed);
      const state = stateOf([accumulate!, update!], start);
      for (const i of [0, 1])
        runStep(accumulate!, state, { x: x.slice(4 * i, 4 * i + 4), target: target.slice(2 * i, 2 * i + 2) });
      runStep(update!, state, { [stepNames.learningRate]: [0.1], [stepNames.number]: [1] });
      return state;
    });
    close([...other!].sort(byName), [...one!].sort(byName));
  });
});

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1);

function close(
  found: readonly (readonly [string, number | readonly number[]])[],
  wanted: readonly (readonly [string, number | readonly number[]])[],
): void {
  expect(found.map(([name]) => name)).toEqual(wanted.map(([name]) => name));
  for (const [i, [name, values]] of found.entries()) {
    const other = [wanted[i]![1]].flat();
    for (const [k, value] of [values].flat().entries())
      expect(Math.abs(value - other[k]!) / Math.max(1e-3, Math.abs(value)), `${name}[${k}]`).toBeLessThan(1e-12);
  }
}
