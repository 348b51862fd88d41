import { describe, expect, test } from 'vitest';
import { verify } from '../../compiler/graphs/verify.ts';
import type { Value } from '../../compiler/ir/graph.ts';
import { differentiate } from '../../compiler/training/differentiated.ts';
import { trainingStep } from '../../compiler/training/step.ts';
import { stepNames } from '../../compiler/training/step-graph.ts';
import { runStep, stateOf, trainingOf } from './interpret-step.ts';
import { linearSource as linear } from './sources.ts';

test('a static that looks at `training` is made anew for training, in parts of parts too', () => {
  const training = trainingOf(`
module Copies {
  static n = if training { 3 } else { 1 }
  forward(x: f32[B, N]) -> f32[B, N] { return x }
}
module Twice {
  first = Copies()
  second = Copies()
  static n = first.n + second.n
  forward(x: f32[B, N]) -> f32[B, n*N] {
    return concat([second(first(x)) for i in 0..first.n + second.n], "b *")
  }
}
model Net() {
  one = Copies()
  two = Twice()
  head = Linear(4, 4)
  input x: f32[B, 4]
  output y = two(one(head(x)))
}
recipe plain for Net at B = 2 {
  input target: f32[B]
  term error = mean(square(sum(y, "b n -> b") - target), "b ->")
  optimizer = SGD(lr = 1)
  steps = 1
}`);
  const shape = ({ value }: { value: Value }) => value.type.shape.map(({ key }) => key);
  expect(training.inference.outputs.map(shape)).toEqual([['B', '8']]);
  expect(training.forward.outputs.map(shape)).toEqual([['2', '24']]);
});

const x = [1, 2, -1, 0.5, 3, -2, 0.25, 1];
const target = [1, -1, 2, 0.5];
const batch = { x, target };
const start = { 'weight:head.weight': [0.5, -0.25], 'weight:head.bias': [0.125] };

interface Slopes {
  readonly loss: number;
  readonly weight: readonly [number, number];
  readonly bias: number;
}

/** Of the mean square error of Wx + b. */
function slopes(w: readonly number[], b: number, x: readonly number[], target: readonly number[]): Slopes {
  const n = target.length;
  let loss = 0;
  const weight: [number, number] = [0, 0];
  let bias = 0;
  for (const [i, wanted] of target.entries()) {
    const [p, q] = [x[2 * i]!, x[2 * i + 1]!];
    const off = w[0]! * p + w[1]! * q + b - wanted;
    loss += off ** 2 / n;
    weight[0] += (2 * off * p) / n;
    weight[1] += (2 * off * q) / n;
    bias += (2 * off) / n;
  }
  return { loss, weight, bias };
}

const norm = ({ weight, bias }: Slopes) => Math.hypot(...weight, bias);

/** torch.optim.AdamW for one number, as its documentation writes it. */
class AdamWNumber {
  m = 0;
  v = 0;
  t = 0;
  w: number;
  readonly decay: number;
  constructor(w: number, decay: number) {
    this.w = w;
    this.decay = decay;
  }
  step(g: number, lr: number, beta1 = 0.9, beta2 = 0.999, eps = 1e-8): void {
    this.t++;
    this.w -= lr * this.decay * this.w;
    this.m = beta1 * this.m + (1 - beta1) * g;
    this.v = beta2 * this.v + (1 - beta2) * g * g;
    const m = this.m / (1 - beta1 ** this.t);
    const v = this.v / (1 - beta2 ** this.t);
    this.w -= (lr * m) / (Math.sqrt(v) + eps);
  }
}

function close(found: readonly number[] | undefined, wanted: readonly number[], within = 1e-12): void {
  expect(found).toHaveLength(wanted.length);
  for (const [i, value] of wanted.entries())
    expect(Math.abs(found![i]! - value) / Math.max(1e-3, Math.abs(value)), `element ${i}`).toBeLessThan(within);
}

const rates = [0.1, 0.05, 0.2];

