import { afterEach, describe, expect, test } from 'vitest';
import type { Builder } from '../../../../compiler/graphs/builder.ts';
import { NativeDevice, ShapedRuns } from '../../../../runtime/ort/c-api/device.ts';
import { captureAdvice, cudaGraphsAreOff } from '../../../../runtime/ort/cuda-graphs.ts';
import { TINY_MODEL } from '../../../../runtime/ort/session.ts';
import { surroundings, within } from '../../../../runtime/process/surroundings.ts';
import { scanModel, squareModel } from './models.ts';

const devices: NativeDevice[] = [];

/** The CPU's provider, made to do what is done for CUDA's: other memory than arrays, and a first run of three times. */
async function openDevice(firstRuns = 3): Promise<NativeDevice> {
  const device = await NativeDevice.open({ device: 'cpu', staged: true, firstRuns });
  if ('missing' in device) throw new Error(device.missing);
  devices.push(device);
  return device;
}

afterEach(async () => {
  for (const device of devices.splice(0)) await device.release();
});

const tiny = Buffer.from(TINY_MODEL, 'base64');
const vector = (...elements: number[]) =>
  ({ dtype: 'f32', shape: [elements.length], data: Float32Array.from(elements) }) as const;
const matrix = (...elements: number[]) => ({ dtype: 'f32', shape: [2, 2], data: Float32Array.from(elements) }) as const;
const add = (build: Builder, a: Parameters<Builder['add']>[0], b: typeof a) => build.add(a, b);

describe('a captured run', () => {
  test('updates in place once, also by its first run, which runs the model several times', async () => {
    const device = await openDevice();
    const model = await squareModel(2, ['state', 'batch'], {
      next: (build, state, batch) => add(build, state!, batch!),
      loss: (build, state, batch) => build.mul(state!, batch!),
    });
    const { session, uncaptured } = await device.openCapturing(model);
    expect(uncaptured).toBeUndefined();
    const state = device.allocate(matrix(0, 0, 0, 0));
    await state.write(Float32Array.of(1, 2, 3, 4));
    const loss = device.array(matrix(0, 0, 0, 0));
    const run = session.bind({ inputs: { state }, outputs: { next: state, loss }, captured: true });
    for (const [at, batch] of [matrix(1, 1, 1, 1), matrix(2, 0, 0, 0), matrix(0, 0, 0, 5)].entries()) {
      const before = (await state.read()) as Float32Array;
      await run.run({ batch });
      const added = before.map((one, i) => one + batch.data[i]!);
      expect([at, await state.read()]).toEqual([at, added]);
      expect(loss.host.data).toEqual(before.map((one, i) => one * batch.data[i]!));
    }
  });

  test('updates a part that it reads of memory that it writes', async () => {
    const device = await openDevice();
    const { session } = await device.openCapturing(tiny);
    const whole = device.allocate(vector(0, 0, 0, 0));
    await whole.write(Float32Array.of(1, 2, 3, 4));
    // y = x + x, from the elements 0 and 1 to the elements 1 and 2.
    const [x, y] = [whole.part(0, [2]), whole.part(1, [2])];
    expect([x.overlaps(y), x.overlaps(whole), x.overlaps(whole.part(2, [2]))]).toEqual([true, true, false]);
    const run = session.bind({ inputs: { x }, outputs: { y }, captured: true });
    await run.run();
    expect(await whole.read()).toEqual(Float32Array.of(1, 2, 4, 4));
    await run.run();
    expect(await whole.read()).toEqual(Float32Array.of(1, 2, 4, 4));
  });

  test('that fails leaves what it updates as it was', async () => {
    const device = await openDevice();
    const { session } = await device.openCapturing(tiny);
    const x = device.allocate(vector(1, 2));
    await x.write(Float32Array.of(1, 2));
    const run = session.bind({ inputs: { x }, outputs: { y: x }, captured: true });
    const running = run.run();
    run.cancel();
    await running.catch(() => undefined);
    const after = (await x.read()) as Float32Array;
    expect([
      [1, 2],
      [2, 4],
    ]).toContainEqual([...after]);
    await run.run();
    expect(await x.read()).toEqual(after.map((one) => 2 * one));
  });

  test('does not take other shapes, and fetches nothing', async () => {
    const device = await openDevice();
    const { session } = await device.openCapturing(tiny);
    const run = session.bind({ inputs: {}, outputs: { y: device.array(vector(0, 0)) }, captured: true });
    await run.run({ x: vector(1, 2) });
    await expect(run.run({ x: vector(1) })).rejects.toThrow('bug in crobc: a captured run gets another shape of x');
    expect(() => session.bind({ inputs: {}, outputs: {}, fetched: ['y'], captured: true })).toThrow(/fetches/);
  });
});

