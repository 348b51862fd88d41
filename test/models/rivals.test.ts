// slow: compiles and trains every rival

import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { tensor } from '../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { compileTraining } from '../../compiler/training/compile-training.ts';
import { differentiate } from '../../compiler/training/differentiated.ts';
import { trainingStep } from '../../compiler/training/step.ts';
import { stepNames } from '../../compiler/training/step-graph.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { weightsOf } from '../../runtime/weights/graph-weights.ts';
import { initialWeights } from '../../runtime/weights/initialise.ts';
import { emitted } from '../emit/onnx/graphs.ts';
import { openOnnx } from '../emit/onnx/session.ts';
import { countParameters } from '../stdlib/goldens.ts';
import { imageOf, startOf, uniformOf } from '../training/formula.ts';
import { graphOf, type Rival, rivals } from './rivals.ts';

const host = diskHost();

test('every file of models/rivals/ is in the table, and all check without a message', () => {
  const files = readdirSync('models/rivals').filter((name) => name.endsWith('.crob'));
  expect(files.sort()).toEqual(rivals.map(({ file }) => `${file}.crob`).sort());
  const { diagnostics } = check(
    host,
    files.map((name) => `models/rivals/${name}`),
  );
  expect(diagnostics.map((d) => `${d.code} ${d.span.file} ${d.message}`)).toEqual([]);
});

describe('weights are as many as in the published code', () => {
  test.each(rivals.filter(({ published }) => published !== undefined))('$model', (rival) => {
    const left = (rival.left ?? []).reduce((sum, [count]) => sum + count, 0);
    const { total, parts } = countParameters(graphOf(rival.file, rival.model, { training: true }));
    const given = rival.given === undefined ? 0 : parts.get(rival.given)!;
    expect(total - given + left).toBe(rival.published);
  });
});

function inputsOf({ sizes: { B, H, W, T } }: Rival): Map<string, TensorData> {
  const tokens = uniformOf('tokens', B * T).map((u) => 1 + Math.floor(u * 2000));
  // The second phrase is shorter.
  const mask = Uint8Array.from({ length: B * T }, (_, i) => Number(i < T || i % T < T - 3));
  return new Map([
    ['image', tensor('f32', [B, 3, H, W], imageOf('image', B * 3 * H * W))],
    [
      'tokens',
      tensor(
        'i64',
        [B, T],
        Int32Array.from(tokens, (token, i) => token * mask[i]!),
      ),
    ],
    ['mask', tensor('bool', [B, T], mask)],
  ]);
}

function sized(rival: Rival) {
  return { dims: new Map(Object.entries(rival.sizes)), overrides: rival.overrides ?? [] };
}

describe('the small size runs in onnxruntime', () => {
  test.each(rivals)('$micro', async (rival) => {
    const graph = runPipeline(graphOf(rival.file, rival.micro, sized(rival)));
    const model = await openOnnx(emitted(graph), drawnWeights(weightsOf(graph)));
    const { B, H, W } = rival.sizes;
    // All outputs of each sample, as a phrase may change the score of a region and not which of them is the best.
    const run = async (inputs: ReadonlyMap<string, TensorData>) => {
      const results = await model.run(inputs);
      expect(results.get('logits')!.shape).toEqual([B, 1, H, W]);
      const outputs = [...results.values()].map(({ data }) => halves(Array.from(data, Number)));
      return [outputs.flatMap(([x]) => x), outputs.flatMap(([, x]) => x)] as const;
    };
    const inputs = inputsOf(rival);
    const [first, second] = await run(inputs);
    for (const x of [...first, ...second]) expect(Number.isFinite(x)).toBe(true);
    // Another phrase for the second sample, and nothing but it, and other words under its padding.
    const other = (from: number, to: number) => {
      const tokens = inputs.get('tokens')!;
      const data = Int32Array.from(tokens.data, (token, i) =>
        i >= from && i < to ? Number(token) + 7 : Number(token),
      );
      return new Map([...inputs, ['tokens', { ...tokens, data } as TensorData]]);
    };
    const { T } = rival.sizes;
    const [untouched, changed] = await run(other(T + 1, T + 3));
    const [, padded] = await run(other(2 * T - 3, 2 * T));
    await model.release();
    expect(largest(untouched, first)).toBeLessThan(1e-5 * size(first));
    expect(largest(changed, second)).toBeGreaterThan(1e-6 * size(second));
    expect(largest(padded, second)).toBeLessThan(1e-5 * size(second));
  });
});

/** As some start from 0, so that a part of the model does nothing, all weights but the statistics of norms are drawn. */
function drawnWeights(weights: ReturnType<typeof weightsOf>) {
  const initial = initialWeights(weights, 1);
  const shapes = new Map(weights.map(({ path, role, shape }) => [path, role === 'param' ? shape : undefined]));
  return {
    async read(path: string) {
      const shape = shapes.get(path);
      return shape ? startOf(path, shape) : initial.read(path);
    },
  };
}

const halves = (all: readonly number[]) => [all.slice(0, all.length / 2), all.slice(all.length / 2)] as const;
const size = (x: readonly number[]) => Math.max(...x.map(Math.abs));
const largest = (x: readonly number[], y: readonly number[]) => size(x.map((n, i) => n - y[i]!));

describe('the recipe of the small size learns a batch', () => {
  test.each(rivals)('$micro', async (rival) => {
    const { training, diagnostics } = compileTraining(host, `models/rivals/${rival.file}.crob`, {
      model: rival.micro,
      ...sized(rival),
    });
    expect(diagnostics.map((d) => d.message)).toEqual([]);
    const step = trainingStep(differentiate(training!));
    // Optimising so many operators takes onnxruntime longer than running them a few times.
    const options = { graphOptimizationLevel: 'disabled', logSeverityLevel: 3 } as const;
    const session = await openOnnx(emitOnnx(step.graph, { producerVersion: '' }), undefined, options);
    const weights = initialWeights(training!.weights, 1);
    const state = new Map<string, TensorData>();
    for (const { name, kind, path, shape } of step.state)
      state.set(name, tensor('f32', shape, isStored(kind) ? await weights.read(path) : zeros(shape)));
    const { B, H, W } = rival.sizes;
    const square = Float32Array.from({ length: B * H * W }, (_, i) =>
      Number(i % W < W / 2 && Math.floor(i / W) % H > H / 3),
    );
    const batch = new Map([...inputsOf(rival), ['target', tensor('f32', [B, 1, H, W], square)]]);
    for (const { name, shape } of step.draws)
      batch.set(name, tensor('f32', shape, uniformOf(name, zeros(shape).length)));
    const losses: number[] = [];
    for (let t = 1; t <= 3; t++) {
      batch.set(stepNames.learningRate, tensor('f32', [], Float32Array.of(rival.rate ?? 1e-3)));
      batch.set(stepNames.number, tensor('i32', [], Int32Array.of(t)));
      const results = await session.run(new Map([...state, ...batch]));
      losses.push(Number(results.get(stepNames.loss)!.data[0]));
      for (const { name, next } of step.state) if (next) state.set(name, results.get(next)!);
    }
    await session.release();
    expect(losses.every(Number.isFinite), losses.join(' ')).toBe(true);
    expect(losses.at(-1), losses.join(' ')).toBeLessThan(losses[0]!);
  });
});

const isStored = (kind: string) => kind === 'weight' || kind === 'buffer';
const zeros = (shape: readonly number[]) => new Float32Array(shape.reduce((n, d) => n * d, 1));