describe('optimizers', () => {
  test.each([
    ['optimizer = AdamW(lr = 0.1)', 0.01, 0.9, 0.999, 1e-8],
    ['optimizer = AdamW(lr = 0.1, weight_decay = 0.3, beta1 = 0.5, beta2 = 0.75, eps = 0.01)', 0.3, 0.5, 0.75, 0.01],
    ['optimizer = AdamW(lr = 0.1, weight_decay = 0, beta1 = 0, beta2 = 0)', 0, 0, 0, 1e-8],
  ])('%s is PyTorch’s', (setting, decay, beta1, beta2, eps) => {
    const step = trainingStep(differentiate(trainingOf(linear(setting))));
    expect(verify(step.graph)).toEqual([]);
    const state = stateOf([step], start);
    // A bias does not decay.
    const numbers = [new AdamWNumber(0.5, decay), new AdamWNumber(-0.25, decay), new AdamWNumber(0.125, 0)];
    for (const [i, rate] of rates.entries()) {
      const wanted = slopes([numbers[0]!.w, numbers[1]!.w], numbers[2]!.w, x, target);
      const found = runStep(step, state, { ...batch, [stepNames.learningRate]: [rate], [stepNames.number]: [i + 1] });
      for (const [k, g] of [...wanted.weight, wanted.bias].entries()) numbers[k]!.step(g, rate, beta1, beta2, eps);
      close(
        [found[stepNames.loss]!, found['term:error']!, found[stepNames.gradientNorm]!],
        [wanted.loss, wanted.loss, norm(wanted)],
      );
      close(state.get('weight:head.weight'), [numbers[0]!.w, numbers[1]!.w]);
      close(state.get('weight:head.bias'), [numbers[2]!.w]);
      close(state.get('moment:head.weight'), [numbers[0]!.m, numbers[1]!.m]);
      close(state.get('variance:head.weight'), [numbers[0]!.v, numbers[1]!.v]);
    }
  });

  test.each([
    ['optimizer = SGD(lr = 0.1)', 0, 0],
    ['optimizer = SGD(lr = 0.1, momentum = 0.75, weight_decay = 0.25)', 0.75, 0.25],
  ])('%s is PyTorch’s', (setting, momentum, decay) => {
    const step = trainingStep(differentiate(trainingOf(linear(setting))));
    expect(step.state.map(({ kind }) => kind).includes('moment')).toBe(momentum > 0);
    const state = stateOf([step], start);
    const w = [0.5, -0.25, 0.125];
    let buffer: number[] | undefined;
    for (const [i, rate] of rates.entries()) {
      const wanted = slopes(w, w[2]!, x, target);
      runStep(step, state, { ...batch, [stepNames.learningRate]: [rate], [stepNames.number]: [i + 1] });
      const g = [...wanted.weight, wanted.bias].map((one, k) => one + (k < 2 ? decay * w[k]! : 0));
      buffer = buffer ? buffer.map((b, k) => momentum * b + g[k]!) : g;
      for (const [k, change] of (momentum > 0 ? buffer : g).entries()) w[k]! -= rate * change;
      close(state.get('weight:head.weight'), [w[0]!, w[1]!]);
      close(state.get('weight:head.bias'), [w[2]!]);
    }
  });

  test('bias correction keeps its digits in float32', async () => {
    const { openSession } = await import('../../runtime/ort/session.ts');
    const { encodeOnnx } = await import('../../runtime/onnx/onnx-file.ts');
    const { emitOnnx } = await import('../../compiler/emit/onnx/emit.ts');
    const step = trainingStep(differentiate(trainingOf(linear('optimizer = AdamW(lr = 0.1, weight_decay = 0)'))));
    const none = { read: () => Promise.reject(new Error('no weights')) };
    const session = await openSession(await encodeOnnx(emitOnnx(step.graph, { producerVersion: '' }), none), {
      device: 'cpu',
    });
    const feed = (shape: readonly number[], data: readonly number[]) =>
      ({ dtype: 'f32', shape, data: Float32Array.from(data) }) as const;
    const feeds = Object.fromEntries([
      ...step.state.map(({ name, shape, kind, path }) => {
        const size = shape.reduce((a, b) => a * b, 1);
        // Moments that 300 steps with gradient 1 leave.
        const held = { moment: 1 - 0.9 ** 300, variance: 1 - 0.999 ** 300 } as Record<string, number>;
        return [name, feed(shape, new Array(size).fill(held[kind] ?? (path.endsWith('bias') ? 0.125 : 0.5)))];
      }),
      ['x', feed([4, 2], x)],
      ['target', feed([4, 1], target)],
      [stepNames.learningRate, feed([], [1])],
    ]);
    for (const t of [1, 2, 10, 301]) {
      const results = await session.run({
        ...feeds,
        [stepNames.number]: { dtype: 'i32', shape: [], data: Int32Array.of(t) },
      });
      const bias = new AdamWNumber(0.125, 0);
      Object.assign(bias, { t: t - 1, m: 1 - 0.9 ** 300, v: 1 - 0.999 ** 300 });
      bias.step(slopes([0.5, 0.5], 0.125, x, target).bias, 1);
      const found = (results['next:weight:head.bias']!.data as Float32Array)[0]!;
      expect(Math.abs(found - bias.w) / Math.abs(bias.w - 0.125), `step ${t}`).toBeLessThan(1e-6);
    }
    await session.release();
  });
});

