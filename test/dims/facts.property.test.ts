// long: thousands of proofs against brute force

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as dims from '../../compiler/dims/dim.ts';
import { type Answer, type Clause, Facts } from '../../compiler/dims/facts.ts';
import { settlingClauses } from '../../compiler/dims/settle.ts';
import { holds } from '../property.ts';
import { type At, box, clauses, expressions, isTrue, names, toDim } from './expression.ts';
import { read } from './reading.ts';

const runs = { seed: 20260102, numRuns: 300 };
const side = 8;
const points = [...box(side)];
const someFacts = fc.array(clauses, { maxLength: 3 });

function assumed(given: readonly Clause[]): Facts {
  return given.reduce((facts, c) => facts.assume(c), Facts.none);
}

/** The points of the box where the facts are so. */
function allowed(given: readonly Clause[]): At[] {
  return points.filter((at) => given.every((c) => isTrue(c, at)));
}

/** Proved holds everywhere; a witness satisfies the facts that name only its variables, and separates. */
function checkAnswer(given: readonly Clause[], question: Clause, answer: Answer): void {
  if (answer.answer === 'proved') {
    const counterexample = allowed(given).find((at) => !isTrue(question, at));
    expect(counterexample && names.map(counterexample)).toBeUndefined();
  } else if (answer.answer === 'refuted') {
    const at = (name: string) => answer.witness.get(name)!;
    expect(isTrue(question, at)).toBe(false);
    for (const n of answer.witness.values()) expect(n).toBeGreaterThanOrEqual(1);
    const closed = given.filter((c) => [...variablesOf(c)].every((name) => answer.witness.has(name)));
    for (const c of closed) expect(isTrue(c, at)).toBe(true);
  }
}

function variablesOf(c: Clause): string[] {
  return (c.kind === 'mod' ? [c.value] : [c.left, c.right]).flatMap((d) => [...dims.variables(d)]);
}

