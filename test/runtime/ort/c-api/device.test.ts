import { afterEach, describe, expect, test } from 'vitest';
import { RunCancelled } from '../../../../runtime/ort/c-api/bound-run.ts';
import { NativeDevice } from '../../../../runtime/ort/c-api/device.ts';
import { NativeFailure } from '../../../../runtime/ort/c-api/native.ts';
import { cudaSettings } from '../../../../runtime/ort/c-api/provider.ts';
import { openNodeSession } from '../../../../runtime/ort/node-session.ts';
import { TINY_MODEL } from '../../../../runtime/ort/tiny-model.ts';
import { powerModel, squareModel } from './models.ts';

const tiny = Buffer.from(TINY_MODEL, 'base64');
const devices: NativeDevice[] = [];

async function openDevice(): Promise<NativeDevice> {
  const device = await NativeDevice.open({ device: 'cpu' });
  if ('missing' in device) throw new Error(device.missing);
  devices.push(device);
  return device;
}

afterEach(async () => {
  for (const device of devices.splice(0)) await device.release();
});

const vector = (...elements: number[]) =>
  ({ dtype: 'f32', shape: [elements.length], data: Float32Array.from(elements) }) as const;
const square = (size: number, data = new Float32Array(size * size)) =>
  ({ dtype: 'f32', shape: [size, size], data }) as const;

/** Elements that differ, and whose products stay finite. */
const some = (size: number) => Float32Array.from({ length: size * size }, (_, i) => Math.sin(i) / size);