describe('settings of a step', () => {
  test.each([
    [0.5, true],
    [1000, false],
  ])('clip = %d scales all gradients by the global norm', (clip, clips) => {
    const step = trainingStep(differentiate(trainingOf(linear(`optimizer = SGD(lr = 1)\n  clip = ${clip}`))));
    const state = stateOf([step], start);
    const found = runStep(step, state, { ...batch, [stepNames.learningRate]: [1], [stepNames.number]: [1] });
    const wanted = slopes([0.5, -0.25], 0.125, x, target);
    const scale = Math.min(1, clip / (norm(wanted) + 1e-6));
    expect(scale < 1).toBe(clips);
    // The norm is told as it was.
    close([found[stepNames.gradientNorm]!], [norm(wanted)]);
    close(
      state.get('weight:head.weight'),
      [0.5, -0.25].map((w, i) => w - scale * wanted.weight[i]!),
    );
  });

  test('ema averages what the weights become', () => {
    const step = trainingStep(differentiate(trainingOf(linear('optimizer = SGD(lr = 1)\n  ema = 0.75'))));
    const state = stateOf([step], { ...start, 'average:head.weight': [8, 4], 'average:head.bias': [2] });
    runStep(step, state, { ...batch, [stepNames.learningRate]: [0.1], [stepNames.number]: [1] });
    const [w, b] = [state.get('weight:head.weight')!, state.get('weight:head.bias')!];
    close(state.get('average:head.weight'), [0.75 * 8 + 0.25 * w[0]!, 0.75 * 4 + 0.25 * w[1]!]);
    close(state.get('average:head.bias'), [0.75 * 2 + 0.25 * b[0]!]);
  });

  test('groups: the first that matches counts, as a factor or a number', () => {
    const training = trainingOf(
      linear(`optimizer = AdamW(lr = 0.5, weight_decay = 0.5)
  group head.bias { lr = 0.25 }
  group head.* { lr = 0.1x; weight_decay = 0.5x }
  group head { lr = 7x }`),
    );
    const settings = training.weights.map(({ path, lrFactor, weightDecay }) => [path, lrFactor, weightDecay]);
    expect(settings).toEqual([
      ['head.weight', 0.1, 0.25],
      ['head.bias', 0.5, 0],
    ]);
    const step = trainingStep(differentiate(training));
    const state = stateOf([step], start);
    const { weight, bias } = slopes([0.5, -0.25], 0.125, x, target);
    runStep(step, state, { ...batch, [stepNames.learningRate]: [0.5], [stepNames.number]: [1] });
    const numbers = [new AdamWNumber(0.5, 0.25), new AdamWNumber(-0.25, 0.25), new AdamWNumber(0.125, 0)];
    for (const [i, one] of numbers.entries()) one.step([...weight, bias][i]!, i < 2 ? 0.05 : 0.25);
    close(state.get('weight:head.weight'), [numbers[0]!.w, numbers[1]!.w]);
    close(state.get('weight:head.bias'), [numbers[2]!.w]);
  });

  test('what is fixed has no gradient, no state, and stays', () => {
    const step = trainingStep(
      differentiate(trainingOf(linear('optimizer = AdamW(lr = 0.5)\n  ema = 0.5\n  fix head.weight'))),
    );
    expect(step.state.filter(({ path }) => path === 'head.weight')).toMatchObject([
      { kind: 'weight', next: undefined },
    ]);
    expect(step.graph.outputs.map(({ name }) => name)).not.toContain('next:weight:head.weight');
    const state = stateOf([step], start);
    const found = runStep(step, state, { ...batch, [stepNames.learningRate]: [0.5], [stepNames.number]: [1] });
    close([found[stepNames.gradientNorm]!], [Math.abs(slopes([0.5, -0.25], 0.125, x, target).bias)]);
    expect(state.get('weight:head.weight')).toEqual([0.5, -0.25]);
    expect(state.get('weight:head.bias')).not.toEqual([0.125]);
  });

  test('two micro-batches of half the size are a step on the whole batch, of a mean', () => {
    const settings = 'optimizer = AdamW(lr = 0.5, weight_decay = 0.25)\n  clip = 1\n  ema = 0.5';
    const whole = trainingStep(differentiate(trainingOf(linear(settings))));
    const one = stateOf([whole], start);
    const at = { [stepNames.learningRate]: [0.5], [stepNames.number]: [1] };
    const wanted = runStep(whole, one, { ...batch, ...at });

    const half = trainingOf(linear(settings), ['recipe.batch = 2', 'recipe.accumulate = 2']);
    const [accumulate, update] = [
      trainingStep(differentiate(half), { part: 'accumulate' }),
      trainingStep(differentiate(half), { part: 'update' }),
    ];
    const other = stateOf([accumulate, update], start);
    const losses = [0, 1].map(
      (i) =>
        runStep(accumulate, other, { x: x.slice(4 * i, 4 * i + 4), target: target.slice(2 * i, 2 * i + 2) })[
          stepNames.loss
        ]!,
    );
    const found = runStep(update, other, at);
    close(
      [(losses[0]! + losses[1]!) / 2, found[stepNames.gradientNorm]!],
      [wanted[stepNames.loss]!, wanted[stepNames.gradientNorm]!],
    );
    for (const [name, values] of one) close(other.get(name), values);
    // Accumulators are read by the update, and put back to zero by the host.
    expect(update.state.filter(({ kind }) => kind === 'gradient').map(({ next }) => next)).toEqual([
      undefined,
      undefined,
    ]);
    expect(update.graph.inputs.map(({ name }) => name)).not.toContain('x');
    expect(accumulate.graph.inputs.map(({ name }) => name)).not.toContain(stepNames.learningRate);
  });

  test('a weight that the loss does not depend on is left alone, by decay too', () => {
    const source = `
model Two() {
  head = Linear(2, 1)
  other = Linear(2, 1)
  input x: f32[B, 2]
  output y = head(x)
  output z = other(x)
}
recipe plain for Two at B = 4 {
  input target: f32[B, 1]
  term error = mean(square(y - target), "b c ->")
  term constant = 2
  optimizer = AdamW(lr = 0.5, weight_decay = 0.5)
  steps = 10
}`;
    const training = trainingOf(source);
    expect(training.weights.map(({ path }) => path)).toContain('other.weight');
    const names = (part: 'whole' | 'update') =>
      trainingStep(differentiate(training), { part }).state.map(({ path }) => path);
    expect(names('whole')).not.toContain('other.weight');
    expect(names('update')).not.toContain('other.weight');
    const step = trainingStep(differentiate(training));
    const state = stateOf([step], start);
    const found = runStep(step, state, { ...batch, [stepNames.learningRate]: [0.5], [stepNames.number]: [1] });
    close([found[stepNames.loss]! - found['term:error']!, found['term:constant']!], [2, 2]);
  });
});

