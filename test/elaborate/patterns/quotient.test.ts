import { describe, expect, it } from 'vitest';
import { add, constant, floorDiv, mul, print } from '../../../compiler/dims/dim.ts';
import { Facts } from '../../../compiler/dims/facts.ts';
import { provedQuotient } from '../../../compiler/elaborate/patterns/quotient.ts';
import { dim } from './naive.ts';

describe('provedQuotient', () => {
  const facts = Facts.none
    .assume({ kind: 'mod', value: dim('H'), modulus: 8, remainder: 0 })
    .assume({ kind: 'eq', left: dim('K'), right: constant(4) });

  it('divides by what the facts allow, in the terms of the dims', () => {
    expect(print(provedQuotient(facts, dim('H'), constant(4))!)).toBe('floor(H/4)');
    expect(print(provedQuotient(facts, dim('H*W'), dim('8*W'))!)).toBe('floor(H/8)');
    expect(print(provedQuotient(facts, dim('H'), dim('K'))!)).toBe('floor(H/4)');
  });

  it('divides a floor of a product by a product of floors', () => {
    const rows = Facts.none
      .assume({ kind: 'mod', value: dim('H'), modulus: 32, remainder: 0 })
      .assume({ kind: 'mod', value: dim('W'), modulus: 32, remainder: 0 });
    const area = floorDiv(dim('H*W'), 64);
    expect(print(provedQuotient(rows, area, floorDiv(dim('H'), 8))!)).toBe('floor(W/8)');
    expect(print(provedQuotient(rows, floorDiv(dim('B*H*W'), 256), floorDiv(dim('B*W'), 32))!)).toBe('floor(H/8)');
    expect(provedQuotient(rows, area, floorDiv(dim('H'), 64))).toBeUndefined();
    const uneven = Facts.none.assume({ kind: 'mod', value: dim('H'), modulus: 32, remainder: 5 });
    const sides = mul(add(dim('H'), constant(3)), dim('W'));
    const side = provedQuotient(uneven, floorDiv(sides, 8), floorDiv(dim('H'), 8));
    expect(side).toBeUndefined();
  });

  it('divides by nothing else', () => {
    expect(provedQuotient(facts, dim('H'), constant(3))).toBeUndefined();
    expect(provedQuotient(facts, dim('H'), dim('W'))).toBeUndefined();
    expect(provedQuotient(facts, dim('W'), constant(2))).toBeUndefined();
  });
});
