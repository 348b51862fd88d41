import { expect, test } from 'vitest';
import { depthFirst } from '../../compiler/graphs/node-order.ts';
import { read } from '../../compiler/graphs/read.ts';

/** The order is that of the same graph in ONNX in a profile of onnxruntime (`enable_profiling`). */
test('the last result comes first, and before it the last one of its operands', () => {
  const { nodes } = read(`graph "G" ""
%0 = input name="x" : f32[4]
%1 = exp %0 : f32[4]
%2 = neg %0 : f32[4]
%3 = abs %2 : f32[4]
%4 = add %1, %3 : f32[4]
%5 = sqrt %1 : f32[4]
input "x" = %0 ""
output "y" = %4 ""
output "z" = %5 ""
`);
  expect(depthFirst(nodes).map(({ op }) => op)).toEqual(['input', 'exp', 'sqrt', 'neg', 'abs', 'add']);
});
