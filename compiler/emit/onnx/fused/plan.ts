import type { Graph, Node, NodeOf, Value } from '../../../ir/graph.ts';
import { sameDim, sameShape } from '../../../ir/shapes.ts';
import type { Forms } from '../profile.ts';
import { type AddedParts, addedParts } from '../sum-steps.ts';
import { findAdditions } from './additions.ts';
import { type Attention, findAttentions } from './attention.ts';
import { type RowMove, rowMoves } from './row-moves.ts';
import { type Deformed, findSampledSums } from './sampled-sums.ts';

/** An addition whose sum a layer norm reads. */
export interface SkipNorm {
  readonly x: Value;
  readonly skip: Value;
  /** A vector that is added as well. */
  readonly bias: Value | undefined;
  readonly norm: NodeOf<'layer_norm'>;
  /** Whether something else reads the sum. */
  readonly needsSum: boolean;
}

/** Groups of nodes that become one of onnxruntime's own operators, where the profile allows it. */
export interface FusedPlan {
  /** By the addition. */
  readonly skips: ReadonlyMap<Node, SkipNorm>;
  /** By gelu: what it is of, without a bias that is added to it. */
  readonly gelus: ReadonlyMap<Node, { readonly x: Value; readonly bias: Value }>;
  /** By the transpose of the result. */
  readonly attentions: ReadonlyMap<Node, Attention>;
  /** By the last view. */
  readonly moves: ReadonlyMap<Node, RowMove>;
  /** By addition: a sum over a short axis, whose parts are added with it. */
  readonly parts: ReadonlyMap<Node, AddedParts>;
  /** By the last addition: what is added. */
  readonly additions: ReadonlyMap<Node, readonly Value[]>;
  /** By the sum. */
  readonly sampled: ReadonlyMap<Node, Deformed>;
  /** Products to which another operator adds the bias. */
  readonly bare: ReadonlySet<Node>;
  /** Nodes that are emitted only if something else reads them. */
  readonly inner: ReadonlySet<Node>;
}

export function planFused(graph: Graph, uses: ReadonlyMap<Value, number>, allowed: Forms): FusedPlan {
  const inner = new Set<Node>();
  const attentions = allowed.attention
    ? findAttentions(graph, uses)
    : { byResult: new Map(), absorbed: new Set<Node>() };
  for (const node of attentions.absorbed) inner.add(node);
  const results = new Set<Value>([...attentions.byResult.keys()].map((node) => node.outputs[0]));
  const read = new Set<Value>();
  for (const { projections } of attentions.byResult.values()) for (const { x } of projections) read.add(x);
  const moves = allowed.moves ? rowMoves(graph, results, read, inner) : new Map<Node, RowMove>();
  for (const [last, { passed }] of moves) for (const node of passed) if (node !== last) inner.add(node);
  const skips = allowed.skipNorm ? findSkips(graph, uses, inner) : new Map<Node, SkipNorm>();
  const gelus = allowed.biasGelu ? findGelus(graph, uses, inner) : new Map<Node, { x: Value; bias: Value }>();
  const sampled = allowed.deformed ? findSampledSums(graph, uses, inner) : new Map<Node, Deformed>();
  const parts = allowed.middleSums ? findParts(graph, uses, inner, skips, sampled) : new Map<Node, AddedParts>();
  const isTaken = (node: Node) => skips.has(node) || parts.has(node);
  const additions = allowed.additions ? findAdditions(graph, uses, inner, isTaken) : new Map<Node, readonly Value[]>();
  const bare = new Set<Node>();
  for (const { skip, bias } of skips.values()) if (bias !== undefined) bare.add(skip.node);
  for (const { x } of gelus.values()) bare.add(x.node);
  return { skips, gelus, attentions: attentions.byResult, moves, parts, additions, sampled, bare, inner };
}

function findSkips(graph: Graph, uses: ReadonlyMap<Value, number>, inner: Set<Node>): Map<Node, SkipNorm> {
  const { facts } = graph;
  const skips = new Map<Node, SkipNorm>();
  for (const norm of graph.nodes) {
    if (norm.op !== 'layer_norm') continue;
    const [sum, scale, shift] = norm.inputs;
    const { node: add, type } = sum;
    // In half precision, the kernel computes mean and variance in float32 (onnxruntime 1.30).
    if (add.op !== 'add' || type.shape.length < 2 || skips.has(add)) continue;
    if (![scale, shift].every(isGiven) || !add.inputs.every((one) => sameShape(facts, one.type.shape, type.shape)))
      continue;
    const [a, b] = add.inputs;
    const parts = biasedParts(b, uses, graph) ?? biasedParts(a, uses, graph);
    const biased = parts?.node.outputs[0];
    if (parts !== undefined) inner.add(parts.node);
    const x = biased === undefined || biased === b ? a : b;
    const skip = parts?.x ?? b;
    skips.set(add, { x, skip, bias: parts?.bias, norm, needsSum: uses.get(sum)! > 1 });
  }
  return skips;
}

function findGelus(graph: Graph, uses: ReadonlyMap<Value, number>, inner: Set<Node>) {
  const gelus = new Map<Node, { x: Value; bias: Value }>();
  for (const node of graph.nodes) {
    if (node.op !== 'gelu' || node.attributes.approximate) continue;
    const parts = biasedParts(node.inputs[0], uses, graph);
    if (parts === undefined) continue;
    gelus.set(node, parts);
    inner.add(parts.node);
  }
  return gelus;
}

function findParts(
  { nodes, facts }: Graph,
  uses: ReadonlyMap<Value, number>,
  inner: Set<Node>,
  skips: ReadonlyMap<Node, SkipNorm>,
  sampled: ReadonlyMap<Node, Deformed>,
): Map<Node, AddedParts> {
  const found = new Map<Node, AddedParts>();
  for (const node of nodes) {
    if (node.op !== 'add' || inner.has(node) || skips.has(node)) continue;
    const { shape } = node.outputs[0].type;
    if (!node.inputs.every(({ type }) => sameShape(facts, type.shape, shape))) continue;
    const [a, b] = node.inputs;
    for (const [sum, other] of [
      [b, a],
      [a, b],
    ] as const) {
      const isPart = uses.get(sum) === 1 && !sampled.has(sum.node);
      const parts = isPart ? addedParts(sum, other, facts) : undefined;
      if (parts === undefined) continue;
      found.set(node, parts);
      inner.add(sum.node);
      break;
    }
  }
  return found;
}

/** Reads a value that nothing else needs as x + bias, where bias is a vector along the last axis. */
function biasedParts(value: Value, uses: ReadonlyMap<Value, number>, { facts }: Graph) {
  const { node, type } = value;
  if (node.op !== 'add' || uses.get(value) !== 1) return undefined;
  for (const [x, bias] of [node.inputs, [node.inputs[1], node.inputs[0]] as const]) {
    const { shape } = bias.type;
    if (shape.length === 1 && type.shape.length > 1 && sameShape(facts, x.type.shape, type.shape))
      if (sameDim(facts, shape[0]!, type.shape.at(-1)!)) return { node, x, bias };
  }
  return undefined;
}

/** Whether a value is there before everything else. */
function isGiven({ node }: Value): boolean {
  switch (node.op) {
    case 'weight':
    case 'constant':
    case 'full':
    case 'input':
      return true;
    case 'reshape':
    case 'transpose':
    case 'cast':
      return isGiven(node.inputs[0]);
    default:
      return false;
  }
}
