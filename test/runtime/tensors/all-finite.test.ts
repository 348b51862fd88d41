import { expect, test } from 'vitest';
import { allFinite, allFinitePlain } from '../../../runtime/tensors/all-finite.ts';
import { loadAllFinite } from '../../../runtime/tensors/finite-kernel.ts';

const finite = [0, -0, 1, -1, 2 ** -149, -(2 ** -126), 3.4028234663852886e38, -3.4028234663852886e38];
/** Floats that are not finite, by their bits: also NaNs that no arithmetic gives. */
const others = [0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0xffc0_0000, 0x7f80_0001, 0xffff_ffff];

test('the kernel is there', () => {
  expect(loadAllFinite()).toBeDefined();
});

test('each float that is not finite is found at each place, for any length', () => {
  for (const length of [0, 1, 3, 15, 16, 17, 40, 16_368, 16_369, 40_000]) {
    // A part of an array: what is around it does not count.
    const whole = new Float32Array(length + 2).fill(Number.NaN);
    const data = whole.subarray(1, length + 1);
    for (let i = 0; i < length; i++) data[i] = finite[i % finite.length]!;
    expect([allFinite(data), allFinitePlain(data)], `${length}`).toEqual([true, true]);
    const bits = new Uint32Array(whole.buffer, 4, length);
    for (const at of new Set([0, 1, 2, 3, 14, 15, 16, 16_367, 16_368, length - 2, length - 1])) {
      if (at < 0 || at >= length) continue;
      const before = bits[at]!;
      for (const word of others) {
        bits[at] = word;
        expect([allFinite(data), allFinitePlain(data)], `${length}, ${at}, ${word.toString(16)}`).toEqual([
          false,
          false,
        ]);
      }
      bits[at] = before;
    }
  }
});

test('numbers of other kinds are looked at one by one', () => {
  expect(allFinite(Float64Array.of(1e300, 2))).toBe(true);
  expect(allFinite(Float64Array.of(1, Number.POSITIVE_INFINITY))).toBe(false);
  expect(allFinite([1, Number.NaN])).toBe(false);
});
