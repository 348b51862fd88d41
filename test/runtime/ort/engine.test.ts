import { describe, expect, test } from 'vitest';
import { UserError } from '../../../runtime/files/user-error.ts';
import type { Engine } from '../../../runtime/ort/engine.ts';
import { type NativeSettings, openNativeEngine } from '../../../runtime/ort/native-engine.ts';
import { openNodeEngine } from '../../../runtime/ort/node-engine.ts';
import { openEngine } from '../../../runtime/ort/open-engine.ts';
import { type HostTensor, RunFailure } from '../../../runtime/ort/session.ts';
import { surroundings, within } from '../../../runtime/process/surroundings.ts';
import { powerModel, rowModel, scanModel, squareModel } from './c-api/models.ts';

async function native(settings: NativeSettings): Promise<Engine> {
  const engine = await openNativeEngine('cpu', undefined, settings);
  if ('missing' in engine) throw new Error(engine.missing);
  return engine;
}

const engines = [
  ['onnxruntime-node', async () => openNodeEngine('cpu', undefined)],
  ['the C API with arrays', () => native({ residence: 'arrays' })],
  ['the C API with memory of the device', () => native({ residence: 'device' })],
  ['the C API with captured runs', () => native({ residence: 'device', firstRuns: 3 })],
] as const;
const options = { threads: 1, planMemory: true, captured: true };
const matrix = (...elements: number[]) => ({ dtype: 'f32', shape: [2, 2], data: Float32Array.from(elements) }) as const;

test.each(engines)('%s: bound, read, written and fed tensors', async (_, open) => {
  const engine = await open();
  const model = await engine.open(
    await squareModel(2, ['state', 'rate', 'batch'], {
      next: (build, state, rate, batch) => build.add(state!, build.mul(rate!, batch!)),
      loss: (build, state, _rate, batch) => build.sub(state!, batch!),
    }),
    options,
  );
  expect(model.inputs).toEqual(['state', 'rate', 'batch']);
  const state = await engine.hold(matrix(1, 2, 3, 4));
  const [rate, loss] = [matrix(1, 1, 1, 1), matrix(0, 0, 0, 0)];
  const step = model.bind({
    inputs: { state },
    outputs: { next: state },
    reads: { rate },
    writes: { loss },
  });
  await step({ batch: matrix(1, 1, 1, 1) });
  expect(loss).toEqual(matrix(0, 1, 2, 3));
  rate.data.fill(10);
  await step({ batch: matrix(0, 0, 0, 1) });
  await state.download();
  expect(state.host).toEqual(matrix(2, 3, 4, 15));
  for (const last of [6, 7, 8]) {
    await step({ batch: matrix(0, 0, 0.1, 0) });
    await state.download();
    expect((state.host.data as Float32Array)[2]).toBeCloseTo(last - 1);
  }
  state.host.data.fill(7 as never);
  await state.upload();
  for (let i = 0; i < 3; i++) {
    const batch = matrix(0, i, 0, 0);
    expect(await model.run({ state }, { rate, batch }, 'loss')).toEqual(matrix(7, 7 - i, 7, 7));
  }
  const other = await engine.hold(matrix(1, 1, 1, 1));
  const batch = matrix(1, 0, 0, 0);
  expect(await model.run({ state: other }, { rate, batch }, 'loss')).toEqual(matrix(0, 1, 1, 1));
  expect(await model.run({ state: other }, { rate, batch }, 'next')).toEqual(matrix(11, 1, 1, 1));
  await model.release();
  await engine.release();
});

test.each(engines)('%s: parts of a tensor, and copies', async (_, open) => {
  const engine = await open();
  const model = await engine.open(await squareModel(2, ['x'], { y: (build, x) => build.add(x!, x!) }), options);
  const memory = Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8);
  const whole = await engine.hold({ dtype: 'f32', shape: [9], data: memory });
  const [x, y] = [1, 5].map((from) =>
    whole.part(from, { dtype: 'f32', shape: [2, 2], data: memory.subarray(from, from + 4) }),
  );
  await model.bind({ inputs: { x: x! }, outputs: { y: y! }, reads: {}, writes: {} })({});
  await whole.download();
  expect([...memory]).toEqual([0, 1, 2, 3, 4, 2, 4, 6, 8]);
  await engine.copy([{ from: y!, to: x! }]);
  await whole.download();
  expect([...memory]).toEqual([0, 2, 4, 6, 8, 2, 4, 6, 8]);
  await engine.release();
});

