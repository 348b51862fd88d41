import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BlendedRows } from '../../../../runtime/predict/scene/blend.ts';
import { axisTiles } from '../../../../runtime/predict/scene/tiles.ts';
import { holds } from '../../../property.ts';

const axes = fc
  .record({
    axis: fc.integer({ min: 1, max: 90 }),
    length: fc.integer({ min: 1, max: 40 }),
    share: fc.integer({ min: 0, max: 10 }),
  })
  .map(({ axis, length, share }) => ({ axis, length, overlap: Math.floor((length / 2) * (share / 10)) }));

describe('tiles of an axis', () => {
  test('begin a tile less the overlap apart, and the last ends with the axis', () => {
    expect(axisTiles(100, 40, 10).starts).toEqual([0, 30, 60]);
    expect(axisTiles(101, 40, 10).starts).toEqual([0, 30, 60, 61]);
    expect(axisTiles(40, 40, 10).starts).toEqual([0]);
    expect(axisTiles(7, 40, 10).starts).toEqual([0]);
  });

  test('cover it; their weights add up to 1, and are exactly 1 where there is one tile', () => {
    holds(
      fc.property(axes, ({ axis, length, overlap }) => {
        const { starts, weights } = axisTiles(axis, length, overlap);
        const [sum, count] = [new Float64Array(axis), new Uint8Array(axis)];
        for (const [i, start] of starts.entries()) {
          expect(start === 0 || start + length <= axis).toBe(true);
          for (let x = 0; x < length && start + x < axis; x++) {
            sum[start + x]! += weights[i]![x]!;
            count[start + x]!++;
          }
        }
        for (let x = 0; x < axis; x++) {
          expect(count[x]).toBeGreaterThan(0);
          expect(Math.abs(sum[x]! - 1)).toBeLessThan(1e-6);
        }
        for (const [i, start] of starts.entries())
          for (let x = 0; x < length && start + x < axis; x++)
            if (count[start + x] === 1) expect(weights[i]![x]).toBe(1);
      }),
      { seed: 1129 },
    );
  });

  test('weights change smoothly over an overlap', () => {
    const { weights } = axisTiles(200, 64, 32);
    const inner = weights[1]!;
    for (let x = 1; x < 64; x++) expect(Math.abs(inner[x]! - inner[x - 1]!)).toBeLessThan(0.06);
    expect(inner[0]).toBeLessThan(0.001);
  });
});

test('blended rows are the weighted sum of all tiles', () => {
  holds(
    fc.property(axes, axes, (across, down) => {
      const columns = axisTiles(across.axis, across.length, across.overlap);
      const rows = axisTiles(down.axis, down.length, down.overlap);
      const want = new Float64Array(across.axis * down.axis);
      const blended = new BlendedRows(across.axis, columns, rows);
      const got: number[] = [];
      for (const [row, top] of rows.starts.entries()) {
        for (const [column, left] of columns.starts.entries()) {
          const logits = Float32Array.from({ length: down.length * across.length }, (_, i) =>
            Math.sin(i * 3 + row * 7 + column * 11),
          );
          for (let y = 0; y < down.length && top + y < down.axis; y++)
            for (let x = 0; x < across.length && left + x < across.axis; x++)
              want[(top + y) * across.axis + left + x]! +=
                rows.weights[row]![y]! * columns.weights[column]![x]! * logits[y * across.length + x]!;
          blended.add(logits, row, column);
        }
        got.push(...blended.take(row, down.axis - top));
      }
      expect(got).toHaveLength(want.length);
      for (const [i, value] of got.entries()) expect(value).toBeCloseTo(want[i]!, 5);
    }),
    { seed: 1130 },
  );
});