test('runs are captured by the shapes of feeds, from the second on', async () => {
  const device = await openDevice();
  const { session } = await device.openCapturing(tiny);
  const runs = new ShapedRuns(session, { inputs: {}, outputs: {}, fetched: ['y'] }, (type) =>
    device.array(device.pinned(type)),
  );
  const given: unknown[] = [];
  for (let turn = 0; turn < 3; turn++)
    for (let size = 1; size <= 10; size++) {
      const x = vector(...Array.from({ length: size }, (_, i) => i + turn));
      const { y } = await runs.run({ x });
      expect(y).toEqual(vector(...[...x.data].map((one) => 2 * one)));
      given.push(y!.data);
    }
  // Results are of their own: later runs do not change them.
  expect(given[15]).toEqual(Float32Array.of(2, 4, 6, 8, 10, 12));
  await runs.release();
});

describe('is not captured:', () => {
  test('a model with control flow', async () => {
    const device = await openDevice();
    const { session, uncaptured } = await device.openCapturing(await scanModel());
    expect(uncaptured).toBe('the model has Scan, of which CUDA graphs have none');
    const x = matrix(1, 2, 3, 4);
    const run = session.bind({ inputs: {}, outputs: {}, fetched: ['y'] });
    expect((await run.run({ x })).y!.data).toEqual(Float32Array.of(2, 4, 6, 8));
  });

  test('anything on the CPU', async () => {
    const device = await NativeDevice.open({ device: 'cpu' });
    if ('missing' in device) throw new Error(device.missing);
    devices.push(device);
    expect((await device.openCapturing(tiny)).uncaptured).toBe('the device has no CUDA graphs');
  });
});

describe('arrays for copies', () => {
  test('are read and written like others, and outlive their device', async () => {
    const device = await openDevice();
    const session = await device.open(tiny);
    const [x, y] = [device.pinned(vector(0, 0, 0)), device.pinned(vector(0, 0, 0))];
    (x.data as Float32Array).set([1, 2, 3]);
    await session.bind({ inputs: { x: device.array(x) }, outputs: { y: device.array(y) } }).run();
    expect(y.data).toEqual(Float32Array.of(2, 4, 6));
    await device.release();
    expect(y.data).toEqual(Float32Array.of(2, 4, 6));
    (x.data as Float32Array).fill(7);
    expect(() => device.pinned(vector(0))).toThrow('bug in crobc: a device is used after its release');
  });

  test.each(['f32', 'f16', 'i32', 'i64', 'u8', 'bool'] as const)('of %s', async (dtype) => {
    const device = await openDevice();
    for (const shape of [[], [3], [2, 0]]) {
      const { data, ...type } = device.pinned({ dtype, shape });
      expect(type).toEqual({ dtype, shape });
      expect(data.length).toBe(shape.reduce((product, d) => product * d, 1));
    }
  });
});

describe('the environment', () => {
  test('turns CUDA graphs off', async () => {
    const device = await openDevice();
    const there = { ...surroundings(), environment: { CROBC_CUDA_GRAPHS: 'off' } };
    const { session, uncaptured } = await within(there, () => device.openCapturing(tiny));
    expect(uncaptured).toBe('CROBC_CUDA_GRAPHS is off');
    expect(await session.bind({ inputs: {}, outputs: {}, fetched: ['y'] }).run({ x: vector(1, 2) })).toEqual({
      y: vector(2, 4),
    });
  });

  test.each([
    [undefined, false],
    ['', false],
    ['on', false],
    ['off', true],
  ])('as %j: %s', (value, off) => {
    expect(cudaGraphsAreOff(value === undefined ? {} : { CROBC_CUDA_GRAPHS: value })).toBe(off);
  });

  test('is refused with another value', () => {
    expect(() => cudaGraphsAreOff({ CROBC_CUDA_GRAPHS: '0' })).toThrow('CROBC_CUDA_GRAPHS is "0": off or on');
  });

  test('is the advice where a capture fails', () => {
    expect(captureAdvice('CUDA failure 900: operation not permitted when stream is capturing')).toContain('=off');
    expect(captureAdvice('CUDA failure 2: out of memory')).toBe('');
  });
});
