import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asConstant } from '../../../compiler/dims/dim.ts';
import { type StepGraph, stepNames } from '../../../compiler/training/step-graph.ts';
import { initialState } from '../../../runtime/training/initial-state.ts';
import { openOnnxBackend } from '../../../runtime/training/onnx-backend.ts';
import { statesOf } from '../../../runtime/training/state.ts';
import { stepForm, stepModel } from '../../../runtime/training/step-model.ts';
import { stepParts } from '../../../runtime/training/step-parts.ts';
import { inputsOf } from '../../inputs.mjs';
import { ownEngine } from './engines.ts';
import type { Job, StepFileCase, TrainCase } from './job.ts';
import { trainingOf } from './models.ts';
import { timed } from './timing.ts';

/** Steps at this rate change the weights without leading anywhere. */
const learningRate = 1e-5;

/** Times training steps: a batch goes to the device in each, and losses come back. */
export async function train(one: TrainCase, job: Job, ready: () => Promise<void>) {
  const { precision } = one;
  const compiling = performance.now();
  const { training, step: graph, steps } = compiled(one, job);
  const compileSeconds = (performance.now() - compiling) / 1000;
  const state = await initialState({
    weights: training.weights,
    state: statesOf(steps),
    seed: 1,
    weightsFile: join(job.folder, `${one.name}.safetensors`),
  });
  const batch = inputsOf(
    training.forward.inputs.map(({ name }) => name),
    one.sizes,
  );
  const { inference, recipe } = training;
  const { device, threads } = job;
  const engine = await ownEngine(device, precision);
  const opening = performance.now();
  const backend = await openOnnxBackend(
    { steps, inference, state, seed: recipe.seed, device, threads },
    async () => engine,
  );
  const openSeconds = (performance.now() - opening) / 1000;
  try {
    await ready();
    let step = 0;
    const losses: number[] = [];
    const run = async () => {
      const { loss } = await backend.step([batch], { learningRate, step: ++step });
      losses.push(loss);
    };
    const first = performance.now();
    await run();
    const firstSeconds = (performance.now() - first) / 1000;
    for (let i = 0; i < 2; i++) await run();
    const timing = await timed(run, job);
    return {
      ...timing,
      nodes: graph.graph.nodes.length,
      compileSeconds,
      openSeconds,
      firstSeconds,
      // JSON has no NaN.
      losses: losses.slice(0, 5).map((loss) => (Number.isFinite(loss) ? loss : String(loss))),
      ...(backend.note === undefined ? {} : { note: backend.note }),
    };
  } finally {
    await backend.release();
  }
}

/** Also writes what each input is: of a batch, drawn, a number or the state. */
export async function stepFile(one: StepFileCase, job: Job) {
  const { step } = compiled(one, job);
  const drawn = new Set(step.draws.map(({ name }) => name));
  const held = new Set([...step.state, ...step.packs].map(({ name }) => name));
  const numbers: Readonly<Record<string, number>> = { [stepNames.learningRate]: learningRate, [stepNames.number]: 1 };
  const kindOf = (name: string) => (drawn.has(name) ? 'drawn' : held.has(name) ? 'state' : 'batch');
  const inputs = step.graph.inputs.map(({ name, value: { type } }) => ({
    name,
    dtype: type.dtype,
    shape: type.shape.map((size) => asConstant(size)!),
    ...(name in numbers ? { kind: 'number', number: numbers[name] } : { kind: kindOf(name) }),
  }));
  await writeFile(
    join(job.folder, `${one.name}.step.onnx`),
    await stepModel(step, await stepForm(job.device, job.threads)),
  );
  await writeFile(join(job.folder, `${one.name}.step.json`), JSON.stringify(inputs));
  return { nodes: step.graph.nodes.length };
}

function compiled(one: TrainCase | StepFileCase, { device }: Job) {
  const { precision, recipe } = one;
  // On the CPU, half precision is emulated.
  const half =
    precision === 'bf16' || precision === 'f16' ? { type: precision, emulated: device !== 'cuda' } : undefined;
  const training = trainingOf(one);
  const steps = stepParts(training, { backend: 'onnx', half });
  if (!('whole' in steps)) throw new Error(`the recipe ${recipe} accumulates`);
  const step: StepGraph = steps.whole;
  return { training, steps, step };
}
