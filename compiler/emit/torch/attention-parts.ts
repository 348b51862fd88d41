import type { CallExpr, Expr, LetStatement, Statement } from '../../../grammar/tree.ts';
import { parseArrow, parseEinsum, parseStarred, type Side } from '../../elaborate/patterns/pattern.ts';
import type { Facts } from './facts.ts';
import { patternIn } from './facts.ts';
import { given } from './kinds.ts';

/** Scores of queries and keys. */
export interface Score {
  readonly query: Expr;
  readonly key: Expr;
  /** Whether the features of the key stand before its positions. */
  readonly isTurned: boolean;
  /** Numbers that the scores are multiplied by. */
  readonly factors: readonly Expr[];
}

export interface Product extends Score {
  /** The whole expression. */
  readonly of: Expr;
  readonly rank: number;
}

/** The terms of a sum. */
export function termsOf(expr: Expr): readonly Expr[] {
  return expr.kind === 'binary' && expr.op === '+' ? [...termsOf(expr.left), ...termsOf(expr.right)] : [expr];
}

/** Takes numbers out of a product: what is left, and the numbers. */
function withoutNumbers(facts: Facts, expr: Expr): { readonly rest: Expr; readonly factors: readonly Expr[] } {
  if (expr.kind !== 'binary' || expr.op !== '*') return { rest: expr, factors: [] };
  if (facts.isNumber(expr.right)) {
    const { rest, factors } = withoutNumbers(facts, expr.left);
    return { rest, factors: [...factors, expr.right] };
  }
  if (!facts.isNumber(expr.left)) return { rest: expr, factors: [] };
  const { rest, factors } = withoutNumbers(facts, expr.right);
  return { rest, factors: [expr.left, ...factors] };
}

/** Scores: a product of matrices, perhaps multiplied by numbers. */
export function productOf(facts: Facts, of: Expr): Product | undefined {
  const { rest, factors } = withoutNumbers(facts, of);
  if (rest.kind !== 'call') return undefined;
  const scores = multiplied(facts, rest);
  if (!scores) return undefined;
  const query = withoutNumbers(facts, scores.query);
  return { ...scores, of, query: query.rest, factors: [...query.factors, ...factors] };
}

function multiplied(facts: Facts, call: CallExpr): Omit<Product, 'of' | 'factors'> | undefined {
  const [first, second] = facts.builtin(call, 'matmul') ?? [];
  if (first && second) {
    const rank = facts.rank(first);
    const isAlike = rank !== undefined && rank >= 3 && facts.rank(second) === rank;
    return isAlike ? { query: first, key: second, isTurned: true, rank } : undefined;
  }
  const [, query, key, more] = facts.builtin(call, 'einsum') ?? [];
  const pattern = patternIn(call, parseEinsum);
  const [a, b] = pattern?.operands.map(names) ?? [];
  const c = pattern && names(pattern.result);
  if (!query || !key || more || !a || !b || !c || a.length < 3) return undefined;
  // … n d, … m d -> … n m
  const [n, d] = a.slice(-2);
  const [m, e] = b.slice(-2);
  const isProduct = d === e && n !== m && same(c, [...a.slice(0, -2), n, m]) && same(a.slice(0, -2), b.slice(0, -2));
  return isProduct ? { query, key, isTurned: false, rank: a.length } : undefined;
}

export interface Read {
  readonly weights: Expr;
  readonly value: Expr;
  readonly rank: number;
}

/** The product of weights and values. */
export function readOf(facts: Facts, call: CallExpr): Read | undefined {
  const [first, second] = facts.builtin(call, 'matmul') ?? [];
  if (first && second) {
    const rank = facts.rank(second);
    return rank === undefined ? undefined : { weights: first, value: second, rank };
  }
  const [, weights, value, more] = facts.builtin(call, 'einsum') ?? [];
  const pattern = patternIn(call, parseEinsum);
  const [a, b] = pattern?.operands.map(names) ?? [];
  const c = pattern && names(pattern.result);
  if (!weights || !value || more || !a || !b || !c) return undefined;
  // … n m, … m d -> … n d
  const [n, m] = a.slice(-2);
  const [k, d] = b.slice(-2);
  const isProduct = m === k && n !== d && same(c, [...a.slice(0, -2), n, d]) && same(a.slice(0, -2), b.slice(0, -2));
  return isProduct ? { weights, value, rank: a.length } : undefined;
}

