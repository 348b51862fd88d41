import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { staticShape } from '../compiler/ir/shapes.ts';
import { compileTraining, type Training } from '../compiler/training/compile-training.ts';
import { diskHost } from '../runtime/files/source-host.ts';
import type { Feeds } from '../runtime/training/backend.ts';
import { draw } from '../runtime/training/draws.ts';
import { initialState } from '../runtime/training/initial-state.ts';
import { openBackend } from '../runtime/training/open-backend.ts';
import { scheduleFactor } from '../runtime/training/schedule.ts';
import { statesOf } from '../runtime/training/state.ts';
import { stepParts } from '../runtime/training/step-parts.ts';
import { writeSafetensors } from '../runtime/weights/safetensors.ts';

export interface ReferenceOptions {
  readonly file: string;
  readonly model: string;
  readonly recipe?: string;
  /** Sizes of dims instead of the recipe's. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly folder: string;
  readonly steps: number;
}

/**
 * Trains a model on random batches in onnxruntime and writes `reference.json` (losses, terms, norms, rates of weights),
 * `before.safetensors` (the state before the last step) and `state.safetensors` (the state behind it, and `logits` of its
 * first batch). Batches are made of the draws of crobc, so that scripts/test-torch-train.py makes the same ones.
 */
export async function writeReference(options: ReferenceOptions): Promise<void> {
  const { file, model, recipe: name, folder, steps } = options;
  const choice = { model, recipe: name, dims: new Map(Object.entries(options.sizes)), overrides: [] };
  const { training, diagnostics } = compileTraining(diskHost(), file, choice);
  if (!training) throw new Error(`${file}: ${diagnostics.map(({ message }) => message).join('; ') || 'no recipe'}`);
  const { recipe } = training;
  const parts = stepParts(training, { backend: 'onnx' });
  const held = statesOf(parts);
  const { seed } = recipe;
  const state = await initialState({ weights: training.weights, state: held, seed, weightsFile: undefined });
  const backend = await openBackend(
    { backend: 'onnx', model, steps: parts, inference: training.inference, seed, device: 'cpu', threads: 2, folder },
    state,
  );
  const results: unknown[] = [];
  const shapes = new Map(held.map((one) => [one.name, one.shape]));
  for (const { path, role, shape } of training.weights)
    shapes.set(`${role === 'buffer' ? 'buffer' : 'weight'}:${path}`, shape);
  const tensors = async () =>
    [...(await backend.read())].flatMap(([key, data]) =>
      key.startsWith('gradient:')
        ? []
        : [{ name: key, dtype: 'F32' as const, shape: shapes.get(key) ?? [], data: () => data }],
    );
  try {
    for (let step = 1; step <= steps; step++) {
      if (step === steps) await writeSafetensors(join(folder, 'before.safetensors'), await tensors());
      const batches = Array.from({ length: recipe.accumulate }, (_, micro) => batchOf(training, step, micro));
      const learningRate = recipe.optimizer.lr * scheduleFactor(recipe.schedule, step - 1, steps);
      results.push({ ...(await backend.step(batches, { learningRate, step })), learningRate });
    }
    const logits = await backend.predict(inputsOf(training, batchOf(training, 1, 0)));
    const learned = new Set(('whole' in parts ? parts.whole : parts.update).learning);
    const predicted = {
      name: 'logits',
      dtype: 'F32' as const,
      shape: logits.shape,
      data: () => Float32Array.from(logits.data as Float32Array),
    };
    await writeSafetensors(join(folder, 'state.safetensors'), [...(await tensors()), predicted]);
    const weights = training.weights.map(({ path, lrFactor, weightDecay }) => ({
      path,
      lrFactor,
      weightDecay,
      learned: learned.has(path),
    }));
    writeFileSync(join(folder, 'reference.json'), JSON.stringify({ model, steps: results, weights }));
  } finally {
    await backend.release();
  }
}

/** The inputs of the model alone. */
function inputsOf({ inference }: Training, feeds: Feeds): Feeds {
  return Object.fromEntries(inference.inputs.map(({ name }) => [name, feeds[name]!]));
}

/** A batch of crobc's draws: pixels in [-1, 1), tokens, phrases of different lengths, and a box as the target. */
function batchOf({ forward }: Training, step: number, micro: number): Feeds {
  const numbers = (name: string, shape: readonly number[]) => draw(`test ${name}`, shape, { seed: 7, step, micro });
  const feeds: Record<string, Feeds[string]> = {};
  for (const { name, value } of forward.inputs) {
    const shape = staticShape(value.type);
    const [samples = 0] = shape;
    if (name === 'image') feeds[name] = { dtype: 'f32', shape, data: numbers(name, shape).map((x) => 2 * x - 1) };
    else if (name === 'tokens') {
      const ids = BigInt64Array.from(numbers(name, shape), (x) => BigInt(Math.floor(x * 2466)));
      feeds[name] = { dtype: 'i64', shape, data: ids };
    } else if (name === 'mask') {
      const words = shape[1] ?? 0;
      const lengths = numbers(name, [samples]).map((x) => 3 + Math.floor(x * (words - 3)));
      const data = Uint8Array.from({ length: samples * words }, (_, i) =>
        Number(i % words < lengths[Math.floor(i / words)]!),
      );
      feeds[name] = { dtype: 'bool', shape, data };
    } else feeds[name] = { dtype: 'f32', shape, data: boxes(numbers(name, [samples, 2]), shape) };
  }
  return feeds;
}

/** A 1 in a box of a third of the height and width of each map; `corners` are from 0 to 1. */
function boxes(corners: Float32Array, [samples = 0, , height = 0, width = 0]: readonly number[]): Float32Array {
  const data = new Float32Array(samples * height * width);
  for (let b = 0; b < samples; b++) {
    const top = Math.floor(corners[2 * b]! * ((2 * height) / 3));
    const left = Math.floor(corners[2 * b + 1]! * ((2 * width) / 3));
    for (let y = top; y < top + Math.floor(height / 3); y++)
      for (let x = left; x < left + Math.floor(width / 3); x++) data[(b * height + y) * width + x] = 1;
  }
  return data;
}
