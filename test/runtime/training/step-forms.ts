import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import type { Profile } from '../../../compiler/emit/onnx/profile.ts';
import { indexInputs } from '../../../compiler/graphs/index-check.ts';
import { staticShape } from '../../../compiler/ir/shapes.ts';
import { elementCount, tensor } from '../../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import { seededRandom, seedOf } from '../../../compiler/ops/random.ts';
import { compileTraining } from '../../../compiler/training/compile-training.ts';
import type { StepGraph } from '../../../compiler/training/step-graph.ts';
import { diskHost } from '../../../runtime/files/source-host.ts';
import { initialState } from '../../../runtime/training/initial-state.ts';
import { statesOf } from '../../../runtime/training/state.ts';
import { stepParts } from '../../../runtime/training/step-parts.ts';
import { runOnnx } from '../../emit/onnx/session.ts';

function formOf({ graph }: StepGraph, profile: Profile) {
  return emitOnnx(graph, { producerVersion: 'test', profile, hostChecks: indexInputs(graph) });
}

/** Elements of an input of the step that is not state. */
function drawn(name: string, dtype: TensorData['dtype'], shape: readonly number[]): TensorData {
  const random = seededRandom(seedOf(name));
  const last = shape.at(-1)!;
  const element = (i: number): number => {
    switch (dtype) {
      case 'i64':
        return random.int(1, 8);
      case 'bool':
        return Number(i % last < Math.max(1, last - 2));
      default:
        return name === 'target' ? Number(random.real() < 0.3) : random.real();
    }
  };
  return tensor(
    dtype,
    shape,
    Array.from({ length: elementCount(shape) }, (_, i) => Math.fround(element(i))),
  );
}

/** Gradients of a micro-batch by name, in one form of the step. */
async function gradients(step: StepGraph, profile: Profile, state: ReadonlyMap<string, Float32Array>) {
  const model = formOf(step, profile);
  const packed = new Map(step.packs.map(({ name, size }) => [name, size]));
  const feeds = new Map<string, TensorData>();
  for (const { name, value } of step.graph.inputs) {
    const { dtype } = value.type;
    const shape = staticShape(value.type);
    const data = packed.has(name) ? new Float32Array(packed.get(name)!) : state.get(name);
    feeds.set(name, data === undefined ? drawn(name, dtype, shape) : tensor(dtype, shape, [...data]));
  }
  for (const { name, shape } of step.draws) feeds.set(name, drawn(name, 'f32', shape));
  return runOnnx(model, feeds);
}

/**
 * The largest difference between the gradients of a micro-batch in the form for a device and in portable form, both on
 * the CPU, relative to the largest number of their tensor.
 */
export async function apart(model: string, file: string, form: 'cpu-step' | 'cuda-step'): Promise<number> {
  const { training } = compileTraining(diskHost(), file, {
    model,
    dims: new Map(),
    overrides: ['recipe.accumulate=2'],
  });
  const parts = stepParts(training!, { backend: 'onnx' });
  const step = 'whole' in parts ? parts.whole : parts.accumulate;
  const { weights } = training!;
  const state = await initialState({ weights, state: statesOf(parts), seed: 1, weightsFile: undefined });
  const wanted = await gradients(step, 'portable', state);
  const found = await gradients(step, form, state);
  if (found.size !== wanted.size) throw new Error(`${found.size} results, not ${wanted.size}`);
  const largest = ({ data }: TensorData): number => {
    let most = 0;
    for (const x of data) most = Math.max(most, Math.abs(x));
    return most;
  };
  // The gradient of a bias before a norm is 0, and what is found for it is rounding.
  const noise =
    1e-5 * Math.max(...[...wanted].flatMap(([name, value]) => (name.startsWith('term') ? [] : [largest(value)])));
  let most = 0;
  for (const [name, value] of wanted) {
    const [scale, other] = [largest(value) + noise, found.get(name)!.data];
    for (const [i, x] of value.data.entries()) most = Math.max(most, Math.abs(x - other[i]!) / scale);
  }
  return most;
}
