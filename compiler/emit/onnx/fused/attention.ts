import { asConstant, constant, type Dim, mul, product } from '../../../dims/dim.ts';
import type { Facts } from '../../../dims/facts.ts';
import type { Graph, Node, NodeOf, Value } from '../../../ir/graph.ts';
import { sameDim, sameShape } from '../../../ir/shapes.ts';
import { isFloat } from '../../../ops/typing.ts';
import { known } from '../reshape-target.ts';
import { moveTo, type RowMove } from './row-moves.ts';
import { contiguous, hasStrides, isTransposedLinear, numberOf, type Strided, strided } from './strided.ts';

/** x·w + b, where w is a matrix and b a vector. */
export interface Linear {
  readonly x: Value;
  /** If given, rows of x·w are moved before b is added, so rows of x are to be moved so. */
  readonly moved: RowMove | undefined;
  /** [channels, width], or the other way round. */
  readonly weight: Value;
  readonly isTransposed: boolean;
  readonly bias: Value | undefined;
}

/** softmax(q·kᵀ·scale + biases)·v over heads, where q, k and v are linear functions of the same x. */
export interface Attention {
  /** One for q, k and v together, or three. */
  readonly projections: readonly Linear[];
  readonly heads: number;
  readonly scale: number;
  /** What is added to the scores [...lead, heads, queries, keys]. */
  readonly biases: readonly Value[];
  readonly lead: readonly Dim[];
  readonly length: Dim;
  /** The width of all heads together. */
  readonly width: Dim;
  readonly scores: readonly Dim[];
}

export interface Attentions {
  /** By the transpose of the result [...lead, length, heads, width/heads]. */
  readonly byResult: ReadonlyMap<Node, Attention>;
  /** Nodes that are part of one. */
  readonly absorbed: ReadonlySet<Node>;
}

export function findAttentions(graph: Graph, uses: ReadonlyMap<Value, number>): Attentions {
  const byResult = new Map<Node, Attention>();
  const absorbed = new Set<Node>();
  for (const node of graph.nodes) {
    if (node.op !== 'transpose') continue;
    const found = attentionAt(node, graph.facts, uses);
    if (found === undefined) continue;
    byResult.set(node, found.attention);
    for (const part of found.parts) absorbed.add(part);
  }
  return { byResult, absorbed };
}

interface Found {
  readonly attention: Attention;
  readonly parts: readonly Node[];
}

function attentionAt(node: NodeOf<'transpose'>, facts: Facts, uses: ReadonlyMap<Value, number>): Found | undefined {
  const isSole = (value: Value) => uses.get(value) === 1;
  const [mixed] = node.inputs;
  const shape = mixed.type.shape;
  const axes = shape.length;
  if (axes < 3 || mixed.node.op !== 'matmul' || !isFloat(mixed.type.dtype) || !isSole(mixed)) return undefined;
  const order = [...Array(axes - 3).keys(), axes - 2, axes - 3, axes - 1];
  if (node.attributes.perm.some((axis, i) => axis !== order[i])) return undefined;
  const [attention, v] = mixed.node.inputs;
  if (attention.node.op !== 'softmax' || attention.node.attributes.axis !== axes - 1 || !isSole(attention))
    return undefined;
  const scores = scoresOf(attention.node.inputs[0], isSole);
  if (scores === undefined || !sameShape(facts, scores.product.type.shape, attention.type.shape)) return undefined;
  const [q, k] = scores.product.node.inputs as readonly [Value, Value];
  const lead = shape.slice(0, -3);
  const [heads, length, depth] = shape.slice(-3) as [Dim, Dim, Dim];
  const count = known(facts, heads);
  if (count === undefined || !sameDim(facts, attention.type.shape.at(-1)!, length)) return undefined;
  if ([q, k, v].some((one) => one.type.shape.length !== axes)) return undefined;
  const width = mul(heads, depth);
  const [qs, ks, vs] = [q, k, v].map((one) => strided(one, facts)) as [Strided, Strided, Strided];
  const projections = projectionsOf([qs, ks, vs], { lead, length, depth, width }, facts);
  if (projections === undefined || vs.scale !== 1) return undefined;
  return {
    attention: {
      projections,
      heads: count,
      scale: scores.scale * qs.scale * ks.scale,
      biases: scores.biases,
      lead,
      length,
      width,
      scores: attention.type.shape,
    },
    parts: [
      ...[mixed.node, attention.node, ...scores.parts],
      ...[qs, ks, vs].flatMap(({ passed, root }) => [...passed, ...linearParts(root, facts, uses)]),
    ],
  };
}

interface Scores {
  readonly product: Value & { readonly node: Node };
  readonly scale: number;
  readonly biases: readonly Value[];
  readonly parts: readonly Node[];
}

