import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { verify } from '../../compiler/graphs/verify.ts';
import { compileTraining, type Training } from '../../compiler/training/compile-training.ts';
import { differentiate } from '../../compiler/training/differentiated.ts';
import { trainingStep } from '../../compiler/training/step.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import type { HostTensor } from '../../runtime/ort/session.ts';
import type { StepResult } from '../../runtime/training/backend.ts';
import { initialState } from '../../runtime/training/initial-state.ts';
import { openOnnxBackend } from '../../runtime/training/onnx-backend.ts';
import { firstNotFinite, statesOf } from '../../runtime/training/state.ts';
import { stepParts } from '../../runtime/training/step-parts.ts';
import { imageOf, product, startOf, uniformOf } from './formula.ts';

interface GoldenStep {
  readonly loss: number;
  /** Null if it is not finite. */
  readonly norm: number | null;
  readonly scale: number;
}

const goldens: Readonly<Record<string, readonly GoldenStep[]>> = JSON.parse(
  readFileSync('test/goldens/mixed.json', 'utf8'),
);

const { training } = compileTraining(diskHost(), 'test/goldens/mixed.crob', { dims: new Map(), overrides: [] });
const shape = [4, 8, 16];

const f32 = (shape: readonly number[], data: Float32Array): HostTensor => ({ dtype: 'f32', shape, data });
const batch = (step: number) => ({
  x: f32(shape, imageOf(`x ${step}`, product(shape))),
  target: f32(
    [4, 8, 1],
    uniformOf(`target ${step}`, 32).map((u) => Number(u < 0.3)),
  ),
});

/** A training on the CPU, where half precision is emulated. */
async function opened(training: Training, type: 'f32' | 'bf16' | 'f16', scale?: number) {
  const half = type === 'f32' ? undefined : { type, emulated: true };
  const steps = stepParts(training, { backend: 'onnx', half });
  const { weights, parts, inference } = training;
  const state = await initialState({ weights, parts, state: statesOf(steps), seed: 1, weightsFile: undefined });
  for (const { path, shape } of weights) state.get(`weight:${path}`)!.set(startOf(path, shape));
  if (scale !== undefined) state.get('scaler:scale')![0] = scale;
  return openOnnxBackend({ steps, inference, state, seed: 1, device: 'cpu', threads: 1 });
}

/** Ten steps. */
async function trained(type: 'f32' | 'bf16' | 'f16', scale?: number): Promise<readonly StepResult[]> {
  const backend = await opened(training!, type, scale);
  const results: StepResult[] = [];
  for (let step = 0; step < 10; step++)
    results.push(await backend.step([batch(step)], { learningRate: 0.003, step: step + 1 }));
  await backend.release();
  return results;
}

/**
 * PyTorch's products round once behind the bias, and ours behind the product as well, so each differs from f32 by its own
 * rounding: by up to 3e-4 of the loss in bf16 and 6e-5 in f16, which is what the tolerances allow. In f32, and in which steps
 * overflow, there is no such difference.
 */
describe('ten steps are those of PyTorch', () => {
  test.each([
    ['f32', 'f32', undefined, 5e-7, 5e-7],
    ['bf16', 'bf16', undefined, 5e-4, 4e-3],
    ['f16', 'f16', undefined, 6e-5, 5e-4],
    ['f16 from 2^22', 'f16', 2 ** 22, 6e-5, 5e-4],
  ] as const)('%s', async (name, type, scale, ofLoss, ofNorm) => {
    const found = await trained(type, scale);
    for (const [i, { loss, norm, scale }] of goldens[name]!.entries()) {
      const one = found[i]!;
      expect(Math.abs(one.loss / loss - 1), `loss of step ${i}`).toBeLessThan(ofLoss);
      if (norm !== null) expect(Math.abs(one.gradientNorm / norm - 1), `norm of step ${i}`).toBeLessThan(ofNorm);
      else expect(one.gradientNorm, `norm of step ${i}`).not.toSatisfy(Number.isFinite);
      if (type === 'f16') expect(one.scaling, `scale of step ${i}`).toEqual({ scale, skipped: norm === null });
    }
  });

  test('of which those in half precision differ from those in f32', async () => {
    const [f32, bf16, f16] = await Promise.all((['f32', 'bf16', 'f16'] as const).map((type) => trained(type)));
    const away = (some: readonly StepResult[]) =>
      Math.max(...some.map(({ loss }, i) => Math.abs(loss - f32![i]!.loss)));
    expect(away(bf16!)).toBeGreaterThan(5e-5);
    expect(away(f16!)).toBeGreaterThan(5e-6);
    expect(away(bf16!)).toBeGreaterThan(4 * away(f16!));
  });
});

test('a step of micro-batches that overflows leaves state that is finite', async () => {
  const compiled = compileTraining(diskHost(), 'test/goldens/mixed.crob', {
    ...{ dims: new Map(), overrides: ['recipe.accumulate=2'] },
  });
  const backend = await opened(compiled.training!, 'f16', 2 ** 30);
  const { scaling } = await backend.step([batch(0), batch(1)], { learningRate: 0.003, step: 1 });
  expect(scaling).toEqual({ scale: 2 ** 30, skipped: true });
  expect(await firstNotFinite(await backend.read())).toBeUndefined();
  await backend.release();
});

describe('the graph of a step', () => {
  const graphIn = (type: 'bf16' | 'f16') => {
    const { graph } = trainingStep(differentiate(training!, [], {}, { type, emulated: false }));
    expect(verify(graph)).toEqual([]);
    return graph;
  };
  const dtypes = (type: 'bf16' | 'f16', op: string) =>
    new Set(graphIn(type).nodes.flatMap((node) => (node.op === op ? [node.outputs[0]!.type.dtype] : [])));

  test.each(['bf16', 'f16'] as const)('has products in %s, and norms, softmax, sums and losses in f32', (type) => {
    expect(dtypes(type, 'matmul')).toEqual(new Set([type]));
    for (const op of ['layer_norm', 'softmax', 'sum', 'mean', 'softplus', 'exp'])
      expect(dtypes(type, op)).toEqual(new Set(['f32']));
  });

  test('has inputs and outputs in f32, and casts each weight once', () => {
    const graph = graphIn('bf16');
    for (const { name, value } of [...graph.inputs, ...graph.outputs])
      expect([name, value.type.dtype]).toEqual([name, name === 'step:number' ? 'i32' : 'f32']);
    const weights = graph.inputs.filter(
      ({ name }) => /^weight:.*\.weight$/.test(name) && name !== 'weight:norm.weight',
    );
    expect(weights).toHaveLength(6);
    for (const { value } of weights) {
      const casts = graph.nodes.filter(({ op, inputs }) => op === 'cast' && inputs[0] === value);
      expect(casts).toHaveLength(1);
    }
  });
});
