import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NativeDevice } from '../../../../runtime/ort/c-api/device.ts';
import { loadNative } from '../../../../runtime/ort/c-api/native.ts';
import { onnxRuntimeLibrary } from '../../../../runtime/ort/library-path.ts';
import { loadKoffi } from '../../../../runtime/ort/load-koffi.ts';
import { openNodeSession } from '../../../../runtime/ort/node-session.ts';
import { carryOut, planCuda } from '../../../../runtime/ort/ready-cuda.ts';
import { TINY_MODEL } from '../../../../runtime/ort/tiny-model.ts';
import { powerModel } from './models.ts';

/** What process.test.ts runs in a process of its own. */
const [what = '', on] = process.argv.slice(2);

if (what === 'linked') {
  // The provider of a wheel: onnxruntime is loaded from a folder of links, before onnxruntime-node.
  const [, folder = ''] = process.argv.slice(2);
  const koffi = loadKoffi();
  if ('missing' in koffi) throw new Error(koffi.missing);
  const { path: library, version } = onnxRuntimeLibrary()!;
  const environment = { VIRTUAL_ENV: join(folder, 'venv') };
  const plan = planCuda({ library, version, environment, system: [], links: join(folder, 'links') });
  carryOut(plan, (path) => koffi.load(path));
  const opened = await openNodeSession(Buffer.from(TINY_MODEL, 'base64'), { device: 'cpu', note: undefined });
  await opened.release();
  const maps = readFileSync('/proc/self/maps', 'utf8');
  const libraries = new Set([...maps.matchAll(/\S*libonnxruntime\.so\S*/g)].map(([path]) => path));
  const native = loadNative();
  if ('missing' in native) throw new Error(native.missing);
  let failure = '';
  try {
    const options = new BigUint64Array(1);
    native.call('CreateCUDAProviderOptions', options);
    native.call('UpdateCUDAProviderOptions', options[0]!, ['device_id'], ['0'], 1);
  } catch (error) {
    failure = String(error);
  }
  console.log(JSON.stringify({ libraries: libraries.size, failure }));
  process.exit();
}

const device = await NativeDevice.open(on === 'cuda' ? { device: on, tf32: true } : { device: 'cpu' });
if ('missing' in device) throw new Error(device.missing);

const matrix = (size: number) =>
  device.array({ dtype: 'f32', shape: [size, size], data: new Float32Array(size * size) });

switch (what) {
  case 'exit in a run':
  case 'end without a release': {
    const size = 512;
    const session = await device.open(await powerModel(size, 400), { threads: 1 });
    const run = session.bind({ inputs: { x: matrix(size) }, outputs: { y: matrix(size) } });
    const other = await device.open(Buffer.from(TINY_MODEL, 'base64'));
    const x = device.allocate({ dtype: 'f32', shape: [4] });
    const small = other.bind({ inputs: { x }, outputs: { y: x } });
    await small.run();
    if (what === 'exit in a run') {
      void run.run();
      // The second waits for the first, and never begins.
      void small.run();
      setImmediate(() => process.exit(7));
    }
    break;
  }
  case 'memory': {
    const session = await device.open(Buffer.from(TINY_MODEL, 'base64'), { threads: 1 });
    const count = 16_384;
    const y = device.allocate({ dtype: 'f32', shape: [count] });
    const run = session.bind({ inputs: {}, outputs: { y } });
    const rss: number[] = [];
    for (let n = 0; n < 20_000; n++) {
      await run.run({ x: { dtype: 'f32', shape: [count], data: new Float32Array(count) } });
      if (n % 4 === 0) {
        const kept = device.allocate({ dtype: 'f32', shape: [count] });
        const bound = session.bind({ inputs: { x: y }, outputs: { y: kept } });
        await bound.run();
        await bound.release();
        kept.release();
      }
      if ((n + 1) % 5_000 === 0) {
        (globalThis as { gc?: () => void }).gc!();
        rss.push(process.memoryUsage.rss());
      }
    }
    console.log(JSON.stringify(rss));
    await device.release();
    break;
  }
  case 'pinned arrays': {
    const count = 8 * 2 ** 20;
    const rss: number[] = [];
    for (let n = 0; n < 20; n++) {
      const one = await NativeDevice.open({ device: 'cpu', staged: true });
      if ('missing' in one) throw new Error(one.missing);
      const { data } = one.pinned({ dtype: 'f32', shape: [count] });
      (data as Float32Array).fill(n);
      await one.release();
      for (let times = 0; times < 3; times++) {
        (globalThis as { gc?: () => void }).gc!();
        await new Promise((resolve) => setImmediate(resolve));
      }
      rss.push(process.memoryUsage.rss());
    }
    console.log(JSON.stringify(rss));
    await device.release();
    break;
  }
}
