import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as dims from '../../compiler/dims/dim.ts';
import { Facts } from '../../compiler/dims/facts.ts';
import { holds } from '../property.ts';
import { box, expressions, meaning, toDim } from './expression.ts';
import { read } from './reading.ts';

const { add, ceilDiv, constant, floorDiv, mod, mul, negate, print, sub, variable } = dims;
const B = variable('B');
const H = variable('H');
const W = variable('W');
const runs = { seed: 20260101, numRuns: 1500 };
const points = [...box(4)];

describe('canonical form', () => {
  test('keeps the value of every expression', () => {
    holds(
      fc.property(expressions, (e) => {
        const d = toDim(e);
        for (const at of points) if (dims.evaluate(d, at) !== meaning(e, at)) return false;
        return true;
      }),
      runs,
    );
  });

  test('does not depend on how sums and products were put together', () => {
    holds(
      fc.property(expressions, expressions, expressions, (x, y, z) => {
        const [a, b, c] = [toDim(x), toDim(y), toDim(z)];
        expect(add(a, b).key).toBe(add(b, a).key);
        expect(add(add(a, b), c).key).toBe(add(a, add(b, c)).key);
        expect(dims.sum([a, b, c]).key).toBe(add(a, add(b, c)).key);
        expect(mul(a, b).key).toBe(mul(b, a).key);
        expect(dims.product([a, b, c]).key).toBe(mul(a, mul(b, c)).key);
        expect(mul(a, add(b, c)).key).toBe(add(mul(a, b), mul(a, c)).key);
        expect(sub(add(a, b), b).key).toBe(a.key);
      }),
      { ...runs, numRuns: 400 },
    );
  });

  test('pulls whole multiples out of a floor, for every floor', () => {
    holds(
      fc.property(expressions, expressions, fc.integer({ min: 1, max: 9 }), (x, y, k) => {
        const [a, b] = [toDim(x), toDim(y)];
        const [inside, outside] = [floorDiv(add(a, mul(constant(k), b)), k), add(floorDiv(a, k), b)];
        // Of halves there are two forms, as with H - floor(H/2) and ceil(H/2); it is known that they are equal.
        if (k % 2 === 0 && inside.key !== outside.key) expect(Facts.none.equal(inside, outside).answer).toBe('proved');
        else expect(inside.key).toBe(outside.key);
      }),
      { ...runs, numRuns: 400 },
    );
  });

  test.each([
    // The first coefficient is half of the divisor, but not all are.
    [add(mul(constant(5000), B), mul(constant(3), H)), 10_000, negate(B)],
    [add(mul(constant(3), B), mul(constant(2), H)), 6, negate(B)],
    [add(mul(constant(-2), B), H), 4, B],
  ])('pulls whole multiples out whatever their signs: floor of %# by %i', (a, k, b) => {
    expect(floorDiv(add(a, mul(constant(k), b)), k).key).toBe(add(floorDiv(a, k), b).key);
  });

  test('turns floors of negatives into ceilings, for every floor', () => {
    holds(
      fc.property(expressions, fc.integer({ min: 1, max: 9 }), (x, k) => {
        const a = toDim(x);
        expect(floorDiv(negate(a), k).key).toBe(negate(ceilDiv(a, k)).key);
      }),
      { ...runs, numRuns: 400 },
    );
  });

  test.each([
    ['nests merge', floorDiv(floorDiv(H, 4), 8), floorDiv(H, 32)],
    ['nests of ceilings merge', ceilDiv(ceilDiv(H, 3), 5), ceilDiv(H, 15)],
    ['a nest below a sum merges', floorDiv(add(floorDiv(H, 2), W), 3), floorDiv(add(H, mul(constant(2), W)), 6)],
    ['common factors go', floorDiv(add(mul(constant(6), H), constant(5)), 4), add(H, floorDiv(add(H, constant(2)), 2))],
    ['a negative floor is a ceiling', negate(floorDiv(negate(H), 7)), ceilDiv(H, 7)],
    ['half of the divisor too', negate(floorDiv(negate(H), 2)), ceilDiv(H, 2)],
    ['windows: what is padded', mod(negate(H), 7), sub(mul(constant(7), ceilDiv(H, 7)), H)],
    ['a remainder below its modulus', floorDiv(mod(H, 4), 2), sub(floorDiv(H, 2), mul(constant(2), floorDiv(H, 4)))],
    ['constants decide', dims.min(add(H, constant(1)), H), H],
    ['common terms leave an extremum', dims.max(add(H, W), add(W, constant(2))), add(W, dims.max(H, constant(2)))],
  ])('%s', (_, a, b) => {
    expect(a.key).toBe(b.key);
  });

  test('a divisor below 1 is a bug', () => {
    expect(() => floorDiv(H, 0)).toThrow('bug in crobc');
    expect(() => floorDiv(H, 1.5)).toThrow('bug in crobc');
  });
});

