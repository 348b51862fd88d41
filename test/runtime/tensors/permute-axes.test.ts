import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import { ops } from '../../../compiler/ops/table.ts';
import { permuteAxes } from '../../../runtime/tensors/permute-axes.ts';
import { holds } from '../../property.ts';

const shapes = fc
  .array(fc.integer({ min: 1, max: 5 }), { minLength: 0, maxLength: 6 })
  .chain((shape) => fc.tuple(fc.constant(shape), fc.shuffledSubarray([...shape.keys()], { minLength: shape.length })));

test('axes are permuted as the transpose operator does', () => {
  holds(
    fc.property(shapes, ([shape, perm]) => {
      const elements = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i);
      const [want] = ops.transpose.reference([tensor('f32', shape, elements)], { perm }) as [TensorData];
      expect(Array.from(permuteAxes(elements, shape, perm))).toEqual(Array.from(want.data));
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('matrices larger than a tile', () => {
  const [rows, columns] = [70, 101];
  const matrix = Float32Array.from({ length: rows * columns }, (_, i) => i);
  const moved = permuteAxes(matrix, [rows, columns], [1, 0]);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) expect(moved[j * rows + i]).toBe(i * columns + j);
});
