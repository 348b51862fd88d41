import { expect, test } from 'vitest';
import { chosenSamples } from '../../../runtime/evaluation/gallery.ts';
import type { SampleResult } from '../../../runtime/evaluation/scores.ts';

const result = (line: number, intersection: number, union: number): SampleResult => ({
  sample: {
    image: `${line}.png`,
    mask: { kind: 'file', path: 'm.png', above: 0 },
    phrase: 'ship',
    file: 'phrases.txt',
    line,
  },
  intersection,
  union,
  predicted: intersection,
  iou: intersection / union,
});
const lines = (results: readonly SampleResult[]) => results.map(({ sample }) => sample.line);

test('of equals, the most wrong pixels are the worst, and the most right ones the best', () => {
  const each = [
    result(1, 0, 10),
    result(2, 0, 400),
    result(3, 0, 40),
    result(4, 10, 10),
    result(5, 90, 90),
    result(6, 5, 10),
    // No number is worse than any.
    result(7, 0, 0),
  ];
  for (const seed of [0, 1, 2]) {
    const { best, worst, random } = chosenSamples(each, { count: 4, seed });
    expect(lines(worst)).toEqual([7, 2, 3, 1]);
    expect(lines(best.slice(0, 3))).toEqual([5, 4, 6]);
    expect(new Set(lines(random)).size).toBe(4);
  }
});