describe('reading a dim', () => {
  test('substitution is evaluation of the substituted', () => {
    holds(
      fc.property(expressions, expressions, (x, y) => {
        const d = toDim(x);
        const by = toDim(y);
        const put = dims.substitute(d, new Map([['H', by]]));
        return points.every(
          (at) => dims.evaluate(put, at) === dims.evaluate(d, (n) => (n === 'H' ? dims.evaluate(by, at) : at(n))),
        );
      }),
      { ...runs, numRuns: 500 },
    );
  });

  test('fold walks to the same value', () => {
    holds(
      fc.property(expressions, (e) => {
        const d = toDim(e);
        return points.every((at) => {
          const value = dims.fold<number>(d, {
            constant: (n) => n,
            variable: at,
            add: (items) => items.reduce((a, b) => a + b),
            mul: (items) => items.reduce((a, b) => a * b),
            floorDiv: (a, k) => Math.floor(a / k),
            min: Math.min,
            max: Math.max,
          });
          return value === meaning(e, at);
        });
      }),
      { ...runs, numRuns: 500 },
    );
  });

  test('variables are those that it may depend on', () => {
    const d = add(floorDiv(add(H, W), 3), dims.min(variable('H[1]'), constant(3)));
    expect([...dims.variables(d)]).toEqual(['H', 'H[1]', 'W']);
    expect(dims.asVariable(H)).toBe('H');
    expect(dims.asVariable(d)).toBeUndefined();
    expect(dims.asConstant(sub(d, d))).toBe(0);
    expect(dims.asConstant(H)).toBeUndefined();
  });

  test('printing reads back as the same dim', () => {
    holds(
      fc.property(expressions, (e) => {
        const d = toDim(e);
        expect(read(print(d)).key).toBe(d.key);
      }),
      runs,
    );
  });

  test.each([
    ['2*B*H^2 + 1', add(mul(constant(2), dims.product([variable('B'), H, H])), constant(1))],
    ['3 - H', sub(constant(3), H)],
    ['-H - W', negate(add(H, W))],
    ['floor(H/4)', floorDiv(H, 4)],
    ['ceil(H/12)', ceilDiv(H, 12)],
    ['ceil((H + W)/12)', ceilDiv(add(H, W), 12)],
    ['H % 32', mod(H, 32)],
    ['-H % 12', mod(negate(H), 12)],
    ['W + (-H % 12)', add(W, mod(negate(H), 12))],
    ['(H + 1) % 4', mod(add(H, constant(1)), 4)],
    ['2*(H % 4)', mul(constant(2), mod(H, 4))],
    ['2*floor(H/2)', mul(constant(2), floorDiv(H, 2))],
    ['ceil(H/2)*ceil(W/2)', mul(ceilDiv(H, 2), ceilDiv(W, 2))],
    ['max(H, 512)', dims.max(constant(512), H)],
    ['0', dims.zero],
  ])('%s', (text, d) => {
    expect(print(d)).toBe(text);
  });
});

