import { asConstant, type Dim, evaluate, product, sub, zero } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import { Builder } from '../graphs/builder.ts';
import type { Node, NodeOf, Value } from '../ir/graph.ts';
import { identicalShapes } from '../ir/shapes.ts';
import { elements } from '../ops/cost.ts';
import { isFloat } from '../ops/typing.ts';
import { broadcastTogether } from './broadcasts.ts';
import { aligned, contracted, type Factor, type Index, Indices, indicesOf, regrouped } from './indices.ts';
import { isOne, numberOf } from './match.ts';
import { finding, once, operators, value, where } from './patterns/construct.ts';
import type { Surroundings } from './patterns/pattern.ts';
import { type Rule, rewrite, rule } from './rule.ts';
import { replayed, type Trial } from './trial.ts';
import { isLess, leastWork, mostWork, someSize, work } from './work.ts';

const { add, matmul } = operators;
const [x, y, z] = [value('x'), value('y'), value('z')];

/** What leads from a product to an operand of another: views, numbers, and a bias. */
const linear: ReadonlySet<Node['op']> = new Set(['matmul', 'transpose', 'reshape', 'add', 'mul', 'div']);

/**
 * A·(X·M) as (A·M)·X or (A·X)·M, where that costs less. The product in the inside may be rearranged on its way, as by the heads
 * of attention, scaled by numbers, and have a bias b: A·(X·M + b) is A·X·M + A·b.
 */
const associateProducts = rule(
  'associate-products',
  'gradients',
  rewrite(
    finding(
      where(
        matmul(x, y),
        'an operand leads to another product',
        ({ x, y }) => linear.has(x.node.op) || linear.has(y.node.op),
      ),
      'cheaper',
      'the product of three costs less in other brackets',
      (_, node, site) => cheapest(node, site),
    ),
    ({ cheaper }, { build }) => replayed(build, cheaper),
  ),
);

/** The other brackets that save the most, if any do. */
function cheapest(node: NodeOf<'matmul'>, site: Surroundings): Trial | undefined {
  let best: { readonly trial: Trial; readonly costs: Dim } | undefined;
  const volume = volumes(site);
  for (const inner of [0, 1] as const) {
    const path = pathToProduct(node.inputs[inner]!, site);
    if (path === undefined || !mayPay(node, inner, path, volume)) continue;
    const three = readProduct(node, inner, site);
    if (three === undefined) continue;
    const promising = (['x', 'm'] as const).filter((first) => mayPayWith(three, first, volume));
    if (promising.length === 0) continue;
    const now = work(three.nodes, site);
    for (const first of promising) {
      const scratch = new Builder(site.facts);
      scratch.origin = node.origin;
      const value = bracketed(scratch, three, first, site);
      if (value === undefined) continue;
      const its = work(scratch.nodes, site);
      const costs = sub(its, now);
      if (isLess(costs, best?.costs ?? zero, site)) best = { trial: { nodes: scratch.nodes, value }, costs };
    }
  }
  return best?.trial;
}

/** Up to a product of matrices that nothing else needs, without a look at axes: most operands have none. */
function pathToProduct(value: Value, site: Surroundings): readonly [...Node[], NodeOf<'matmul'>] | undefined {
  const path: Node[] = [];
  for (let at = value; site.uses(at) === 1; ) {
    const { node } = at;
    switch (node.op) {
      case 'matmul':
        return [...path, node];
      case 'transpose':
      case 'reshape':
        at = node.inputs[0]!;
        break;
      case 'mul':
      case 'div':
      case 'add': {
        const above = node.op === 'add' ? withBias(node, site.facts) : byNumber(node);
        if (above === undefined) return undefined;
        at = above.value;
        break;
      }
      default:
        return undefined;
    }
    path.push(node);
  }
  return undefined;
}

type Volume = (shape: readonly Dim[]) => number;

/** Elements at the sizes that are expected. */
function volumes({ expected }: Surroundings): Volume {
  const sizes = new Map<string, number>();
  const at = (name: string): number => asConstant(expected.get(name) ?? zero) || someSize;
  const size = (dim: Dim): number => {
    const known = sizes.get(dim.key);
    if (known !== undefined) return known;
    const found = evaluate(dim, at);
    sizes.set(dim.key, found);
    return found;
  };
  return (shape) => shape.reduce((elements, dim) => elements * size(dim), 1);
}

