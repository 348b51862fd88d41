// slow: steps of every optimizer

import { expect, test } from 'vitest';
import { constant } from '../../../compiler/dims/dim.ts';
import { Facts } from '../../../compiler/dims/facts.ts';
import { Builder } from '../../../compiler/graphs/builder.ts';
import { finish } from '../../../compiler/graphs/rebuild.ts';
import type { Graph, Value } from '../../../compiler/ir/graph.ts';
import type { OpName } from '../../../compiler/ir/names.ts';
import { ops } from '../../../compiler/ops/table.ts';
import { inPlaceFaults } from '../../../compiler/training/in-place.ts';
import type { StepGraph } from '../../../compiler/training/step-graph.ts';
import { openOnnxBackend } from '../../../runtime/training/onnx-backend.ts';
import { toyInference } from './toy.ts';

/** Large enough that onnxruntime gives parts of it to several threads. */
const [rows, columns] = [96, 1024] as const;
const shape = [rows, columns];
const dims = (sizes: readonly number[]) => sizes.map(constant);
const number = (b: Builder, n: number) => b.full(n, 'f32', []);

/** The value as f32 of the state's shape: its elements again and again, or its first ones. */
function fitted(b: Builder, x: Value): Value {
  const sizes = x.type.shape.map((dim) => Number(dim.key));
  const count = sizes.reduce((a, c) => a * c, 1);
  const floats = x.type.dtype === 'f32' ? x : b.cast(x, 'f32');
  if (count === rows * columns) return b.reshape(floats, dims(shape));
  let flat = b.reshape(floats, dims([count]));
  const times = Math.ceil((rows * columns) / count);
  if (times > 1) flat = b.reshape(b.broadcast(flat, dims([times, count])), dims([times * count]));
  return b.reshape(b.slice(flat, dims([0]), dims([rows * columns]), [1]), dims(shape));
}

