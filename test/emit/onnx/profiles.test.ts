import { describe, expect, test } from 'vitest';
import { compile } from '../../../compiler/compile.ts';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { contribDomain, type OnnxModel } from '../../../compiler/emit/onnx/model.ts';
import { type Target, targets } from '../../../compiler/emit/onnx/profile.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import { runPipeline } from '../../../compiler/passes/pipeline.ts';
import { memoryHost } from '../../memory-host.ts';
import { expectClose } from './closeness.ts';
import { runOnnx } from './session.ts';

function graphOf(source: string, sizes: Readonly<Record<string, number>> = {}): Graph {
  const options = { model: undefined, dims: new Map(Object.entries(sizes)), overrides: [] };
  const { graph, diagnostics } = compile(memoryHost({ 'main.crob': source }), 'main.crob', options);
  if (!graph) throw new Error(diagnostics.map(({ code, message }) => `${code} ${message}`).join('\n'));
  return graph;
}

const emit = (graph: Graph, profile: Target): OnnxModel => emitOnnx(graph, { producerVersion: 'test', profile });

/** How often each operator occurs; onnxruntime's own have their domain. */
function counts({ graph }: OnnxModel): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { op, domain } of graph.nodes) {
    const name = domain === undefined ? op : `${domain}.${op}`;
    found[name] = (found[name] ?? 0) + 1;
  }
  return found;
}

/** Numbers that look drawn, between -1 and 1. */
function numbers(shape: readonly number[], seed: number) {
  const count = shape.reduce((a, b) => a * b, 1);
  return tensor(
    'f32',
    shape,
    Float64Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i * 1.7 + seed))),
  );
}

/** Compares a model of each profile, in onnxruntime, with the graph as it was written, in the interpreter. */
async function expectSame(source: string, shape: readonly number[], sizes: Readonly<Record<string, number>> = {}) {
  const graph = graphOf(source, sizes);
  const feeds = new Map([['x', numbers(shape, 0)]]);
  const weight = (path: string, of: readonly number[]) => numbers(of, path.length);
  const wanted = interpret(graph, feeds, weight).get('y')!;
  const shapes = new Map(
    graph.nodes.flatMap(({ op, attributes, outputs }) =>
      op === 'weight' ? [[attributes.path, outputs[0].type.shape.map((dim) => Number(dim.key))] as const] : [],
    ),
  );
  const read = { read: (path: string) => Float32Array.from(weight(path, shapes.get(path)!).data) };
  const optimised = runPipeline(graph, { verify: true });
  for (const profile of targets)
    expectClose(profile, (await runOnnx(emit(optimised, profile), feeds, read)).get('y')!, wanted, 2e-5);
  return optimised;
}

const block = (args: string) => `
use std.swin.{SwinBlock}
model M {
  block = SwinBlock(32, 2, ${args})
  norm = LayerNorm(32)
  input x: f32[B, H, W, 32]
  output y = norm(block(x))
}`;

describe('a block of Swin computes the same for every device', () => {
  test.each([
    ['windows', 'window = 4', [1, 8, 8, 32], { B: 1, H: 8, W: 8 }],
    ['windows that are shifted', 'window = 4, shift = 2', [2, 8, 8, 32], { B: 2, H: 8, W: 8 }],
    ['windows with padding', 'window = 4', [1, 6, 7, 32], { B: 1, H: 6, W: 7 }],
    ['shifted windows with padding', 'window = 4, shift = 2', [2, 6, 7, 32], { B: 2, H: 6, W: 7 }],
    ['an open batch', 'window = 4, shift = 2', [3, 6, 8, 32], { H: 6, W: 8 }],
    ['open sizes', 'window = 4, shift = 2', [2, 6, 8, 32], {}],
  ] as const)('%s', async (_, args, shape, sizes) => {
    await expectSame(block(args), shape, sizes);
  });
});

