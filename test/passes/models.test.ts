// slow: runs shipped models before and after the passes

import { describe, expect, it } from 'vitest';
import { compile } from '../../compiler/compile.ts';
import { constant } from '../../compiler/dims/dim.ts';
import { bindDims } from '../../compiler/graphs/bind.ts';
import { interpret } from '../../compiler/graphs/interpret.ts';
import { read } from '../../compiler/graphs/read.ts';
import { verify } from '../../compiler/graphs/verify.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { graphHash } from '../../compiler/ir/hash.ts';
import { print } from '../../compiler/ir/print.ts';
import { elementCount, tensor } from '../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { seededRandom, seedOf } from '../../compiler/ops/random.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { diskHost } from '../../runtime/files/source-host.ts';

const sizes = { B: 1, H: 64, W: 96, T: 6 };

function elaborated(model: string, file: string): Graph {
  const settings = { model, dims: new Map(), overrides: [], recipeDims: [] };
  const { graph, diagnostics } = compile(diskHost(), file, settings);
  expect(diagnostics).toEqual([]);
  return graph!;
}

/** The logits of one image and a sentence of five tokens, with weights of about the size that training leaves. */
function logits(graph: Graph): TensorData['data'] {
  const random = seededRandom(1);
  const pixels = Array.from({ length: 3 * sizes.H * sizes.W }, () => 2 * random.real() - 1);
  const feeds = new Map([
    ['image', tensor('f32', [1, 3, sizes.H, sizes.W], pixels)],
    ['tokens', tensor('i64', [1, sizes.T], [101, 5, 7, 9, 102, 0])],
    ['mask', tensor('bool', [1, sizes.T], [1, 1, 1, 1, 1, 0])],
  ]);
  const weights = (path: string, shape: readonly number[]): TensorData => {
    const around = seededRandom(seedOf(path));
    const scale = shape.length === 1 && path.endsWith('weight') ? 1 : 0;
    const element = () => scale + 0.2 * (around.real() - 0.5);
    return tensor('f32', shape, Array.from({ length: elementCount(shape) }, element));
  };
  return interpret(graph, feeds, weights, new Map(Object.entries(sizes))).get('logits')!.data;
}

function furthest(a: TensorData['data'], b: TensorData['data']): number {
  let distance = 0;
  for (let i = 0; i < a.length; i++) distance = Math.max(distance, Math.abs(a[i]! - b[i]!));
  return distance;
}

describe.each([
  ['CroBIM_micro', 'models/crobim.crob'],
  ['CroBIM_micro_ConvNeXt', 'models/sizes.crob'],
])('%s', (model, file) => {
  const graph = elaborated(model, file);
  const bound = bindDims(graph, new Map(Object.entries(sizes).map(([name, size]) => [name, constant(size)])));
  const wanted = logits(graph);

  it.each([
    ['with free dims', graph],
    ['with sizes bound', bound],
  ])('%s: the pipeline keeps its results and settles', (_how, start) => {
    expect(verify(start)).toEqual([]);
    const optimised = runPipeline(start, { verify: true });
    expect(optimised.nodes.length).toBeLessThan(start.nodes.length);
    expect(furthest(logits(optimised), wanted)).toBeLessThan(1e-4);
    expect(print(runPipeline(optimised))).toBe(print(optimised));
  });

  it('reads back as it was printed, and keeps its hash', () => {
    const text = print(graph);
    const again = read(text);
    expect(print(again)).toBe(text);
    expect(graphHash(again)).toBe(graphHash(graph));
  });

  it('has a sound half-precision form', () => {
    const half = runPipeline(bound, { dtype: 'f16', verify: true });
    expect(half.nodes.some((node) => node.op === 'matmul' && node.outputs[0]!.type.dtype === 'f16')).toBe(true);
    expect(furthest(logits(half), wanted)).toBeLessThan(0.05);
  });
});
