// slow: differences of many steps

import { describe, expect, test } from 'vitest';
import { interpret } from '../../compiler/graphs/interpret.ts';
import { tensor } from '../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { differentiate } from '../../compiler/training/differentiated.ts';
import { trainingStep } from '../../compiler/training/step.ts';
import { type StepGraph, stepNames } from '../../compiler/training/step-graph.ts';
import { emitted } from '../emit/onnx/graphs.ts';
import { runOnnx } from '../emit/onnx/session.ts';
import { runTfjs } from '../emit/tfjs/run.ts';
import { trainingOf } from './interpret-step.ts';

/** A head that gives its input plus a bias of zero, as a new one with `init = zeros` does. */
const source = (term: string) => `
module Shift() {
  param bias: f32[1] ~ zeros
  forward(x: f32[B, 1, H, W]) -> f32[B, 1, H, W] { return x + bias }
}
model Net() {
  head = Shift()
  input x: f32[B, 1, H, W]
  output logits = head(x)
}
recipe plain for Net at B = 1, H = 1, W = 4 {
  input target: f32[B, 1, H, W]
  term error = ${term}
  optimizer = SGD(lr = 1)
  steps = 1
}`;

const runners: Readonly<
  Record<string, (step: StepGraph, feeds: Map<string, TensorData>) => Promise<Map<string, TensorData>>>
> = {
  'the interpreter': async ({ graph }, feeds) =>
    interpret(graph, feeds, () => {
      throw new Error('a step has no weights');
    }),
  onnxruntime: ({ graph }, feeds) => runOnnx(emitted(graph), feeds),
  'TensorFlow.js': async ({ graph }, feeds) => (await runTfjs(graph, feeds)).results,
};

const zeros = [0, 0, 0, 0];
const large = [1e4, -1e4, 1e4, -1e4];
const one = [1, 0, 0, 0];
const ln2 = Math.log(2);
const meanOf = (term: string) => `mean(${term}, "b c h w -> ")`;
const writtenOut = meanOf('max(logits, 0.0) - logits*target + log(1.0 + exp(-abs(logits)))');

/** Logits, target, loss and gradient of the bias. PyTorch 2.13.0 has the same numbers. */
const cases: readonly (readonly [string, string, readonly number[], readonly number[], number, number])[] = [
  ['cross-entropy of zeros', 'cross_entropy(logits, target)', zeros, one, ln2, 0.25],
  ['cross-entropy of zeros, by class', 'cross_entropy(logits, target, 1.0, 3.0)', zeros, one, ln2, 0],
  ['cross-entropy of zeros, soft', 'cross_entropy(logits, target)', zeros, [0.25, 0.25, 0.25, 0.25], ln2, 0.25],
  ['cross-entropy of large logits', 'cross_entropy(logits, target)', large, one, 2500, 0.25],
  ['cross-entropy of zeros, written out', writtenOut, zeros, one, ln2, 0.25],
  ['softplus of zeros', meanOf('softplus(logits)'), zeros, one, ln2, 0.5],
  ['softplus of large numbers', meanOf('softplus(logits)'), large, one, 5000, 0.5],
  ['the larger one of equal numbers', meanOf('max(logits, 0.0)'), zeros, one, 0, 0.5],
  ['relu at 0', meanOf('relu(logits)'), zeros, one, 0, 0],
  ['the magnitude of 0', meanOf('abs(logits)'), zeros, one, 0, 0],
  ['the power 0 of 0', meanOf('logits^0.0'), zeros, one, 1, 0],
  ['the power 2 of 0', meanOf('logits^2.0'), zeros, one, 0, 0],
  ['the power 1 of 0', meanOf('logits^1.0'), zeros, one, 0, 1],
];

describe.each(Object.keys(runners))('one step in %s', (name) => {
  test.each(cases)('%s', async (_, term, x, target, loss, slope) => {
    const step = trainingStep(differentiate(trainingOf(source(term))));
    const given: Readonly<Record<string, readonly number[]>> = {
      x,
      target,
      'weight:head.bias': [0],
      [stepNames.learningRate]: [1],
      [stepNames.number]: [1],
    };
    const feeds = new Map(
      step.graph.inputs.map(({ name, value: { type } }) => [
        name,
        tensor(
          type.dtype,
          type.shape.map(({ key }) => Number(key)),
          [...given[name]!],
        ),
      ]),
    );
    const results = await runners[name]!(step, feeds);
    expect(results.get(stepNames.loss)!.data[0]).toBeCloseTo(loss, 5);
    expect(results.get(stepNames.gradientNorm)!.data[0]).toBeCloseTo(Math.abs(slope), 6);
    expect(results.get('next:weight:head.bias')!.data[0]).toBeCloseTo(-slope, 6);
  });
});
