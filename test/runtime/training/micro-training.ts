import { expect } from 'vitest';
import { elementCount } from '../../../compiler/ir/tensor-data.ts';
import { seededRandom } from '../../../compiler/ops/random.ts';
import { compileTraining, type Training } from '../../../compiler/training/compile-training.ts';
import { diskHost } from '../../../runtime/files/source-host.ts';
import type { Engine } from '../../../runtime/ort/engine.ts';
import type { Feeds, HostTensor } from '../../../runtime/ort/session.ts';
import { initialState } from '../../../runtime/training/initial-state.ts';
import { openOnnxBackend } from '../../../runtime/training/onnx-backend.ts';
import { statesOf } from '../../../runtime/training/state.ts';
import { stepParts } from '../../../runtime/training/step-parts.ts';

export const sizes = { B: 2, H: 64, W: 64, T: 6 };

/** A batch that a number draws. */
export function batch(n: number): Feeds {
  const { B, H, W, T } = sizes;
  const random = seededRandom(n);
  const f32 = (shape: readonly number[], element: () => number): HostTensor => ({
    dtype: 'f32',
    shape,
    data: Float32Array.from({ length: elementCount(shape) }, element),
  });
  return {
    image: f32([B, 3, H, W], () => 2 * random.real() - 1),
    tokens: {
      dtype: 'i64',
      shape: [B, T],
      data: BigInt64Array.from({ length: B * T }, () => BigInt(1 + Math.floor(40 * random.real()))),
    },
    mask: { dtype: 'bool', shape: [B, T], data: Uint8Array.from({ length: B * T }, (_, i) => +(i % T < 4)) },
    target: f32([B, 1, H, W], () => Number(random.real() < 0.3)),
  };
}

/** The training of CroBIM_micro. */
export function micro(accumulate: number): Training {
  const { training, diagnostics } = compileTraining(diskHost(), 'models/crobim.crob', {
    model: 'CroBIM_micro',
    dims: new Map(Object.entries(sizes)),
    overrides: [`recipe.accumulate=${accumulate}`],
  });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return training!;
}

export const batchesOf = (step: number, accumulate: number) =>
  Array.from({ length: accumulate }, (_, n) => batch(10 * step + n));

export async function openTraining(
  engine: Engine,
  training: Training,
  state?: ReadonlyMap<string, Float32Array>,
  threads = 2,
  recompute: readonly string[] = [],
) {
  const steps = stepParts(training, { backend: 'onnx', recompute });
  const { weights, parts, inference } = training;
  const first = { weights, parts, state: statesOf(steps), seed: 1, weightsFile: undefined, inits: [] };
  const options = { steps, inference, seed: 4, device: 'cpu', threads } as const;
  return openOnnxBackend({ ...options, state: state ?? (await initialState(first)) }, async () => engine);
}
