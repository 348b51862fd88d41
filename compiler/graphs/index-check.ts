import { type Dim, one, sub, zero } from '../dims/dim.ts';
import type { Answer, Clause, Facts } from '../dims/facts.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';
import { rowNumbersOf } from '../ops/table.ts';
import { type Bound, isAtLeast, type Range } from './range.ts';
import { rangesUnder } from './value-range.ts';

/** A use of a tensor as row numbers: every element has to lie in 0..rows-1. */
export interface IndexUse {
  readonly node: Node;
  /** Which input the index is. */
  readonly input: number;
  readonly index: Value;
  readonly rows: Dim;
}

/** How it is known, or found out, that an index is in range. */
export type IndexCheck =
  /** It is, for all inputs. */
  | { readonly kind: 'proved' }
  /** It has the elements of this input, which the host looks at before a run. */
  | { readonly kind: 'input'; readonly name: string; readonly value: Value; readonly mayBeNegative: boolean }
  /** When it is computed. */
  | { readonly kind: 'run'; readonly mayBeNegative: boolean };

/** The row numbers that a node takes, if it takes any. */
export function indexUse(node: Node): IndexUse | undefined {
  const numbers = rowNumbersOf(node);
  const index = numbers && node.inputs[numbers.input];
  return index && { node, input: numbers.input, index, rows: numbers.rows };
}

/** Those of a node whose operator takes them. */
export function indexUseIn(node: Node): IndexUse {
  const use = indexUse(node);
  if (use === undefined) throw new Error(`bug in crobc: ${node.op} takes no row numbers`);
  return use;
}

export function indexUses({ nodes }: Graph): readonly IndexUse[] {
  return nodes.flatMap((node) => indexUse(node) ?? []);
}

/** Decides for the indices of one graph. */
export function indexChecks(facts: Facts): (use: IndexUse) => IndexCheck {
  const rangeOf = rangesUnder(facts);
  return ({ index, rows }) => {
    const { low, high } = rangeOf(index);
    const mayBeNegative = low === undefined || !isAtLeast(low.at, zero, facts);
    const isBelow = high !== undefined && isAtLeast(sub(rows, one), high.at, facts);
    if (!mayBeNegative && isBelow) return { kind: 'proved' };
    const input = inputOf(index);
    return input === undefined ? { kind: 'run', mayBeNegative } : { kind: 'input', ...input, mayBeNegative };
  };
}

/** An input of a model whose elements are row numbers. */
export interface IndexInput {
  readonly name: string;
  readonly value: Value;
  /** The elements lie in 0..rows-1. */
  readonly rows: Dim;
}

/** What the host has to look at before a graph runs: each input once for each bound. */
export function indexInputs(graph: Graph): readonly IndexInput[] {
  const check = indexChecks(graph.facts);
  const found = new Map<string, IndexInput>();
  for (const use of indexUses(graph)) {
    const checked = check(use);
    if (checked.kind !== 'input') continue;
    const rows = graph.facts.normalize(use.rows);
    const { name, value } = checked;
    found.set(`${rows.key} ${name}`, { name, value, rows });
  }
  return [...found.values()];
}

/** An element that there is whatever the inputs hold, and that is no row at some sizes. */
export interface OutOfRange {
  readonly at: Dim;
  /** That it is one: refuted. */
  readonly clause: Clause;
  readonly answer: Answer;
}

/** The end of an index that is certain to be out of range at some sizes. */
export function outOfRange({ low, high }: Range, rows: Dim, facts: Facts): OutOfRange | undefined {
  const ends: readonly (readonly [Bound | undefined, (at: Dim) => Clause])[] = [
    [low, (at) => ({ kind: 'le', left: zero, right: at })],
    [high, (at) => ({ kind: 'lt', left: at, right: rows })],
  ];
  for (const [bound, clauseOf] of ends) {
    if (!bound?.reached) continue;
    const clause = clauseOf(bound.at);
    const answer = facts.holds(clause);
    if (answer.answer === 'refuted') return { at: bound.at, clause, answer };
  }
  return undefined;
}

/** The integers that come in, where an index has just these in another order, shape or dtype. */
export function inputOf(index: Value): { readonly name: string; readonly value: Value } | undefined {
  const { node, type } = index;
  switch (node.op) {
    case 'input':
      return type.dtype === 'f32' || type.dtype === 'f16' ? undefined : { name: node.attributes.name, value: index };
    // Numbers that are in range survive this; so the host looks at them as they come.
    case 'cast':
      return type.dtype === 'i32' || type.dtype === 'i64' ? inputOf(node.inputs[0]) : undefined;
    case 'reshape':
    case 'transpose':
    case 'broadcast':
    case 'stop_gradient':
    case 'barrier':
      return inputOf(node.inputs[0]);
    default:
      return undefined;
  }
}