describe('bound tensors', () => {
  test('are read and written where they are, run after run', async () => {
    const device = await openDevice();
    const session = await device.open(tiny, { threads: 1 });
    expect(session.inputs).toEqual([{ name: 'x', dtype: 'f32', shape: ['N'] }]);
    expect(session.outputs).toEqual([{ name: 'y', dtype: 'f32', shape: ['N'] }]);
    // A part of a longer array.
    const memory = Float32Array.of(9, 1, 2, 9);
    const x = device.array({ dtype: 'f32', shape: [2], data: memory.subarray(1, 3) });
    const y = device.array(vector(0, 0));
    const run = session.bind({ inputs: { x }, outputs: { y } });
    await run.run();
    expect(y.host.data).toEqual(Float32Array.of(2, 4));
    memory[1] = 5;
    await run.run();
    expect(y.host.data).toEqual(Float32Array.of(10, 4));
    expect(memory).toEqual(Float32Array.of(9, 5, 2, 9));
  });

  test('on the device are written, read and copied', async () => {
    const device = await openDevice();
    const session = await device.open(tiny, { threads: 1 });
    const x = device.allocate(vector(0, 0));
    const y = device.allocate(vector(0, 0));
    expect(x.memory).toBe('device');
    await x.write(Float32Array.of(3, -4));
    const run = session.bind({ inputs: { x }, outputs: { y } });
    await run.run();
    expect(await y.read()).toEqual(Float32Array.of(6, -8));
    await device.copy([{ from: y, to: x }]);
    await run.run();
    const into = new Float32Array(2);
    await y.readInto(into);
    expect(into).toEqual(Float32Array.of(12, -16));
    await expect(device.copy([{ from: device.allocate(vector(0)), to: x }])).rejects.toThrow(/another type or shape/);
    await expect(x.write(Float32Array.of(1))).rejects.toThrow(/an array of 1 elements for the shape \[2\]/);
  });

  test('may be parts of a longer one', async () => {
    const device = await openDevice();
    const session = await device.open(tiny);
    const whole = device.allocate(vector(0, 0, 0, 0, 0));
    await whole.write(Float32Array.of(1, 2, 3, 4, 5));
    const [x, y] = [whole.part(1, [2]), whole.part(3, [2])];
    await session.bind({ inputs: { x }, outputs: { y } }).run();
    expect(await whole.read()).toEqual(Float32Array.of(1, 2, 3, 4, 6));
    expect(await y.read()).toEqual(Float32Array.of(4, 6));
    await x.write(Float32Array.of(7, 8));
    expect(await whole.read()).toEqual(Float32Array.of(1, 7, 8, 4, 6));
    for (const [from, count] of [
      [4, 2],
      [-1, 2],
      [0, 6],
    ] as const)
      expect(() => whole.part(from, [count])).toThrow(/are not a part of \[5\]/);
    const run = session.bind({ inputs: { x }, outputs: { y } });
    const running = run.run();
    expect(() => whole.release()).toThrow('bug in crobc: a tensor that has parts is released during a run');
    await running;
    whole.release();
    await expect(run.run()).rejects.toThrow(/a tensor is used after its release/);
  });

  test('are not needed for outputs that a run returns', async () => {
    const device = await openDevice();
    const model = await squareModel(2, ['a'], {
      twice: (build, a) => build.add(a!, a!),
      squared: (build, a) => build.mul(a!, a!),
      negative: (build, a) => build.neg(a!),
    });
    const session = await device.open(model);
    const squared = device.array(square(2));
    const run = session.bind({ inputs: {}, outputs: { squared }, fetched: ['negative', 'twice'] });
    for (const at of [1, 2]) {
      const a = square(2, Float32Array.of(at, 2, 3, 4));
      expect(await run.run({ a })).toEqual({
        negative: square(2, Float32Array.of(-at, -2, -3, -4)),
        twice: square(2, Float32Array.of(2 * at, 4, 6, 8)),
      });
      expect(squared.host.data).toEqual(Float32Array.of(at * at, 4, 9, 16));
    }
    expect(() => session.bind({ inputs: {}, outputs: {}, fetched: ['other'] })).toThrow(/the model has no other/);
    const open = await device.open(tiny);
    const returned = open.bind({ inputs: {}, outputs: {}, fetched: ['y'] });
    for (const x of [vector(1), vector(1, 2, 3), vector()])
      expect(await returned.run({ x })).toEqual({ y: vector(...[...x.data].map((one) => 2 * one)) });
  });

  test('may be input and output at once', async () => {
    const device = await openDevice();
    const session = await device.open(tiny);
    const x = device.allocate(vector(0, 0));
    await x.write(Float32Array.of(1, 3));
    const run = session.bind({ inputs: { x }, outputs: { y: x } });
    for (let i = 0; i < 3; i++) await run.run();
    expect(await x.read()).toEqual(Float32Array.of(8, 24));
  });

  test('of no elements', async () => {
    const device = await openDevice();
    const session = await device.open(tiny);
    const y = device.allocate({ dtype: 'f32', shape: [0] });
    await session.bind({ inputs: { x: device.array(vector()) }, outputs: { y } }).run();
    expect(await y.read()).toEqual(new Float32Array(0));
  });

  test('an input that is not bound is fed, in any size that the model takes', async () => {
    const device = await openDevice();
    const session = await device.open(tiny);
    for (const x of [vector(1, 2), vector(5)]) {
      const y = device.array(vector(...x.data));
      const run = session.bind({ inputs: {}, outputs: { y } });
      await run.run({ x });
      await run.run({ x: y.host });
      expect([...y.host.data]).toEqual([...x.data].map((one) => 4 * one));
    }
  });

  test('give the same bits as onnxruntime-node', async () => {
    const size = 64;
    const model = await powerModel(size, 5);
    const device = await openDevice();
    const session = await device.open(model, { threads: 2 });
    const [x, y] = [device.array(square(size, some(size))), device.array(square(size))];
    await session.bind({ inputs: { x }, outputs: { y } }).run();
    const other = await openNodeSession(model, { device: 'cpu', note: undefined, threads: 2 });
    expect(y.host.data).toEqual((await other.run({ x: x.host })).y!.data);
    await other.release();
  });
});

test('the nodes of a session by provider', async () => {
  const device = await openDevice();
  const session = await device.open(await powerModel(4, 7), { optimised: false, placement: true });
  expect([...session.placement()]).toEqual([['CPUExecutionProvider', { count: 7, operators: new Set(['MatMul']) }]]);
});