test.each(engines)('%s: what is no model is one line', async (_, open) => {
  const engine = await open();
  const bad = await engine.open(Buffer.from('hello'), options).catch((error: unknown) => error);
  expect(bad).toBeInstanceOf(UserError);
  expect((bad as Error).message).toMatch(/^cannot load the model: [^\n]+$/);
  await engine.release();
});

test.each(engines)('%s: a run that fails is a RunFailure, which training explains', async (_, open) => {
  const engine = await open();
  const model = await engine.open(await rowModel(4), options);
  const row = { dtype: 'f32', shape: [1], data: new Float32Array(1) } as const;
  const run = model.bind({ inputs: {}, outputs: {}, reads: {}, writes: { row } });
  const index = (i: number) => ({ dtype: 'i32', shape: [1], data: Int32Array.of(i) }) as const;
  const rows = { dtype: 'f32', shape: [4], data: Float32Array.of(5, 6, 7, 8) } as const;
  await expect(run({ rows, index: index(7) })).rejects.toThrow(RunFailure);
  await expect(run({ rows, index: index(7) })).rejects.toThrow(
    /^the model cannot run with these inputs: an index in \S+ is 7: must lie in 0\.\.3$/,
  );
  await run({ rows, index: index(2) });
  expect(row.data).toEqual(Float32Array.of(7));
  await engine.release();
});

test.each(engines)('%s: arrays for what is fed and written', async (_, open) => {
  const engine = await open();
  const model = await engine.open(await squareModel(2, ['x'], { y: (build, x) => build.add(x!, x!) }), options);
  const [x, y] = [0, 1].map(() => engine.array({ dtype: 'f32', shape: [2, 2] })) as [HostTensor, HostTensor];
  const run = model.bind({ inputs: {}, outputs: {}, reads: { x }, writes: { y } });
  for (const n of [1, 2, 3]) {
    (x.data as Float32Array).set([n, 0, 1, 2]);
    await run({});
    expect(y).toEqual(matrix(2 * n, 0, 2, 4));
  }
  await engine.release();
});

test('a model tells why its runs are not captured', async () => {
  const reasons = [
    [
      await native({ residence: 'device', firstRuns: 3 }),
      undefined,
      'the model has Scan, of which CUDA graphs have none',
    ],
    [await native({}), 'the device has no CUDA graphs', 'the device has no CUDA graphs'],
    [openNodeEngine('cpu', undefined), 'onnxruntime-node has no CUDA graphs', 'onnxruntime-node has no CUDA graphs'],
  ] as const;
  for (const [engine, plain, scan] of reasons) {
    const model = await engine.open(await powerModel(2, 2), options);
    expect(model.uncaptured).toBe(plain);
    expect((await engine.open(scanModel(), options)).uncaptured).toBe(scan);
    expect((await engine.open(scanModel(), { ...options, captured: false })).uncaptured).toBeUndefined();
    await engine.release();
  }
});

test('the environment turns captured runs off, and a value that means nothing is an error', async () => {
  const opened = (value: string) =>
    within({ ...surroundings(), environment: { CROBC_CUDA_GRAPHS: value } }, async () => {
      const engine = await native({ residence: 'device', firstRuns: 3 });
      const { uncaptured } = await engine.open(await powerModel(2, 2), options);
      await engine.release();
      return uncaptured;
    });
  expect(await opened('on')).toBeUndefined();
  expect(await opened('off')).toBe('CROBC_CUDA_GRAPHS is off');
  await expect(opened('0')).rejects.toThrow(new UserError('CROBC_CUDA_GRAPHS is "0": off or on'));
});

describe('the engine of a device', () => {
  const without = async () => ({ missing: 'koffi is not installed' });

  test('is one of the C API', async () => {
    const opened: unknown[] = [];
    const engine = await openEngine('cpu', { tf32: false }, async (...args) => {
      opened.push(args);
      return openNativeEngine(...args);
    });
    expect(opened).toEqual([['cpu', undefined, { tf32: false }]]);
    expect(engine).toMatchObject({ device: 'cpu', note: undefined });
    await engine.release();
  });

  test('without koffi is onnxruntime-node, with a note where that is much slower', async () => {
    expect(await openEngine('cpu', { tf32: false }, without)).toMatchObject({ device: 'cpu', note: undefined });
    expect(await openEngine('cuda', {}, without)).toMatchObject({
      device: 'cuda',
      note: 'all weights cross the bus at each step, because koffi is not installed',
    });
    expect(await openEngine('cuda', { tf32: false }, without)).toMatchObject({
      note: 'f32 is computed as TF32, and all weights cross the bus at each step, because koffi is not installed',
    });
  });
});
