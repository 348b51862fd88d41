import { expect, test } from 'vitest';
import type { StepGraph } from '../../../compiler/training/step-graph.ts';
import { openNativeEngine } from '../../../runtime/ort/native-engine.ts';
import { ResidentState } from '../../../runtime/training/resident-state.ts';

const long = (1 << 20) + 3;
const sizes = { alone: 5, long, wholly1: 2, wholly2: 3, partly1: 4, partly2: 1 };
const packs = [
  { name: 'wholly', parts: ['wholly1', 'wholly2'], size: 5 },
  { name: 'partly', parts: ['partly1', 'partly2'], size: 5 },
];

test.each(['arrays', 'device'] as const)('sets tensors to zero, and no others: state in %s', async (residence) => {
  const engine = await openNativeEngine('cpu', undefined, { residence });
  if ('missing' in engine) throw new Error(engine.missing);
  const ones = Object.entries(sizes).map(([name, size]) => [name, new Float32Array(size).fill(1)] as const);
  const steps = { whole: { packs } as unknown as StepGraph };
  const state = await ResidentState.hold(engine, new Map([...ones, ['other', Float32Array.of(1, 1)]]), steps);
  for (const [name, shape] of [
    ['other', [2]],
    ['partly2', [1]],
  ] as const)
    await state.tensor(name, shape);
  const clear = await state.clearing([
    { name: 'alone', shape: [5] },
    { name: 'long', shape: [1, long] },
    { name: 'wholly1', shape: [2, 1] },
    { name: 'wholly2', shape: [3] },
    { name: 'partly1', shape: [2, 2] },
  ]);
  for (let times = 0; times < 2; times++) {
    await clear();
    await state.download();
    const kept = [...state.arrays].filter(([, data]) => data.some((element) => element !== 0)).map(([name]) => name);
    expect(kept.sort()).toEqual(['other', 'partly2']);
    expect([...(await state.read()).keys()].sort()).toEqual(['other', 'partly2']);
    await state.write(new Map(ones));
  }
  await engine.release();
});
