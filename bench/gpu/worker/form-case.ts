import { elementCount } from '../../../compiler/ir/tensor-data.ts';
import { encodeOnnx } from '../../../runtime/onnx/onnx-file.ts';
import type { Engine, Resident } from '../../../runtime/ort/engine.ts';
import type { HostTensor } from '../../../runtime/ort/session.ts';
import { engineFor, Refused } from './engines.ts';
import { allForms, formId } from './forms/all.ts';
import { type Form, FormGraph, type Given } from './forms/form.ts';
import type { FormCase, Job } from './job.ts';
import { timed } from './timing.ts';

/** What the script plans: the names of all forms, and which need CUDA. */
export function formsFile() {
  const listed = (scale: 'full' | 'small') =>
    allForms(scale).map((form) => ({ id: formId(form), onCuda: form.onCuda ?? false }));
  return { full: listed('full'), small: listed('small') };
}

/** Seconds after which no further form begins. */
const most = 45;
/** Milliseconds that forms have had the device. */
let spent = 0;

/** Times a form, as single launches and as a CUDA graph. */
export async function form(one: FormCase, job: Job, ready: () => Promise<void>) {
  const found = allForms(one.scale).find((form) => formId(form) === one.id);
  if (found === undefined) throw new Error(`bug in crobc: no form ${one.id}`);
  const graph = new FormGraph();
  found.write(graph);
  const bytes = await encodeOnnx(graph.model(), { read: noWeight });
  const engine = await engineFor(job.device, { precision: job.device === 'cuda' ? 'tf32' : 'f32', graph: false });
  await ready();
  if (spent > 1000 * most) throw new Refused(`the forms before it took ${most} s`);
  const begun = performance.now();
  try {
    return await onDevice(engine, found, graph, bytes, job);
  } finally {
    spent += performance.now() - begun;
  }
}

async function onDevice(engine: Engine, found: Form, graph: FormGraph, bytes: Uint8Array, job: Job) {
  const { what, how, size, bytes: moved, times } = found;
  const inputs: Record<string, Resident> = {};
  for (const [i, given] of graph.given.entries()) inputs[given.name] = await resident(engine, given, i, 'input');
  const outputs: Record<string, Resident> = {};
  for (const [i, { name, dtype, shape }] of graph.results.entries())
    outputs[name] = await resident(engine, { name, dtype, shape, below: undefined }, i, 'output');
  const measure = async (captured: boolean) => {
    const model = await engine.open(bytes, { threads: job.threads, planMemory: true, captured });
    try {
      if (captured && model.uncaptured !== undefined) throw new Refused(model.uncaptured);
      const run = model.bind({ inputs, outputs, reads: {}, writes: {} });
      for (let i = 0; i < 3; i++) await run({});
      return await timed(() => run({}), { ...job, runs: Math.min(job.runs, 20), seconds: Math.min(job.seconds, 0.25) });
    } finally {
      await model.release();
    }
  };
  const alone = await measure(false);
  const described = { what, how, size, bytes: moved, times, ...alone };
  if (job.device !== 'cuda') return described;
  try {
    const { median } = await measure(true);
    return { ...described, graphMedian: median };
  } catch (error) {
    if (error instanceof Refused) return { ...described, note: `not captured: ${error.message}` };
    throw error;
  }
}

function noWeight(path: string): never {
  throw new Error(`bug in crobc: a form has no weight ${path}`);
}

let of: Engine | undefined;
/** Tensors on the device, which all forms share, by use, place, dtype and elements. */
const residents = new Map<string, Resident>();
/** Their elements, by dtype and kind. */
const arrays = new Map<string, HostTensor['data']>();

/** A tensor on the device: the first elements of one that is there, or a larger one than there was. */
async function resident(engine: Engine, given: Given, place: number, use: 'input' | 'output'): Promise<Resident> {
  if (of !== engine) residents.clear();
  of = engine;
  const { dtype, shape, below } = given;
  const count = elementCount(shape);
  const kind = `${dtype} ${below}`;
  let data = arrays.get(kind);
  if (data === undefined || data.length < count) {
    data = drawn(dtype, count, below);
    arrays.set(kind, data);
  }
  const key = `${use} ${place} ${kind}`;
  let held = residents.get(key);
  if (held === undefined || held.host.data.length < count) {
    held = await engine.hold({ dtype, shape: [count], data: data.subarray(0, count) });
    residents.set(key, held);
  }
  return held.part(0, { dtype, shape, data: held.host.data.subarray(0, count) });
}

const makers = { f32: Float32Array, i32: Int32Array, i64: BigInt64Array } as const;

/** Numbers in -1..1, or whole numbers below a number, which repeat after a million. */
export function drawn(dtype: HostTensor['dtype'], count: number, below: number | undefined): HostTensor['data'] {
  if (dtype !== 'f32' && dtype !== 'i32' && dtype !== 'i64') throw new Error(`bug in crobc: a form with ${dtype}`);
  const data = new makers[dtype](count);
  const first = Math.min(count, 1e6);
  let state = 1;
  for (let i = 0; i < first; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const share = state / 2 ** 32;
    const number = below === undefined ? 2 * share - 1 : Math.floor(share * below);
    data[i] = dtype === 'i64' ? BigInt(number) : number;
  }
  for (let have = first; have < count; have *= 2) data.copyWithin(have, 0, Math.min(have, count - have));
  return data;
}
