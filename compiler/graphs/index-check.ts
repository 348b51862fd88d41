import { type Dim, one, sub, zero } from '../dims/dim.ts';
import type { Answer, Clause, Facts } from '../dims/facts.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';
import { rowNumbersOf } from '../ops/table.ts';
import { isFloat } from '../ops/typing.ts';
import { type Bound, isAtLeast, type Range } from './range.ts';
import { rangesUnder } from './value-range.ts';

/** A use of a tensor as row numbers: every element must be in 0..rows-1. */
export interface IndexUse {
  readonly node: Node;
  /** The position of the index among the inputs. */
  readonly input: number;
  readonly index: Value;
  readonly rows: Dim;
}

/** How it is ensured that an index is in range. */
export type IndexCheck =
  /** Proved for all inputs. */
  | { readonly kind: 'proved' }
  /** The index has the elements of this input, which the host checks before a run. */
  | { readonly kind: 'input'; readonly name: string; readonly value: Value; readonly mayBeNegative: boolean }
  /** Checked when the index is computed. */
  | { readonly kind: 'run'; readonly mayBeNegative: boolean };

/** Returns how a node uses row numbers, if its operator takes any. */
export function indexUse(node: Node): IndexUse | undefined {
  const numbers = rowNumbersOf(node);
  const index = numbers && node.inputs[numbers.input];
  return index && { node, input: numbers.input, index, rows: numbers.rows };
}

/** Returns how a node uses row numbers. Throws if its operator takes none. */
export function indexUseIn(node: Node): IndexUse {
  const use = indexUse(node);
  if (use === undefined) throw new Error(`bug in crobc: ${node.op} takes no row numbers`);
  return use;
}

export function indexUses({ nodes }: Graph): readonly IndexUse[] {
  return nodes.flatMap((node) => indexUse(node) ?? []);
}

/** Returns a function that decides how each index of a graph is checked. */
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

/** A model input whose elements are row numbers. */
export interface IndexInput {
  readonly name: string;
  readonly value: Value;
  /** The elements must be in 0..rows-1. */
  readonly rows: Dim;
}

/** Returns the inputs that the host must check before a graph runs, once for each bound. */
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

/** An element that occurs for all contents of the inputs and is out of range at some sizes. */
export interface OutOfRange {
  readonly at: Dim;
  /** The refuted clause that the element is in range. */
  readonly clause: Clause;
  readonly answer: Answer;
}

/** Returns the end of an index's range that is certain to be out of range at some sizes. */
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

/** Returns the integer input whose elements an index consists of, possibly in another order, shape or dtype. */
export function inputOf(index: Value): { readonly name: string; readonly value: Value } | undefined {
  const { node, type } = index;
  switch (node.op) {
    case 'input':
      return isFloat(type.dtype) ? undefined : { name: node.attributes.name, value: index };
    // The cast preserves numbers that are in range, so the host checks them before the cast.
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
