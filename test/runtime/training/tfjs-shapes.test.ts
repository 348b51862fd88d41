// slow: steps in TensorFlow.js

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileTraining } from '../../../compiler/training/compile-training.ts';
import { differentiate } from '../../../compiler/training/differentiated.ts';
import { trainingStep } from '../../../compiler/training/step.ts';
import type { Feeds } from '../../../runtime/ort/session.ts';
import { loadTfjs } from '../../../runtime/tfjs/load.ts';
import { initialState } from '../../../runtime/training/initial-state.ts';
import { openOnnxBackend } from '../../../runtime/training/onnx-backend.ts';
import { statesOf } from '../../../runtime/training/state.ts';
import { openTfjsBackend } from '../../../runtime/training/tfjs-backend.ts';
import { held } from '../../emit/tfjs/run.ts';
import { memoryHost } from '../../memory-host.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crobc-shapes-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** What is made of x: f32[B, 3, 8], with the axes of y; a reshape can stand for a transpose, or an axis has size 1. */
const models: Readonly<Record<string, readonly [axes: string, parts: string, y: string]>> = {
  'a column': ['b n d', 'head = Linear(8, 1)', 'head(x)'],
  'a row': ['b n d', 'a = Linear(8, 1)\n  c = Linear(1, 5)', 'c(tanh(a(x)))'],
  'a row without a bias': [
    'b n d',
    'a = Linear(8, 1, bias = false)\n  c = Linear(1, 5, bias = false)',
    'c(tanh(a(x)))',
  ],
  'one row for an example': ['b d', 'a = Linear(24, 1)', 'a(rearrange(x, "b n d -> b (n d)"))'],
  'a column used twice': ['b n d', 'a = Linear(8, 8)\n  head = Linear(8, 1)', 'head(a(x)) * head(x)'],
  'products with all examples': ['b n d', 'a = Linear(8, 1)', 'matmul(rearrange(a(x), "b n one -> b one n"), x)'],
  'a repeated matrix': [
    'b n d',
    'a = Linear(8, 3)',
    'matmul(repeat(mean(a(x), "b n d -> n d"), "n d -> k n d", k = 4), mean(x, "b n d -> n d"))',
  ],
  'convolutions of one channel': [
    'b c n d',
    'a = Conv2d(1, 4, 3, padding = 1)\n  c = Conv2d(4, 1, 1)',
    'c(tanh(a(rearrange(x, "b n d -> b 1 n d"))))',
  ],
};

describe.each(Object.entries(models))('%s', (_, [axes, parts, y]) => {
  test.each([1, 4])('trains and predicts as in onnxruntime with %i examples, and keeps no tensor', async (batch) => {
    const source = `use std.linear.{Linear}\nuse std.conv.{Conv2d}\nmodel Small {
  ${parts}
  input x: f32[B, 3, 8]
  output y = ${y}
}
recipe plain for Small at B = ${batch} {
  term error = mean(square(y - 1), "${axes} ->")
  optimizer = AdamW(lr = 1e-2)
  steps = 10
}
`;
    const compiled = compileTraining(memoryHost({ 'm.crob': source }), 'm.crob', { dims: new Map(), overrides: [] });
    expect(compiled.diagnostics.map(({ message }) => message)).toEqual([]);
    const training = compiled.training!;
    const steps = { whole: trainingStep(differentiate(training)) };
    const begin = () =>
      initialState({ weights: training.weights, state: statesOf(steps), seed: 3, weightsFile: undefined });
    const common = { steps, inference: training.inference, seed: 3 };
    const onnx = await openOnnxBackend({ ...common, state: await begin(), device: 'cpu', threads: 1 });
    const { tf } = await loadTfjs();
    const outside = held(tf);
    const tfjs = await openTfjsBackend({ ...common, state: await begin(), model: 'Small', folder });
    const feeds: Feeds = {
      x: {
        dtype: 'f32',
        shape: [batch, 3, 8],
        data: Float32Array.from({ length: batch * 24 }, (_, i) => Math.sin(i * i)),
      },
    };
    let during: number | undefined;
    for (let step = 1; step <= 10; step++) {
      const scalars = { learningRate: 1e-2, step };
      const wanted = await onnx.step([feeds], scalars);
      const found = await tfjs.step([feeds], scalars);
      expect(found.loss).toBeCloseTo(wanted.loss, 4);
      expect(found.gradientNorm).toBeCloseTo(wanted.gradientNorm, 3);
      const [a, b] = [await onnx.predict(feeds), await tfjs.predict(feeds)];
      expect(b.shape).toEqual(a.shape);
      for (const [i, y] of (a.data as Float32Array).entries()) expect(b.data[i] as number).toBeCloseTo(y, 3);
      during ??= held(tf);
      expect(held(tf)).toBe(during);
    }
    const weights = await onnx.read();
    for (const [name, data] of await tfjs.read())
      for (const [i, w] of data.entries()) expect(w, name).toBeCloseTo(weights.get(name)![i]!, 3);
    await onnx.release();
    await tfjs.release();
    expect(held(tf)).toBe(outside);
  });
});
