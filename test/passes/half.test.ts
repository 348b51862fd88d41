import { describe, expect, it, test } from 'vitest';
import { emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import { read } from '../../compiler/graphs/read.ts';
import { verify } from '../../compiler/graphs/verify.ts';
import { toHalf } from '../../compiler/passes/half.ts';
import { nodesOf } from './equivalence.ts';

const weight = (name: string, path: string, shape: string, keep = false) =>
  `${name} = weight path="${path}" role="param" init=zeros() decay=true keepF32=${keep} : f32[${shape}]\n`;

function half(body: string): string {
  const graph = read(body);
  expect(verify(graph)).toEqual([]);
  const result = toHalf(graph, { type: 'f16' });
  expect(verify(result)).toEqual([]);
  return (
    result.nodes
      .flatMap((node) => (node.op === 'weight' ? [`${node.attributes.path}: ${node.outputs[0]!.type.dtype}`] : []))
      .join(', ') +
    '\n' +
    nodesOf(result)
  );
}

describe('half precision', () => {
  it('multiplies in f16 and normalises in f32, with one cast at each border', () => {
    const text = half(`%0 = input name="x" : f32[B, 8]
${weight('%1', 'scale', '8')}${weight('%2', 'bias', '8')}${weight('%3', 'w', '8, 8')}${weight('%4', 'b', '8')}%5 = layer_norm %0, %1, %2 eps=0.00001 : f32[B, 8]
%6 = matmul %5, %3 : f32[B, 8]
%7 = add %6, %4 : f32[B, 8]
%8 = gelu %7 approximate=false : f32[B, 8]
%9 = add %8, %0 : f32[B, 8]
%10 = softmax %9 axis=1 : f32[B, 8]
%11 = matmul %10, %3 : f32[B, 8]
input "x" = %0 ""
output "y" = %11 ""
`);
    expect(text).toMatchInlineSnapshot(`
      "scale: f32, bias: f32, w: f16, b: f16
      %5 = layer_norm %0, %1, %2 eps=0.00001 : f32[B, 8]
      %6 = cast %5 dtype=f16 : f16[B, 8]
      %7 = matmul %6, %3 : f16[B, 8]
      %8 = add %7, %4 : f16[B, 8]
      %9 = gelu %8 approximate=false : f16[B, 8]
      %10 = cast %0 dtype=f16 : f16[B, 8]
      %11 = add %9, %10 : f16[B, 8]
      %12 = cast %11 dtype=f32 : f32[B, 8]
      %13 = softmax %12 axis=1 : f32[B, 8]
      %14 = cast %13 dtype=f16 : f16[B, 8]
      %15 = matmul %14, %3 : f16[B, 8]
      %16 = cast %15 dtype=f32 : f32[B, 8]
      y = %16"
    `);
  });

  it('goes on in f16 after a norm of f16, except where f32 is computed of it', () => {
    const body = (x: string) => `%0 = input name="x" : f32[B, 8]
%1 = input name="place" : f32[B, 8]
${weight('%2', 'w', '8, 8')}${weight('%3', 'scale', '8')}${weight('%4', 'bias', '8')}%5 = matmul %0, %2 : f32[B, 8]
%6 = layer_norm ${x}, %3, %4 eps=0.00001 : f32[B, 8]
%7 = add %6, %1 : f32[B, 8]
%8 = exp %6 : f32[B, 8]
input "x" = %0 ""
input "place" = %1 ""
output "other" = %5 ""
output "sum" = %7 ""
output "power" = %8 ""
`;
    expect(half(body('%5'))).toMatchInlineSnapshot(`
      "w: f16, scale: f32, bias: f32
      %5 = cast %0 dtype=f16 : f16[B, 8]
      %6 = matmul %5, %2 : f16[B, 8]
      %7 = cast %6 dtype=f32 : f32[B, 8]
      %8 = layer_norm %7, %3, %4 eps=0.00001 : f32[B, 8]
      %9 = cast %8 dtype=f16 : f16[B, 8]
      %10 = cast %1 dtype=f16 : f16[B, 8]
      %11 = add %9, %10 : f16[B, 8]
      %12 = exp %8 : f32[B, 8]
      %13 = cast %11 dtype=f32 : f32[B, 8]
      other = %7
      sum = %13
      power = %12"
    `);
    // A norm of f32 is f32.
    expect(half(body('%0'))).toMatchInlineSnapshot(`
      "w: f16, scale: f32, bias: f32
      %5 = cast %0 dtype=f16 : f16[B, 8]
      %6 = matmul %5, %2 : f16[B, 8]
      %7 = layer_norm %0, %3, %4 eps=0.00001 : f32[B, 8]
      %8 = add %7, %1 : f32[B, 8]
      %9 = exp %7 : f32[B, 8]
      %10 = cast %6 dtype=f32 : f32[B, 8]
      other = %10
      sum = %8
      power = %9"
    `);
  });

  it('casts a table before more rows are taken from it than it has', () => {
    const body = (rows: number) => `%0 = input name="x" : f32[4, 8]
%1 = input name="i" : i32[${rows}]
${weight('%2', 'w', '8, 8')}%3 = matmul %0, %2 : f32[4, 8]
%4 = gather %3, %1 : f32[${rows}, 8]
input "x" = %0 ""
input "i" = %1 ""
output "y" = %4 ""
`;
    expect(half(body(6))).toMatchInlineSnapshot(`
      "w: f16
      %3 = cast %0 dtype=f16 : f16[4, 8]
      %4 = matmul %3, %2 : f16[4, 8]
      %5 = cast %4 dtype=f32 : f32[4, 8]
      %6 = gather %5, %1 : f32[6, 8]
      y = %6"
    `);
    expect(half(body(3))).toMatchInlineSnapshot(`
      "w: f16
      %3 = cast %0 dtype=f16 : f16[4, 8]
      %4 = matmul %3, %2 : f16[4, 8]
      %5 = gather %4, %1 : f16[3, 8]
      %6 = cast %5 dtype=f32 : f32[3, 8]
      y = %6"
    `);
  });

  it('keeps marked weights, positions, and numbers that half precision loses', () => {
    const text = half(`%0 = input name="x" : f32[B, 4, 8, 8]
%1 = input name="m" : bool[B, 8]
${weight('%2', 'offsets', '8, 2')}${weight('%3', 'kept', '8, 8', true)}%4 = reshape %0 shape=[B, 32, 8] : f32[B, 32, 8]
%5 = matmul %4, %2 : f32[B, 32, 2]
%6 = full value=8 dtype=f32 shape=[] : f32[]
%7 = mul %5, %6 : f32[B, 32, 2]
%8 = grid_sample %0, %7 : f32[B, 4, 32]
%9 = full value=-1000000000 dtype=f32 shape=[] : f32[]
%10 = full value=0 dtype=f32 shape=[] : f32[]
%11 = select %1, %10, %9 : f32[B, 8]
%12 = reshape %11 shape=[B, 1, 1, 8] : f32[B, 1, 1, 8]
%13 = matmul %0, %3 : f32[B, 4, 8, 8]
%14 = add %13, %12 : f32[B, 4, 8, 8]
%15 = relu %8 : f32[B, 4, 32]
input "x" = %0 ""
input "m" = %1 ""
output "y" = %14 ""
output "z" = %15 ""
`);
    expect(text).toMatchInlineSnapshot(`
      "offsets: f16, kept: f32
      %4 = reshape %0 shape=[B, 32, 8] : f32[B, 32, 8]
      %5 = cast %4 dtype=f16 : f16[B, 32, 8]
      %6 = matmul %5, %2 : f16[B, 32, 2]
      %7 = full value=8 dtype=f32 shape=[] : f32[]
      %8 = cast %6 dtype=f32 : f32[B, 32, 2]
      %9 = mul %8, %7 : f32[B, 32, 2]
      %10 = grid_sample %0, %9 : f32[B, 4, 32]
      %11 = full value=-1000000000 dtype=f32 shape=[] : f32[]
      %12 = full value=0 dtype=f32 shape=[] : f32[]
      %13 = select %1, %12, %11 : f32[B, 8]
      %14 = reshape %13 shape=[B, 1, 1, 8] : f32[B, 1, 1, 8]
      %15 = matmul %0, %3 : f32[B, 4, 8, 8]
      %16 = add %15, %14 : f32[B, 4, 8, 8]
      %17 = relu %10 : f32[B, 4, 32]
      y = %16
      z = %17"
    `);
  });
});

describe('bfloat16', () => {
  test('keeps what ONNX and onnxruntime’s CUDA provider do not have in f32, and large numbers in bf16', () => {
    const graph = toHalf(
      read(`%0 = input name="x" : f32[2, 8]
%1 = input name="w" : f32[8, 8]
%2 = matmul %0, %1 : f32[2, 8]
%3 = full value=-1000000000 dtype=f32 shape=[] : f32[]
%4 = add %2, %3 : f32[2, 8]
%5 = reduce_max %4 axes=[1] keep=true : f32[2, 1]
%6 = lt %4, %5 : bool[2, 8]
%7 = floor %4 : f32[2, 8]
%8 = select %6, %7, %4 : f32[2, 8]
input "x" = %0 ""
input "w" = %1 ""
output "y" = %8 ""
`),
      { type: 'bf16' },
    );
    expect(verify(graph)).toEqual([]);
    const dtypes = Object.fromEntries(graph.nodes.map(({ op, inputs }) => [op, inputs.at(-1)?.type.dtype]));
    expect(dtypes).toMatchObject({ matmul: 'bf16', add: 'bf16', reduce_max: 'f32', lt: 'f32', floor: 'f32' });
  });

  test('pads by concatenation, as the provider has no kernel of Pad', () => {
    const graph = toHalf(
      read(`%0 = input name="x" : f32[2, 8]
%1 = input name="w" : f32[8, 8]
%2 = matmul %0, %1 : f32[2, 8]
%3 = pad %2 low=[0, 1] high=[1, 2] value=2 : f32[3, 11]
input "x" = %0 ""
input "w" = %1 ""
output "y" = %3 ""
`),
      { type: 'bf16' },
    );
    const ops = emitOnnx(graph, { producerVersion: '0' }).graph.nodes.map(({ op }) => op);
    expect(ops.filter((op) => op === 'Concat')).toHaveLength(2);
    expect(ops).not.toContain('Pad');
  });
});
