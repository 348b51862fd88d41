import { availableParallelism } from 'node:os';
import { constant } from '../../compiler/dims/dim.ts';
import { Facts } from '../../compiler/dims/facts.ts';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { Builder } from '../../compiler/graphs/builder.ts';
import { indexInputs } from '../../compiler/graphs/index-check.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { encodeOnnx } from '../onnx/onnx-file.ts';
import { openSession } from './session.ts';

/**
 * Number of elements that onnxruntime's CPU provider adds on one thread. Its thread pool splits an operator if its cost
 * exceeds 100,000 cycles to start with and as many for each thread, and the cost of ScatterND is its number of
 * elements. So the limit is about 210,000 in onnxruntime 1.30; this value is well below it.
 */
const expected = 131_072;
const tries = 12;

const known = new Map<number, Promise<number>>();

/**
 * Returns the maximum number of elements that one ScatterND may add in sessions with this many threads (`serialScatter`
 * of `emitOnnx`). With several threads, updates of the same row could get lost. The limit is undocumented, so it is
 * tested with updates that repeat a few rows: every sum must be exact, else this returns 0.
 */
export function serialScatter(threads: number = availableParallelism()): Promise<number> {
  if (threads === 1) return Promise.resolve(Number.POSITIVE_INFINITY);
  const found = known.get(threads) ?? tried(threads);
  known.set(threads, found);
  return found;
}

async function tried(threads: number): Promise<number> {
  const [rows, width] = [4, 16];
  const count = expected / width;
  const build = new Builder(Facts.none);
  const index = build.input('index', { dtype: 'i32', shape: [constant(count)] });
  const updates = build.input('updates', { dtype: 'f32', shape: [constant(count), constant(width)] });
  const sum = build.scatterAdd(index, updates, constant(rows));
  const port = (name: string, value: typeof sum) => ({ name, value, docs: '' });
  const graph: Graph = {
    name: 'sums',
    docs: '',
    inputs: [port('index', index), port('updates', updates)],
    outputs: [port('sum', sum)],
    nodes: build.nodes,
    facts: Facts.none,
    guards: [],
  };
  // Host checks are not needed: the feeds below are in range.
  const options = { producerVersion: '', serialScatter: expected, hostChecks: indexInputs(graph) };
  const model = emitOnnx(graph, options);
  const session = await openSession(await encodeOnnx(model, noWeights), { device: 'cpu', threads });
  const feeds = {
    index: { dtype: 'i32', shape: [count], data: Int32Array.from({ length: count }, (_, i) => i % rows) },
    updates: { dtype: 'f32', shape: [count, width], data: new Float32Array(count * width).fill(1) },
  } as const;
  try {
    for (let i = 0; i < tries; i++) {
      const { sum: got } = await session.run(feeds);
      if ([...got!.data].some((total) => Number(total) !== count / rows)) return 0;
    }
    return expected;
  } finally {
    await session.release();
  }
}

const noWeights = {
  read(): never {
    throw new Error('bug in crobc: there are no weights here');
  },
};
