import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { evaluate, print } from '../../../compiler/dims/dim.ts';
import { dimValue } from '../../../runtime/build/dim-text.ts';
import { expressions, toDim } from '../../dims/expression.ts';
import { holds } from '../../property.ts';

const sizes = fc.record({
  B: fc.integer({ min: 1, max: 9 }),
  H: fc.integer({ min: 1, max: 99 }),
  W: fc.integer({ min: 1, max: 99 }),
});

describe('a dim as a manifest writes it', () => {
  it('has the value of the dim', () => {
    holds(
      fc.property(expressions, sizes, (expression, at) => {
        const dim = toDim(expression);
        const value = evaluate(dim, (name) => at[name as 'B' | 'H' | 'W']);
        expect(dimValue(print(dim), new Map(Object.entries(at)))).toBe(value + 0);
      }),
      { seed: 11, numRuns: 2000 },
    );
  });

  it('has no value where a size is not known', () => {
    expect(dimValue('2*H + 1', new Map([['W', 3]]))).toBeUndefined();
    expect(dimValue('3', new Map())).toBe(3);
  });

  test.each(['', '2 +', 'H)', '(H', 'sqrt(H)', 'H H', '#', 'floor H'])('is not %j', (text) => {
    expect(() => dimValue(text, new Map([['H', 1]]))).toThrow('is no dim');
  });
});