describe('past 2^53', () => {
  const { isOverflow, overflow } = dims;
  const large = mul(constant(2 ** 30), H);

  test('products, constants and values overflow', () => {
    expect(isOverflow(mul(large, large))).toBe(true);
    expect(isOverflow(constant(2 ** 53))).toBe(true);
    expect(isOverflow(constant(2 ** 53 - 1))).toBe(false);
    expect(isOverflow(add(constant(2 ** 53 - 1), constant(1)))).toBe(true);
    expect(isOverflow(dims.sum([large, mul(constant(2 ** 53 - 1), H), W]))).toBe(true);
    expect(isOverflow(dims.product([large, W, large, dims.zero]))).toBe(false);
    expect(isOverflow(dims.power(add(H, W), 60))).toBe(true);
    const many = (n: number, name: string) => dims.sum(Array.from({ length: n }, (_, i) => variable(`${name}${i}`)));
    expect(isOverflow(mul(many(256, 'a'), many(256, 'b')))).toBe(false);
    expect(isOverflow(mul(many(256, 'a'), many(257, 'b')))).toBe(true);
    expect(isOverflow(dims.substitute(mul(large, W), new Map([['W', large]])))).toBe(true);
    expect(dims.evaluate(mul(H, H), () => 2 ** 30)).toBeNaN();
    expect(dims.evaluate(mul(H, H), () => 2 ** 26)).toBe(2 ** 52);
    // Also where the sum would come back.
    const back = dims.sum([
      mul(constant(2 ** 52), H),
      mul(constant(2 ** 52 - 1), W),
      mul(constant(1 - 2 ** 52), variable('B')),
    ]);
    expect(dims.evaluate(back, () => 1)).toBe(2 ** 52);
    expect(dims.evaluate(back, (name) => (name === 'B' ? 1 : 3))).toBeNaN();
  });

  test.each<[string, (d: dims.Dim) => dims.Dim]>([
    ['add', (d) => add(d, H)],
    ['add 0', (d) => add(dims.zero, d)],
    ['subtract', (d) => sub(H, d)],
    ['subtract it from itself', (d) => sub(d, d)],
    ['negate', negate],
    ['times 0', (d) => mul(d, dims.zero)],
    ['times', (d) => mul(add(H, W), d)],
    ['times in a list', (d) => dims.product([H, d, dims.zero])],
    ['times behind 0', (d) => dims.product([dims.zero, d])],
    ['sum', (d) => dims.sum([d, H, W])],
    ['to the 0', (d) => dims.power(d, 0)],
    ['floor', (d) => floorDiv(d, 4)],
    ['floor by 1', (d) => floorDiv(d, 1)],
    ['ceil', (d) => ceilDiv(d, 4)],
    ['mod', (d) => mod(d, 4)],
    ['min', (d) => dims.min(d, H)],
    ['max', (d) => dims.max(constant(1), d)],
    ['substitute', (d) => dims.substitute(add(H, floorDiv(W, 2)), new Map([['W', d]]))],
    ['substitute in it', (d) => dims.substitute(d, new Map([['W', H]]))],
  ])('is absorbed: %s', (_, make) => {
    expect(make(overflow)).toBe(overflow);
  });

  test('is no constant, no variable, and has a text', () => {
    expect(dims.asConstant(overflow)).toBeUndefined();
    expect(dims.asVariable(overflow)).toBeUndefined();
    expect([...dims.variables(overflow)]).toEqual([]);
    expect(print(overflow)).toBe('beyond 2^53');
    expect(dims.evaluate(overflow, () => 1)).toBeNaN();
    expect(() =>
      dims.fold(overflow, {
        constant: Number,
        variable: Number,
        add: Number,
        mul: Number,
        floorDiv: Number,
        min: Number,
        max: Number,
      }),
    ).toThrow('bug in crobc');
  });

  test('of every expression with large constants, the value is right or beyond 2^53', () => {
    const scales = fc.constantFrom(1, 2 ** 20 + 1, 2 ** 26 - 1, 2 ** 31 - 1, 2 ** 40 + 3, 2 ** 52 - 1);
    let [exact, beyond] = [0, 0];
    holds(
      fc.property(expressions, expressions, scales, scales, (x, y, m, n) => {
        const d = sub(mul(constant(m), toDim(x)), mul(mul(constant(n), toDim(y)), H));
        for (const at of points.slice(0, 12)) {
          const value = dims.evaluate(d, at);
          // In big integers, where nothing is lost.
          const right = BigInt(m) * BigInt(meaning(x, at)) - BigInt(n) * BigInt(meaning(y, at)) * BigInt(at('H'));
          if (Number.isNaN(value)) beyond++;
          else {
            exact++;
            expect(BigInt(value)).toBe(right);
          }
        }
      }),
      { ...runs, numRuns: 500 },
    );
    expect(Math.min(exact, beyond)).toBeGreaterThan(100);
  });
});
