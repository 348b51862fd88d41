import { expect, test } from 'vitest';
import { differentiate } from '../../compiler/training/differentiated.ts';
import { stepMemory } from '../../compiler/training/memory.ts';
import { trainingStep } from '../../compiler/training/step.ts';
import { trainingOf } from './interpret-step.ts';

/** One matrix of 1000 × 10 and its bias. */
const source = (batch: number, settings: string) => `
model Net() {
  head = Linear(10, 1000)
  input x: f32[B, 10]
  output y = head(x)
}
recipe plain for Net at B = ${batch} {
  term size = mean(square(y), "b c ->")
  steps = 1
  ${settings}
}`;

const weights = 4 * (10 * 1000 + 1000);

test('state by kind, and gradients as large as what learns', () => {
  const step = trainingStep(differentiate(trainingOf(source(2, 'optimizer = AdamW(lr = 1)\n  ema = 0.5'))));
  const { state, gradients } = stepMemory([step], 'onnx');
  expect(Object.fromEntries(state)).toEqual({ weight: weights, moment: weights, variance: weights, average: weights });
  expect(gradients).toBe(weights);
});

test('two graphs of one step share their state', () => {
  const training = trainingOf(source(2, 'optimizer = SGD(lr = 1)\n  accumulate = 3\n  fix head.bias'));
  const parts = (['accumulate', 'update'] as const).map((part) => trainingStep(differentiate(training), { part }));
  const { state, gradients } = stepMemory(parts, 'onnx');
  expect(Object.fromEntries(state)).toEqual({ weight: weights, gradient: weights - 4000 });
  expect(gradients).toBe(weights - 4000);
});

test('activations grow with the batch, by what one sample takes', () => {
  const working = (batch: number) =>
    stepMemory([trainingStep(differentiate(trainingOf(source(batch, 'optimizer = SGD(lr = 1)'))))], 'onnx').working;
  const [small, large] = [working(64), working(128)];
  // At least y and one more tensor of its size, at most a few of them.
  const sample = (large - small) / 64 / 4000;
  expect(sample).toBeGreaterThanOrEqual(1);
  expect(sample).toBeLessThan(5);
  expect(small).toBeGreaterThan(weights);
});
