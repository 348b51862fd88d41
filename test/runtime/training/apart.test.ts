import { expect, test } from 'vitest';
import { differentiate } from '../../../compiler/training/differentiated.ts';
import { trainingStep } from '../../../compiler/training/step.ts';
import { stepNames } from '../../../compiler/training/step-graph.ts';
import type { Feeds } from '../../../runtime/ort/session.ts';
import { openOnnxBackend } from '../../../runtime/training/onnx-backend.ts';
import { runStep, stateOf, trainingOf } from '../../training/interpret-step.ts';

/** Three steps in onnxruntime, against the interpreter, which writes nothing in place. */
async function expectSame(
  source: string,
  given: Readonly<Record<string, readonly number[]>>,
  apart: readonly string[],
) {
  const training = trainingOf(source);
  const step = trainingStep(differentiate(training), { packed: true });
  expect([...step.apart].sort()).toEqual([...apart].sort());
  const wanted = stateOf([step], given);
  const state = new Map([...wanted].map(([name, data]) => [name, Float32Array.from(data)]));
  const { inference } = training;
  const backend = await openOnnxBackend({
    steps: { whole: step },
    inference,
    state,
    seed: 1,
    device: 'cpu',
    threads: 2,
  });
  const inputs = training.forward.inputs.filter(({ name }) => step.graph.inputs.some((input) => input.name === name));
  for (let n = 1; n <= 3; n++) {
    const numbers = Object.fromEntries(inputs.map(({ name }, i) => [name, [n / 2 + i]]));
    const feeds: Feeds = Object.fromEntries(
      inputs.map(({ name }) => [name, { dtype: 'f32', shape: [1], data: Float32Array.from(numbers[name]!) }]),
    );
    const results = runStep(step, wanted, { ...numbers, [stepNames.learningRate]: [0.1], [stepNames.number]: [n] });
    const found = await backend.step([feeds], { learningRate: 0.1, step: n });
    expect(found.loss).toBeCloseTo(results[stepNames.loss]!, 4);
    expect(found.gradientNorm).toBeCloseTo(results[stepNames.gradientNorm]!, 4);
  }
  const read = await backend.read();
  for (const [name, data] of wanted)
    for (const [i, x] of data.entries()) expect(read.get(name)![i], name).toBeCloseTo(x, 4);
  await backend.release();
}

const recipe = (model: string, term: string, optimizer = 'SGD(lr = 0.1)') => `
recipe plain for ${model} at B = 1 {
  term value = ${term}
  optimizer = ${optimizer}
  steps = 3
}`;

const factors = (n: number, body: string) => `
module Factors() {
  param a: f32[${n}] ~ ones
  param b: f32[${n}] ~ ones
  method apply(x: f32[B]) -> f32[${n}] {
    return ${body}
  }
}
model Net() {
  parts = Factors()
  input x: f32[B]
  output y = parts.apply(x)
}`;

test('a loss that is a product of two weights', async () => {
  const source = factors(3, 'a * b');
  const given = { 'weight:parts.a': [1, 2, 3], 'weight:parts.b': [0.5, -1, 2] };
  await expectSame(source + recipe('Net', 'sum(y, "n ->")'), given, ['pack:weight:0']);
  const adam = recipe('Net', 'sum(y, "n ->")', 'AdamW(lr = 0.1, weight_decay = 0.1)');
  await expectSame(source + adam, given, ['pack:weight:0']);
});

test('a loss that is a view of a weight of one element', async () => {
  const given = { 'weight:parts.a': [1.5], 'weight:parts.b': [-2] };
  await expectSame(factors(1, 'a') + recipe('Net', 'sum(y, "n ->")'), given, ['weight:parts.a']);
  await expectSame(factors(1, 'a * b') + recipe('Net', 'sum(y, "n ->")'), given, ['pack:weight:0']);
});

test('two buffers that swap', async () => {
  const source = `
module Swap() {
  buffer first: f32[64, 8] = zeros
  buffer second: f32[64, 8] = zeros
  param scale: f32[1] ~ ones
  method apply(x: f32[B]) -> f32[] {
    let total = sum(first - 2.0 * second, "a b ->") + sum(scale * x, "n ->")
    if training {
      let held = first
      first <- second
      second <- held
    }
    return square(total)
  }
}
model Net() {
  parts = Swap()
  input x: f32[B]
  output y = parts.apply(x)
}`;
  const first = Array.from({ length: 512 }, (_, i) => Math.sin(i) / 100);
  const given = {
    'buffer:parts.first': first,
    'buffer:parts.second': first.map((x) => -x / 2),
    'weight:parts.scale': [1],
  };
  await expectSame(source + recipe('Net', 'y'), given, [
    'buffer:parts.first',
    'buffer:parts.second',
    'weight:parts.scale',
  ]);
});

// A single element is always copied; the buffer waits for what reads it.
test('rows of a buffer in the opposite order', async () => {
  const source = `
module Turn() {
  buffer seen: f32[64, 8] = zeros
  param scale: f32[1] ~ ones
  method apply(x: f32[B]) -> f32[] {
    if training {
      seen <- gather(seen, 63 - iota(64))
    }
    return sum(scale * x, "n ->")
  }
}
model Net() {
  parts = Turn()
  input x: f32[B]
  output y = parts.apply(x)
}`;
  const given = { 'buffer:parts.seen': Array.from({ length: 512 }, (_, i) => i), 'weight:parts.scale': [1] };
  await expectSame(source + recipe('Net', 'y'), given, ['weight:parts.scale']);
});

test('inputs that are called as a step calls its own numbers', async () => {
  const source = `
module Scale() {
  param scale: f32[1] ~ ones
  method apply(x: f32[B]) -> f32[B] {
    return scale * x
  }
}
model Net() {
  step_scale = Scale()
  input step: f32[B]
  input learning_rate: f32[B]
  input loss: f32[B]
  input gradient_norm: f32[B]
  output y = step_scale.apply(step + learning_rate) + loss * gradient_norm
}
recipe plain for Net at B = 1 {
  term loss = mean(square(y), "b ->")
  term gradient_norm = mean(y, "b ->")
  optimizer = AdamW(lr = 0.1)
  steps = 3
}`;
  await expectSame(source, { 'weight:step_scale.scale': [0.3] }, ['weight:step_scale.scale']);
});
