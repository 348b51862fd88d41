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
  print,
  product,
  sub,
  sum,
  variable,
} from '../../compiler/dims/dim.ts';
import { exactQuotient } from '../../compiler/dims/division.ts';
import { Facts } from '../../compiler/dims/facts.ts';
import { holds } from '../property.ts';

const atoms = [variable('H'), variable('W'), floorDiv(variable('H'), 2), variable('B')];
const term = fc
  .tuple(fc.integer({ min: -6, max: 6 }), fc.array(fc.constantFrom(...atoms), { maxLength: 3 }))
  .map(([n, factors]) => product([constant(n), ...factors]));
const polynomial = fc.array(term, { minLength: 1, maxLength: 4 }).map(sum);
const isZero = (d: Dim) => d.key === constant(0).key;

describe('exactQuotient', () => {
  test('finds the factor of every product', () => {
    holds(
      fc.property(polynomial, polynomial, (a, b) => {
        fc.pre(!isZero(b));
        expect(exactQuotient(mul(a, b), b)?.key).toBe(a.key);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test('finds nothing where a remainder is left', () => {
    const [h, w] = [variable('H'), variable('W')];
    expect(exactQuotient(h, w)).toBeUndefined();
    expect(exactQuotient(add(h, constant(1)), h)).toBeUndefined();
    expect(exactQuotient(mul(constant(3), h), constant(2))).toBeUndefined();
    expect(exactQuotient(h, constant(0))).toBeUndefined();
    expect(print(exactQuotient(sub(mul(h, h), mul(w, w)), add(h, w))!)).toBe(print(sub(h, w)));
  });
});

describe('Facts.quotient', () => {
  const [h, w] = [variable('H'), variable('W')];
  const sizes = fc.constantFrom(h, w, floorDiv(h, 2), floorDiv(w, 4), ceilDiv(h, 8), constant(3), add(h, constant(1)));

  test('divides, and only where the product is the dividend wherever the facts are so', () => {
    let found = 0;
    holds(
      fc.property(
        fc.array(sizes, { minLength: 1, maxLength: 3 }),
        fc.array(sizes, { minLength: 1, maxLength: 2 }),
        fc.constantFrom(1, 2, 4, 16),
        fc.tuple(fc.constantFrom(1, 4, 8, 32), fc.constantFrom(1, 4, 32)),
        fc.nat({ max: 3 }),
        (dividend, divisor, by, [m, n], remainder) => {
          const facts = Facts.none
            .assume({ kind: 'mod', value: h, modulus: m, remainder })
            .assume({ kind: 'mod', value: w, modulus: n, remainder: 0 });
          const [a, b] = [floorDiv(product(dividend), by), product(divisor)];
          const q = facts.quotient(a, b);
          if (!q) return;
          found++;
          for (let i = remainder % m || m; i <= 100; i += m) {
            for (let j = n; j <= 100; j += n) {
              const at = (name: string) => (name === 'H' ? i : j);
              expect(evaluate(b, at) * evaluate(q, at)).toBe(evaluate(a, at));
            }
          }
        },
      ),
      { seed: 2, numRuns: 400 },
    );
    expect(found).toBeGreaterThan(20);
  });
});
