import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';
import { NativeDevice } from '../../runtime/ort/c-api/device.ts';
import { powerModel } from '../runtime/ort/c-api/models.ts';
import { counted } from './counts.ts';

async function openDevice(): Promise<NativeDevice> {
  const device = await NativeDevice.open({ device: 'cuda', tf32: true });
  if ('missing' in device) throw new Error(device.missing);
  return device;
}

const floats = (count: number) => ({ dtype: 'f32', shape: [count], data: new Float32Array(count).fill(1) }) as const;

test('a tensor that is released while it is copied stays until then', async () => {
  const device = await openDevice();
  const { copies } = await counted(async () => {
    for (let n = 0; n < 100; n++) {
      const [tensor, whole] = [device.allocate(floats(1 << 16)), device.allocate(floats(1 << 16))];
      const part = whole.part(1 << 10, [1 << 10]);
      const data = new Float32Array(1 << 16);
      const copying = [tensor.write(floats(1 << 16).data), tensor.readInto(data), part.write(floats(1 << 10).data)];
      tensor.release();
      whole.release();
      // They would get the memory of what is gone.
      const others = Array.from({ length: 10 }, () => device.allocate(floats(16)));
      await Promise.all(copying);
      expect(data.every((one) => one === 1)).toBe(true);
      await expect(tensor.read()).rejects.toThrow('bug in crobc: a tensor is used after its release');
      await expect(part.read()).rejects.toThrow('bug in crobc: a tensor is used after its release');
      for (const other of others) other.release();
    }
  });
  expect(copies.up.times).toBe(200);
  await device.release();
});

test('bound arrays that are released during a run stay until it ends', async () => {
  const device = await openDevice();
  const size = 64;
  const matrix = () => device.array({ dtype: 'f32', shape: [size, size], data: new Float32Array(size * size) });
  const session = await device.open(await powerModel(size, 20));
  for (let n = 0; n < 100; n++) {
    const [x, y] = [matrix(), matrix()];
    const run = session.bind({ inputs: { x }, outputs: { y } });
    const running = run.run();
    y.release();
    x.release();
    const others = Array.from({ length: 10 }, matrix);
    await running;
    await expect(run.run()).rejects.toThrow('bug in crobc: a tensor is used after its release');
    for (const other of others) other.release();
    await run.release();
  }
  await device.release();
});

test.each([
  ['exit in a run', 7],
  ['end without a release', 0],
])('a process ends with everything open: %s', async (what, code) => {
  const { bundleSource } = await import('../../scripts/bundle-source.mjs');
  const file = await bundleSource('test/runtime/ort/c-api/process.ts');
  const ended = await new Promise((resolve) => {
    execFile(process.execPath, ['--expose-gc', file, what, 'cuda'], (error, out, err) =>
      resolve({ code: error?.signal ?? error?.code ?? 0, out, err }),
    );
  });
  expect(ended).toEqual({ code, out: '', err: '' });
});