/** The name of each axis; undefined where one has none, or several. */
function names(side: Side): readonly string[] | undefined {
  const all = side.axes.flatMap((axis) => (axis.kind === 'name' ? [axis.name] : []));
  return all.length === side.axes.length && new Set(all).size === all.length ? all : undefined;
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}

export interface Weights {
  readonly scores: Expr;
  readonly dropout: Expr | undefined;
  /** The statement that declares them. */
  readonly by: LetStatement | undefined;
}

/** A softmax over the last axis, perhaps with dropout, or a name for one that is read once. */
export function softmaxOf(facts: Facts, expr: Expr): Weights | undefined {
  if (expr.kind === 'name') {
    const by = facts.onlyLet(expr);
    if (!by || facts.mentions(expr.name) !== 1) return undefined;
    const found = softmaxOf(facts, by.value);
    return found && !found.by ? { ...found, by } : undefined;
  }
  if (expr.kind !== 'call') return undefined;
  const [scores, pattern] = facts.builtin(expr, 'softmax') ?? [];
  if (scores) {
    const starred = pattern && patternIn(expr, parseStarred);
    const isLast = !pattern || (starred !== undefined && starred.star === starred.axes.length - 1);
    return isLast && expr.args.length <= 2 ? { scores, dropout: undefined, by: undefined } : undefined;
  }
  const [only] = expr.args;
  if (!only || !isDropout(facts, expr.callee)) return undefined;
  const found = softmaxOf(facts, only.value);
  return found && !found.dropout ? { ...found, dropout: expr.callee } : undefined;
}

function isDropout({ scope }: Facts, callee: Expr): boolean {
  const known = callee.kind === 'name' ? scope.lookup(callee.name) : undefined;
  const kind = known && given(known.kind);
  return kind?.kind === 'part' && kind.native?.type === 'nn.Dropout' && known?.kind.kind !== 'optional';
}

/** The key with its positions before its features, where the pattern that arranges it can say so. */
export function swappedKey(
  facts: Facts,
  { key, isTurned }: Score,
): { readonly score: Partial<Score>; readonly replaced: ReadonlyMap<Statement, Statement> } {
  const none = { score: {}, replaced: new Map<Statement, Statement>() };
  if (!isTurned) return none;
  const swapped = swappedPattern(facts, key);
  if (swapped) return { score: { key: swapped, isTurned: false }, replaced: none.replaced };
  const by = facts.onlyLet(key);
  const value = by && facts.mentions(by.name.name) === 1 ? swappedPattern(facts, by.value) : undefined;
  if (!by || !value) return none;
  return { score: { isTurned: false }, replaced: new Map([[by, { ...by, value }]]) };
}

/** `rearrange` with the last two axes of its result in the other order. */
function swappedPattern(facts: Facts, expr: Expr): Expr | undefined {
  if (expr.kind !== 'call' || !facts.builtin(expr, 'rearrange')) return undefined;
  const right = patternIn(expr, parseArrow)?.right;
  const [a, b] = right?.axes.slice(-2) ?? [];
  if (!a || !b) return undefined;
  const args = expr.args.map((arg) => {
    if (arg.value.kind !== 'string') return arg;
    const text = arg.value.value;
    const [first, second] = [a, b].map(({ at, length }) => text.slice(at, at + length));
    const value = `${text.slice(0, a.at)}${second} ${first}${text.slice(b.at + b.length)}`;
    return { ...arg, value: { ...arg.value, value } };
  });
  return { ...expr, args };
}