const reversed = (b: Builder, n: number) => b.sub(b.full(n - 1, 'i32', []), b.iota(constant(n)));
const square = (b: Builder, s: Value) => b.slice(s, dims([0, 0]), dims([rows, rows]), [1, 1]);
const image = (b: Builder, s: Value, channels = 1) => b.reshape(s, dims([1, channels, rows / channels, columns]));
const positive = (b: Builder, s: Value) => b.add(b.mul(s, s), number(b, 0.5));
const whole = (b: Builder, s: Value) => b.cast(b.mul(s, number(b, 10)), 'i32');
const conv = { stride: [1, 1], pad: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const;
const kernel = (b: Builder) => b.full(0.1, 'f32', dims([1, 1, 3, 3]));

/** Each operator as a reader of the state: what it makes, of whatever shape. Empty for those that read nothing. */
const uses: { readonly [O in OpName]: readonly ((b: Builder, s: Value) => Value)[] } = {
  constant: [],
  full: [],
  iota: [],
  dim: [],
  uniform: [],
  stop_gradient: [(b, s) => b.stopGradient(s)],
  barrier: [(b, s) => b.barrier(s, number(b, 1)), (b, s) => b.barrier(b.full(2, 'f32', dims(shape)), s)],
  reshape: [(b, s) => b.reshape(s, dims([columns, rows]))],
  transpose: [(b, s) => b.transpose(s, [1, 0])],
  broadcast: [(b, s) => b.broadcast(s, dims([2, ...shape]))],
  concat: [(b, s) => b.concat([s, s], 0)],
  slice: [(b, s) => b.slice(s, dims([1, 0]), dims(shape), [1, 1])],
  pad: [(b, s) => b.pad(s, dims([1, 0]), dims([0, 0]), 3)],
  gather: [(b, s) => b.gather(s, reversed(b, rows))],
  scatter_add: [(b, s) => b.scatterAdd(reversed(b, rows), s, constant(rows))],
  select: [
    (b, s) => b.select(b.lt(s, number(b, 0)), b.mul(s, number(b, 0.1)), s),
    (b, s) => b.select(b.lt(number(b, 0), s), s, b.gather(s, reversed(b, rows))),
  ],
  cast: [(b, s) => b.cast(s, 'i32'), (b, s) => b.cast(s, 'bool')],
  neg: [(b, s) => b.neg(s)],
  abs: [(b, s) => b.abs(s)],
  exp: [(b, s) => b.exp(s)],
  log: [(b, s) => b.log(positive(b, s))],
  sqrt: [(b, s) => b.sqrt(positive(b, s))],
  sin: [(b, s) => b.sin(s)],
  softplus: [(b, s) => b.softplus(s)],
  cos: [(b, s) => b.cos(s)],
  tanh: [
    (b, s) => b.tanh(s),
    (b, s) => b.mul(b.mul(s, number(b, 0.5)), b.add(b.tanh(b.mul(s, number(b, 0.8))), number(b, 1))),
  ],
  erf: [
    (b, s) => b.erf(s),
    (b, s) => b.mul(b.mul(s, number(b, 0.5)), b.add(b.erf(b.mul(s, number(b, Math.SQRT1_2))), number(b, 1))),
    (b, s) => b.mul(b.mul(s, b.add(b.erf(b.div(s, number(b, Math.SQRT2))), number(b, 1))), number(b, 0.5)),
  ],
  sigmoid: [
    (b, s) => b.sigmoid(s),
    (b, s) => b.mul(s, b.sigmoid(s)),
    (b, s) => b.mul(s, b.sigmoid(b.mul(s, number(b, 1.702)))),
  ],
  relu: [(b, s) => b.relu(s), (b, s) => b.relu(b.conv2d(image(b, s), kernel(b), conv))],
  floor: [(b, s) => b.floor(b.mul(s, number(b, 3)))],
  not: [(b, s) => b.not(b.lt(s, number(b, 0)))],
  add: [
    (b, s) => b.add(s, number(b, 1)),
    (b, s) => b.add(s, b.transpose(b.reshape(s, dims([columns, rows])), [1, 0])),
    (b, s) => b.add(s, b.slice(s, dims([rows - 1, 0]), dims([rows, columns]), [1, 1])),
    (b, s) => b.add(b.matmul(square(b, s), s), s),
    (b, s) => b.add(b.conv2d(image(b, s), kernel(b), conv), image(b, s)),
  ],
  sub: [(b, s) => b.sub(s, b.mul(s, number(b, 0.1))), (b, s) => b.sub(s, b.reduceMax(s, [1], true))],
  mul: [(b, s) => b.mul(s, s), (b, s) => b.mul(s, b.softmax(s, 1))],
  div: [(b, s) => b.div(s, positive(b, s)), (b, s) => b.div(s, positive(b, b.gather(s, reversed(b, rows))))],
  pow: [(b, s) => b.pow(s, number(b, 2)), (b, s) => b.pow(positive(b, s), s)],
  max: [(b, s) => b.max(s, b.neg(s)), (b, s) => b.max(s, b.gather(s, reversed(b, rows)))],
  min: [(b, s) => b.min(s, number(b, 0.5))],
  mod: [(b, s) => b.mod(whole(b, s), b.full(7, 'i32', []))],
  floordiv: [(b, s) => b.floordiv(whole(b, s), b.full(7, 'i32', []))],
  eq: [(b, s) => b.eq(s, b.relu(s))],
  lt: [(b, s) => b.lt(s, number(b, 0.5))],
  le: [(b, s) => b.le(s, b.gather(s, reversed(b, rows)))],
  and: [(b, s) => b.and(b.lt(s, number(b, 0.5)), b.lt(number(b, -0.5), s))],
  or: [(b, s) => b.or(b.lt(s, number(b, -0.5)), b.lt(number(b, 0.5), s))],
  sum: [(b, s) => b.sum(s, [0], true), (b, s) => b.sub(s, b.sum(s, [0, 1], true))],
  reduce_max: [(b, s) => b.reduceMax(s, [0], true)],
  topk: [(b, s) => b.topk(s, 16)[0]!, (b, s) => b.topk(s, columns)[0]!],
  matmul: [(b, s) => b.matmul(square(b, s), s), (b, s) => b.matmul(s, b.full(0.01, 'f32', dims([columns, columns])))],
  conv2d: [(b, s) => b.conv2d(image(b, s), kernel(b), conv)],
  conv2d_dx: [(b, s) => b.conv2dDx(image(b, s), kernel(b), { ...conv, shape: dims([1, 1, ...shape]) })],
  conv2d_dw: [(b, s) => b.conv2dDw(image(b, s), image(b, s), { ...conv, kernel: [3, 3] })],
  mean: [(b, s) => b.mean(s, [1], true), (b, s) => b.sub(s, b.mean(s, [1], true))],
  softmax: [(b, s) => b.softmax(s, 1), (b, s) => b.softmax(s, 0)],
  log_softmax: [(b, s) => b.logSoftmax(s, 1), (b, s) => b.logSoftmax(s, 0)],
  layer_norm: [(b, s) => b.layerNorm(s, b.full(1, 'f32', dims([columns])), b.full(0, 'f32', dims([columns])), 1e-5)],
  gelu: [(b, s) => b.gelu(s, false), (b, s) => b.gelu(s, true)],
  max_pool2d: [(b, s) => b.maxPool2d(image(b, s), { kernel: [3, 3], stride: [1, 1], pad: [1, 1, 1, 1] })],
  grid_sample: [
    (b, s) => b.gridSample(image(b, s), b.mul(b.reshape(s, dims([1, (rows * columns) / 2, 2])), number(b, 20))),
  ],
};

type NextOf = (b: Builder, s: Value) => Value;

function graphOf(next: NextOf, sizes: readonly number[]): Graph {
  const build = new Builder(Facts.none);
  const s = build.input('s', { dtype: 'f32', shape: dims(sizes) });
  const outputs = [{ name: 'next:s', value: next(build, s), docs: '' }];
  const inputs = [{ name: 's', value: s, docs: '' }];
  return finish({ name: 'g', docs: '', inputs, outputs, facts: Facts.none, guards: [] }, build.nodes);
}

const faultsOf = (graph: Graph) => inPlaceFaults(graph, [{ name: 's', next: 'next:s' }]);

function start(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898) * 2);
}

