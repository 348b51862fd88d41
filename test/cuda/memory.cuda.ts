import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { staticShape } from '../../compiler/ir/shapes.ts';
import { portDType } from '../../compiler/ir/types.ts';
import { compileTraining } from '../../compiler/training/compile-training.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { deviceMemory } from '../../runtime/ort/device-memory.ts';
import { newElements } from '../../runtime/ort/elements.ts';
import { openNativeEngine } from '../../runtime/ort/native-engine.ts';
import { tensorBytes } from '../../runtime/training/device-need.ts';
import { initialState } from '../../runtime/training/initial-state.ts';
import { cublasHandles } from '../../runtime/training/kernel-workspaces.ts';
import { openOnnxBackend } from '../../runtime/training/onnx-backend.ts';
import { statesOf } from '../../runtime/training/state.ts';
import { graphsOf } from '../../runtime/training/step-memory.ts';
import { stepParts } from '../../runtime/training/step-parts.ts';
import { batch, micro, openTraining } from '../runtime/training/micro-training.ts';
import { collected } from './collected.ts';
import { counted } from './counts.ts';

test("the driver says what the GPU has, which is the stand-in's 80 GiB", () => {
  const memory = deviceMemory();
  if ('missing' in memory) throw new Error(memory.missing);
  expect(memory.total).toBe(80 * 2 ** 30);
  expect(memory.free).toBeLessThanOrEqual(memory.total);
});

function usedBytes(): number {
  const memory = deviceMemory();
  if ('missing' in memory) throw new Error(memory.missing);
  return memory.total - memory.free;
}

interface Case {
  readonly dims: Readonly<Record<string, number>>;
  readonly accumulate?: number;
  readonly recompute?: readonly string[];
}

/** The most that was allocated on the device in steps and evaluations of CroBIM_micro, and the estimate, in bytes. */
async function peaks({ dims, accumulate = 1, recompute = [] }: Case) {
  const { training } = compileTraining(diskHost(), 'models/crobim.crob', {
    model: 'CroBIM_micro',
    dims: new Map(Object.entries(dims)),
    overrides: [`recipe.accumulate=${accumulate}`],
  });
  const { weights, parts, inference, forward } = training!;
  const steps = stepParts(training!, { backend: 'onnx', recompute });
  const engine = await openNativeEngine('cuda', undefined);
  if ('missing' in engine) throw new Error(engine.missing);
  const state = await initialState({
    weights,
    parts,
    state: statesOf(steps),
    seed: 1,
    weightsFile: undefined,
    inits: [],
  });
  const options = { steps, inference, seed: 4, device: 'cuda', threads: 2, state } as const;
  const feeds = Object.fromEntries(
    forward.inputs.map(({ name, value: { type } }) => {
      const shape = staticShape(type);
      const dtype = portDType(type.dtype);
      return [name, { dtype, shape, data: newElements(dtype, shape) }];
    }),
  );
  const before = usedBytes();
  const { peak } = await counted(async () => {
    const backend = await openOnnxBackend(options, async () => engine);
    const batches = Array.from({ length: accumulate }, () => feeds);
    for (const step of [1, 2, 3]) await backend.step(batches, { learningRate: 1e-5, step });
    for (const _ of [1, 2, 3]) await backend.predict(feeds);
    await backend.release();
  });
  return { peak: peak - before, needed: tensorBytes(training!, dims.B!, graphsOf(steps)) };
}

/** Where runs are captured, a memory pattern would double what an evaluation takes. */
test.each<Case>([
  { dims: { B: 4 } },
  { dims: { B: 8 } },
  { dims: { B: 4 }, accumulate: 2 },
  { dims: { B: 4 }, recompute: ['backbone.layers.*'] },
  { dims: { B: 8 }, recompute: ['backbone.layers.*', 'mid.layers.*'] },
])('the estimate is at least what the provider takes: %j', async (given) => {
  const { peak, needed } = await peaks(given);
  expect(needed / peak).toBeGreaterThan(0.99);
  expect(needed / peak).toBeLessThan(1.1);
});

test.each([1, 2])(
  'no more handles of cuBLAS are open than workspaces are counted for, with %i micro-batches',
  async (times) => {
    // Earlier engines may have left some open.
    const { blasHandles: before } = await counted(async () => undefined);
    const engine = await openNativeEngine('cuda', undefined);
    if ('missing' in engine) throw new Error(engine.missing);
    const backend = await openTraining(engine, micro(times));
    const { target: _, ...feeds } = batch(0);
    const batches = Array.from({ length: times }, (_none, i) => batch(i));
    const { blasHandles } = await counted(async () => {
      for (const step of [1, 2, 3]) await backend.step(batches, { learningRate: 1e-5, step });
      await backend.predict(feeds);
    });
    await backend.release();
    expect(blasHandles).toBeLessThanOrEqual(before + cublasHandles(times === 1 ? 1 : 2));
  },
);

test('a released engine is closed once its arrays are collected', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const open = async () => (await counted(async () => undefined)).blasHandles;
  const collected = async (wanted: number) => {
    for (let turn = 0; turn < 1000 && (await open()) > wanted; turn++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return open();
  };
  const before = await collected(0);
  const predict = async () => {
    const engine = await openNativeEngine('cuda', undefined);
    if ('missing' in engine) throw new Error(engine.missing);
    const backend = await openTraining(engine, micro(1));
    const { target: _, ...feeds } = batch(0);
    await backend.predict(feeds);
    await backend.release();
  };
  await predict();
  expect(await collected(before)).toBe(before);
});

test('an engine that is released gives its memory back, though an array of it is in use', async () => {
  const used: number[] = [];
  const arrays: unknown[] = [];
  for (let n = 0; n < 3; n++) {
    const engine = await openNativeEngine('cuda', undefined);
    if ('missing' in engine) throw new Error(engine.missing);
    // The array's memory cannot be given back before the array is collected.
    arrays.push(engine.array({ dtype: 'f32', shape: [4] }));
    await engine.hold({ dtype: 'f32', shape: [1 << 24], data: new Float32Array(1 << 24) });
    await engine.hold({ dtype: 'f32', shape: [1 << 23], data: new Float32Array(1 << 23) });
    expect(usedBytes()).toBeGreaterThan(96 * 2 ** 20);
    await engine.release();
    used.push(usedBytes());
  }
  expect(arrays).toHaveLength(3);
  expect(used.at(-1)! - used[0]!).toBeLessThan(8 * 2 ** 20);
});

const most = 48 * 2 ** 20;

/** Releases an engine of which arrays are in use, and returns the bytes of page-locked memory then. */
async function lockedAfterRelease(): Promise<number> {
  const engine = await openNativeEngine('cuda', undefined);
  if ('missing' in engine) throw new Error(engine.missing);
  const arrays = [1 << 22, 1 << 23].map((size) => engine.array({ dtype: 'f32', shape: [size] }));
  const { pageLocked } = await counted(() => engine.release());
  expect(arrays).toHaveLength(2);
  return pageLocked;
}

test('page-locked memory is given back when the arrays of a released engine are collected', async () => {
  for (let n = 0; n < 3; n++) expect(await lockedAfterRelease()).toBeGreaterThanOrEqual(most);
  await expect
    .poll(async () => {
      await collected();
      return (await counted(async () => undefined)).pageLocked;
    })
    .toBeLessThan(most);
});
