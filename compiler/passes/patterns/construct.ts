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

/** An operand in a pattern. A number stands for a value all of whose elements are that number. */
export type Operand = Pattern<unknown> | number;

/** The names of several operands together. */
export type Together<Ps extends readonly Operand[]> = Ps extends readonly [infer First, ...infer Rest]
  ? (First extends Pattern<infer C> ? C : unknown) & (Rest extends readonly Operand[] ? Together<Rest> : unknown)
  : unknown;

function formOf(operand: Operand): Form {
  return typeof operand === 'number' ? { kind: 'number', test: exactly(operand) } : operand.form;
}

function exactly(wanted: number): NumberTest {
  return { text: String(wanted), accepts: (number) => number === wanted };
}

/** A number as published formulas round it. */
export function about(wanted: number): NumberTest {
  return { text: `about ${Number(wanted.toPrecision(6))}`, accepts: (number) => isAbout(number, wanted) };
}

/** Any value. Where the name occurs again in a pattern, it is the same value. */
export function value<N extends string>(name: N): Pattern<Readonly<Record<N, Value>>, Value> {
  return named(name, anything);
}

/** Any value, which the rewrite does not use. */
export const anything: Pattern<unknown, Value> = { form: { kind: 'anything' } };

const anyNumber: NumberTest = { text: 'one known number', accepts: () => true };

/** A value all of whose elements are one number that passes a test; any number when not given. */
export function number<N extends string>(
  name: N,
  test: NumberTest = anyNumber,
): Pattern<Readonly<Record<N, UniformValue>>, UniformValue> {
  return named(name, { form: { kind: 'number', test } });
}

/** A name for what a pattern stands for. */
export function named<N extends string, C, S>(
  name: N,
  { form }: Pattern<C, S>,
): Pattern<C & Readonly<Record<N, S>>, S> {
  return { form: { kind: 'named', name, form } };
}

/** A value that nothing else reads. */
export function once<C, S>({ form }: Pattern<C, S>): Pattern<C, S> {
  return { form: { kind: 'once', form } };
}

/** The first of these that matches. */
export function oneOf<C>(...patterns: readonly Pattern<C>[]): Pattern<C, Value> {
  return { form: { kind: 'one-of', forms: patterns.map(({ form }) => form) } };
}

/** A number times values, in any order and brackets: `product(0.5, x, gate)`. */
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

/** A pattern for each operator: `operators.mul(x, 2)`. Its operands may change places where the operator commutes. */
export const operators = Object.fromEntries(
  opNames.map((op) => [op, (...operands: readonly Operand[]) => anyOf([op], ...operands)]),
) as unknown as OperatorPatterns;

/** A node of one of several operators. */
export function anyOf<O extends NodeOp, const Ps extends readonly Operand[]>(
  ops: readonly O[],
  ...operands: Ps
): Pattern<Together<Ps>, NodeAmong<O>> {
  return node(ops, arranged(ops, operands.map(formOf)));
}

/** A node of one of several operators, whatever its operands. */
export function nodeOf<O extends NodeOp>(...ops: readonly O[]): Pattern<unknown, NodeAmong<O>> {
  return node(ops, { kind: 'any' });
}

/** A node each of whose operands matches; `name` stands for their list. The pattern of an operand has no names. */
export function withEach<O extends NodeOp, N extends string, S>(
  ops: readonly O[],
  name: N,
  { form }: Pattern<unknown, S>,
): Pattern<Readonly<Record<N, NonEmpty<S>>>, NodeAmong<O>> {
  return node(ops, { kind: 'each', name, form });
}

/** A node that has an operand like this. */
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

/** A test of a match: what its names stand for, what stands at the pattern itself, and the graph around. */
export type Test<C, S, T> = (captures: C, subject: S, surroundings: Surroundings) => T;

/** A pattern with a condition. `text` completes "needs that …". `at` names what explanations show. */
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

/** A pattern with a condition that finds something out, which the rewrite uses as `name`. */
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

/** The matcher hands a condition just the names and the subject of the pattern that it belongs to, so this forgets nothing. */
function untyped<C, S, T>(test: Test<C, S, T>): Condition['derive'] {
  return (captures: Captures, subject, around) => test(captures as C, subject as S, around);
}