describe('several sessions', () => {
  const models = async () => {
    const size = 96;
    return Promise.all(
      [20, 31].map(async (times) => ({ model: await powerModel(size, times), x: square(size, some(size)), size })),
    );
  };

  const results = async (ofOne: readonly NativeDevice[]) => {
    const runs = await Promise.all(
      (await models()).map(async ({ model, x, size }, i) => {
        const device = ofOne[i % ofOne.length]!;
        const session = await device.open(model, { threads: 1 });
        const y = device.array(square(size));
        return { y, run: session.bind({ inputs: { x: device.array(x) }, outputs: { y } }) };
      }),
    );
    for (let turn = 0; turn < 3; turn++) await Promise.all(runs.map(({ run }) => run.run()));
    return runs.map(({ y }) => y.host.data);
  };

  test('run at once, on the same device and on two', async () => {
    const [one, other] = [await openDevice(), await openDevice()];
    const expected = await Promise.all(
      (await models()).map(async ({ model, x }) => {
        const session = await openNodeSession(model, { device: 'cpu', note: undefined, threads: 1 });
        const { y } = await session.run({ x });
        await session.release();
        return y!.data;
      }),
    );
    expect(await results([one])).toEqual(expected);
    expect(await results([one, other])).toEqual(expected);
  });

  test('share tensors on the device: what one writes, the other reads', async () => {
    const device = await openDevice();
    const twice = await device.open(await squareModel(2, ['a'], { b: (build, a) => build.add(a!, a!) }));
    const squared = await device.open(await squareModel(2, ['a'], { b: (build, a) => build.matmul(a!, a!) }));
    const [state, result] = [device.allocate(square(2)), device.array(square(2))];
    await state.write(Float32Array.of(1, 1, 0, 1));
    const update = twice.bind({ inputs: { a: state }, outputs: { b: state } });
    const read = squared.bind({ inputs: { a: state }, outputs: { b: result } });
    await update.run();
    await read.run();
    expect(result.host.data).toEqual(Float32Array.of(4, 8, 0, 4));
    await twice.release();
    await read.run();
    expect(await state.read()).toEqual(Float32Array.of(2, 2, 0, 2));
  });
});

describe('cancelled', () => {
  test('a run stops between operators, and the next one runs to its end', async () => {
    const size = 192;
    const device = await openDevice();
    const session = await device.open(await powerModel(size, 300), { threads: 1 });
    const x = device.array(
      square(
        size,
        Float32Array.from({ length: size * size }, (_, i) => +(i % (size + 1) === 0)),
      ),
    );
    const y = device.array(square(size));
    const run = session.bind({ inputs: { x }, outputs: { y } });
    const cancelled = run.run();
    run.cancel();
    await expect(cancelled).rejects.toThrow(RunCancelled);
    await run.run();
    expect(y.host.data).toEqual(x.host.data);
    // Without a run in progress, there is nothing to cancel.
    run.cancel();
    await run.run();
  });

  test('the event loop goes on during a run', async () => {
    const device = await openDevice();
    const session = await device.open(await powerModel(192, 300), { threads: 1 });
    const run = session.bind({
      inputs: { x: device.array(square(192)) },
      outputs: { y: device.array(square(192)) },
    });
    const order: string[] = [];
    const whole = run.run().then(() => order.push('run'));
    await new Promise<void>((resolve) => setImmediate(resolve));
    order.push('event');
    await whole;
    expect(order).toEqual(['event', 'run']);
  });

  test('a release waits for the run in progress', async () => {
    const device = await openDevice();
    const size = 192;
    const session = await device.open(await powerModel(size, 50), { threads: 1 });
    const identity = Float32Array.from({ length: size * size }, (_, i) => +(i % (size + 1) === 0));
    const y = device.array(square(size));
    const run = session.bind({ inputs: { x: device.array(square(size, identity)) }, outputs: { y } });
    const running = run.run();
    await device.release();
    expect(y.host.data).toEqual(identity);
    await running;
  });
});