test('for CUDA, a block is one operator for attention, and one for each residual with its norm', async () => {
  const graph = await expectSame(block('window = 4, shift = 2'), [1, 6, 8, 32], { B: 1, H: 6, W: 8 });
  expect(counts(emit(graph, 'cuda'))).toMatchInlineSnapshot(`
    {
      "Add": 1,
      "Gather": 3,
      "LayerNormalization": 1,
      "MatMul": 3,
      "Pad": 1,
      "Reshape": 5,
      "Transpose": 1,
      "com.microsoft.Attention": 1,
      "com.microsoft.BiasGelu": 1,
      "com.microsoft.SkipLayerNormalization": 2,
    }
  `);
});

const words = `
use std.attention.{SelfAttention}
use std.bert.{BertLayer}
model M {
  joint = SelfAttention(32, 4)
  norm = LayerNorm(32)
  layer = BertLayer(32, 4, 64, dropout = 0.1)
  input x: f32[B, N, 32]
  let bias = x[:, :, 0] * 3
  let a = norm(x + joint(x, bias < 0.5))
  output y = layer(a, bias)
}`;

describe('words that attend to each other', () => {
  test.each([
    // With these sizes, the optimiser mixes x before its projection to values.
    ['two texts', [2, 40, 32], { B: 2, N: 40 }, 1],
    ['an open number of texts', [3, 12, 32], { N: 12 }, 2],
    ['open sizes', [2, 12, 32], {}, 2],
  ] as const)('compute the same for every device: %s', async (_, shape, sizes, attentions) => {
    const graph = await expectSame(words, shape, sizes);
    const found = counts(emit(graph, 'cuda'));
    expect(found[`${contribDomain}.Attention`]).toBe(attentions);
    expect(found[`${contribDomain}.SkipLayerNormalization`]).toBe(3);
    expect(found[`${contribDomain}.BiasGelu`]).toBe(1);
  });
});

test('what is joined and split as rows needs no shape of its own', async () => {
  const source = `
model M {
  a = Linear(8, 16)
  b = Linear(8, 16)
  c = Linear(16, 4)
  d = Linear(16, 4)
  input x: f32[1, N, 8]
  let both = concat([a(x), b(x)], "b * c")
  let bent = both * tanh(both)
  output y = concat([c(bent[:, 0..N, :]), d(bent[:, N..2*N, :])], "b n *")
}`;
  const graph = await expectSame(source, [1, 6, 8], { N: 6 });
  expect(counts(emit(graph, 'cuda'))).toMatchInlineSnapshot(`
    {
      "Add": 4,
      "Concat": 2,
      "MatMul": 4,
      "Mul": 1,
      "Reshape": 3,
      "Split": 1,
      "Tanh": 1,
    }
  `);
  await expectSame(source, [1, 6, 8]);
});

test('a portable model uses only the operators of ONNX', () => {
  const graph = runPipeline(graphOf(block('window = 4, shift = 2'), { H: 8, W: 8 }));
  expect(emit(graph, 'portable').opsets).toEqual([{ domain: '', version: 20 }]);
  expect(emit(graph, 'cuda').opsets).toEqual([
    { domain: '', version: 20 },
    { domain: contribDomain, version: 1 },
  ]);
});

test('what reads a part of an attention or a sum still gets it', async () => {
  const source = `
use std.attention.{SelfAttention}
model M {
  joint = SelfAttention(32, 4)
  norm = LayerNorm(32)
  input x: f32[B, N, 32]
  let sum = x + joint(x)
  output y = norm(sum) * sum
  output z = sum
}`;
  const graph = await expectSame(source, [2, 6, 32], { N: 6 });
  const { graph: emitted } = emit(graph, 'cuda');
  const skip = emitted.nodes.find(({ op }) => op === 'SkipLayerNormalization');
  expect(skip?.outputs.map((name) => name !== '')).toEqual([true, false, false, true]);
});
