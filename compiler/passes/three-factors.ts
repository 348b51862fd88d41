import type { Facts } from '../dims/facts.ts';
import type { Node, NodeOf, Value } from '../ir/graph.ts';
import { identicalShapes } from '../ir/shapes.ts';
import { type Factor, type Index, Indices, indicesOf } from './indices.ts';
import { isOne, numberOf } from './match.ts';
import type { Surroundings } from './patterns/pattern.ts';

/** What leads from a product to an operand of another: views, numbers, vectors, and a bias. */
export const linear: ReadonlySet<Node['op']> = new Set(['matmul', 'transpose', 'reshape', 'add', 'mul', 'div']);

/**
 * Up to a product of matrices, without a look at axes: most operands have no such path. Nothing else reads what is on it, except
 * that a norm reads the product for its statistics and again where it divides by them.
 */
export function pathToProduct(value: Value, site: Surroundings): readonly [...Node[], NodeOf<'matmul'>] | undefined {
  const path: Node[] = [];
  let hasVector = false;
  for (let at = value; ; ) {
    const { node } = at;
    const isShared = site.uses(at) > 1;
    if (node.op === 'matmul') return isShared && !hasVector ? undefined : [...path, node];
    if (isShared) return undefined;
    switch (node.op) {
      case 'transpose':
      case 'reshape':
        at = node.inputs[0]!;
        break;
      case 'mul':
      case 'div':
      case 'add': {
        const plain = node.op === 'add' ? withBias(node, site.facts) : byNumber(node);
        const above = plain ?? (node.op === 'add' ? undefined : byVector(node, site.facts));
        if (above === undefined) return undefined;
        hasVector ||= plain === undefined;
        at = above.value;
        break;
      }
      default:
        return undefined;
    }
    path.push(node);
  }
}

/** A·(scale·X·M + bias), or the same with A behind. */
export interface ThreeFactors {
  readonly a: Factor;
  readonly x: Factor;
  readonly m: Factor;
  readonly scale: number;
  /** What else X·M is multiplied with or divided by, without the bias. */
  readonly vectors: readonly Scaling[];
  readonly bias: { readonly factor: Factor; readonly scale: number } | undefined;
  /** What the outer product sums over. */
  readonly summed: ReadonlySet<Index>;
  /** The result. */
  readonly result: Factor;
  /** What is there now, and not needed otherwise. */
  readonly nodes: readonly Node[];
}

interface Scaling {
  readonly op: 'mul' | 'div';
  readonly by: Factor;
}

/** A product of matrices, and how an operand of it is a product. */
export function readProduct(node: NodeOf<'matmul'>, inner: 0 | 1, site: Surroundings): ThreeFactors | undefined {
  const indices = new Indices(site.facts);
  const [result] = node.outputs;
  const outer = indices.of(result.type.shape);
  const operands = indices.operands(node, outer);
  const [a, operand] = [operands[1 - inner]!, operands[inner]];
  const nodes: Node[] = [node];
  let scale = 1;
  const vectors: Scaling[] = [];
  let bias: { factor: Factor; scale: number } | undefined;
  let { value: at, axes } = operand;
  for (; at.node.op !== 'matmul'; ) {
    const above = at.node;
    if (site.uses(at) > 1) return undefined;
    nodes.push(above);
    switch (above.op) {
      case 'transpose':
      case 'reshape': {
        const beneath = indices.beneath(above, axes);
        if (beneath === undefined) return undefined;
        axes = beneath;
        at = above.inputs[0]!;
        break;
      }
      case 'mul':
      case 'div': {
        const scaled = byNumber(above);
        if (scaled !== undefined) {
          scale *= scaled.number;
          at = scaled.value;
          break;
        }
        const parts = byVector(above, site.facts);
        if (parts === undefined) return undefined;
        vectors.push({
          op: above.op,
          by: { value: parts.vector, axes: indices.broadcast(parts.vector.type.shape, axes) },
        });
        at = parts.value;
        break;
      }
      case 'add': {
        const parts = withBias(above, site.facts);
        // A bias below vectors would be multiplied with them as well.
        if (parts === undefined || bias !== undefined || vectors.length > 0) return undefined;
        bias = { factor: { value: parts.bias, axes: indices.broadcast(parts.bias.type.shape, axes) }, scale };
        at = parts.value;
        break;
      }
      default:
        return undefined;
    }
  }
  if (site.uses(at) === 1) nodes.push(at.node);
  const [p, q] = indices.operands(at.node, axes);
  const settled = ({ value, axes }: Factor): Factor => ({ value, axes: indices.settled(axes) });
  const kept = new Set(indices.settled(outer).flat());
  return {
    a: settled(a),
    x: settled(p),
    m: settled(q),
    scale,
    vectors: vectors.map(({ op, by }) => ({ op, by: settled(by) })),
    bias: bias && { factor: settled(bias.factor), scale: bias.scale },
    summed: new Set(indicesOf(settled(a)).filter((index) => !kept.has(index))),
    result: settled({ value: result, axes: outer }),
    nodes,
  };
}

/** A value times a number without axes. */
function byNumber({ op, inputs }: NodeOf<'mul'> | NodeOf<'div'>): { value: Value; number: number } | undefined {
  const number = (one: Value): number | undefined => (one.type.shape.length === 0 ? numberOf(one) : undefined);
  const [a, b] = [inputs[0]!, inputs[1]!];
  const [first, second] = [number(a), number(b)];
  if (second !== undefined) return { value: a, number: op === 'div' ? 1 / second : second };
  return first !== undefined && op === 'mul' ? { value: b, number: first } : undefined;
}

/** A value to which one is added that has 1 along some of its axes. */
function withBias(node: NodeOf<'add'>, facts: Facts): { value: Value; bias: Value } | undefined {
  const [a, b] = [node.inputs[0]!, node.inputs[1]!];
  if (isAlong(a, b, node, facts)) return { value: a, bias: b };
  return isAlong(b, a, node, facts) ? { value: b, bias: a } : undefined;
}

/** A value that is multiplied with or divided by one that has 1 along some of its axes. */
function byVector(node: NodeOf<'mul'> | NodeOf<'div'>, facts: Facts): { value: Value; vector: Value } | undefined {
  const [a, b] = [node.inputs[0]!, node.inputs[1]!];
  if (isAlong(a, b, node, facts)) return { value: a, vector: b };
  return node.op === 'mul' && isAlong(b, a, node, facts) ? { value: b, vector: a } : undefined;
}

/** Whether one operand may lead to a product and has the shape of the result, and the other has 1 along some of its axes. */
function isAlong(
  whole: Value,
  part: Value,
  { outputs: [result] }: NodeOf<'add' | 'mul' | 'div'>,
  facts: Facts,
): boolean {
  if (!linear.has(whole.node.op) || !identicalShapes(whole.type.shape, result.type.shape)) return false;
  const missing = result.type.shape.slice(0, result.type.shape.length - part.type.shape.length);
  const same = result.type.shape.slice(missing.length);
  return [...missing, ...same.filter((_, i) => isOne(facts, part.type.shape[i]!))].some((dim) => !isOne(facts, dim));
}