/**
 * Whether other brackets can cost less, by what they cannot save, whatever the axes are: both products run over what the inner
 * one sums over, and over A or the result; the three factors are read.
 */
function mayPay(
  node: NodeOf<'matmul'>,
  inner: 0 | 1,
  path: readonly [...Node[], NodeOf<'matmul'>],
  volume: Volume,
): boolean {
  const product = path.at(-1)!;
  const [a, result] = [volume(node.inputs[1 - inner]!.type.shape), volume(node.outputs[0].type.shape)];
  const factors = product.inputs.map(({ type }) => volume(type.shape));
  const summed = volume(product.inputs[0]!.type.shape.slice(-1));
  const read = factors.reduce((sum, factor) => sum + factor, a + result);
  return leastWork(2 * summed * (a + result), read) < mostWork([node, ...path], volume);
}

/** The same by the axes: what the products run over, and what is between them. */
function mayPayWith({ a, x, m, nodes, result }: ThreeFactors, first: 'x' | 'm', volume: Volume): boolean {
  const [near, far] = [first === 'x' ? x : m, first === 'x' ? m : x];
  const kept = new Set([...indicesOf(result), ...indicesOf(far)]);
  const over = (...indices: readonly Index[]): number => volume([...new Set(indices)].map(({ size }) => size));
  const pair = [...indicesOf(a), ...indicesOf(near)];
  const between = pair.filter((index) => kept.has(index));
  const products = 2 * (over(...pair) + over(...between, ...kept));
  const read = [a, x, m, result].reduce((sum, factor) => sum + over(...indicesOf(factor)), 2 * over(...between));
  return leastWork(products, read) < mostWork(nodes, volume);
}

/** A·(scale·X·M + bias), or the same with A behind. */
interface ThreeFactors {
  readonly a: Factor;
  readonly x: Factor;
  readonly m: Factor;
  readonly scale: number;
  readonly bias: { readonly factor: Factor; readonly scale: number } | undefined;
  /** What the outer product sums over. */
  readonly summed: ReadonlySet<Index>;
  /** The result. */
  readonly result: Factor;
  /** What is there now, and not needed otherwise. */
  readonly nodes: readonly Node[];
}