describe('under random facts', () => {
  test('equalities are answered soundly', () => {
    const tally = { proved: 0, refuted: 0, unknown: 0 };
    holds(
      fc.property(someFacts, expressions, expressions, fc.boolean(), (given, x, y, close) => {
        const a = toDim(x);
        const b = close ? dims.add(a, dims.mul(dims.variable('B'), dims.mod(dims.variable('H'), 2))) : toDim(y);
        const answer = assumed(given).equal(a, b);
        tally[answer.answer]++;
        checkAnswer(given, { kind: 'eq', left: a, right: b }, answer);
      }),
      runs,
    );
    // Random questions are seldom so hard that neither proof nor witness is found.
    expect(tally.unknown).toBeLessThan(runs.numRuns * 0.07);
    expect(tally.proved).toBeGreaterThan(20);
  });

  test('inequalities are answered soundly', () => {
    const tally = { proved: 0, refuted: 0, unknown: 0 };
    holds(
      fc.property(someFacts, expressions, expressions, fc.boolean(), (given, x, y, strict) => {
        const [a, b] = [toDim(x), toDim(y)];
        const facts = assumed(given);
        const answer = strict ? facts.lessThan(a, b) : facts.lessEqual(a, b);
        tally[answer.answer]++;
        checkAnswer(given, { kind: strict ? 'lt' : 'le', left: a, right: b }, answer);
      }),
      runs,
    );
    expect(tally.unknown).toBeLessThan(runs.numRuns * 0.08);
    expect(tally.proved).toBeGreaterThan(40);
  });

  test('what linear facts and whole multiples of floors add up to is proved, and nothing that is false', () => {
    const variables = ['B', 'H', 'W', 'floor(H/2)', 'ceil(W/3)', 'floor((B + H)/4)'].map(read);
    const linear = fc
      .tuple(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 6, maxLength: 6 }), fc.integer({ min: -8, max: 8 }))
      .map(([times, n]) =>
        dims.sum([...times.map((t, i) => dims.mul(dims.constant(t), variables[i]!)), dims.constant(n)]),
      );
    let told = 0;
    holds(
      fc.property(
        fc.array(linear, { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat({ max: 3 }), { minLength: 8, maxLength: 8 }),
        linear,
        (given, times, other) => {
          const facts = given.map((d): Clause => ({ kind: 'le', left: dims.zero, right: d }));
          const known = assumed(facts);
          const combination = dims.sum(given.map((d, i) => dims.mul(dims.constant(times[i]!), d)));
          const follows: Clause = { kind: 'le', left: dims.zero, right: combination };
          expect(known.proves(follows)).toBe(true);
          const question: Clause = { kind: 'le', left: dims.zero, right: other };
          const answer = known.holds(question);
          if (answer.answer !== 'unknown' && !known.isContradictory()) told++;
          checkAnswer(facts, question, answer);
        },
      ),
      { ...runs, numRuns: 100 },
    );
    expect(told).toBeGreaterThan(50);
  });

  test('divisibility is answered soundly', () => {
    holds(
      fc.property(someFacts, expressions, fc.integer({ min: 1, max: 8 }), fc.nat({ max: 7 }), (given, x, k, r) => {
        const d = toDim(x);
        const question: Clause = { kind: 'mod', value: d, modulus: k, remainder: r % k };
        checkAnswer(given, question, assumed(given).divides(k, d, r % k));
      }),
      runs,
    );
  });

  test('normal forms, intervals, congruences and what is shown are true wherever the facts are', () => {
    let unknown = 0;
    holds(
      fc.property(someFacts, expressions, (given, x) => {
        const d = toDim(x);
        const facts = assumed(given);
        if (facts.isContradictory()) return;
        const normal = facts.normalize(d);
        expect([...dims.variables(normal)].filter((name) => !(names as readonly string[]).includes(name))).toEqual([]);
        const { answer } = facts.equal(normal, d);
        expect(answer).not.toBe('refuted');
        if (answer === 'unknown') unknown++;
        const shown = read(facts.show(d));
        const { lo, hi } = facts.interval(d);
        const { modulus, remainder } = facts.congruence(d);
        for (const at of allowed(given)) {
          const n = dims.evaluate(d, at);
          expect(dims.evaluate(normal, at)).toBe(n);
          expect(dims.evaluate(shown, at)).toBe(n);
          expect(n).toBeGreaterThanOrEqual(lo);
          expect(n).toBeLessThanOrEqual(hi);
          if (modulus === 0) expect(n).toBe(remainder);
          else expect((((n - remainder) % modulus) + modulus) % modulus).toBe(0);
        }
      }),
      runs,
    );
    // A normal form over other variables may need facts that could not be solved for one, such as floor(H/4) == ceil(W/3).
    expect(unknown).toBeLessThan(runs.numRuns * 0.02);
  });

  test('a contradiction means that nothing satisfies them, and an example satisfies them', () => {
    let contradictions = 0;
    holds(
      fc.property(someFacts, (given) => {
        const facts = assumed(given);
        const satisfying = allowed(given);
        if (facts.isContradictory()) {
          contradictions++;
          expect(satisfying.length).toBe(0);
        }
        const example = facts.example(names);
        if (example) for (const c of given) expect(isTrue(c, (name) => example.get(name)!)).toBe(true);
        else expect(satisfying.length).toBe(0);
      }),
      runs,
    );
    expect(contradictions).toBeGreaterThan(5);
  });

  test('what would settle a question settles it', () => {
    let settled = 0;
    holds(
      fc.property(someFacts, expressions, expressions, (given, x, y) => {
        const question: Clause = { kind: 'eq', left: toDim(x), right: toDim(y) };
        const facts = assumed(given);
        const by = settlingClauses(facts, question);
        if (!by) return;
        settled++;
        for (const at of allowed([...given, ...by])) expect(isTrue(question, at)).toBe(true);
      }),
      { ...runs, numRuns: 60 },
    );
    expect(settled).toBeGreaterThan(5);
  });
});
