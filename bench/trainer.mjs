// A process that trains: `node bench/trainer.mjs SETTINGS`, where SETTINGS is JSON with file, model, recipe, dims,
// overrides, backend, threads and an output folder. Prints { compileSeconds, openSeconds, nodes, parameters, device }
// once it is ready, then takes a step for every line that it reads and prints { seconds, loss, bytes }; `bytes` is the
// memory of the process without the training state. With `share`, writes its initial weights and its batch to the
// folder, for PyTorch. With `only: "compile"`, ends after compiling.
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { importSource } from '../scripts/bundle-source.mjs';
import { inputsOf } from './inputs.mjs';

const { compileTraining, differentiate, diskHost, initialState, openBackend, trainingStep, writeSafetensors } =
  await importSource('bench/training-parts.ts');

const { file, model, recipe, dims, overrides, backend, threads, folder, share, only } = JSON.parse(process.argv[2]);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

let start = performance.now();
const seconds = () => {
  const passed = (performance.now() - start) / 1000;
  start = performance.now();
  return passed;
};
const { training, diagnostics } = compileTraining(diskHost(), file, {
  model,
  recipe,
  dims: new Map(Object.entries(dims)),
  overrides,
});
if (training === undefined) throw new Error(diagnostics.map(({ message }) => message).join('; '));
const step = trainingStep(differentiate(training), { packed: backend !== 'tfjs' });
const compileSeconds = seconds();
const nodes = step.graph.nodes.length;
const parameters = training.weights.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);
if (only === 'compile') say({ compileSeconds, nodes, parameters });
else {
  const batch = inputsOf(['image', 'tokens', 'mask', 'target'], dims);
  const state = await initialState({ weights: training.weights, state: step.state, seed: 1, weightsFile: undefined });
  if (share) await writeForPyTorch(batch, state);
  const before = process.memoryUsage().rss;
  seconds();
  const opened = await open(state);
  say({ compileSeconds, openSeconds: seconds(), nodes, parameters, device: opened.device });
  let count = 0;
  for await (const _ of createInterface({ input: process.stdin })) {
    seconds();
    const { loss } = await opened.step([batch], { learningRate: 1e-5, step: ++count });
    say({ seconds: seconds(), loss, bytes: process.memoryUsage().rss - before });
  }
  await opened.release();
}

async function open(state) {
  const where = backend === 'tfjs' ? { device: 'auto', threads: undefined } : { device: 'cpu', threads };
  const { inference } = training;
  return openBackend({ backend, model, steps: { whole: step }, inference, seed: 1, folder, ...where }, state);
}

async function writeForPyTorch(batch, state) {
  const types = { f32: 'F32', i64: 'I64', bool: 'BOOL' };
  const inputs = Object.entries(batch).map(([name, { dtype, shape, data }]) => ({
    name,
    dtype: types[dtype],
    shape,
    data: () => data,
  }));
  await writeSafetensors(join(folder, 'batch.safetensors'), inputs);
  // Copied, because the backend updates its state in place.
  const weights = training.weights.map(({ path, shape }) => {
    const data = state.get(`weight:${path}`);
    return { name: path, dtype: 'F32', shape, data: () => data };
  });
  await writeSafetensors(join(folder, 'weights.safetensors'), weights);
}
