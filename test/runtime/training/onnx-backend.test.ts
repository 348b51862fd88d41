import { describe, expect, test } from 'vitest';
import { UserError } from '../../../runtime/files/user-error.ts';
import type { Engine } from '../../../runtime/ort/engine.ts';
import { openNativeEngine } from '../../../runtime/ort/native-engine.ts';
import type { HostTensor } from '../../../runtime/ort/session.ts';
import { openOnnxBackend } from '../../../runtime/training/onnx-backend.ts';
import { rows, ToyReference, toyFeeds, toyInference, toyState, toySteps, width } from './toy.ts';

const open = (options: Parameters<typeof toySteps>[0] = {}, state = toyState()) =>
  openOnnxBackend({
    steps: toySteps(options),
    inference: toyInference(),
    state,
    seed: 5,
    device: 'cpu',
    threads: 1,
  });

describe.each([1, 3])('steps of %i micro-batches', (times) => {
  test('do what float64 loops do, with the same draws', async () => {
    const backend = await open({ times });
    const reference = new ToyReference();
    for (let step = 1; step <= 20; step++) {
      const batches = Array.from({ length: times }, (_, micro) => toyFeeds(step * 10 + micro));
      const scalars = { learningRate: 0.1 / step, step };
      const found = await backend.step(batches, scalars);
      const wanted = reference.step(batches, scalars, 5);
      expect(found.loss).toBeCloseTo(wanted.loss, 4);
      expect(found.terms).toEqual({ square: found.loss });
      expect(found.gradientNorm).toBeCloseTo(wanted.gradientNorm, 4);
    }
    const state = await backend.read();
    // The toy's state has it without micro-batches too, where it is no sum.
    expect(state.has('gradient:w')).toBe(times === 1);
    for (let i = 0; i < width; i++) {
      expect(state.get('weight:w')![i]).toBeCloseTo(reference.w[i]!, 4);
      expect(state.get('moment:w')![i]).toBeCloseTo(reference.m[i]!, 4);
    }
    await backend.release();
  });
});

test('arrays for feeds are of the engine, or of ordinary memory where it has no more, and none after the release', async () => {
  const engine = await openNativeEngine('cpu', undefined, { residence: 'device' });
  if ('missing' in engine) throw new Error(engine.missing);
  const given: HostTensor[] = [];
  const small: Engine = {
    ...engine,
    array(type) {
      if (type.shape[0] === 1000) throw new UserError('not enough memory');
      given.push(engine.array(type));
      return given.at(-1)!;
    },
  };
  const options = { steps: toySteps(), inference: toyInference(), state: toyState(), seed: 5, threads: 1 } as const;
  const backend = await openOnnxBackend({ ...options, device: 'cpu' }, async () => small);
  const pool = backend.feedArrays!;
  expect(given).toContain(pool.take({ dtype: 'f32', shape: [3] }));
  for (const dtype of ['f32', 'i64'] as const) {
    const { data, ...type } = pool.take({ dtype, shape: [1000, 2] });
    expect(type).toEqual({ dtype, shape: [1000, 2] });
    expect(data).toHaveLength(2000);
  }
  await backend.release();
  expect(() => pool.take({ dtype: 'f32', shape: [3] })).toThrow('bug in crobc: a device is used after its release');
});

test('state is updated in its own arrays, and predictions follow it', async () => {
  const state = toyState();
  const w = state.get('weight:w')!;
  const backend = await open({}, state);
  const { image } = toyFeeds(1);
  const predicted = async () => {
    const { data, shape } = await backend.predict({ image: image! });
    expect(shape).toEqual([rows, 1]);
    return [...(data as Float32Array)];
  };
  const product = () =>
    Array.from({ length: rows }, (_, r) =>
      Array.from({ length: width }, (_, i) => (image!.data[r * width + i] as number) * w[i]!).reduce(
        (a, b) => a + b,
        0,
      ),
    );
  for (let step = 1; step <= 2; step++) {
    const before = [...w];
    await backend.step([toyFeeds(step)], { learningRate: 0.1, step });
    expect([...w]).not.toEqual(before);
    for (const [i, y] of (await predicted()).entries()) expect(y).toBeCloseTo(product()[i]!, 5);
  }
  await backend.write(new Map([['weight:w', new Float32Array(width)]]));
  expect([...w]).toEqual([0, 0, 0, 0]);
  expect(await predicted()).toEqual([0, 0, 0]);
  await backend.release();
});

test('averages stand for weights in predictions', async () => {
  const state = toyState();
  state.set('average:w', new Float32Array(width).fill(1));
  const backend = await open({}, state);
  const { image } = toyFeeds(1);
  const { data } = await backend.predict({ image: image! });
  expect(data[0]).toBeCloseTo(
    [0, 1, 2, 3].reduce((sum, i) => sum + Math.sin(31 + i), 0),
    5,
  );
  await backend.release();
});

describe('what first is not finite', () => {
  const scalars = { learningRate: 0.1, step: 1 };
  const waiting = () => false;

  test('is the operator that made it, with its path', async () => {
    const state = toyState([-1, -1, -1, -1]);
    const backend = await open({ broken: true }, state);
    const found = await backend.look.inStep([toyFeeds(1)], scalars, waiting);
    expect(found).toMatchObject({ op: 'log', made: 'NaN', origin: { path: 'head.extra' } });
    await backend.release();
  });

  test('is an overflow, not the difference of infinities that it leads to', async () => {
    const backend = await open({}, toyState([3e38, 3e38, 3e38, 3e38]));
    const found = await backend.look.inStep([toyFeeds(1)], scalars, waiting);
    expect(found).toMatchObject({ made: 'Inf', origin: { path: 'head' } });
    expect(['matmul', 'mul']).toContain(found!.op);
    await backend.release();
  });

  test('comes with its micro-batch', async () => {
    const backend = await open({ times: 3 });
    const bad = toyFeeds(3);
    (bad.target!.data as Float32Array)[1] = 3e38;
    const found = await backend.look.inStep([toyFeeds(1), toyFeeds(2), bad], scalars, waiting);
    expect(found).toMatchObject({ op: 'mul', made: 'Inf', micro: 2 });
    await backend.release();
  });

  test('in predictions', async () => {
    const backend = await open({}, toyState([3e38, 3e38, 3e38, 3e38]));
    const { image } = toyFeeds(1);
    expect(await backend.look.inPrediction({ image: image! }, waiting)).toMatchObject({ op: 'matmul', made: 'Inf' });
    await backend.write(new Map([['weight:w', new Float32Array(width)]]));
    expect(await backend.look.inPrediction({ image: image! }, waiting)).toBe(undefined);
    await backend.release();
  });

  test('is nothing in a good step', async () => {
    const backend = await open();
    expect(await backend.look.inStep([toyFeeds(1)], scalars, waiting)).toBe(undefined);
    await backend.release();
  });
});
