import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  add,
  constant,
  type Dim,
  floorDiv,
  mul,
  print,
  product,
  sub,
  sum,
  variable,
} from '../../../compiler/dims/dim.ts';
import { Facts } from '../../../compiler/dims/facts.ts';
import { exactQuotient, provedQuotient } from '../../../compiler/elaborate/patterns/quotient.ts';
import { dim } from './naive.ts';

const atoms = [variable('H'), variable('W'), floorDiv(variable('H'), 2), variable('B')];
const term = fc
  .tuple(fc.integer({ min: -6, max: 6 }), fc.array(fc.constantFrom(...atoms), { maxLength: 3 }))
  .map(([n, factors]) => product([constant(n), ...factors]));
const polynomial = fc.array(term, { minLength: 1, maxLength: 4 }).map(sum);
const isZero = (d: Dim) => d.key === constant(0).key;

describe('exactQuotient', () => {
  it('finds the factor of every product', () => {
    fc.assert(
      fc.property(polynomial, polynomial, (a, b) => {
        fc.pre(!isZero(b));
        expect(exactQuotient(mul(a, b), b)?.key).toBe(a.key);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('finds nothing where a remainder is left', () => {
    const [h, w] = [variable('H'), variable('W')];
    expect(exactQuotient(h, w)).toBeUndefined();
    expect(exactQuotient(add(h, constant(1)), h)).toBeUndefined();
    expect(exactQuotient(mul(constant(3), h), constant(2))).toBeUndefined();
    expect(exactQuotient(h, constant(0))).toBeUndefined();
    expect(print(exactQuotient(sub(mul(h, h), mul(w, w)), add(h, w))!)).toBe(print(sub(h, w)));
  });
});

describe('provedQuotient', () => {
  const facts = Facts.none
    .assume({ kind: 'mod', value: dim('H'), modulus: 8, remainder: 0 })
    .assume({ kind: 'eq', left: dim('K'), right: constant(4) });

  it('divides by what the facts allow, in the terms of the dims', () => {
    expect(print(provedQuotient(facts, dim('H'), constant(4))!)).toBe('floor(H/4)');
    expect(print(provedQuotient(facts, dim('H*W'), dim('8*W'))!)).toBe('floor(H/8)');
    expect(print(provedQuotient(facts, dim('H'), dim('K'))!)).toBe('floor(H/4)');
  });

  it('divides by nothing else', () => {
    expect(provedQuotient(facts, dim('H'), constant(3))).toBeUndefined();
    expect(provedQuotient(facts, dim('H'), dim('W'))).toBeUndefined();
    expect(provedQuotient(facts, dim('W'), constant(2))).toBeUndefined();
  });
});
