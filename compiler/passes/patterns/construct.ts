import type { NodeOp, Value } from '../../ir/graph.ts';
import type { OpName } from '../../ir/names.ts';
import type { NonEmpty } from '../../lists.ts';
import { opNames, ops } from '../../ops/table.ts';
import { isAbout } from './factors.ts';
import type {
  Captures,
  Condition,
  Form,
  NodeAmong,
  NumberTest,
  Operands,
  Pattern,
  Surroundings,
  UniformValue,
} from './pattern.ts';

/** An operand in a pattern. A number matches a value whose elements all equal that number. */
export type Operand = Pattern<unknown> | number;

/** The captured names of several operands together. */
export type Together<Ps extends readonly Operand[]> = Ps extends readonly [infer First, ...infer Rest]
  ? (First extends Pattern<infer C> ? C : unknown) & (Rest extends readonly Operand[] ? Together<Rest> : unknown)
  : unknown;

function formOf(operand: Operand): Form {
  return typeof operand === 'number' ? { kind: 'number', test: exactly(operand) } : operand.form;
}

function exactly(wanted: number): NumberTest {
  return { text: String(wanted), accepts: (number) => number === wanted };
}

/** Accepts a number as rounded in published formulas. */
export function about(wanted: number): NumberTest {
  return { text: `about ${Number(wanted.toPrecision(6))}`, accepts: (number) => isAbout(number, wanted) };
}

/** Matches any value. If the name occurs again in a pattern, it must be the same value. */
export function value<N extends string>(name: N): Pattern<Readonly<Record<N, Value>>, Value> {
  return named(name, anything);
}

/** Matches any value, which the rewrite does not use. */
export const anything: Pattern<unknown, Value> = { form: { kind: 'anything' } };

const anyNumber: NumberTest = { text: 'one known number', accepts: () => true };

/** Matches a value whose elements are all one number that passes the test; any number if there is no test. */
export function number<N extends string>(
  name: N,
  test: NumberTest = anyNumber,
): Pattern<Readonly<Record<N, UniformValue>>, UniformValue> {
  return named(name, { form: { kind: 'number', test } });
}

/** Names what a pattern matches. */
export function named<N extends string, C, S>(
  name: N,
  { form }: Pattern<C, S>,
): Pattern<C & Readonly<Record<N, S>>, S> {
  return { form: { kind: 'named', name, form } };
}

/** Matches a value that has only one reader. */
export function once<C, S>({ form }: Pattern<C, S>): Pattern<C, S> {
  return { form: { kind: 'once', form } };
}

/** Matches the first of these patterns that matches. */
export function oneOf<C>(...patterns: readonly Pattern<C>[]): Pattern<C, Value> {
  return { form: { kind: 'one-of', forms: patterns.map(({ form }) => form) } };
}

/** Matches a number times values, in any order and with any parentheses: `product(0.5, x, gate)`. */
export function product<Ps extends readonly Pattern<unknown>[]>(
  number: number | NumberTest,
  ...factors: Ps
): Pattern<Together<Ps>, NodeAmong<NodeOp>> {
  const test = typeof number === 'number' ? exactly(number) : number;
  return { form: { kind: 'product', number: test, factors: factors.map(({ form }) => form) } };
}

type OperatorPatterns = {
  readonly [O in OpName]: <const Ps extends readonly Operand[]>(...operands: Ps) => Pattern<Together<Ps>, NodeAmong<O>>;
};

/** A pattern for each operator: `operators.mul(x, 2)`. The operands match in either order if the operator commutes. */
export const operators = Object.fromEntries(
  opNames.map((op) => [op, (...operands: readonly Operand[]) => anyOf([op], ...operands)]),
) as unknown as OperatorPatterns;

/** Matches a node of one of several operators. */
export function anyOf<O extends NodeOp, const Ps extends readonly Operand[]>(
  ops: readonly O[],
  ...operands: Ps
): Pattern<Together<Ps>, NodeAmong<O>> {
  return node(ops, arranged(ops, operands.map(formOf)));
}

/** Matches a node of one of several operators, with any operands. */
export function nodeOf<O extends NodeOp>(...ops: readonly O[]): Pattern<unknown, NodeAmong<O>> {
  return node(ops, { kind: 'any' });
}

/**
 * Matches a node if all its operands match; `name` captures their list. The pattern of the operands must have no names.
 */
export function withEach<O extends NodeOp, N extends string, S>(
  ops: readonly O[],
  name: N,
  { form }: Pattern<unknown, S>,
): Pattern<Readonly<Record<N, NonEmpty<S>>>, NodeAmong<O>> {
  return node(ops, { kind: 'each', name, form });
}

/** Matches a node if one of its operands matches. */
export function withSome<O extends NodeOp, C>(ops: readonly O[], { form }: Pattern<C>): Pattern<C, NodeAmong<O>> {
  return node(ops, { kind: 'some', form });
}

function node<O extends NodeOp, C>(ops: readonly O[], operands: Operands): Pattern<C, NodeAmong<O>> {
  return { form: { kind: 'node', ops: new Set<NodeOp>(ops), operands } };
}

function arranged(names: readonly NodeOp[], forms: readonly Form[]): Operands {
  const [first, second] = forms;
  const commute = names.every((name) => name !== 'input' && name !== 'weight' && ops[name].commutes === true);
  return commute && first !== undefined && second !== undefined
    ? { kind: 'either-order', first, second }
    : { kind: 'in-order', forms };
}

/** A test of a match, given the captured names, what the pattern itself matched, and the graph around it. */
export type Test<C, S, T> = (captures: C, subject: S, surroundings: Surroundings) => T;

/**
 * A pattern with a condition. `text` completes "needs that …". `at` is the name of the value that explanations show.
 */
export function where<C, S>(
  pattern: Pattern<C, S>,
  text: string,
  holds: Test<C, S, boolean>,
  at?: keyof C & string,
): Pattern<C, S> {
  return conditional(pattern, {
    text,
    gives: undefined,
    about: at,
    derive: untyped((captures: C, subject: S, around) => holds(captures, subject, around) || undefined),
  });
}

/** A pattern with a condition that computes a result, which the rewrite uses as `name`. */
export function finding<N extends string, T, C, S>(
  pattern: Pattern<C, S>,
  name: N,
  text: string,
  derive: Test<C, S, T | undefined>,
  at?: keyof C & string,
): Pattern<C & Readonly<Record<N, T>>, S> {
  return conditional(pattern, { text, gives: name, about: at, derive: untyped(derive) });
}

function conditional<C, S>({ form }: Pattern<unknown>, condition: Condition): Pattern<C, S> {
  return { form: { kind: 'where', form, condition } };
}

/** The matcher passes a condition exactly the names and the subject of its own pattern, so the cast is safe. */
function untyped<C, S, T>(test: Test<C, S, T>): Condition['derive'] {
  return (captures: Captures, subject, around) => test(captures as C, subject as S, around);
}
