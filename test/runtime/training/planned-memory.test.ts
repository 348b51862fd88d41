// slow: runs steps of CroBIM_micro

import { afterAll, expect, test } from 'vitest';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { indexInputs } from '../../../compiler/graphs/index-check.ts';
import { compileTraining } from '../../../compiler/training/compile-training.ts';
import { stepMemory } from '../../../compiler/training/memory.ts';
import type { StepGraph } from '../../../compiler/training/step.ts';
import { diskHost } from '../../../runtime/files/source-host.ts';
import { encodeOnnx } from '../../../runtime/onnx/onnx-file.ts';
import { NativeDevice } from '../../../runtime/ort/c-api/device.ts';
import { newElements } from '../../../runtime/ort/elements.ts';
import { graphsOf } from '../../../runtime/training/step-memory.ts';
import { stepParts } from '../../../runtime/training/step-parts.ts';

const opened = NativeDevice.open({ device: 'cpu' });

afterAll(async () => {
  const device = await opened;
  if (!('missing' in device)) await device.release();
});

interface Case {
  readonly dims: Readonly<Record<string, number>>;
  readonly accumulate?: number;
  readonly recompute?: readonly string[];
}

function stepsOf({ dims, accumulate = 1, recompute = [] }: Case): readonly StepGraph[] {
  const { training } = compileTraining(diskHost(), 'models/crobim.crob', {
    model: 'CroBIM_micro',
    dims: new Map(Object.entries(dims)),
    overrides: [`recipe.accumulate=${accumulate}`],
  });
  return graphsOf(stepParts(training!, { backend: 'onnx', recompute }));
}

/** The most bytes that onnxruntime's arena had in use while it ran a step. Inputs and outputs are outside it. */
async function measured({ graph, state, packs }: StepGraph): Promise<number> {
  const device = await opened;
  if ('missing' in device) throw new Error(device.missing);
  const emitted = emitOnnx(graph, { producerVersion: '', serialScatter: 2 ** 40, hostChecks: indexInputs(graph) });
  const weights = {
    read(path: string): never {
      throw new Error(path);
    },
  };
  const session = await device.open(await encodeOnnx(emitted, weights), { planMemory: false, threads: 2 });
  const tensors = new Map(
    [...session.inputs, ...session.outputs].map(({ name, dtype, shape }) => {
      const sizes = shape.map(Number);
      return [name, device.array({ dtype, shape: sizes, data: newElements(dtype, sizes) })];
    }),
  );
  // The new state overwrites the old one, as it does in a training.
  for (const { name, next } of [...state, ...packs]) {
    const [from, to] = [tensors.get(name), next === undefined ? undefined : tensors.get(next)];
    if (from && to) tensors.set(next!, from);
  }
  const bind = (ports: typeof session.inputs) =>
    Object.fromEntries(ports.map(({ name }) => [name, tensors.get(name)!]));
  const run = session.bind({ inputs: bind(session.inputs), outputs: bind(session.outputs) });
  await run.run();
  await run.run();
  const peak = session.peakMemory();
  await session.release();
  return peak!;
}

/**
 * The estimate takes each result as a buffer of its own, where some kernels overwrite an operand, so it is above what is
 * measured: by 4 to 7 %, and by more where small tensors count. It is below where a kernel needs memory of its own.
 */
test.each<Case>([
  { dims: { B: 4 } },
  { dims: { B: 4 }, recompute: ['backbone.layers.*', 'mid.layers.*'] },
  { dims: { B: 4 }, accumulate: 2, recompute: ['backbone.layers.*'] },
  { dims: { B: 8 } },
])('the estimate is what onnxruntime holds: %j', async (given) => {
  const steps = stepsOf(given);
  const { working } = stepMemory(steps, 'onnx');
  const real: number[] = [];
  for (const step of steps) real.push(await measured(step));
  const all = real.reduce((sum, bytes) => sum + bytes, 0);
  expect(working / all).toBeGreaterThan(0.97);
  expect(working / all).toBeLessThan(1.1);
});
