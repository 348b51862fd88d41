import { expect, test } from 'vitest';
import { leadingTerms } from '../../cli/leading-terms.ts';

const sum = '(2*B*H - 3*B)/8192 + 12*B*H*W - 4*B*T + 7*H + 5';

test.each([
  ['fits', sum.length, sum],
  ['leaves the last terms out, and counts them', 46, '(2*B*H - 3*B)/8192 + 12*B*H*W + … 3 terms'],
  ['counts one', 57, 'a*a*a*a*a*a*a*a*a*a - b*b*b*b*b*b*b*b*b*b + … 1 term'],
  ['begins with the first term that fits', 21, '12*B*H*W + … 4 terms'],
  ['has no room for the count', 12, '12*B*H*W + …'],
  ['has room for no term but the constant', 5, '5 + …'],
])('a sum that %s', (_, width, short) => {
  const long = short.startsWith('a') ? 'a*a*a*a*a*a*a*a*a*a - b*b*b*b*b*b*b*b*b*b + c*c*c*c*c*c*c*c*c' : sum;
  expect(leadingTerms(long, width)).toBe(short);
});

test('a term that begins the cut sum keeps its minus', () => {
  expect(leadingTerms('1234567890*B*H*W*T - 4*B*T + 70*H', 18)).toBe('-4*B*T + … 2 terms');
});

test('nothing is wider than the width', () => {
  for (let width = 4; width < sum.length; width++) expect(leadingTerms(sum, width).length).toBeLessThanOrEqual(width);
});
