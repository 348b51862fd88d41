// slow: the training step of CroBIM_micro, interpreted

import { expect, test } from 'vitest';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { elementCount } from '../../compiler/ir/tensor-data.ts';
import { seededRandom } from '../../compiler/ops/random.ts';
import { compileTraining } from '../../compiler/training/compile-training.ts';
import { differentiate } from '../../compiler/training/differentiated.ts';
import { trainingStep } from '../../compiler/training/step.ts';
import { stepNames } from '../../compiler/training/step-graph.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { encodeOnnx } from '../../runtime/onnx/onnx-file.ts';
import { type HostTensor, openSession } from '../../runtime/ort/session.ts';
import { initialWeights } from '../../runtime/weights/initialise.ts';

test('CroBIM_micro learns one batch, with its state updated in place', async () => {
  const { training, diagnostics } = compileTraining(diskHost(), 'models/crobim.crob', {
    model: 'CroBIM_micro',
    dims: new Map(Object.entries({ B: 2, H: 64, W: 64, T: 6 })),
    overrides: [],
  });
  expect(diagnostics).toEqual([]);
  const step = trainingStep(differentiate(training!));
  const none = { read: () => Promise.reject(new Error('a step holds no weights')) };
  const session = await openSession(await encodeOnnx(emitOnnx(step.graph, { producerVersion: '' }), none), {
    device: 'cpu',
  });
  const random = seededRandom(3);
  const f32 = (shape: readonly number[], element: () => number): HostTensor => ({
    dtype: 'f32',
    shape,
    data: Float32Array.from({ length: elementCount(shape) }, element),
  });
  const state: Record<string, HostTensor> = {};
  const weights = initialWeights(training!.weights, 1);
  for (const { name, kind, path, shape } of step.state) {
    state[name] = f32(shape, () => 0);
    if (kind === 'weight') (state[name].data as Float32Array).set(await weights.read(path));
  }
  const into = Object.fromEntries(step.state.flatMap(({ name, next }) => (next ? [[next, state[name]!]] : [])));
  const batch = {
    image: f32([2, 3, 64, 64], () => 2 * random.real() - 1),
    tokens: {
      dtype: 'i64',
      shape: [2, 6],
      data: BigInt64Array.from([101n, 5n, 7n, 9n, 102n, 0n, 101n, 8n, 3n, 102n, 0n, 0n]),
    },
    mask: { dtype: 'bool', shape: [2, 6], data: Uint8Array.from([1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0]) },
    target: f32([2, 1, 64, 64], () => Number(random.real() < 0.3)),
  } as const;
  // As it starts, the loss is so steep (a gradient of norm 11,000) that only short steps go down it one after another.
  const losses: number[] = [];
  for (let t = 1; t <= 5; t++) {
    const scalars = {
      [stepNames.learningRate]: f32([], () => 3e-7),
      [stepNames.number]: { dtype: 'i32', shape: [], data: Int32Array.of(t) },
    } as const;
    const results = await session.run({ ...state, ...batch, ...scalars }, { into });
    losses.push((results[stepNames.loss]!.data as Float32Array)[0]!);
  }
  await session.release();
  for (const [i, loss] of losses.slice(1).entries()) expect(loss, `step ${i + 2}`).toBeLessThan(losses[i]!);
  expect(losses.at(-1)! / losses[0]!).toBeLessThan(0.95);
});
