import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readyCuda } from '../../../runtime/ort/ready-cuda.ts';
import { inputsOf } from '../../inputs.mjs';
import type { Job, ProfileCase } from './job.ts';
import { encoded, inferenceGraph } from './models.ts';

/** An event of onnxruntime's profile. Times are in microseconds. */
interface ProfileEvent {
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args?: { readonly op_name?: string; readonly provider?: string };
}

const runs = 5;
const types = { f32: 'float32', i64: 'int64', bool: 'bool' } as const;

/**
 * Where the time of crobc's model goes, by operator and provider, in onnxruntime's own profile through
 * onnxruntime-node. On CUDA, an operator's time is that of its launches. It rounds to TF32 there, which
 * onnxruntime-node cannot switch off. Also writes `NAME.profiled.onnx`, for profilers of kernels.
 */
export async function profile(one: ProfileCase, job: Job, ready: () => Promise<void>) {
  const { batch, name, precision } = one;
  if (job.device === 'cuda' && precision === 'f32') throw new Error('onnxruntime-node has no f32 without TF32 on CUDA');
  const sizes = { ...one.sizes, B: batch };
  const graph = inferenceGraph(one, sizes);
  const { bytes } = await encoded(graph, precision, join(job.folder, `${name}.safetensors`), job.device);
  await writeFile(join(job.folder, `${name}.profiled.onnx`), bytes);
  await ready();
  // Before onnxruntime-node, as its library finds the provider of CUDA beside itself.
  readyCuda();
  const ort = await import('onnxruntime-node');
  const prefix = `profile-${process.pid}`;
  const session = await ort.InferenceSession.create(bytes, {
    executionProviders: [job.device],
    enableProfiling: true,
    profileFilePrefix: join(job.folder, prefix),
    logSeverityLevel: 4,
    ...(job.threads === undefined ? {} : { intraOpNumThreads: job.threads }),
  });
  try {
    const feeds = Object.entries(
      inputsOf(
        graph.inputs.map((input) => input.name),
        sizes,
      ),
    ).map(
      ([input, { dtype, data, shape }]) =>
        [input, new ort.Tensor(types[dtype as keyof typeof types], data as Float32Array, shape)] as const,
    );
    for (let i = 0; i <= runs; i++) await session.run(Object.fromEntries(feeds));
    session.endProfiling();
  } finally {
    await session.release();
  }
  return byOperator(await recorded(job.folder, prefix));
}

async function recorded(folder: string, prefix: string): Promise<readonly ProfileEvent[]> {
  const file = (await readdir(folder)).find((entry) => entry.startsWith(prefix));
  if (file === undefined) throw new Error('onnxruntime wrote no profile');
  const path = join(folder, file);
  const events = JSON.parse(await readFile(path, 'utf8')) as readonly ProfileEvent[];
  await rm(path);
  return events;
}

/** Seconds and nodes of a run by operator, largest first. The first run, which plans memory, is left out. */
function byOperator(events: readonly ProfileEvent[]) {
  const starts = events.filter(({ name }) => name === 'model_run').map(({ ts }) => ts);
  const kernels = events.filter(({ name, ts }) => name.endsWith('_kernel_time') && ts >= (starts[1] ?? 0));
  const rows = new Map<string, { seconds: number; count: number }>();
  for (const { dur, args } of kernels) {
    const provider = (args?.provider ?? '').replace('ExecutionProvider', '');
    const key = `${args?.op_name} ${provider}`.trim();
    const row = rows.get(key) ?? { seconds: 0, count: 0 };
    rows.set(key, { seconds: row.seconds + dur / 1e6 / runs, count: row.count + 1 / runs });
  }
  const sorted = [...rows].map(([name, row]) => ({ name, ...row })).sort((a, b) => b.seconds - a.seconds);
  const seconds = sorted.reduce((sum, row) => sum + row.seconds, 0);
  return { seconds, count: kernels.length / runs, rows: sorted.slice(0, 12) };
}
