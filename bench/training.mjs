import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { trained } from './cases.mjs';
import { fastestPyTorch } from './mkl.mjs';
import { root, started, statistics } from './process.mjs';

const trainer = join(root, 'bench/trainer.mjs');

/** Batch sizes at which time and memory are measured. */
const batches = [1, 2, 4, 8];

/** Runs all measurements of training and yields one result after the other. */
export async function* training(options) {
  const { say, cases } = options;
  say('train: the training step of CroBIM is compiled');
  yield ['compile', await compiling(options)];
  for (const name of ['crobim-micro', 'crobim-swin-t'].filter((name) => cases.includes(name)))
    yield [name, await comparing(name, options)];
  if (!cases.includes('crobim-micro')) return;
  say('train: crobim-micro by size of batch');
  yield ['batches', await byBatch('crobim-micro', options)];
  say('train: crobim-micro on TensorFlow.js');
  yield ['tfjs', await alone('crobim-micro', { ...options, backend: 'tfjs' })];
}

/** Measures how long the full-size training graph takes to compile, each time in a new process. */
async function compiling({ repeats }) {
  const { file, model, recipe } = trained.crobim;
  const settings = { file, model, recipe, dims: {}, overrides: [], only: 'compile' };
  const samples = [];
  let ready;
  for (let i = 0; i < repeats; i++) {
    const program = await started(process.execPath, [trainer, JSON.stringify(settings)]);
    ({ ready } = program);
    await program.end();
    samples.push(ready.compileSeconds);
  }
  return { ...statistics(samples), nodes: ready.nodes, parameters: ready.parameters };
}

/**
 * Steps of crobc and of PyTorch from the same weights with the same batch, alternating; crobc alone without PyTorch.
 */
async function comparing(name, { python, repeats, threads, out, say }) {
  const folder = join(out, `train-${name}`);
  mkdirSync(folder, { recursive: true });
  const programs = {};
  try {
    say(`train: ${name}: the step is compiled`);
    programs.crobc = await startedCrobc(trained[name], { backend: 'onnx', threads, folder, share: true });
    let gflops;
    if (python !== undefined) {
      say(`train: ${name}: PyTorch starts`);
      const fastest = await fastestPyTorch(python, threads, folder);
      gflops = fastest.gflops;
      const args = ['bench/reference.py', 'train', name, folder, String(threads)];
      programs.pytorch = await started(python, args, fastest.env);
    }
    say(`train: ${name}: steps`);
    const found = await inTurns(programs, repeats);
    const { compileSeconds, nodes } = programs.crobc.ready;
    if (found.pytorch === undefined) return { ...found, compileSeconds, nodes };
    const ratio = found.crobc.median / found.pytorch.median;
    return { ...found, compileSeconds, nodes, gflops, ratio, difference: difference(found) };
  } finally {
    for (const program of Object.values(programs)) await program.end();
    rmSync(folder, { recursive: true });
  }
}

/** The largest difference between the losses, relative to PyTorch's. */
function difference({ crobc, pytorch }) {
  return Math.max(...pytorch.losses.map((loss, i) => Math.abs(crobc.losses[i] - loss) / Math.abs(loss)));
}

/** Times steps of one back end. */
async function alone(name, { repeats, threads, backend, batch, out }) {
  const { dims } = trained[name];
  const settings = batch === undefined ? trained[name] : { ...trained[name], dims: { ...dims, B: batch } };
  const program = await startedCrobc(settings, { backend, threads, folder: out });
  try {
    return { ...(await inTurns({ it: program }, repeats)).it, device: program.ready.device };
  } finally {
    await program.end();
  }
}

/** Time and memory of a step as a function of the batch size. */
async function byBatch(name, options) {
  const rows = [];
  for (const batch of batches) rows.push({ batch, ...(await alone(name, { ...options, backend: 'onnx', batch })) });
  return rows;
}

/**
 * Times steps of both, alternating. The first step of each is not counted: it plans memory. Also returns all losses.
 */
async function inTurns(programs, repeats) {
  const taken = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
  for (let i = 0; i <= repeats; i++)
    for (const [name, program] of Object.entries(programs)) taken[name].push(await program.ask('step'));
  return Object.fromEntries(
    Object.entries(taken).map(([name, steps]) => [
      name,
      {
        ...statistics(steps.slice(1).map(({ seconds }) => seconds)),
        losses: steps.map(({ loss }) => loss),
        bytes: steps.at(-1).bytes,
      },
    ]),
  );
}

function startedCrobc({ file, model, recipe, dims, overrides }, more) {
  return started(process.execPath, [trainer, JSON.stringify({ file, model, recipe, dims, overrides, ...more })]);
}
