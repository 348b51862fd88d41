import { expect, test } from 'vitest';
import { read } from '../../compiler/graphs/read.ts';
import { plannedPeak } from '../../compiler/training/planned-memory.ts';

const peak = (text: string, state: readonly string[] = []) =>
  plannedPeak({ graph: read(text), state: state.map((name) => ({ name })), packs: [] });

test('a result takes the buffer of a dead tensor of exactly its shape', () => {
  const { bytes, at } = peak(`graph "G" ""
%0 = input name="x" : f32[4]
%1 = exp %0 : f32[4]
%2 = neg %1 : f32[4]
%3 = abs %2 : f32[4]
%4 = neg %3 : f32[4]
input "x" = %0 ""
output "y" = %4 ""
`);
  expect(bytes).toBe(2 * 16);
  expect(at?.op).toBe('exp');
});

test('a buffer is held between two of its tensors', () => {
  const { bytes, at } = peak(
    `graph "G" ""
%0 = input name="x" : f32[2, 3]
%1 = input name="v" : f32[3, 5]
%2 = input name="u" : f32[5, 3]
%3 = exp %0 : f32[2, 3]
%4 = matmul %3, %1 : f32[2, 5]
%5 = sqrt %4 : f32[2, 5]
%6 = matmul %5, %2 : f32[2, 3]
input "x" = %0 ""
input "v" = %1 ""
input "u" = %2 ""
output "y" = %6 ""
`,
    ['v', 'u'],
  );
  // The second product takes the buffer of %3, which is dead while the square root is taken.
  expect(bytes).toBe(24 + 40 + 40);
  expect(at?.op).toBe('sqrt');
});
