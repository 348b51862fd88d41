import { sub } from '../../dims/dim.ts';
import { countUses } from '../../graphs/rebuild.ts';
import type { Graph, Node, NodeOf, Value } from '../../ir/graph.ts';
import { sameDim, sameShape } from '../../ir/shapes.ts';
import { type Deviations, findDeviations } from './deviations.ts';
import { type FusedPlan, planFused } from './fused/plan.ts';
import { type GridPoints, gridPoints } from './grid-points.ts';
import type { Forms } from './profile.ts';
import { known } from './reshape-target.ts';

/** Groups of IR nodes that become one ONNX node; they are found before emission, from the whole graph. */
export interface FusionPlan extends FusedPlan {
  /** By addition: conv2d plus a number for each channel, which Conv takes as its bias. */
  readonly convBias: ReadonlyMap<Node, { readonly conv: NodeOf<'conv2d'>; readonly bias: Value }>;
  /** By reshape: a slice of width 1 whose axis the reshape drops, which becomes a Gather at a scalar index. */
  readonly picks: ReadonlyMap<NodeOf<'reshape'>, Pick>;
  /** By grid_sample: the source of its points. */
  readonly grids: ReadonlyMap<Node, GridPoints>;
  readonly deviations: Deviations;
  /** Nodes that are part of another node; they are emitted only if something else reads them. */
  readonly absorbed: ReadonlySet<Node>;
  /** By slice: slices that cut one axis into neighbouring parts, which become one Split. */
  readonly splits: ReadonlyMap<Node, Partition>;
  /**
   * Pads that onnxruntime would wrongly merge into their readers: pads of a convolution's kernel, and of the input of a
   * pooling.
   */
  readonly pads: ReadonlySet<Node>;
  /**
   * Casts of transposes that matrix products read; they are emitted before the transpose. Otherwise onnxruntime moves
   * the transpose through reshapes and the cast into the product, and its choice of layouts then crashes the process
   * (1.30).
   */
  readonly early: ReadonlySet<Node>;
}
export interface Pick {
  readonly from: Value;
  readonly axis: number;
  /** A negative index counts from the end. */
  readonly index: number;
}
export interface Partition {
  readonly from: Value;
  readonly axis: number;
  /** In order along the axis. */
  readonly parts: readonly NodeOf<'slice'>[];
  /** Undefined if all sizes are equal. */
  readonly sizes: readonly number[] | undefined;
}

export function planFusions(graph: Graph, allowed: Forms): FusionPlan {
  const uses = countUses(graph);
  const fused = planFused(graph, uses, allowed);
  const convBias = new Map<Node, { conv: NodeOf<'conv2d'>; bias: Value }>();
  const picks = new Map<NodeOf<'reshape'>, Pick>();
  const grids = new Map<Node, GridPoints>();
  const pads = new Set<Node>();
  const early = new Set<Node>();
  for (const node of graph.nodes) {
    // A mean may also become a matrix product.
    if (node.op === 'matmul' || node.op === 'mean')
      for (const operand of node.inputs) {
        const { node: cast } = behindViews(operand);
        if (cast.op === 'cast' && readsTransposed(cast.inputs[0])) early.add(cast);
      }
    const read = isConvolution(node) ? node.inputs[1] : node.op === 'max_pool2d' ? node.inputs[0] : undefined;
    const padded = read && uncast(read).node;
    if (padded?.op === 'pad') pads.add(padded);
    if (node.op === 'add') {
      const [first, second] = node.inputs;
      const fused = biasOf(graph, node, uses) ?? biasOf(graph, { ...node, inputs: [second, first] }, uses);
      if (fused !== undefined) convBias.set(node, fused);
    } else if (node.op === 'reshape') {
      const pick = pickOf(graph, node, uses);
      if (pick !== undefined) picks.set(node, pick);
    } else if (node.op === 'grid_sample') grids.set(node, gridPoints(node, graph.facts, uses));
  }
  const absorbed = new Set<Node>([...convBias.values()].map(({ conv }) => conv));
  for (const { shift } of grids.values()) if (shift !== undefined) absorbed.add(shift.addition);
  for (const node of fused.inner) absorbed.add(node);
  const deviations = findDeviations(graph, uses, allowed);
  for (const node of deviations.replaced) absorbed.add(node);
  return { ...fused, deviations, convBias, picks, grids, absorbed, splits: findSplits(graph, picks), pads, early };
}

function behindViews(value: Value): Value {
  const { node } = value;
  return node.op === 'reshape' || node.op === 'transpose' ? behindViews(node.inputs[0]) : value;
}

function readsTransposed({ node }: Value): boolean {
  return node.op === 'transpose' || (node.op === 'reshape' && readsTransposed(node.inputs[0]));
}

function uncast(value: Value): Value {
  return value.node.op === 'cast' ? uncast(value.node.inputs[0]) : value;
}