describe('buffers', () => {
  const samples = [1, 2, 4, 8, 3, -1, 0, 5];
  const normed = (body: string, settings = '') => `
model Net() where 2 <= B {
  norm = BatchNorm(2, momentum = 0.25)
  input x: f32[B, 2, 1, 1]
  ${body}
}
recipe plain for Net at B = 4 {
  input target: f32[B, 2, 1, 1]
  term error = mean(square(y - target), "b c h w ->")
  optimizer = SGD(lr = 0.5)
  steps = 10
  ${settings}
}`;
  const initial = {
    'weight:norm.weight': [1, 1],
    'buffer:norm.running_mean': [10, 20],
    'buffer:norm.running_var': [3, 5],
  };
  const feeds = {
    x: samples,
    target: samples.map(() => 0.5),
    [stepNames.learningRate]: [0.5],
    [stepNames.number]: [1],
  };
  const column = (data: readonly number[], c: number) => data.filter((_, i) => i % 2 === c);
  const mean = (data: readonly number[]) => data.reduce((a, b) => a + b, 0) / data.length;
  const variance = (data: readonly number[], d: number) =>
    data.reduce((sum, one) => sum + (one - mean(data)) ** 2, 0) / (data.length - d);

  test('batch norm moves its statistics, the variance by the unbiased one', () => {
    const step = trainingStep(differentiate(trainingOf(normed('output y = norm(x)'))));
    const state = stateOf([step], initial);
    runStep(step, state, feeds);
    const both = [0, 1].map((c) => column(samples, c));
    close(
      state.get('buffer:norm.running_mean'),
      both.map((data, c) => 0.75 * [10, 20][c]! + 0.25 * mean(data)),
      1e-7,
    );
    close(
      state.get('buffer:norm.running_var'),
      both.map((data, c) => 0.75 * [3, 5][c]! + 0.25 * variance(data, 1)),
      1e-7,
    );
    expect(step.state.filter(({ kind }) => kind === 'buffer').every(({ next }) => next !== undefined)).toBe(true);
  });

  test('applied twice, it goes on from what the first application left', () => {
    const step = trainingStep(differentiate(trainingOf(normed('let a = norm(x)\n  output y = norm(a + x)'))));
    const state = stateOf([step], initial);
    runStep(step, state, feeds);
    const first = [0, 1].map((c) => column(samples, c));
    const normal = (data: readonly number[]) => data.map((v) => (v - mean(data)) / Math.sqrt(variance(data, 0) + 1e-5));
    const second = first.map((data) => normal(data).map((v, i) => v + data[i]!));
    const moved = first.map((data, c) => 0.75 * (0.75 * [10, 20][c]! + 0.25 * mean(data)) + 0.25 * mean(second[c]!));
    close(state.get('buffer:norm.running_mean'), moved, 1e-7);
  });

  test('eval uses the statistics and leaves them, and its weights learn', () => {
    const step = trainingStep(differentiate(trainingOf(normed('output y = norm(x)', 'eval norm.*'))));
    const state = stateOf([step], initial);
    const found = runStep(step, state, feeds);
    const y = samples.map((v, i) => (v - [10, 20][i % 2]!) / Math.sqrt([3, 5][i % 2]! + 1e-5));
    close([found[stepNames.loss]!], [mean(y.map((v) => (v - 0.5) ** 2))], 1e-6);
    expect(state.get('buffer:norm.running_mean')).toEqual([10, 20]);
    expect(state.get('weight:norm.weight')).not.toEqual([1, 1]);
  });

  test('eval of one of two alike leaves the other in training form', () => {
    const source = `
module Pair() {
  inner = BatchNorm(2)
  forward(x: f32[B, 2, 1, 1]) -> f32[B, 2, 1, 1] where 2 <= B { return inner(x) }
}
model Net() where 2 <= B {
  first = Pair()
  second = Pair()
  input x: f32[B, 2, 1, 1]
  output y = second(first(x))
}
recipe plain for Net at B = 4 {
  term error = mean(square(y), "b c h w ->")
  optimizer = SGD(lr = 0.5)
  steps = 10
  eval first.inner
}`;
    const { state } = trainingStep(differentiate(trainingOf(source)));
    const moving = state.filter(({ kind, next }) => kind === 'buffer' && next !== undefined).map(({ path }) => path);
    expect(moving).toEqual(['second.inner.running_mean', 'second.inner.running_var']);
  });

  test('reads behind an update see it, also those behind the call that makes it', () => {
    const source = `
module Counter() {
  param scale: f32[1] ~ ones
  buffer seen: f32[1] = zeros
  method count(x: f32[B, 1]) -> f32[B, 1] {
    if training {
      seen <- seen + 1.0
    }
    return x * scale
  }
  forward(x: f32[B, 1]) -> f32[B, 1] {
    let before = seen
    let y = count(x)
    let once = seen
    if training {
      seen <- seen * 10.0
    }
    return count(y) * 0.0 + before * 10000.0 + once * 100.0 + seen
  }
}
model Net() {
  counter = Counter()
  input x: f32[B, 1]
  output y = counter(x)
}
recipe plain for Net at B = 1 {
  term value = mean(y, "b c ->")
  optimizer = SGD(lr = 0.5)
  steps = 10
}`;
    const step = trainingStep(differentiate(trainingOf(source)));
    const state = stateOf([step], { 'buffer:counter.seen': [3], 'weight:counter.scale': [1] });
    // 3, then 4, times 10, and 41 after the second count, which stands in front of the last read.
    expect(
      runStep(step, state, { x: [2], [stepNames.learningRate]: [0], [stepNames.number]: [1] })[stepNames.loss],
    ).toBe(30000 + 400 + 41);
    expect(state.get('buffer:counter.seen')).toEqual([41]);
  });

  test('one without axes is updated beside another one that is read late', () => {
    const source = `
module Follow() {
  param scale: f32[2] ~ ones
  buffer total: f32[] = zeros
  buffer last: f32[2] = zeros
  forward(x: f32[B, 2]) -> f32[B, 2] {
    if training {
      total <- total + sum(x, "b c ->")
      last <- last + sum(x, "b c -> c")
    }
    return x * scale
  }
}
model Net() {
  follow = Follow()
  input x: f32[B, 2]
  output y = follow(x)
}
recipe plain for Net at B = 2 {
  term value = mean(y, "b c ->")
  term seen = mean(exp(y), "b c ->")
  optimizer = SGD(lr = 0.5)
  steps = 10
}`;
    const step = trainingStep(differentiate(trainingOf(source)));
    const state = stateOf([step], { 'buffer:follow.total': [3], 'weight:follow.scale': [1, 1] });
    runStep(step, state, { x: [1, 2, 4, 8], [stepNames.learningRate]: [0], [stepNames.number]: [1] });
    expect([state.get('buffer:follow.total'), state.get('buffer:follow.last')]).toEqual([[18], [5, 10]]);
  });
});

test('draws of dropout are inputs of the step', async () => {
  const { emitOnnx } = await import('../../compiler/emit/onnx/emit.ts');
  const source = `
model Net() {
  drop = Dropout(0.5)
  head = Linear(2, 1)
  input x: f32[B, 2]
  output y = head(drop(drop(x)))
}
recipe plain for Net at B = 4 {
  term error = mean(square(y), "b c ->")
  optimizer = SGD(lr = 0.5)
  steps = 10
}`;
  const step = trainingStep(differentiate(trainingOf(source)));
  expect(step.draws.map(({ key, shape }) => [key, shape])).toEqual([
    [expect.stringContaining('drop'), [4, 2]],
    [expect.stringContaining('drop'), [4, 2]],
  ]);
  const emitted = emitOnnx(step.graph, { producerVersion: '' });
  expect(emitted.graph.draws).toEqual(step.draws.map(({ name, key }) => ({ name, key })));
  expect(emitted.graph.inputs.map(({ name }) => name)).toEqual(
    expect.arrayContaining(step.draws.map(({ name }) => name)),
  );
  expect(
    trainingStep(differentiate(trainingOf(source.replace('steps = 10', 'steps = 10\n  eval drop')))).draws,
  ).toEqual([]);
});
