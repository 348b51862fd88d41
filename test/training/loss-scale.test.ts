import { describe, expect, test } from 'vitest';
import { verify } from '../../compiler/graphs/verify.ts';
import { differentiate } from '../../compiler/training/differentiated.ts';
import { initialScaler } from '../../compiler/training/loss-scale.ts';
import { trainingStep } from '../../compiler/training/step.ts';
import { type StepGraph, stepNames } from '../../compiler/training/step-graph.ts';
import { type Numbers, runStep, stateOf, trainingOf } from './interpret-step.ts';
import { linearSource } from './sources.ts';

const source = (settings: string) =>
  linearSource(`ema = 0.5
  clip = 0.1
  ${settings}`);

const optimizers = ['AdamW(lr = 0.1, weight_decay = 0.3)', 'SGD(lr = 0.1, momentum = 0.75, weight_decay = 0.25)'];
const batch = { x: [1, 2, -1, 0.5, 3, -2, 0.25, 1], target: [1, -1, 2, 0.5] };
const infinite = { ...batch, x: [Number.POSITIVE_INFINITY, ...batch.x.slice(1)] };
const start = {
  'weight:head.weight': [0.5, -0.25],
  'weight:head.bias': [0.125],
  'average:head.weight': [0.5, -0.25],
  'average:head.bias': [0.125],
  'scaler:scale': [initialScaler('scale')],
};

function scaled(optimizer: string, packed = false): StepGraph {
  const training = trainingOf(source(`optimizer = ${optimizer}`));
  return trainingStep(differentiate(training, [], {}, { type: 'f16', emulated: true }), { packed });
}

const at = (step: number) => ({ [stepNames.learningRate]: [0.1], [stepNames.number]: [step] });
const scaler = (state: Numbers) => ['scale', 'growth', 'skipped'].map((path) => state.get(`scaler:${path}`)![0]);

describe.each(optimizers)('a scaled loss, %s', (optimizer) => {
  // The reference kernels do not round, and the scale is a power of two.
  test('gives the step of a loss that is not scaled', () => {
    const plain = trainingStep(differentiate(trainingOf(source(`optimizer = ${optimizer}`))));
    const step = scaled(optimizer);
    expect(verify(step.graph)).toEqual([]);
    const [a, b] = [stateOf([plain], start), stateOf([step], start)];
    for (const n of [1, 2, 3]) {
      const wanted = runStep(plain, a, { ...batch, ...at(n) });
      const found = runStep(step, b, { ...batch, ...at(n) });
      expect(found[stepNames.applied]).toBe(1);
      expect(found[stepNames.inverseScale]).toBe(2 ** -16);
      expect(found[stepNames.gradientNorm]).toBeCloseTo(wanted[stepNames.gradientNorm]!, 12);
      for (const [name, values] of a) for (const [i, x] of values.entries()) expect(b.get(name)![i]).toBeCloseTo(x, 12);
    }
    expect(scaler(b)).toEqual([2 ** 16, 3, 0]);
  });

  test.each([false, true])(
    'changes nothing where gradients are not finite, and AdamW does not count the step (packed: %s)',
    (packed) => {
      const step = scaled(optimizer, packed);
      const [state, without] = [stateOf([step], start), stateOf([step], start)];
      runStep(step, state, { ...batch, ...at(1) });
      runStep(step, without, { ...batch, ...at(1) });
      const before = new Map(state);
      const found = runStep(step, state, { ...infinite, ...at(2) });
      expect(found[stepNames.applied]).toBe(0);
      for (const [name, values] of before)
        if (!name.startsWith('scaler:')) expect(state.get(name), name).toEqual(values);
      expect(scaler(state)).toEqual([2 ** 15, 0, 1]);
      // The third step of the one run is the second of the other.
      runStep(step, state, { ...batch, ...at(3) });
      runStep(step, without, { ...batch, ...at(2) });
      for (const [name, values] of without)
        if (!name.startsWith('scaler:'))
          for (const [i, x] of values.entries()) expect(state.get(name)![i], name).toBeCloseTo(x, 12);
    },
  );
});

test('a skipped first step leaves AdamW at its beginning', () => {
  const step = scaled(optimizers[0]!);
  const state = stateOf([step], start);
  runStep(step, state, { ...infinite, ...at(1) });
  expect(state.get('weight:head.weight')).toEqual([0.5, -0.25]);
  expect(state.get('moment:head.weight')).toEqual([0, 0]);
});

test('the scale doubles after 2,000 finite steps in sequence, and stays finite', () => {
  const step = scaled(optimizers[1]!);
  const state = stateOf([step], { ...start, 'scaler:growth': [1998] });
  runStep(step, state, { ...batch, ...at(1) });
  expect(scaler(state)).toEqual([2 ** 16, 1999, 0]);
  runStep(step, state, { ...batch, ...at(2) });
  expect(scaler(state)).toEqual([2 ** 17, 0, 0]);
  const most = stateOf([step], { ...start, 'scaler:scale': [2 ** 127], 'scaler:growth': [1999] });
  runStep(step, most, { ...batch, ...at(1) });
  expect(scaler(most)).toEqual([2 ** 127, 0, 0]);
});

test('with accumulation, one micro-batch whose gradients are not finite skips the update', () => {
  const training = trainingOf(source('optimizer = AdamW(lr = 0.1)\n  accumulate = 2'));
  const differentiated = differentiate(training, [], {}, { type: 'f16', emulated: true });
  const parts = [
    trainingStep(differentiated, { part: 'accumulate' }),
    trainingStep(differentiated, { part: 'update' }),
  ] as const;
  const state = stateOf(parts, start);
  runStep(parts[0], state, infinite);
  runStep(parts[0], state, batch);
  const found = runStep(parts[1], state, at(1));
  expect(found[stepNames.applied]).toBe(0);
  expect(state.get('weight:head.weight')).toEqual([0.5, -0.25]);
  expect(scaler(state)).toEqual([2 ** 15, 0, 1]);
});
