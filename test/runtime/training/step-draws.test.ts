import { expect, test } from 'vitest';
import { openNativeEngine } from '../../../runtime/ort/native-engine.ts';
import type { Feeds } from '../../../runtime/ort/session.ts';
import { type DrawKey, draw } from '../../../runtime/training/draws.ts';
import { StepDraws } from '../../../runtime/training/step-draws.ts';

const drawn = [
  { name: 'uniform/a', shape: [2, 3] },
  { name: 'uniform/b', shape: [5] },
];
const key = (step: number, micro = 0): DrawKey => ({ seed: 3, step, micro });

function expectDrawn(feeds: Feeds, of: DrawKey): void {
  for (const { name, shape } of drawn) expect(feeds[name]!.data).toEqual(draw(name, shape, of));
}

test('on a device: the next numbers are made while a run reads the others', async () => {
  const engine = await openNativeEngine('cpu', undefined, { residence: 'device' });
  if ('missing' in engine) throw new Error(engine.missing);
  const draws = new StepDraws(engine, drawn);
  expect(draws.bound).toEqual({});
  const first = draws.take(key(1));
  expectDrawn(first, key(1));
  draws.prepare(key(1, 1));
  expectDrawn(first, key(1));
  const second = draws.take(key(1, 1));
  draws.prepare(key(2));
  expectDrawn(second, key(1, 1));
  // Made for step 2, but another one follows, as after a resume.
  const other = draws.take(key(7));
  expectDrawn(other, key(7));
  expectDrawn(second, key(1, 1));
  await engine.release();
});

test('in arrays: one set, which is bound', async () => {
  const engine = await openNativeEngine('cpu', undefined);
  if ('missing' in engine) throw new Error(engine.missing);
  const draws = new StepDraws(engine, drawn);
  expect(draws.take(key(1))).toEqual({});
  draws.prepare(key(2));
  expectDrawn(draws.bound, key(1));
  draws.take(key(2));
  expectDrawn(draws.bound, key(2));
  await engine.release();
});
