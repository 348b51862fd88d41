import { NativeDevice } from '../../../../runtime/ort/c-api/device.ts';
import { TINY_MODEL } from '../../../../runtime/ort/session.ts';
import { powerModel } from './models.ts';

/** What process.test.ts runs in a process of its own. */
const [what = ''] = process.argv.slice(2);

const device = await NativeDevice.open({ device: 'cpu' });
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
}
