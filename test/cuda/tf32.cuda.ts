import { expect, test } from 'vitest';
import { openNativeEngine } from '../../runtime/ort/native-engine.ts';
import { openSession, type Session } from '../../runtime/ort/session.ts';
import { powerModel } from '../runtime/ort/c-api/models.ts';
import { counted } from './counts.ts';

const x = { dtype: 'f32', shape: [4, 4], data: new Float32Array(16) } as const;

/** How often cuBLAS was told to round factors, in a run of a session with a product. */
async function roundedIn(session: Session): Promise<number> {
  const { tf32Modes } = await counted(() => session.run({ x }));
  await session.release();
  return tf32Modes;
}

test.each([
  [true, undefined],
  [true, true],
  [false, false],
])('a session is in TF32: %j, where it is asked for %j', async (rounds, tf32) => {
  const session = await openSession(await powerModel(4, 2), {
    device: 'cuda',
    ...(tf32 === undefined ? {} : { tf32 }),
  });
  expect(session.tf32).toBe(rounds);
  expect((await roundedIn(session)) > 0).toBe(rounds);
});

test('sessions with and without TF32 are open at once', async () => {
  const model = await powerModel(4, 2);
  const [rounded, exact] = [
    await openSession(model, { device: 'cuda' }),
    await openSession(model, { device: 'cuda', tf32: false }),
  ];
  expect(await roundedIn(exact)).toBe(0);
  expect(await roundedIn(rounded)).toBeGreaterThan(0);
});

test('without koffi, TF32 cannot be switched off, which a note says', async () => {
  const model = await powerModel(4, 2);
  const open = (tf32: boolean) =>
    openSession(model, { device: 'cuda', tf32 }, async () => ({ missing: 'koffi is not installed' }));
  const [rounded, exact] = [await open(true), await open(false)];
  expect(rounded).toMatchObject({ tf32: true, note: 'without CUDA graphs, because koffi is not installed' });
  const note = 'f32 is computed as TF32, and runs are without CUDA graphs, because koffi is not installed';
  expect(exact).toMatchObject({ tf32: true, note });
  expect(await roundedIn(exact)).toBeGreaterThan(0);
  await rounded.release();
});

test.each([true, false])('an engine, as of a training, is in TF32: %j', async (tf32) => {
  const engine = await openNativeEngine('cuda', undefined, { tf32 });
  if ('missing' in engine) throw new Error(engine.missing);
  const model = await engine.open(await powerModel(4, 2), { threads: 1, planMemory: true });
  const { tf32Modes } = await counted(() => model.run({}, { x }, 'y'));
  expect(tf32Modes > 0).toBe(tf32);
  await model.release();
  await engine.release();
});
