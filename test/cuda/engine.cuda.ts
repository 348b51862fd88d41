import { expect, test } from 'vitest';
import type { Engine } from '../../runtime/ort/engine.ts';
import { openNativeEngine } from '../../runtime/ort/native-engine.ts';
import { chooseDevice } from '../../runtime/ort/session.ts';
import { squareModel } from '../runtime/ort/c-api/models.ts';
import { counted } from './counts.ts';

async function cuda(): Promise<Engine> {
  const engine = await openNativeEngine('cuda', undefined);
  if ('missing' in engine) throw new Error(engine.missing);
  return engine;
}

const matrix = (...elements: number[]) => ({ dtype: 'f32', shape: [2, 2], data: Float32Array.from(elements) }) as const;

test('CUDA is found and chosen', async () => {
  expect(await chooseDevice('auto')).toEqual({ device: 'cuda', note: 'runs on CUDA' });
});

test('state stays on the device: only what is fed goes up, and only results come down', async () => {
  const engine = await cuda();
  const model = await engine.open(
    await squareModel(2, ['state', 'rate', 'batch'], {
      next: (build, state, rate, batch) => build.add(state!, build.mul(rate!, batch!)),
      loss: (build, state, _rate, batch) => build.mul(state!, batch!),
    }),
    { threads: 1, planMemory: true },
  );
  const state = await engine.hold(matrix(1, 2, 3, 4));
  const [rate, loss] = [matrix(1, 1, 1, 1), matrix(0, 0, 0, 0)];
  const step = model.bind({ inputs: { state }, outputs: { next: state }, reads: { rate }, writes: { loss } });
  await step({ batch: matrix(1, 1, 1, 1) });
  expect(loss).toEqual(matrix(1, 2, 3, 4));
  rate.data.fill(10);
  const counts = await counted(async () => {
    await step({ batch: matrix(0, 0, 0, 1) });
    await step({ batch: matrix(0, 0, 0, 0) });
  });
  expect(counts.copies.up.bytes).toBeLessThanOrEqual(2 * 2 * 16);
  expect(counts.copies.down.bytes).toBe(2 * 16);
  await state.download();
  expect(state.host).toEqual(matrix(2, 3, 4, 15));
  await model.release();
  await engine.release();
});

test('copies on the device are over when a run begins, which is on another stream', async () => {
  const engine = await cuda();
  const from = await engine.hold(matrix(1, 2, 3, 4));
  const to = [await engine.hold(matrix(0, 0, 0, 0)), await engine.hold(matrix(0, 0, 0, 0))];
  const { copies, synchronisations } = await counted(() => engine.copy(to.map((one) => ({ from, to: one }))));
  expect(copies.within).toEqual({ times: 2, bytes: 2 * 16 });
  expect(copies.up.times + copies.down.times).toBe(0);
  expect(synchronisations).toBeGreaterThan(0);
  for (const one of to) {
    await one.download();
    expect(one.host).toEqual(matrix(1, 2, 3, 4));
  }
  await engine.release();
});

test('two engines at a time', async () => {
  const [one, other] = [await cuda(), await cuda()];
  const held = await other.hold(matrix(1, 2, 3, 4));
  await one.release();
  held.host.data.fill(0 as never);
  await held.download();
  expect(held.host).toEqual(matrix(1, 2, 3, 4));
  await other.release();
});
