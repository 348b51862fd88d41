import type { Dim } from '../../../dims/dim.ts';
import type { Facts } from '../../../dims/facts.ts';
import type { NodeOf, Value } from '../../../ir/graph.ts';
import { sameShape } from '../../../ir/shapes.ts';
import { known } from '../reshape-target.ts';

export interface RowSource {
  readonly from: Value;
  /** How many rows of `width` numbers a part of `from` has. */
  readonly rows: number;
  readonly width: number;
  /** The sizes of one part of a value. */
  readonly sizes: (value: Value) => readonly number[] | undefined;
  readonly facts: Facts;
  /** Whether the first axis contains an open batch, which views may not touch. */
  readonly isBatched: boolean;
}

/** Numbers of rows, as an array of this shape. */
interface Rows {
  readonly shape: readonly number[];
  readonly index: Int32Array;
}

/** Returns which row of `from` each row of a view is, -1 for rows of zeros; undefined if rows are not kept whole. */
export function rowsOf(value: Value, source: RowSource): Int32Array | undefined {
  const done = new Map<Value, Rows | undefined>();
  const rows = (of: Value): Rows | undefined => {
    if (!done.has(of)) done.set(of, compute(of));
    return done.get(of);
  };
  const compute = (of: Value): Rows | undefined => {
    const shape = rowShape(of, source);
    if (shape === undefined) return undefined;
    // Rows of `from` may span several of its last axes.
    if (of === source.from) return { shape, index: Int32Array.from({ length: source.rows }, (_, i) => i) };
    const { node } = of;
    if (node.op === 'concat') return joined(node, node.inputs.map(rows), shape, source);
    const inner = node.inputs[0] && rows(node.inputs[0]);
    if (inner === undefined) return undefined;
    switch (node.op) {
      case 'reshape':
        return { shape, index: inner.index };
      case 'transpose':
        return transposed(node, inner, shape, source);
      case 'slice':
        return sliced(node, inner, shape, source);
      case 'pad':
        return padded(node, inner, shape, source);
      default:
        return undefined;
    }
  };
  return rows(value)?.index;
}

export function volume(shape: readonly number[]): number {
  return shape.reduce((n, size) => n * size, 1);
}

/**
 * The shape with rows in place of numbers: the last axes that together hold whole rows become one. `from` is a list of rows,
 * whatever its shape is.
 */
function rowShape(value: Value, { from, rows, width, sizes }: RowSource): number[] | undefined {
  const shape = sizes(value);
  if (shape === undefined || shape.length === 0) return undefined;
  let run = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    run *= shape[axis]!;
    if (run % width === 0) return [...shape.slice(0, axis), run / width];
  }
  return value === from ? [rows] : undefined;
}

function transposed(
  { attributes: { perm } }: NodeOf<'transpose'>,
  inner: Rows,
  shape: readonly number[],
  at: RowSource,
) {
  const last = perm.length - 1;
  if (inner.shape.length !== perm.length || perm[last] !== last || (at.isBatched && perm[0] !== 0)) return undefined;
  const strides = stridesOf(inner.shape);
  return filled(
    shape,
    perm.map((axis) => strides[axis]!),
    0,
    inner.index,
  );
}

function sliced(node: NodeOf<'slice'>, inner: Rows, shape: readonly number[], source: RowSource): Rows | undefined {
  const { start, step } = node.attributes;
  if (step.some((by) => by !== 1) || !keepsRows(node, inner, shape, source)) return undefined;
  const from = beginning(start, shape, source);
  if (from === undefined) return undefined;
  const strides = stridesOf(inner.shape);
  const offset = from.reduce((sum, at, axis) => sum + at * strides[axis]!, 0);
  return filled(shape, strides, offset, inner.index);
}

function padded(node: NodeOf<'pad'>, inner: Rows, shape: readonly number[], source: RowSource): Rows | undefined {
  const { low, value } = node.attributes;
  if (value !== 0 || !keepsRows(node, inner, shape, source)) return undefined;
  const before = beginning(low, shape, source);
  if (before?.some((n, axis) => shape[axis]! < n + inner.shape[axis]!) ?? true) return undefined;
  const index = new Int32Array(volume(shape)).fill(-1);
  place(index, shape, before!, inner);
  return { shape, index };
}

/** Whether the axes that together hold rows, if there are several, stay as they are, and an open batch too. */
function keepsRows(
  { inputs: [from], outputs: [to] }: NodeOf<'slice' | 'pad'>,
  inner: Rows,
  shape: readonly number[],
  { facts, isBatched }: RowSource,
): boolean {
  if (inner.shape.length !== shape.length || (isBatched && shape[0] !== inner.shape[0])) return false;
  const [before, after] = [from.type.shape, to.type.shape].map((all) => all.slice(shape.length - 1)) as [Dim[], Dim[]];
  return after.length === 1 || sameShape(facts, before, after);
}

/** Where a part begins, in rows; undefined if it begins inside one. */
function beginning(at: readonly Dim[], shape: readonly number[], { width, facts }: RowSource): number[] | undefined {
  const last = shape.length - 1;
  const numbers = at.map((dim) => known(facts, dim) ?? Number.NaN);
  const rows = numbers.slice(0, last);
  const inRow = numbers.slice(last);
  rows.push(inRow.length === 1 ? inRow[0]! / width : inRow.every((n) => n === 0) ? 0 : Number.NaN);
  return rows.every((n) => Number.isInteger(n) && n >= 0) ? rows : undefined;
}

function joined(
  { attributes: { axis } }: NodeOf<'concat'>,
  parts: readonly (Rows | undefined)[],
  shape: readonly number[],
  { isBatched }: RowSource,
): Rows | undefined {
  // Along an axis inside rows, parts alternate.
  if ((isBatched && axis === 0) || axis >= shape.length) return undefined;
  const index = new Int32Array(volume(shape));
  const at = shape.map(() => 0);
  for (const part of parts) {
    if (part === undefined || part.shape.length !== shape.length) return undefined;
    place(index, shape, at, part);
    at[axis]! += part.shape[axis]!;
  }
  return { shape, index };
}

/** Writes a part into an array of this shape, from this position on. */
function place(into: Int32Array, shape: readonly number[], from: readonly number[], part: Rows): void {
  const strides = stridesOf(shape);
  const offset = from.reduce((sum, at, axis) => sum + at * strides[axis]!, 0);
  let next = 0;
  visit(part.shape, strides, offset, (at) => {
    into[at] = part.index[next++]!;
  });
}

/** Reads an array of this shape, with strides, from another. */
function filled(shape: readonly number[], strides: readonly number[], offset: number, from: Int32Array): Rows {
  const index = new Int32Array(volume(shape));
  let next = 0;
  visit(shape, strides, offset, (at) => {
    index[next++] = from[at]!;
  });
  return { shape, index };
}

function visit(shape: readonly number[], strides: readonly number[], offset: number, each: (at: number) => void): void {
  const [size, ...inner] = shape;
  const [stride, ...others] = strides;
  if (size === undefined) each(offset);
  else for (let i = 0; i < size; i++) visit(inner, others, offset + i * stride!, each);
}

function stridesOf(shape: readonly number[]): number[] {
  return shape.map((_, axis) => volume(shape.slice(axis + 1)));
}
