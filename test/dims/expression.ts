import fc from 'fast-check';
import * as dims from '../../compiler/dims/dim.ts';
import { add, max, min, mul, sub } from '../../compiler/dims/dim.ts';
import type { Clause } from '../../compiler/dims/facts.ts';

/** Arithmetic as a tree, with a meaning that owes nothing to dims. */
export type Expression =
  | { readonly op: 'constant'; readonly n: number }
  | { readonly op: 'variable'; readonly name: string }
  | { readonly op: 'add' | 'sub' | 'mul' | 'min' | 'max'; readonly a: Expression; readonly b: Expression }
  | { readonly op: 'floor' | 'ceil' | 'mod'; readonly a: Expression; readonly k: number };

export const names = ['B', 'H', 'W'] as const;

export type At = (name: string) => number;

export function meaning(e: Expression, at: At): number {
  switch (e.op) {
    case 'constant':
      return e.n;
    case 'variable':
      return at(e.name);
    case 'add':
      return meaning(e.a, at) + meaning(e.b, at);
    case 'sub':
      return meaning(e.a, at) - meaning(e.b, at);
    case 'mul':
      return meaning(e.a, at) * meaning(e.b, at);
    case 'min':
      return Math.min(meaning(e.a, at), meaning(e.b, at));
    case 'max':
      return Math.max(meaning(e.a, at), meaning(e.b, at));
    case 'floor':
      return Math.floor(meaning(e.a, at) / e.k);
    case 'ceil':
      return Math.ceil(meaning(e.a, at) / e.k);
    case 'mod': {
      const n = meaning(e.a, at);
      return n - e.k * Math.floor(n / e.k);
    }
  }
}

export function toDim(e: Expression): dims.Dim {
  switch (e.op) {
    case 'constant':
      return dims.constant(e.n);
    case 'variable':
      return dims.variable(e.name);
    case 'floor':
      return dims.floorDiv(toDim(e.a), e.k);
    case 'ceil':
      return dims.ceilDiv(toDim(e.a), e.k);
    case 'mod':
      return dims.mod(toDim(e.a), e.k);
    default: {
      const { [e.op]: apply } = { add, sub, mul, min, max };
      return apply(toDim(e.a), toDim(e.b));
    }
  }
}

const leaf: fc.Arbitrary<Expression> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Expression>(...names.map((name) => ({ op: 'variable', name }) as const)) },
  { weight: 1, arbitrary: fc.integer({ min: -9, max: 9 }).map((n): Expression => ({ op: 'constant', n })) },
);

/** Expressions over B, H, W up to a depth of four operators. */
export const expressions: fc.Arbitrary<Expression> = fc.letrec<{ e: Expression }>((tie) => ({
  e: fc.oneof(
    { maxDepth: 4, depthSize: 'medium' },
    leaf,
    fc.record({ op: fc.constantFrom('add' as const, 'sub' as const, 'add' as const), a: tie('e'), b: tie('e') }),
    fc.record({ op: fc.constantFrom('mul' as const), a: tie('e'), b: leaf }),
    fc.record({
      op: fc.constantFrom('floor' as const, 'ceil' as const, 'mod' as const),
      a: tie('e'),
      k: fc.integer({ min: 1, max: 8 }),
    }),
    fc.record({ op: fc.constantFrom('min' as const, 'max' as const), a: leaf, b: tie('e') }),
  ),
})).e;

const h = dims.variable('H');
const w = dims.variable('W');
const b = dims.variable('B');
const subjects = [
  h,
  w,
  b,
  dims.add(h, w),
  dims.mul(h, w),
  dims.floorDiv(h, 4),
  dims.ceilDiv(w, 3),
  dims.sub(h, b),
  dims.mul(dims.constant(3), w),
  dims.product([b, h, w]),
];

/** Clauses of the shapes that a `where` has. */
export const clauses: fc.Arbitrary<Clause> = fc.oneof(
  fc
    .record({
      value: fc.constantFrom(...subjects),
      modulus: fc.integer({ min: 1, max: 8 }),
      remainder: fc.nat({ max: 7 }),
    })
    .map((c): Clause => ({ kind: 'mod', ...c, remainder: c.remainder % c.modulus })),
  fc
    .record({
      kind: fc.constantFrom('eq' as const, 'le' as const, 'lt' as const),
      left: fc.constantFrom(...subjects),
      right: fc.constantFrom(...subjects),
    })
    .map((c): Clause => c),
  fc
    .record({
      kind: fc.constantFrom('eq' as const, 'le' as const, 'lt' as const),
      left: fc.constantFrom(...subjects),
      n: fc.integer({ min: 1, max: 12 }),
      turn: fc.boolean(),
    })
    .map(
      ({ kind, left, n, turn }): Clause =>
        turn ? { kind, left: dims.constant(n), right: left } : { kind, left, right: dims.constant(n) },
    ),
);

/** Every assignment of B, H, W in 1..side. */
export function* box(side: number): Generator<At> {
  for (let B = 1; B <= side; B++) {
    for (let H = 1; H <= side; H++) {
      for (let W = 1; W <= side; W++) {
        const point: Record<string, number> = { B, H, W };
        yield (name) => point[name]!;
      }
    }
  }
}

/** Whether the clause is true at a point, by its own arithmetic. */
export function isTrue(c: Clause, at: At): boolean {
  if (c.kind === 'mod') return (((dims.evaluate(c.value, at) - c.remainder) % c.modulus) + c.modulus) % c.modulus === 0;
  const left = dims.evaluate(c.left, at);
  const right = dims.evaluate(c.right, at);
  return c.kind === 'eq' ? left === right : c.kind === 'le' ? left <= right : left < right;
}
