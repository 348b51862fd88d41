import { expect, test } from 'vitest';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { read } from '../../compiler/graphs/read.ts';
import { verify } from '../../compiler/graphs/verify.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { tensor } from '../../compiler/ir/tensor-data.ts';
import type { HalfType } from '../../compiler/ir/types.ts';
import { emulateHalf } from '../../compiler/passes/emulate-half.ts';
import { toHalf } from '../../compiler/passes/half.ts';
import {
  bfloat16FromFloat32,
  float32FromBfloat16,
  float32FromHalf,
  halfFromFloat32,
} from '../../runtime/tensors/half.ts';
import { runOnnx } from '../emit/onnx/session.ts';
import { nodesOf } from './equivalence.ts';

const layer = `%0 = input name="x" : f32[4, 8]
%1 = input name="w" : f32[8, 8]
%2 = matmul %0, %1 : f32[4, 8]
%3 = full value=0.3 dtype=f32 shape=[] : f32[]
%4 = mul %2, %3 : f32[4, 8]
%5 = relu %4 : f32[4, 8]
%6 = transpose %5 perm=[1, 0] : f32[8, 4]
%7 = pad %6 low=[0, 1] high=[0, 2] value=0.5 : f32[8, 7]
input "x" = %0 ""
input "w" = %1 ""
output "y" = %7 ""
`;

function half(type: HalfType): Graph {
  const graph = toHalf(read(layer), { type });
  expect(verify(graph)).toEqual([]);
  return graph;
}

const numbers = (n: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(3 * i + 1) * 2);
const feeds = new Map([
  ['x', tensor('f32', [4, 8], numbers(32))],
  ['w', tensor('f32', [8, 8], numbers(64))],
]);
const run = async (graph: Graph) => (await runOnnx(emitOnnx(graph, { producerVersion: '0' }), feeds)).get('y')!.data;

test('rounds what is computed, and only that', () => {
  expect(nodesOf(emulateHalf(half('bf16')))).toMatchInlineSnapshot(`
    "%2 = cast %0 dtype=bf16 : bf16[4, 8]
    %3 = cast %2 dtype=f32 : f32[4, 8]
    %4 = cast %1 dtype=bf16 : bf16[8, 8]
    %5 = cast %4 dtype=f32 : f32[8, 8]
    %6 = matmul %3, %5 : f32[4, 8]
    %7 = cast %6 dtype=bf16 : bf16[4, 8]
    %8 = cast %7 dtype=f32 : f32[4, 8]
    %9 = full value=0.3 dtype=f32 shape=[] : f32[]
    %10 = cast %9 dtype=bf16 : bf16[]
    %11 = cast %10 dtype=f32 : f32[]
    %12 = mul %8, %11 : f32[4, 8]
    %13 = cast %12 dtype=bf16 : bf16[4, 8]
    %14 = cast %13 dtype=f32 : f32[4, 8]
    %15 = relu %14 : f32[4, 8]
    %16 = transpose %15 perm=[1, 0] : f32[8, 4]
    %17 = pad %16 low=[0, 1] high=[0, 2] value=0.5 : f32[8, 7]
    y = %17"
  `);
});

// onnxruntime's own f16 on the CPU is no reference: it rounds only where a tensor leaves a group of operators.
test.each([
  ['bf16', (values: Float32Array) => float32FromBfloat16(bfloat16FromFloat32(values))],
  ['f16', (values: Float32Array) => float32FromHalf(halfFromFloat32(values))],
] as const)('gives the bits of %s where a product is summed in f32', async (type, round) => {
  const [x, w] = [round(numbers(32)), round(numbers(64))];
  const product = Float32Array.from({ length: 32 }, (_, at) => {
    let sum = 0;
    for (let k = 0; k < 8; k++) sum += x[8 * Math.floor(at / 8) + k]! * w[8 * k + (at % 8)]!;
    return sum;
  });
  const [factor] = round(Float32Array.of(0.3));
  const scaled = round(round(product).map((value) => value * factor!)).map((value) => Math.max(value, 0));
  const found = await run(emulateHalf(half(type)));
  for (let row = 0; row < 8; row++) {
    const inner = Array.from({ length: 4 }, (_, column) => scaled[8 * column + row]!);
    expect([...found.slice(7 * row, 7 * row + 7)]).toEqual([0.5, ...inner, 0.5, 0.5]);
  }
});
