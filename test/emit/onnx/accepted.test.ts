import { expect, test } from 'vitest';
import { compile } from '../../../compiler/compile.ts';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import { verify } from '../../../compiler/graphs/verify.ts';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import { type Precision, runPipeline } from '../../../compiler/passes/pipeline.ts';
import { UserError } from '../../../runtime/files/user-error.ts';
import { encodeOnnx } from '../../../runtime/onnx/onnx-file.ts';
import { memoryHost } from '../../memory-host.ts';
import { runOnnx } from './session.ts';

function graphOf(source: string) {
  const options = { model: undefined, dims: new Map<string, number>(), overrides: [] };
  const { graph, diagnostics } = compile(memoryHost({ 'main.crob': source }), 'main.crob', options);
  if (!graph) throw new Error(diagnostics.map(({ code, message }) => `${code} ${message}`).join('\n'));
  return graph;
}

const weightOf = (_path: string, shape: readonly number[]) =>
  tensor(
    'f32',
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.fround(Math.sin(i + 1) / 4)),
  );

/** The one output, from the source as it stands and as it is built. */
async function bothWays(source: string, shape: readonly number[], dtype: Precision) {
  const graph = graphOf(source);
  const count = shape.reduce((a, b) => a * b, 1);
  const x = tensor(
    'f32',
    shape,
    Array.from({ length: count }, (_, i) => Math.fround(Math.cos(i))),
  );
  const feeds = new Map([['x', x]]);
  const wanted = interpret(graph, feeds, weightOf).get('y')!;
  const optimised = runPipeline(graph, { dtype, verify: true });
  expect(verify(optimised)).toEqual([]);
  const shapes = new Map(
    graph.nodes.flatMap(({ op, attributes, outputs }) =>
      op === 'weight' ? [[attributes.path, outputs[0].type.shape.map((dim) => Number(dim.key))] as const] : [],
    ),
  );
  const weights = { read: (path: string) => weightOf(path, shapes.get(path)!).data as Float64Array };
  const source32 = { read: (path: string) => Float32Array.from(weights.read(path)) };
  const found = (await runOnnx(emitOnnx(optimised, { producerVersion: 'test' }), feeds, source32)).get('y')!;
  return { wanted: [...wanted.data], found: [...found.data] };
}

const precisions = ['f32', 'f16'] as const;

function close(found: readonly number[], wanted: readonly number[], within: number): void {
  for (const [i, x] of wanted.entries()) {
    if (Object.is(found[i], x)) continue;
    expect(Math.abs(found[i]! - x), `[${i}]: ${found[i]} against ${x}`).toBeLessThan(within * Math.max(1, Math.abs(x)));
  }
}

test.each(precisions)('a norm by another number than an epsilon, %s', async (dtype) => {
  const source = `
model Norm() {
  input x: f32[B, 8]
  let centred = x - mean(x, "b c -> b 1")
  output y = centred / sqrt(mean(centred * centred, "b c -> b 1") + -0.25)
}`;
  const { found, wanted } = await bothWays(source, [2, 8], dtype);
  close(found, wanted, 1e-5);
});

test.each(precisions)('numbers that are beyond float32 once they are computed, %s', async (dtype) => {
  const made = ['exp(full(100.0, [4]))', '-exp(full(100.0, [4]))', 'exp(full(100.0, [4]) + f32(iota(4)))'];
  for (const one of made) {
    const { found } = await bothWays(`model Large() {\n  input x: f32[4]\n  output y = x + ${one}\n}`, [4], dtype);
    expect(found).toEqual(new Array(4).fill(one.startsWith('-') ? -Infinity : Infinity));
  }
});

const layers = (body: string) => `
model Layers() {
  first = Linear(8, 8)
  second = Linear(8, 8)
  input x: f32[B, 8]
  output y = ${body}
}`;

test.each([
  ['a mask before a product', 'second(select(first(x) < 0, -1000000000.0, first(x)))'],
  ['a large number times a product', 'second(100000.0 * first(x))'],
  ['a large factor', 'matmul(second(first(x)), full(100000.0, [8, 8]))'],
  ['large numbers through two products', 'second(first(200000.0 + x))'],
  ['a sum of masks', 'second(x + mean(select(first(x) < 0, -1000000000.0, first(x)), "b c -> b 1"))'],
  ['a softmax behind a mask', 'second(softmax(select(first(x) < 0, -1000000000.0, first(x))))'],
])('f16 with %s', async (_what, body) => {
  const { found, wanted } = await bothWays(layers(body), [2, 8], 'f16');
  const largest = Math.max(...wanted.map(Math.abs));
  expect(Number.isFinite(largest)).toBe(true);
  for (const [i, x] of wanted.entries()) expect(Math.abs(found[i]! - x)).toBeLessThan(4e-3 * Math.max(1, largest));
});

/** Operands that wrap, and those of the least and the largest number. */
test('whole quotients of sums and products that wrap round down', async () => {
  const quotients = [
    'floor((x + 2147483647) / 3)',
    'floor((max(x, 0) + max(x, 0)) / 7)',
    'floor((max(x, 0) * 65536) / 5)',
    'floor((min(max(x, 0), 10) + 7) / 4)',
    'floor((min(max(x, -9), 10) - 7) / 4)',
    'floor(x / 3)',
    'floor(-x / 2147483647)',
  ];
  for (const quotient of quotients) {
    const graph = graphOf(`model Whole() {\n  input x: i32[12]\n  output y = ${quotient}\n}`);
    const least = -(2 ** 31);
    const x = tensor('i32', [12], [0, 1, -1, 2, -2, 7, -8, least, least + 1, 2 ** 31 - 1, 2 ** 31 - 2, 123456789]);
    const feeds = new Map([['x', x]]);
    const wanted = interpret(graph, feeds, weightOf).get('y')!;
    const found = (await runOnnx(emitOnnx(runPipeline(graph), { producerVersion: 'test' }), feeds)).get('y')!;
    expect([...found.data], quotient).toEqual([...wanted.data]);
  }
});

test('a weight that half precision cannot hold is refused where it is stored so', async () => {
  const graph = graphOf(layers('second(first(x))'));
  const model = (dtype: Precision) => emitOnnx(runPipeline(graph, { dtype }), { producerVersion: 'test' });
  const holding = (x: number) => ({
    read: (path: string) => {
      const data = new Float32Array(path.endsWith('bias') ? 8 : 64);
      if (path === 'first.weight') data[3] = x;
      return data;
    },
  });
  await encodeOnnx(model('f32'), holding(70000));
  await encodeOnnx(model('f16'), holding(65504));
  await encodeOnnx(model('f16'), holding(Infinity));
  const refused = encodeOnnx(model('f16'), holding(-70000));
  await expect(refused).rejects.toThrow('first.weight holds -70000');
  await expect(refused).rejects.toBeInstanceOf(UserError);
});

test('a scale of a scale, each before a product', async () => {
  const source = `
module Left(n: int) {
  param weight: f32[n, n] ~ trunc_normal(std = 0.02)
  forward(x: f32[n, n]) -> f32[n, n] { return matmul(weight, x) }
}

model Scaled() {
  left = Left(8)
  input x: f32[8, 8]
  let once = x * 0.75
  let twice = once * 0.5
  let a = left(once)
  let b = left(twice)
  output y = select(x < 0, a, b)
}`;
  const { found, wanted } = await bothWays(source, [8, 8], 'f32');
  close(found, wanted, 1e-5);
});
