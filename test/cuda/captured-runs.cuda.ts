import { expect, test } from 'vitest';
import { openNativeEngine } from '../../runtime/ort/native-engine.ts';
import { squareModel } from '../runtime/ort/c-api/models.ts';
import { collected } from './collected.ts';
import { counted } from './counts.ts';

const size = 32;
const matrix = (element: number) =>
  ({ dtype: 'f32', shape: [size, size], data: new Float32Array(size * size).fill(element) }) as const;

/** Bytes of this process that are resident, without what JavaScript has left behind. */
async function resident(): Promise<number> {
  await collected();
  return process.memoryUsage.rss();
}

test.each([
  ['captured', true],
  ['plain', false],
])('10,000 %s runs, and as many that return an output, take no memory that stays', async (_, captured) => {
  const engine = await openNativeEngine('cuda', undefined);
  if ('missing' in engine) throw new Error(engine.missing);
  const model = await engine.open(
    await squareModel(size, ['state', 'rate', 'batch'], {
      next: (build, state, rate, batch) => build.add(state!, build.mul(rate!, batch!)),
    }),
    { threads: 1, planMemory: true, captured },
  );
  expect(model.uncaptured).toBeUndefined();
  const state = await engine.hold(matrix(1));
  const other = await engine.hold(matrix(2));
  const rate = engine.array({ dtype: 'f32', shape: [size, size] });
  const step = model.bind({ inputs: { state }, outputs: { next: state }, reads: { rate }, writes: {} });
  const runs = async (times: number) => {
    for (let n = 0; n < times; n++) {
      await step({ batch: matrix(n) });
      await model.run({ state: other }, { rate, batch: matrix(n) }, 'next');
    }
  };
  // The first runs make V8 optimise, and take memory for that.
  await runs(3000);
  const first = await resident();
  const before = await counted(async () => undefined);
  const after = await counted(() => runs(10_000));
  const last = await resident();
  expect(after.graphLaunches).toBe(captured ? 20_000 : 0);
  expect(after.captures).toBe(0);
  expect([after.memory, after.peak]).toEqual([before.memory, before.memory]);
  // 48,000 further runs took between 0.4 and 2.7 MiB.
  expect(last - first).toBeLessThan(4 * 2 ** 20);
  await model.release();
  await engine.release();
});