const isConvolution = ({ op }: Node): boolean => op === 'conv2d' || op === 'conv2d_dx' || op === 'conv2d_dw';

/** Returns the vector b of conv(x, w) + b, where b is given as [C, 1, 1] or [1, C, 1, 1]. */
function biasOf({ facts }: Graph, node: NodeOf<'add'>, uses: ReadonlyMap<Value, number>) {
  const [sum, other] = node.inputs;
  if (sum?.node.op !== 'conv2d' || other === undefined || uses.get(sum) !== 1) return undefined;
  const channels = sum.type.shape[1]!;
  if (other.node.op !== 'reshape') return undefined;
  const vector = other.node.inputs[0];
  if (vector.type.shape.length !== 1 || !sameDim(facts, vector.type.shape[0]!, channels)) return undefined;
  const { shape } = other.type;
  const [ones, at] = [shape.length - 1, shape.length - 3];
  const spread =
    at >= 0 && sameDim(facts, shape[at]!, channels) && shape.filter((d) => known(facts, d) === 1).length >= ones;
  return spread && sameShape(facts, node.outputs[0].type.shape, sum.type.shape)
    ? { conv: sum.node, bias: vector }
    : undefined;
}

function pickOf({ facts }: Graph, node: NodeOf<'reshape'>, uses: ReadonlyMap<Value, number>): Pick | undefined {
  const slice = node.inputs[0];
  if (slice.node.op !== 'slice' || uses.get(slice) !== 1) return undefined;
  const from = slice.node.inputs[0];
  const axis = soleCutAxis(slice.node, facts);
  if (axis === undefined || known(facts, slice.type.shape[axis]!) !== 1) return undefined;
  const rest = from.type.shape.filter((_, i) => i !== axis);
  if (!sameShape(facts, rest, node.outputs[0].type.shape)) return undefined;
  const start = slice.node.attributes.start[axis]!;
  const index = known(facts, start) ?? known(facts, sub(start, from.type.shape[axis]!));
  return index === undefined ? undefined : { from, axis, index };
}

/** Returns the only axis along which a slice without steps leaves elements out. */
function soleCutAxis(node: NodeOf<'slice'>, facts: Graph['facts']): number | undefined {
  const { start, stop, step } = node.attributes;
  if (step.some((by) => by !== 1)) return undefined;
  const { shape } = node.inputs[0].type;
  const cut = shape.flatMap((size, axis) =>
    known(facts, start[axis]!) === 0 && sameDim(facts, stop[axis]!, size) ? [] : [axis],
  );
  return cut.length === 1 ? cut[0] : undefined;
}

function findSplits(graph: Graph, picks: FusionPlan['picks']): Map<Node, Partition> {
  const { facts } = graph;
  const picked = new Set([...picks.keys()].map((reshape) => reshape.inputs[0].node));
  const families = new Map<Value, Map<number, NodeOf<'slice'>[]>>();
  for (const node of graph.nodes) {
    if (node.op !== 'slice' || picked.has(node)) continue;
    const axis = soleCutAxis(node, facts);
    if (axis === undefined) continue;
    const from = node.inputs[0];
    const byAxis = families.get(from) ?? new Map<number, NodeOf<'slice'>[]>();
    byAxis.set(axis, [...(byAxis.get(axis) ?? []), node]);
    families.set(from, byAxis);
  }
  const splits = new Map<Node, Partition>();
  for (const [from, byAxis] of families)
    for (const [axis, slices] of byAxis) {
      const partition = partitionOf(graph, from, axis, slices);
      for (const part of partition?.parts ?? []) splits.set(part, partition!);
    }
  return splits;
}

/** Orders slices so that each starts where the previous one stops, from 0 to the end of the axis. */
function partitionOf(
  { facts }: Graph,
  from: Value,
  axis: number,
  slices: readonly NodeOf<'slice'>[],
): Partition | undefined {
  if (slices.length < 2) return undefined;
  const left = new Set(slices);
  const parts: NodeOf<'slice'>[] = [];
  while (left.size > 0) {
    const last = parts.at(-1)?.attributes.stop[axis];
    const next = [...left].find(({ attributes }) => {
      const start = attributes.start[axis]!;
      return last === undefined ? known(facts, start) === 0 : sameDim(facts, start, last);
    });
    if (next === undefined) return undefined;
    parts.push(next);
    left.delete(next);
  }
  if (!sameDim(facts, parts.at(-1)!.attributes.stop[axis]!, from.type.shape[axis]!)) return undefined;
  const widths = parts.map((part) => part.outputs[0].type.shape[axis]!);
  if (widths.every((width) => sameDim(facts, width, widths[0]!))) return { from, axis, parts, sizes: undefined };
  const sizes = widths.map((width) => known(facts, width));
  return sizes.every((size) => size !== undefined) ? { from, axis, parts, sizes } : undefined;
}
