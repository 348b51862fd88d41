import { asConstant, constant, type Dim, divideExactly, one } from '../../../dims/dim.ts';
import type { Facts } from '../../../dims/facts.ts';
import type { Graph, Node, Value } from '../../../ir/graph.ts';
import { isFloat } from '../../../ops/typing.ts';
import { known } from '../reshape-target.ts';
import { rowsOf, volume } from './row-index.ts';

type Move = Extract<Node, { op: 'reshape' | 'transpose' | 'slice' | 'concat' | 'pad' }>;

/** A value whose rows, of `width` numbers each, are rows of another value or zeros. */
export interface RowMove {
  readonly from: Value;
  readonly width: number;
  /** The open size that both values begin with, or 1: the same rows are taken from each part of that many. */
  readonly batch: Dim;
  /** Rows of `from` in each part. */
  readonly rows: number;
  /** For each row of the result in a part, the row that it is; -1 for zeros. */
  readonly index: Int32Array;
  readonly passed: readonly Node[];
}

/** Rows are at least so wide: a Gather of narrow rows is no faster than the views. */
const leastWidth = 16;
/** Longer indices would take more memory than what they move is worth. */
const mostRows = 2 ** 20;

/**
 * Finds chains of views that only move whole rows, such as rolls, paddings and partitions into windows, and that are
 * read by something else. `ends` are values at which chains begin, `read` values that are read by what absorbs their
 * readers, and `absorbed` nodes that need no result.
 */
export function rowMoves(
  graph: Graph,
  ends: ReadonlySet<Value>,
  read: ReadonlySet<Value>,
  absorbed: ReadonlySet<Node>,
): Map<Node, RowMove> {
  const { facts } = graph;
  const readers = new Map<Value, Node[]>();
  for (const node of graph.nodes)
    for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node]);
  const results = new Set(graph.outputs.map(({ value }) => value));
  const found = new Map<Node, RowMove>();
  for (const node of graph.nodes) {
    if (!isMove(node) || absorbed.has(node)) continue;
    const [value] = node.outputs;
    if (ends.has(value) || !isFloat(value.type.dtype)) continue;
    const isRead = (readers.get(value) ?? []).some((reader) => !isMove(reader) && !absorbed.has(reader));
    if (!isRead && !results.has(value) && !read.has(value)) continue;
    const move = moveTo(value, ends, facts);
    if (move !== undefined) found.set(node, move);
  }
  return found;
}

function isMove(node: Node): node is Move {
  const { op } = node;
  return op === 'reshape' || op === 'transpose' || op === 'slice' || op === 'concat' || op === 'pad';
}

/** Reads a value as rows of another, if at least one view on the way copies. */
export function moveTo(value: Value, ends: ReadonlySet<Value>, facts: Facts): RowMove | undefined {
  const chain = chainOf(value, ends);
  if (chain === undefined) return undefined;
  const { from, passed } = chain;
  const copies = passed.filter(({ op }) => op !== 'reshape').length;
  // A lone copy between reshapes is worth it, as the matrix of rows needs none of them.
  if (copies === 0 || (copies === 1 && passed.length < 3)) return undefined;
  const open = value.type.shape[0] ?? one;
  const batch = known(facts, open) === undefined ? openFactor(open) : one;
  if (batch === undefined) return undefined;
  const sizes = (of: Value) => sizesOf(of, batch, facts);
  const given = sizes(from);
  if (given === undefined) return undefined;
  const isBatched = asConstant(batch) === undefined;
  for (const width of widthsOf(value, from, passed, facts)) {
    const rows = volume(given) / width;
    if (!Number.isInteger(rows) || rows === 0 || rows > mostRows) continue;
    const index = rowsOf(value, { from, rows, width, sizes, facts, isBatched });
    if (index !== undefined && index.length <= mostRows) return { from, width, batch, rows, index, passed };
  }
  return undefined;
}

/** The widths that rows may have, the largest first. */
function widthsOf(value: Value, from: Value, passed: readonly Node[], facts: Facts): readonly number[] {
  const last = ({ type }: Value) => known(facts, type.shape.at(-1) ?? one) ?? 0;
  const all = passed.map(({ outputs: [output] }) => last(output));
  const widths = new Set([last(from), last(value), Math.min(...all)].filter((width) => width >= leastWidth));
  return [...widths].sort((a, b) => b - a);
}

/** Returns the one value that all views up from a value begin at. */
function chainOf(value: Value, ends: ReadonlySet<Value>): { from: Value; passed: Move[] } | undefined {
  const passed = new Set<Move>();
  let from: Value | undefined;
  const walk = (at: Value): boolean => {
    const { node } = at;
    if (!isMove(node) || (ends.has(at) && at !== value)) {
      from ??= at;
      return from === at;
    }
    if (passed.has(node)) return true;
    passed.add(node);
    return node.inputs.every(walk);
  };
  return walk(value) && from !== undefined && from.node.op !== 'weight' && from.node.op !== 'constant'
    ? { from, passed: [...passed] }
    : undefined;
}

/** Returns a dim without its number: B of 100*B. */
function openFactor(dim: Dim): Dim | undefined {
  const [term, ...more] = dim.terms;
  if (term === undefined || more.length > 0) return undefined;
  return divideExactly(dim, constant(term.coefficient));
}

/** Returns the sizes of one part; undefined if a size is open, or if the first axis is not a multiple of the batch. */
function sizesOf({ type }: Value, batch: Dim, facts: Facts): number[] | undefined {
  const sizes: number[] = [];
  for (const [axis, dim] of type.shape.entries()) {
    const part = axis === 0 && asConstant(batch) === undefined ? divideExactly(facts.normalize(dim), batch) : dim;
    const size = part && known(facts, part);
    if (size === undefined) return undefined;
    sizes.push(size);
  }
  return sizes;
}
