import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine, EngineModel, Resident } from '../../../runtime/ort/engine.ts';
import { openTensorFile } from '../../../runtime/weights/open-tensors.ts';
import { inputsOf } from '../../inputs.mjs';
import { engineFor, Refused } from './engines.ts';
import type { ExportedCase, InferCase, Job } from './job.ts';
import { type Encoded, encoded, inferenceGraph, type Output, outputsOf } from './models.ts';
import { timed } from './timing.ts';

/** The model that was encoded last: cases of one precision and batch follow each other. */
let last: { readonly key: string; readonly model: Encoded } | undefined;

/** Waits until no other process measures. */
type Ready = () => Promise<void>;

/** Times crobc's model on the device. */
export async function infer(one: InferCase, job: Job, ready: Ready) {
  const { file, model, name, batch, precision } = one;
  const sizes = { ...one.sizes, B: batch };
  const dtype = precision === 'tf32' ? 'f32' : precision;
  const key = JSON.stringify([file, model, sizes, dtype]);
  if (last?.key !== key) {
    last = undefined;
    const graph = inferenceGraph(one, sizes);
    last = { key, model: await encoded(graph, precision, join(job.folder, `${name}.safetensors`), job.device) };
  }
  const { bytes, outputs, nodes } = last.model;
  return { nodes, ...(await onDevice(bytes, outputs, one, job, ready)) };
}

/** Times a model that PyTorch exported. Its inputs and outputs have the names and shapes of crobc's. */
export async function inferExported(one: ExportedCase, job: Job, ready: Ready) {
  const outputs = outputsOf(inferenceGraph(one, { ...one.sizes, B: one.batch }));
  const bytes = await readFile(join(job.folder, `${one.name}.export.onnx`)).catch(() => {
    throw new Refused('PyTorch exported no model');
  });
  return onDevice(bytes, outputs, one, job, ready);
}

async function onDevice(
  bytes: Uint8Array,
  outputs: readonly Output[],
  one: InferCase | ExportedCase,
  job: Job,
  ready: Ready,
) {
  const engine = await engineFor(job.device, one);
  const opening = performance.now();
  const model = await engine.open(bytes, { threads: job.threads, planMemory: true, captured: one.graph });
  const openSeconds = (performance.now() - opening) / 1000;
  try {
    if (one.graph && model.uncaptured !== undefined) throw new Refused(`not captured: ${model.uncaptured}`);
    await ready();
    const { run, results } = await bound(engine, model, outputs, one);
    const first = performance.now();
    await run();
    const firstSeconds = (performance.now() - first) / 1000;
    for (let i = 0; i < 3; i++) await run();
    const timing = await timed(run, job);
    for (const result of results.values()) await result.download();
    const difference = one.batch === 1 ? await differenceFrom(results, one.name, job) : undefined;
    return {
      ...timing,
      openSeconds,
      firstSeconds,
      ...(difference === undefined ? {} : { difference: number(difference) }),
    };
  } finally {
    await model.release();
  }
}

/** Inputs and outputs stay on the device, as they do for PyTorch. */
async function bound(
  engine: Engine,
  model: EngineModel,
  outputs: readonly Output[],
  { sizes, batch }: InferCase | ExportedCase,
) {
  const inputs: Record<string, Resident> = {};
  for (const [name, host] of Object.entries(inputsOf(model.inputs, { ...sizes, B: batch })))
    inputs[name] = await engine.hold(host);
  const results = new Map<string, Resident>();
  for (const { name, shape } of outputs) {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    results.set(name, await engine.hold({ dtype: 'f32', shape, data }));
  }
  const run = model.bind({ inputs, outputs: Object.fromEntries(results), reads: {}, writes: {} });
  return { results, run: () => run({}) };
}

/** The largest difference from the outputs of the CPU, as a part of the largest output. */
async function differenceFrom(results: ReadonlyMap<string, Resident>, name: string, job: Job): Promise<number> {
  const reference = await openTensorFile(join(job.folder, `${name}.outputs.safetensors`));
  try {
    let worst = 0;
    for (const [path, { host }] of results)
      worst = Math.max(worst, relative(host.data as Float32Array, await reference.float32(path)));
    return worst;
  } finally {
    await reference.close();
  }
}

/** JSON has no NaN. */
function number(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** NaN if the tensor has one. */
export function relative(found: Float32Array, expected: Float32Array): number {
  let [largest, off] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    const difference = Math.abs(found[i]! - expected[i]!);
    if (!(difference <= off)) off = difference;
    if (Number.isNaN(off)) return Number.NaN;
  }
  return largest === 0 ? off : off / largest;
}
