import { expect, test } from 'vitest';
import { compared, outlined, wrongColours } from '../../../runtime/images/compare-masks.ts';
import type { RgbImage } from '../../../runtime/images/image.ts';

const side = 64;
const ground = [40, 90, 160] as const;
const image: RgbImage = {
  width: side,
  height: side,
  channels: 3,
  data: Uint8Array.from({ length: side * side * 3 }, (_, i) => ground[i % 3]!),
};
/** 1 in a square of 30 pixels. */
const square = (left: number, top: number) =>
  Uint8Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    return x >= left && x < left + 30 && y >= top && y < top + 30 ? 1 : 0;
  });
const pixel = ({ data }: RgbImage, x: number, y: number) => [
  ...data.subarray((y * side + x) * 3, (y * side + x) * 3 + 3),
];
/** Colours in a square of 16 pixels, with how many pixels have each. */
const coloursIn = (shown: RgbImage, left: number, top: number) => {
  const counts: Record<string, number> = {};
  for (let y = top; y < top + 16; y++) {
    for (let x = left; x < left + 16; x++) {
      const colour = pixel(shown, x, y).join();
      counts[colour] = (counts[colour] ?? 0) + 1;
    }
  }
  return counts;
};

const [own, magenta, cyan] = [ground, wrongColours.falsePositive, wrongColours.falseNegative].map((c) => c.join());

test('an edge leaves everything else as it was', () => {
  const shown = outlined(image, square(10, 10));
  expect(pixel(shown, 10, 20)).toEqual([255, 255, 255]);
  expect(pixel(shown, 9, 20)).toEqual([10, 23, 40]);
  expect(coloursIn(shown, 16, 16)).toEqual({ [own!]: 256 });
  expect(pixel(shown, 55, 55)).toEqual([...ground]);
  expect(pixel(image, 10, 20)).toEqual([...ground]);
});

test('what is right keeps its colour, and what is wrong most of it, under stripes of one colour each', () => {
  const right = compared(image, square(10, 10), square(10, 10));
  expect(right).toEqual(outlined(image, square(10, 10)));
  const falsePositive = coloursIn(compared(image, new Uint8Array(side * side), square(10, 10)), 16, 16);
  expect(Object.keys(falsePositive).sort()).toEqual([magenta, own].sort());
  const falseNegative = coloursIn(compared(image, square(10, 10), new Uint8Array(side * side)), 16, 16);
  expect(Object.keys(falseNegative).sort()).toEqual([cyan, own].sort());
  for (const counts of [falsePositive, falseNegative]) expect(counts[own!]! / 256).toBeGreaterThan(0.6);
});