/** Reads scores as a product, times a number, plus biases. */
function scoresOf(value: Value, isSole: (value: Value) => boolean): Scores | undefined {
  const { node } = value;
  if (!isSole(value)) return undefined;
  if (node.op === 'matmul') return { product: value, scale: 1, biases: [], parts: [node] };
  if (node.op === 'mul' || node.op === 'div') {
    const factor = numberOf(node.inputs[1]);
    const inner = factor === undefined ? undefined : scoresOf(node.inputs[0], isSole);
    if (inner === undefined || inner.biases.length > 0) return undefined;
    const scale = node.op === 'mul' ? inner.scale * factor! : inner.scale / factor!;
    return { ...inner, scale, parts: [...inner.parts, node] };
  }
  if (node.op !== 'add') return undefined;
  for (const [sum, bias] of [node.inputs, [node.inputs[1], node.inputs[0]] as const]) {
    const inner = sum.type.shape.length === value.type.shape.length ? scoresOf(sum, isSole) : undefined;
    if (inner !== undefined) return { ...inner, biases: [...inner.biases, bias], parts: [...inner.parts, node] };
  }
  return undefined;
}

interface Sizes {
  readonly lead: readonly Dim[];
  readonly length: Dim;
  readonly depth: Dim;
  readonly width: Dim;
}

/** Returns the linear layers that q, k and v are views of, if these are as the operator splits them into heads. */
function projectionsOf(views: readonly [Strided, Strided, Strided], sizes: Sizes, facts: Facts): Linear[] | undefined {
  const { lead, length, depth, width } = sizes;
  const [q, k, v] = views;
  const isJoint = q.root === k.root && q.root === v.root;
  const row = isJoint ? mul(constant(3), width) : width;
  const leading = contiguous(lead, mul(length, row));
  const one = constant(1);
  const rows = [...leading, depth, row, one];
  const columns = [...leading, depth, one, row];
  if (!hasStrides(q, rows, facts) || !hasStrides(k, columns, facts) || !hasStrides(v, rows, facts)) return undefined;
  const offsets = isJoint ? [0, 1, 2] : [0, 0, 0];
  if (views.some(({ offset }, i) => !sameDim(facts, offset, mul(constant(offsets[i]!), width)))) return undefined;
  const found: Linear[] = [];
  for (const { root } of isJoint ? [q] : views) {
    const linear = linearOf(root, facts);
    const first = found[0] ?? linear;
    const isFull = sameDim(facts, product(root.type.shape), product([...lead, length, row]));
    if (linear === undefined || first === undefined || !isFull) return undefined;
    if (elementsOf(linear.x) !== elementsOf(first.x)) return undefined;
    if (!isJoint && linear.moved !== undefined) return undefined;
    if ((linear.bias === undefined) !== (first.bias === undefined)) return undefined;
    if (!sameDim(facts, linear.weight.type.shape[linear.isTransposed ? 0 : 1]!, row)) return undefined;
    found.push(linear);
  }
  return found;
}

function linearOf(value: Value, facts: Facts): Linear | undefined {
  const { node } = value;
  if (isTransposedLinear(value, facts)) {
    const [terms, bias] = node.op === 'add' ? node.inputs : [value, undefined];
    const [weight, x] = terms.node.inputs as readonly [Value, Value];
    return { x: x.node.inputs[0]!, weight, isTransposed: true, bias, moved: undefined };
  }
  if (node.op === 'matmul') {
    const [x, weight] = node.inputs;
    const isMatrix = weight.type.shape.length === 2 && x.type.shape.length >= 2;
    return isMatrix ? { x, weight, isTransposed: false, bias: undefined, moved: undefined } : undefined;
  }
  if (node.op !== 'add') return undefined;
  for (const [terms, bias] of [node.inputs, [node.inputs[1], node.inputs[0]] as const]) {
    if (!sameShape(facts, terms.type.shape, value.type.shape)) continue;
    const moved = terms.node.op === 'matmul' ? undefined : moveTo(terms, new Set(), facts);
    const from = moved?.from ?? terms;
    if (from.node.op !== 'matmul' || !wholeRows(from, moved) || !isRow(bias, value, from, facts)) continue;
    const inner = linearOf(from, facts);
    if (inner !== undefined) return { ...inner, bias, moved };
  }
  return undefined;
}

/** Whether a value is a vector along the rows of a product, whatever axes these rows are split into. */
function isRow(bias: Value, sum: Value, { type }: Value, facts: Facts): boolean {
  const { shape } = bias.type;
  return (
    shape.length > 0 &&
    sameDim(facts, product(shape), type.shape.at(-1)!) &&
    sameShape(facts, shape, sum.type.shape.slice(-shape.length))
  );
}

/** Returns what a value has the elements of, in the same order. */
function elementsOf(value: Value): Value {
  return value.node.op === 'reshape' ? elementsOf(value.node.inputs[0]) : value;
}

/** Whether rows that are moved are those of the product. */
function wholeRows(from: Value, moved: RowMove | undefined): boolean {
  return moved === undefined || asConstant(from.type.shape.at(-1)!) === moved.width;
}

/** The nodes of a linear layer that nothing else may need. */
function linearParts(root: Value, facts: Facts, uses: ReadonlyMap<Value, number>): Node[] {
  const { node } = root;
  const moved = linearOf(root, facts)?.moved;
  if (moved !== undefined) return [node, ...moved.passed, ...(uses.get(moved.from) === 1 ? [moved.from.node] : [])];
  const product = node.inputs.find((input) => input.node.op === 'matmul' && uses.get(input) === 1);
  return product === undefined || node.op === 'matmul' ? [node] : [node, product.node];
}
