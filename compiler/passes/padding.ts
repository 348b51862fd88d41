import { asConstant, constant, type Dim, evaluate, product } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { Builder } from '../graphs/builder.ts';
import type { Node, NodeOf, Value } from '../ir/graph.ts';
import { finding, operators, value, where } from './patterns/construct.ts';
import type { Surroundings } from './patterns/pattern.ts';
import { type Rule, rewrite, rule } from './rule.ts';

const { matmul } = operators;
const [rows, matrix] = [value('rows'), value('matrix')];

type View = NodeOf<'reshape' | 'transpose' | 'slice' | 'concat'>;

/**
 * How padded rows are arranged: the views applied to the result of `pad`, in order. The last one yields the arranged
 * rows.
 */
interface Arrangement {
  readonly pad: NodeOf<'pad'>;
  readonly views: readonly View[];
}

/**
 * Rows of zeros need not be multiplied: pad(x)·W is pad(x·W). This also holds if the rows are rearranged before the
 * product, as windows are that do not divide a feature map. The rearrangement then moves rows as wide as the result, so
 * the rule only applies if it pays off.
 */
const padAfterProduct = rule(
  'pad-after-product',
  'gradients',
  rewrite(
    where(
      finding(
        finding(matmul(rows, matrix), 'sizes', 'the second operand is one matrix of known size', ({ matrix }) =>
          sizesOf(matrix),
        ),
        'arrangement',
        'the rows are padded with zeros, rearranged at most, and read by nothing else',
        ({ rows, sizes }, _, { uses }) => arrangementOf(rows, sizes.from, uses),
        'rows',
      ),
      'the rows of zeros cost more than they do rearranged',
      ({ arrangement, sizes: { from, to } }, _, { facts }) => pays(arrangement, from, to, facts),
      'rows',
    ),
    ({ arrangement, matrix, sizes: { from, to } }, { build }) => {
      const [x = arrangement.pad.outputs[0]] = arrangement.pad.inputs;
      return arranged(arrangement, build.matmul(x, matrix), from, to, build);
    },
  ),
);

function sizesOf({ type }: Value): { readonly from: number; readonly to: number } | undefined {
  const [from, to, ...others] = type.shape.map((dim) => asConstant(dim));
  return from === undefined || to === undefined || others.length > 0 ? undefined : { from, to };
}

/**
 * Finds the single zero pad below views that keep rows of `width` whole; nothing else may read the pad or the views.
 */
function arrangementOf(rows: Value, width: number, uses: Surroundings['uses']): Arrangement | undefined {
  const views: View[] = [];
  const readers = new Map<Value, number>();
  let pad: NodeOf<'pad'> | undefined;
  const follow = (value: Value): boolean => {
    const seen = readers.get(value) ?? 0;
    readers.set(value, seen + 1);
    if (seen > 0) return true;
    if (!isWhole(value.type.shape, width)) return false;
    const { node } = value;
    if (node.op === 'pad') {
      if (pad !== undefined || !padsRows(node, width)) return false;
      pad = node;
      return true;
    }
    if (!keepsRows(node)) return false;
    for (const input of node.inputs) if (!follow(input)) return false;
    views.push(node);
    return true;
  };
  if (!follow(rows) || pad === undefined) return undefined;
  const alone = [...readers].every(([value, count]) => uses(value) === count);
  return alone ? { pad, views } : undefined;
}

/** Whether the last axis consists of whole rows of this width. */
function isWhole(shape: readonly Dim[], width: number): boolean {
  const last = shape.at(-1) && asConstant(shape.at(-1)!);
  return last !== undefined && last % width === 0;
}

function padsRows({ attributes: { low, high, value }, inputs }: NodeOf<'pad'>, width: number): boolean {
  const x = inputs[0]!;
  return (
    value === 0 &&
    asConstant(x.type.shape.at(-1)!) === width &&
    asConstant(low.at(-1)!) === 0 &&
    asConstant(high.at(-1)!) === 0
  );
}

/** Whether a node is a view that leaves the last axis alone or only regroups it. */
function keepsRows(node: Node): node is View & Node {
  const last = node.outputs[0].type.shape.length - 1;
  switch (node.op) {
    case 'reshape':
      return true;
    case 'transpose':
      return node.attributes.perm[last] === last;
    case 'concat':
      return node.attributes.axis !== last;
    case 'slice':
      return (
        asConstant(node.attributes.start[last]!) === 0 &&
        node.outputs[0].type.shape[last]!.key === node.inputs[0]!.type.shape[last]!.key
      );
    default:
      return false;
  }
}

/** Applies the padding and the views to rows of `to` numbers instead of `from` numbers. */
function arranged({ pad, views }: Arrangement, rows: Value, from: number, to: number, build: Builder): Value {
  const { low, high, value } = pad.attributes;
  let result = build.pad(rows, low, high, value);
  const made = new Map<Value, Value>([[pad.outputs[0], result]]);
  for (const view of views) {
    const [x, ...others] = view.inputs.map((input) => made.get(input)!) as [Value, ...Value[]];
    const last = constant((asConstant(view.outputs[0].type.shape.at(-1)!)! / from) * to);
    result = again(view as View & Node, x, others, last, build);
    made.set(view.outputs[0], result);
  }
  return result;
}

/** Applies the same view to other rows; `last` is the size of the last axis. */
function again(view: View & Node, x: Value, others: readonly Value[], last: Dim, build: Builder): Value {
  switch (view.op) {
    case 'reshape':
      return build.reshape(x, [...view.attributes.shape.slice(0, -1), last]);
    case 'transpose':
      return build.transpose(x, view.attributes.perm);
    case 'concat':
      return build.concat([x, ...others], view.attributes.axis);
    case 'slice': {
      const { start, stop, step } = view.attributes;
      return build.slice(x, start, [...stop.slice(0, -1), last], step);
    }
  }
}

/** The number of multiply-adds that take as long as moving one number on a CPU core: 10 GB/s against 75 GFLOP/s. */
const multiplyAddsPerMove = 30;

/** Whether the saved multiply-adds outweigh the additional data movement. */
function pays({ pad, views }: Arrangement, from: number, to: number, facts: Facts): boolean {
  const padded = pad.outputs[0].type.shape;
  const sizes = (shape: readonly Dim[]): Dim[] => shape.map((dim) => facts.normalize(dim));
  const known = sizes(padded).every(
    (dim, axis) => asConstant(dim) !== undefined || dim.key === facts.normalize(pad.inputs[0]!.type.shape[axis]!).key,
  );
  if (!known) return false;
  // Unknown sizes are the same in all the volumes.
  const volume = (value: Value): number => evaluate(product(sizes(value.type.shape)), () => 1) / from;
  const all = volume(pad.outputs[0]);
  const moves = views.filter(({ op }) => op !== 'reshape').reduce((sum, { outputs }) => sum + volume(outputs[0]), all);
  return (all - volume(pad.inputs[0]!)) * from * to > moves * (to - from) * multiplyAddsPerMove;
}

export const paddingRules: readonly Rule[] = [padAfterProduct];