describe('a misuse is an error, not a crash:', () => {
  const bound = async () => {
    const device = await openDevice();
    const session = await device.open(tiny);
    const [x, y] = [device.array(vector(1, 2)), device.allocate(vector(0, 0))];
    return { device, session, x, y, run: session.bind({ inputs: { x }, outputs: { y } }) };
  };

  test.each(['x', 'y'] as const)('a run after the release of the tensor %s', async (which) => {
    const all = await bound();
    all[which].release();
    all[which].release();
    await expect(all.run.run()).rejects.toThrow('bug in crobc: a tensor is used after its release');
    expect(() => all.session.bind({ inputs: {}, outputs: { y: all[which] } })).toThrow(/a tensor is used after/);
  });

  test('a run after the release of its binding, its session or its device', async () => {
    for (const release of ['run', 'session', 'device'] as const) {
      const all = await bound();
      await all[release].release();
      await all[release].release();
      await expect(all.run.run()).rejects.toThrow(/^bug in crobc: (run options|a tensor) (is|are) used after/);
      expect(() => all.run.cancel()).not.toThrow();
    }
  });

  test('anything with a released device', async () => {
    const { device, session, x, y } = await bound();
    await device.release();
    expect(() => session.bind({ inputs: { x }, outputs: { y } })).toThrow(/used after its release/);
    expect(() => session.placement()).toThrow(/used after its release/);
    expect(() => device.array(vector(1))).toThrow(/used after its release/);
    expect(() => device.allocate(vector(1))).toThrow(/used after its release/);
    await expect(device.open(tiny)).rejects.toThrow(/used after its release/);
    await expect(y.read()).rejects.toThrow(/used after its release/);
  });

  test('releases in any order', async () => {
    const orders = [
      ['device', 'session', 'run', 'x', 'y'],
      ['y', 'x', 'run', 'session', 'device'],
      ['session', 'y', 'device', 'run', 'x'],
      ['x', 'device', 'y', 'session', 'run'],
    ] as const;
    for (const order of orders) {
      const all = await bound();
      await all.run.run();
      for (const one of order) await all[one].release();
    }
  });

  test('two runs of one binding at once', async () => {
    const { run, y } = await bound();
    const first = run.run();
    await expect(run.run()).rejects.toThrow(/a run is started while the last one goes on/);
    await first;
    expect(await y.read()).toEqual(Float32Array.of(2, 4));
  });

  test('an array that was transferred', async () => {
    const { x, run } = await bound();
    structuredClone(x.host.data, { transfer: [x.host.data.buffer as ArrayBuffer] });
    await expect(run.run()).rejects.toThrow('bug in crobc: an array of 0 elements for the shape [2]');
  });

  test('tensors that do not fit the model', async () => {
    const device = await openDevice();
    const session = await device.open(await powerModel(3, 1));
    const y = device.array(square(3));
    const ints = device.array({ dtype: 'i32', shape: [3, 3], data: new Int32Array(9) });
    expect(() => session.bind({ inputs: { x: device.array(square(2)) }, outputs: { y } })).toThrow(
      'bug in crobc: x is f32[3, 3], and gets f32[2, 2]',
    );
    expect(() => session.bind({ inputs: { x: ints }, outputs: { y } })).toThrow(
      /x is f32\[3, 3\], and gets i32\[3, 3\]/,
    );
    expect(() => session.bind({ inputs: {}, outputs: { y: ints } })).toThrow(/y is f32\[3, 3\]/);
    expect(() => session.bind({ inputs: { z: y }, outputs: { y } })).toThrow('bug in crobc: the model has no z');
    const run = session.bind({ inputs: {}, outputs: { y } });
    await expect(run.run()).rejects.toThrow('bug in crobc: nothing feeds the input x');
    await expect(run.run({ x: square(2) })).rejects.toThrow(/x is f32\[3, 3\], and gets f32\[2, 2\]/);
    await expect(run.run({ x: square(3), z: square(3) })).rejects.toThrow('bug in crobc: no input z is to be fed');
  });

  test('arrays that do not fit their type', async () => {
    const device = await openDevice();
    expect(() => device.array({ dtype: 'f32', shape: [3], data: new Float32Array(2) })).toThrow(/2 elements/);
    expect(() => device.array({ dtype: 'i64', shape: [2], data: new Float32Array(2) })).toThrow(/is not of i64/);
  });
});

describe('failures of onnxruntime', () => {
  test('are errors with its words', async () => {
    const device = await openDevice();
    await expect(device.open(Buffer.from('hello'))).rejects.toThrow(NativeFailure);
    await expect(device.open(Buffer.from('hello'))).rejects.toThrow(/failed/i);
  });

  test('an output of another size than the run gives', async () => {
    const device = await openDevice();
    const session = await device.open(tiny);
    const run = session.bind({ inputs: { x: device.array(vector(1, 2)) }, outputs: { y: device.array(vector(0)) } });
    await expect(run.run()).rejects.toThrow(NativeFailure);
  });

  test('CUDA where its provider is not installed', async () => {
    const found = await NativeDevice.open({ device: 'cuda', tf32: true }).catch((error: unknown) => error);
    if (found instanceof NativeDevice) await found.release();
    else expect(found).toBeInstanceOf(NativeFailure);
  });
});

test('settings of CUDA’s provider', () => {
  expect(cudaSettings({ tf32: true, captures: true })).toMatchObject({ use_tf32: '1', enable_cuda_graph: '1' });
  expect(cudaSettings({ tf32: false, captures: false })).toMatchObject({ use_tf32: '0', enable_cuda_graph: '0' });
});