/** The state after two steps on several threads. */
async function after(graph: Graph, sizes: readonly number[], apart: boolean): Promise<Float32Array> {
  const whole: StepGraph = {
    graph,
    state: [{ name: 's', next: 'next:s', kind: 'buffer', path: 's', shape: sizes }],
    packs: [],
    apart: apart ? ['s'] : [],
    learning: [],
    draws: [],
    outputs: [],
  };
  const data = start(sizes.reduce((a, b) => a * b, 1));
  const state = new Map([['s', data]]);
  const options = { steps: { whole }, inference: toyInference(), state, seed: 1, device: 'cpu', threads: 4 } as const;
  const backend = await openOnnxBackend(options);
  for (let step = 1; step <= 2; step++) await backend.step([{}], { learningRate: 0, step });
  await backend.release();
  return data;
}

/** What is accepted in place gives what memory of its own gives, bit for bit. */
async function expectSound(next: NextOf): Promise<void> {
  const graph = graphOf(next, shape);
  if (faultsOf(graph).length > 0) return;
  const [found, wanted] = [await after(graph, shape, false), await after(graph, shape, true)];
  let off = 0;
  for (const [i, x] of wanted.entries()) if (!Object.is(found[i], x)) off++;
  expect(off, 'elements that are wrong in place').toBe(0);
}

const readers = Object.entries(uses).filter(([, made]) => made.length > 0);
test.each(readers)('%s in place, as a writer and as a reader', async (_op, made) => {
  for (const make of made) {
    await expectSound((b, s) => fitted(b, make(b, s)));
    await expectSound((b, s) => b.add(fitted(b, make(b, s)), s));
    await expectSound((b, s) => b.sub(s, b.mul(fitted(b, make(b, s)), number(b, 0.1))));
  }
});

const wholeReaders = readers.filter(([op]) => ops[op as OpName].memory === 'new');
test.each(wholeReaders)('%s is proved neither as a writer nor right before one', (_op, made) => {
  const make = made[0]!;
  expect(faultsOf(graphOf((b, s) => fitted(b, make(b, s)), shape))).not.toEqual([]);
  expect(faultsOf(graphOf((b, s) => b.add(fitted(b, make(b, s)), s), shape))).not.toEqual([]);
});

test('the writers of optimizers and averages are proved', () => {
  const proved = (next: NextOf) => expect(faultsOf(graphOf(next, shape))).toEqual([]);
  proved((b, s) => b.add(b.mul(s, number(b, 0.9)), b.full(0.1, 'f32', dims(shape))));
  proved((b, s) => b.sub(b.mul(s, number(b, 0.9)), b.div(s, number(b, 3))));
  proved((b, s) => b.relu(s));
  proved((b, s) => b.sigmoid(s));
});

test.each([[[64, 8]], [[64, 1024]]])('rows in the opposite order, %j', async (sizes) => {
  const graph = graphOf((b, s) => b.gather(s, reversed(b, sizes[0]!)), sizes);
  expect(faultsOf(graph).map(({ reason }) => reason)).toEqual([expect.stringContaining('gather')]);
  const found = await after(graph, sizes, true);
  // Twice around.
  expect([...found]).toEqual([...start(found.length)]);
});