/** A product of matrices, and how an operand of it is a product. */
function readProduct(node: NodeOf<'matmul'>, inner: 0 | 1, site: Surroundings): ThreeFactors | undefined {
  const indices = new Indices(site.facts);
  const [result] = node.outputs;
  const outer = indices.of(result.type.shape);
  const operands = indices.operands(node, outer);
  const [a, operand] = [operands[1 - inner]!, operands[inner]];
  const nodes: Node[] = [node];
  let scale = 1;
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
        if (scaled === undefined) return undefined;
        scale *= scaled.number;
        at = scaled.value;
        break;
      }
      case 'add': {
        const parts = withBias(above, site.facts);
        if (parts === undefined || bias !== undefined) return undefined;
        bias = { factor: { value: parts.bias, axes: indices.broadcast(parts.bias.type.shape, axes) }, scale };
        at = parts.value;
        break;
      }
      default:
        return undefined;
    }
  }
  if (site.uses(at) > 1) return undefined;
  nodes.push(at.node);
  const [p, q] = indices.operands(at.node, axes);
  const settled = ({ value, axes }: Factor): Factor => ({ value, axes: indices.settled(axes) });
  const kept = new Set(indices.settled(outer).flat());
  return {
    a: settled(a),
    x: settled(p),
    m: settled(q),
    scale,
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
function withBias({ inputs, outputs: [sum] }: NodeOf<'add'>, facts: Facts): { value: Value; bias: Value } | undefined {
  const isWhole = ({ type }: Value): boolean => identicalShapes(type.shape, sum.type.shape);
  const isSmaller = ({ type }: Value): boolean => {
    const missing = sum.type.shape.slice(0, sum.type.shape.length - type.shape.length);
    const same = sum.type.shape.slice(missing.length);
    return [...missing, ...same.filter((_, i) => isOne(facts, type.shape[i]!))].some((dim) => !isOne(facts, dim));
  };
  const [a, b] = [inputs[0]!, inputs[1]!];
  if (isWhole(a) && linear.has(a.node.op) && isSmaller(b)) return { value: a, bias: b };
  return isWhole(b) && linear.has(b.node.op) && isSmaller(a) ? { value: b, bias: a } : undefined;
}

/** The product with A and one factor of the inner product in brackets. */
function bracketed(build: Builder, three: ThreeFactors, first: 'x' | 'm', site: Surroundings): Value | undefined {
  const { scale, bias, result } = three;
  const [near, far] = [three[first], three[first === 'x' ? 'm' : 'x']];
  const wanted = indicesOf(result);
  // A number is multiplied where that takes the least: with A once, if it is of the bias too and A is small.
  const isOfAll = bias === undefined || bias.scale === scale;
  const early = isOfAll && isLess(elements(three.a.value.type), elements(result.value.type), site);
  const a = early ? { ...three.a, value: scaled(build, three.a.value, scale) } : three.a;
  const pair = contracted(build, a, near, new Set([...wanted, ...indicesOf(far)]));
  if (pair === undefined) return undefined;
  const inner = early ? pair : { ...pair, value: scaled(build, pair.value, scale) };
  const product = contracted(build, inner, far, new Set(wanted), wanted);
  if (product === undefined || indicesOf(product).length !== wanted.length) return undefined;
  if (bias === undefined) return regrouped(build, product, wanted, result.value.type.shape);
  const b = early ? bias.factor : { ...bias.factor, value: scaled(build, bias.factor.value, bias.scale) };
  const shift = productWithBias(build, a, b, three);
  if (shift === undefined) return undefined;
  const sum = build.add(product.value, aligned(build, shift, wanted));
  return build.reshape(sum, result.value.type.shape);
}

/** A·b. Where b is the same along what is summed over, that is b times sums of A, which are 1 behind a softmax. */
function productWithBias(
  build: Builder,
  a: Factor,
  b: Factor,
  { summed, result }: Pick<ThreeFactors, 'summed' | 'result'>,
): Factor | undefined {
  const own = indicesOf(b);
  const shared = [...summed].filter((index) => own.includes(index));
  if (shared.length === summed.size) return contracted(build, a, b, new Set(indicesOf(result)));
  if (shared.length > 0) return undefined;
  const { node } = a.value;
  const over = node.op === 'softmax' ? a.axes[node.attributes.axis]! : [];
  if (over.length === summed.size && over.every((index) => summed.has(index))) return b;
  const apart = {
    value: build.reshape(
      a.value,
      indicesOf(a).map(({ size }) => size),
    ),
    axes: indicesOf(a).map((i) => [i]),
  };
  const axes = indicesOf(a).flatMap((index, axis) => (summed.has(index) ? [axis] : []));
  const left = apart.axes.filter((_, axis) => !axes.includes(axis));
  const sums: Factor = { value: build.sum(apart.value, axes), axes: left };
  const order = indicesOf(result).filter((index) => own.includes(index) || indicesOf(sums).includes(index));
  return {
    value: build.mul(aligned(build, sums, order), aligned(build, b, order)),
    axes: order.map((index) => [index]),
  };
}

function scaled(build: Builder, value: Value, scale: number): Value {
  return scale === 1 ? value : build.mul(value, build.full(scale, value.type.dtype, []));
}

/** (x + y) + z as x + (y + z), where that costs less: y and z are the same along axes of x. */
const smallTermsFirst = rule(
  'small-terms-first',
  'gradients',
  rewrite(
    where(add(once(add(x, y)), z), 'both terms are repeated along the same axes', ({ x, y, z }, node, site) => {
      const [whole] = node.outputs;
      if (!isFloat(whole.type.dtype) || !identicalShapes(x.type.shape, whole.type.shape)) return false;
      const together = broadcastTogether(site.facts, [y.type.shape, z.type.shape]);
      return isLess(product(together), elements(whole.type), site);
    }),
    ({ x, y, z }, { build }) => build.add(x, build.add(y, z)),
  ),
);

/** Products in cheaper brackets, and sums likewise. */
export const associationRules: readonly Rule[] = [associateProducts, smallTermsFirst];
