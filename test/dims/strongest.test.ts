import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as dims from '../../compiler/dims/dim.ts';
import { type Clause, showClause } from '../../compiler/dims/facts.ts';
import { strongest } from '../../compiler/dims/strongest.ts';
import { holds } from '../property.ts';
import { clauses, isTrue } from './expression.ts';
import { where } from './reading-clauses.ts';

const shown = (text: string) =>
  strongest(where(text))
    .map((c) => showClause(c))
    .join(', ');

describe('what is left', () => {
  test.each([
    ['H % 4 == 0, H % 16 == 0, 2 <= H', 'H % 16 == 0'],
    ['2 <= H, H % 4 == 0, H % 16 == 0', 'H % 16 == 0'],
    ['H % 16 == 0, 17 <= H', 'H % 16 == 0, 17 <= H'],
    ['H % 4 == 0, H % 6 == 0, H % 12 == 0', 'H % 12 == 0'],
    ['H % 4 == 0, H % 6 == 0', 'H % 4 == 0, H % 6 == 0'],
    ['T <= 512, T <= 20, T == N + 1, W % 8 == 0', 'W % 8 == 0, T == N + 1, T <= 20'],
    ['H == W, H <= W, W % 2 == 0, H % 2 == 0', 'H % 2 == 0, H == W'],
    ['floor(H/16) % 2 == 0, H % 16 == 0, H % 32 == 0', 'H % 32 == 0'],
    ['1 <= floor(H/4), 4 <= H, 1 <= floor(W/4)', '4 <= H, 1 <= floor(W/4)'],
    ['A <= B, B <= C, C <= D, D <= E, E <= F, F <= G, A <= G', 'A <= B, B <= C, C <= D, D <= E, E <= F, F <= G'],
    ['H == 32, H % 32 == 0, 2 <= H', 'H == 32'],
    ['H == 1, H == 2, H == 1, H % 4 == 0', 'H % 4 == 0, H == 1, H == 2'],
    ['1 <= B', ''],
    ['', ''],
  ])('of %s', (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  test('a chain implies its ends, whichever comes first', () => {
    expect(shown('A <= C, A <= B, B <= C')).toBe('A <= B, B <= C');
  });
});

test('of clauses whose contradiction is known of all of them only, nothing more is dropped later', () => {
  const given = where('H == 1, H + W == floor((W + 2)/3), H < B');
  const left = strongest(given);
  expect(strongest(left)).toEqual(left);
});

const runs = { seed: 20260103, numRuns: 80 };
const side = 9;
const points = [...grid()];

function* grid(): Generator<(name: string) => number> {
  for (let B = 1; B <= 4; B++)
    for (let H = 1; H <= side; H++)
      for (let W = 1; W <= side; W++) {
        const point: Record<string, number> = { B, H, W };
        yield (name) => point[name]!;
      }
}

function holdAt(given: readonly Clause[], at: (name: string) => number): boolean {
  return given.every((c) => isTrue(c, at));
}

test('what is left says as much as all, by brute force, divisibility first', () => {
  let dropped = 0;
  holds(
    fc.property(fc.array(clauses, { maxLength: 6 }), (given) => {
      const left = strongest(given);
      dropped += given.length - left.length;
      for (const c of left) expect(given).toContain(c);
      for (const at of points) expect(holdAt(left, at)).toBe(holdAt(given, at));
      const kinds = left.map((c) => (c.kind === 'mod' ? 0 : c.kind === 'eq' ? 1 : 2));
      expect(kinds).toEqual(kinds.toSorted());
      expect(strongest(left)).toEqual(left);
      expect(strongest(given)).toEqual(left);
    }),
    runs,
  );
  expect(dropped).toBeGreaterThan(15);
});

/** Conditions of one variable, of which everything can be decided by trying. */
const single: fc.Arbitrary<Clause> = fc.oneof(
  fc
    .constantFrom(2, 3, 4, 6, 8, 12, 16)
    .map((modulus): Clause => ({ kind: 'mod', value: dims.variable('H'), modulus, remainder: 0 })),
  fc
    .integer({ min: 1, max: 40 })
    .map((n): Clause => ({ kind: 'le', left: dims.constant(n), right: dims.variable('H') })),
  fc
    .integer({ min: 48, max: 90 })
    .map((n): Clause => ({ kind: 'le', left: dims.variable('H'), right: dims.constant(n) })),
);

test('of conditions of one size none is left that the others imply', () => {
  holds(
    fc.property(fc.array(single, { minLength: 1, maxLength: 7 }), (given) => {
      const left = strongest(given);
      // Up to the largest bound and the least common multiple, which is 48, beyond it.
      const sizes = Array.from({ length: 200 }, (_, i) => () => i + 1);
      for (const clause of left) {
        const others = left.filter((c) => c !== clause);
        expect(sizes.some((at) => holdAt(others, at) && !isTrue(clause, at))).toBe(true);
      }
    }),
    { ...runs, numRuns: 300 },
  );
});
