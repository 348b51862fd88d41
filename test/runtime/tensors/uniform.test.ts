import { expect, test } from 'vitest';
import { uniformFill, uniformFillPlain } from '../../../runtime/tensors/uniform.ts';
import { loadUniform } from '../../../runtime/tensors/uniform-kernel.ts';

const keys = [
  { key: [0, 0], stream: [0, 0] },
  { key: [0xffff_ffff, 0x8000_0000], stream: [0xffff_ffff, 1] },
  { key: [0x243f_6a88, 0x85a3_08d3], stream: [7, 0xffff_fffe] },
] as const;

function filled(fill: typeof uniformFill, length: number, key: (typeof keys)[number]): readonly number[] {
  const whole = new Float32Array(length + 2).fill(-1);
  fill(whole.subarray(1, length + 1), key);
  return [...whole];
}

test('vector instructions give the bits of plain loops, for any length', () => {
  expect(loadUniform()).toBeDefined();
  for (const key of keys)
    for (const length of [0, 1, 3, 4, 15, 16, 17, 16_320, 16_325, 40_000])
      expect(filled(uniformFill, length, key)).toEqual(filled(uniformFillPlain, length, key));
});

test('known answers of Philox4x32-10, from the tests of Random123', () => {
  // kat_vectors: the words of counter 0 with key 0.
  const words = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8];
  const wanted = words.map((word) => (word >>> 8) / 2 ** 24);
  for (const fill of [uniformFill, uniformFillPlain]) expect(filled(fill, 4, keys[0])).toEqual([-1, ...wanted, -1]);
});
