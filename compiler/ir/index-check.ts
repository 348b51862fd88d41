import { type Dim, one, sub, zero } from '../dims/dim.ts';
import type { Answer, Facts } from '../dims/facts.ts';
import type { Graph, NodeOf, Value } from './graph.ts';
import { isAtLeast, type Range } from './range.ts';
import { rangesUnder } from './value-range.ts';

/** A use of a tensor as row numbers: every element has to lie in 0..rows-1. */
export interface IndexUse {
  readonly node: NodeOf<'gather'> | NodeOf<'scatter_add'>;
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

export function indexUse(node: IndexUse['node']): IndexUse {
  return node.op === 'gather'
    ? { node, index: node.inputs[1]!, rows: node.inputs[0]!.type.shape[0]! }
    : { node, index: node.inputs[0]!, rows: node.attributes.rows };
}

function indexUses({ nodes }: Graph): readonly IndexUse[] {
  return nodes.flatMap((node) => (node.op === 'gather' || node.op === 'scatter_add' ? [indexUse(node)] : []));
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

/** An element that is out of range at some sizes, whatever the inputs hold. */
export interface OutOfRange {
  readonly at: Dim;
  readonly end: 'low' | 'high';
  readonly rows: Dim;
  /** That it is in range: refuted. */
  readonly answer: Answer & { readonly answer: 'refuted' };
}

/** The end of an index that is certain to be out of range at some sizes. */
export function outOfRange({ low, high }: Range, rows: Dim, facts: Facts): OutOfRange | undefined {
  for (const [end, bound] of [
    ['low', low],
    ['high', high],
  ] as const) {
    if (!bound?.reached) continue;
    const answer = end === 'low' ? facts.lessEqual(zero, bound.at) : facts.lessThan(bound.at, rows);
    if (answer.answer === 'refuted') return { at: bound.at, end, rows, answer };
  }
  return undefined;
}

/** The integers that come in, where an index has just these in another order, shape or dtype. */
function inputOf(index: Value): { readonly name: string; readonly value: Value } | undefined {
  const { node, type } = index;
  switch (node.op) {
    case 'input':
      return type.dtype === 'f32' || type.dtype === 'f16' ? undefined : { name: node.attributes.name, value: index };
    // Numbers that are in range survive this; so the host looks at them as they come.
    case 'cast':
      return type.dtype === 'i32' || type.dtype === 'i64' ? inputOf(node.inputs[0]!) : undefined;
    case 'reshape':
    case 'transpose':
    case 'broadcast':
    case 'stop_gradient':
    case 'barrier':
      return inputOf(node.inputs[0]!);
    default:
      return undefined;
  }
}
