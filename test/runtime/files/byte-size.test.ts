import { expect, test } from 'vitest';
import { byteSize, parseByteSize } from '../../../runtime/files/byte-size.ts';

test.each([
  ['80GiB', 80 * 2 ** 30],
  ['16.5 GB', 16.5e9],
  ['900 MiB', 900 * 2 ** 20],
  ['1TB', 1e12],
])('%s is a size', (text, bytes) => {
  expect(parseByteSize(text)).toBe(bytes);
});

test.each(['80', '80G', '0GiB', '-1GiB', '1e3GiB', 'GiB', '80 GiB free', '99999999TiB'])('%s is none', (text) => {
  expect(parseByteSize(text)).toBeUndefined();
});

test('what is shown is read', () => {
  for (const bytes of [2 ** 20, 24 * 2 ** 30, 3 * 2 ** 40]) expect(parseByteSize(byteSize(bytes))).toBe(bytes);
});
