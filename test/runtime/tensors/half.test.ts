import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bfloat16FromFloat32,
  float32FromBfloat16,
  float32FromHalf,
  halfFromFloat32,
} from '../../../runtime/tensors/half.ts';
import { holds } from '../../property.ts';

describe('half precision', () => {
  test('every half that is a number survives float32 and back', () => {
    const all = Uint16Array.from({ length: 0x10000 }, (_, i) => i).filter(
      (b) => (b & 0x7c00) !== 0x7c00 || !(b & 0x3ff),
    );
    expect(halfFromFloat32(float32FromHalf(all))).toEqual(all);
  });

  test('rounds to the nearest, and to even in the middle', () => {
    // As numpy.float16 rounds.
    const cases: [number, number][] = [
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
      [1 + 2 ** -11 + 2 ** -20, 0x3c01],
      [65519.99, 0x7bff],
      [65520, 0x7c00],
      [-1e30, 0xfc00],
      [2 ** -25, 0x0000],
      [1.5 * 2 ** -25, 0x0001],
      [1.5 * 2 ** -24, 0x0002],
      [2.5 * 2 ** -24, 0x0002],
      [2 ** -14 - 2 ** -26, 0x0400],
      [NaN, 0x7e00],
    ];
    for (const [value, bits] of cases)
      expect([value, halfFromFloat32(Float32Array.of(value))[0]]).toEqual([value, bits]);
  });

  test('the result is the nearest of all halves', () => {
    const finite = float32FromHalf(Uint16Array.from({ length: 0x7c00 }, (_, i) => i));
    holds(
      fc.property(fc.float({ min: 0, max: 65519, noNaN: true }), (x) => {
        const got = float32FromHalf(halfFromFloat32(Float32Array.of(x)))[0]!;
        expect(Math.abs(got - x)).toBe(finite.reduce((best, h) => Math.min(best, Math.abs(h - x)), Infinity));
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  test('bfloat16 rounds to the nearest, and to even in the middle', () => {
    // As torch.bfloat16 rounds.
    const cases: [number, number][] = [
      [1, 0x3f80],
      [1 + 2 ** -8, 0x3f80],
      [1 + 3 * 2 ** -8, 0x3f82],
      [1 + 2 ** -8 + 2 ** -20, 0x3f81],
      [-65504, 0xc780],
      [3.4028234663852886e38, 0x7f80],
      [1e-40, 0x0001],
      [-Infinity, 0xff80],
      [NaN, 0x7fc0],
    ];
    for (const [value, bits] of cases)
      expect([value, bfloat16FromFloat32(Float32Array.of(value))[0]]).toEqual([value, bits]);
  });

  test('bfloat16 is the upper half', () => {
    expect([...float32FromBfloat16(Uint16Array.of(0x3f80, 0xc000, 0x7f80))]).toEqual([1, -2, Infinity]);
  });
});
