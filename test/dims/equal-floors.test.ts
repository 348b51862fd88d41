import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  add,
  ceilDiv,
  constant,
  type Dim,
  evaluate,
  floorDiv,
  mul,
  negate,
  sub,
  sum,
} from '../../compiler/dims/dim.ts';
import { Facts } from '../../compiler/dims/facts.ts';
import { withoutUpperHalves } from '../../compiler/dims/halves.ts';
import { holds } from '../property.ts';
import { box, expressions, meaning, names, toDim } from './expression.ts';
import { read } from './reading.ts';

const runs = { seed: 20261129, numRuns: 400 };
const points = [...box(3)];
const times = (n: number, d: Dim) => mul(constant(n), d);

/** Divisors up to those for which trying all remainders would take far more cases than are tried. */
const divisors = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(5000, 9973, 16_000));
const linear = fc
  .tuple(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 3, maxLength: 3 }), fc.integer({ min: -99, max: 99 }))
  .map(([factors, n]) => sum([...factors.map((factor, i) => times(factor, read(names[i]!))), constant(n)]));
/** Whether two dims are known as equal; also compares their values, so that a wrong pair is a mistake of the test. */
function known(a: Dim, b: Dim): boolean {
  for (const at of points) expect(evaluate(a, at) === evaluate(b, at)).toBe(true);
  return Facts.none.equal(a, b).answer === 'proved';
}

describe('floors of linear dims are known as equal, whatever their divisors', () => {
  test('where whole multiples are inside or outside', () => {
    holds(
      fc.property(linear, linear, divisors, (a, b, k) => {
        expect(known(floorDiv(add(a, times(k, b)), k), add(floorDiv(a, k), b))).toBe(true);
      }),
      runs,
    );
  });

  test('where they are ceilings of the negative, or what half of it leaves', () => {
    holds(
      fc.property(linear, divisors, (a, k) => {
        expect(known(floorDiv(negate(a), k), negate(ceilDiv(a, k)))).toBe(true);
        expect(known(ceilDiv(a, 2), sub(a, floorDiv(a, 2)))).toBe(true);
      }),
      runs,
    );
  });

  test('where a factor is common, or floors are nested', () => {
    holds(
      fc.property(linear, linear, divisors, fc.integer({ min: 1, max: 9 }), (a, b, k, m) => {
        expect(known(floorDiv(times(m, a), k * m), floorDiv(a, k))).toBe(true);
        expect(known(floorDiv(add(floorDiv(a, k), b), m), floorDiv(add(a, times(k, b)), k * m))).toBe(true);
      }),
      runs,
    );
  });
});

describe('withoutUpperHalves', () => {
  test('keeps the value of every expression, and leaves no upper half', () => {
    holds(
      fc.property(expressions, (e) => {
        const d = withoutUpperHalves(toDim(e));
        for (const at of points) expect(evaluate(d, at) === meaning(e, at)).toBe(true);
        expect(withoutUpperHalves(d)).toBe(d);
      }),
      { ...runs, numRuns: 1500 },
    );
  });

  test.each([
    ['ceil(H/2)', 'H - floor(H/2)'],
    ['floor((H + 2)/4)', 'floor(H/2) - floor(H/4)'],
    ['floor((3*ceil(H/2) + 1)/5)', 'floor((3*H - 3*floor(H/2) + 1)/5)'],
    ['max(ceil(H/2), W)', 'max(H - floor(H/2), W)'],
    ['ceil(H/3)', 'ceil(H/3)'],
  ])('%s', (given, expected) => {
    expect(withoutUpperHalves(read(given)).key).toBe(read(expected).key);
  });
});
