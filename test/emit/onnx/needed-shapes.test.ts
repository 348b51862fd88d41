import { expect, test } from 'vitest';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import type { OnnxModel } from '../../../compiler/emit/onnx/model.ts';
import { withUnknownShapes } from '../../../compiler/emit/onnx/unknown-shapes.ts';
import { read } from '../../../compiler/graphs/read.ts';
import { temporaryFolder } from '../../runtime/temporary-folder.ts';
import { optimised, ranked } from './optimised.ts';

const at = temporaryFolder();

const graphs = {
  'a number and a matrix product': `graph "G" ""
%0 = input name="x" : f32[2, 3, 4]
%1 = input name="w" : f32[2, 4, 5]
%2 = exp %0 : f32[2, 3, 4]
%3 = full value=0.3 dtype=f32 shape=[] : f32[]
%4 = mul %2, %3 : f32[2, 3, 4]
%5 = matmul %4, %1 : f32[2, 3, 5]
input "x" = %0 ""
input "w" = %1 ""
output "y" = %5 ""
`,
  'a matrix product and an addition': `graph "G" ""
%0 = input name="x" : f32[3, 4]
%1 = input name="w" : f32[4, 5]
%2 = input name="b" : f32[5]
%3 = exp %0 : f32[3, 4]
%4 = matmul %3, %1 : f32[3, 5]
%5 = add %4, %2 : f32[3, 5]
input "x" = %0 ""
input "w" = %1 ""
input "b" = %2 ""
output "y" = %5 ""
`,
  'a bias and gelu': `graph "G" ""
%0 = input name="x" : f32[2, 3, 4]
%1 = input name="w" : f32[4, 5]
%2 = input name="b" : f32[5]
%3 = matmul %0, %1 : f32[2, 3, 5]
%4 = add %3, %2 : f32[2, 3, 5]
%5 = gelu %4 approximate=false : f32[2, 3, 5]
input "x" = %0 ""
input "w" = %1 ""
input "b" = %2 ""
output "y" = %5 ""
`,
  'a permutation of batches and a matrix product': `graph "G" ""
%0 = input name="x" : f32[2, 3, 4]
%1 = input name="z" : f32[3, 4, 5]
%2 = exp %0 : f32[2, 3, 4]
%3 = transpose %2 perm=[1, 0, 2] : f32[3, 2, 4]
%4 = matmul %3, %1 : f32[3, 2, 5]
input "x" = %0 ""
input "z" = %1 ""
output "y" = %4 ""
`,
  'two permuted operands': `graph "G" ""
%0 = input name="x" : f32[2, 3, 4]
%1 = input name="z" : f32[2, 3, 4]
%2 = exp %0 : f32[2, 3, 4]
%3 = transpose %2 perm=[0, 2, 1] : f32[2, 4, 3]
%4 = transpose %1 perm=[0, 2, 1] : f32[2, 4, 3]
%5 = add %3, %4 : f32[2, 4, 3]
input "x" = %0 ""
input "z" = %1 ""
output "y" = %5 ""
`,
};

const joined: Readonly<Record<keyof typeof graphs, readonly string[]>> = {
  'a number and a matrix product': ['Reshape', 'Exp', 'FusedMatMul'],
  'a matrix product and an addition': ['Reshape', 'Exp', 'Gemm'],
  'a bias and gelu': ['Reshape', 'MatMul', 'BiasGelu'],
  'a permutation of batches and a matrix product': ['Reshape', 'Reshape', 'Exp', 'FusedMatMul'],
  'two permuted operands': ['Reshape', 'Reshape', 'Exp', 'Add', 'Transpose'],
};

async function operators(model: OnnxModel, index: number): Promise<readonly string[]> {
  return (await optimised(model, at(`${index}.onnx`))).map(({ opType }) => opType!);
}

test.each(Object.entries(graphs))('onnxruntime joins or moves %s as if it knew all ranks', async (name, text) => {
  const model = withUnknownShapes(emitOnnx(read(text), { producerVersion: '' }), new Set(['x', 'z']));
  const unranked = { ...model, graph: { ...model.graph, values: [] } };
  const [wanted, found, lost] = await Promise.all([ranked(model), model, unranked].map(operators));
  expect([...wanted!].sort()).toEqual([...joined[name as keyof typeof graphs]].sort());
  expect(found).toEqual(wanted);
  expect(lost).not.toEqual(wanted);
});
