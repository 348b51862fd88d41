import { asConstant, type Dim, evaluate, product, sub, zero } from '../dims/dim.ts';
import { Builder } from '../graphs/builder.ts';
import type { Node, NodeOf, Value } from '../ir/graph.ts';
import { identicalShapes } from '../ir/shapes.ts';
import { elements } from '../ops/cost.ts';
import { isFloat } from '../ops/typing.ts';
import { broadcastTogether } from './broadcasts.ts';
import { aligned, contracted, type Factor, type Index, indicesOf, regrouped } from './indices.ts';
import { finding, once, operators, value, where } from './patterns/construct.ts';
import type { Surroundings } from './patterns/pattern.ts';
import { type Rule, rewrite, rule } from './rule.ts';
import { linear, pathToProduct, readProduct, type ThreeFactors } from './three-factors.ts';
import { replayed, type Trial } from './trial.ts';
import { isLess, leastWork, mostWork, someSize, work } from './work.ts';

const { add, matmul } = operators;
const [x, y, z] = [value('x'), value('y'), value('z')];

/**
 * A·(X·M) as (A·M)·X or (A·X)·M, where that costs less. The product in the inside may be rearranged on its way, as by the heads
 * of attention, scaled by numbers or vectors, and have a bias b: A·(X·M + b) is A·X·M + A·b.
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
  let volume: Volume | undefined;
  for (const inner of [0, 1] as const) {
    const path = pathToProduct(node.inputs[inner]!, site);
    if (path === undefined) continue;
    volume ??= volumes(site);
    if (!mayPay(node, inner, path, volume, site)) continue;
    const three = readProduct(node, inner, site);
    if (three === undefined) continue;
    const promising = promisingFirst(three, volume);
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
  { uses }: Surroundings,
): boolean {
  const product = path.at(-1)!;
  const [a, result] = [volume(node.inputs[1 - inner]!.type.shape), volume(node.outputs[0].type.shape)];
  const factors = product.inputs.map(({ type }) => volume(type.shape));
  const summed = volume(product.inputs[0]!.type.shape.slice(-1));
  const read = factors.reduce((sum, factor) => sum + factor, a + result);
  const gone = uses(product.outputs[0]!) > 1 ? path.slice(0, -1) : path;
  return leastWork(2 * summed * (a + result), read) < mostWork([node, ...gone], volume);
}

function promisingFirst(three: ThreeFactors, volume: Volume): readonly ('x' | 'm')[] {
  return (['x', 'm'] as const).filter((first) => mayPayWith(three, first, volume));
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

/** Each vector at the smallest of the three factors that has all its axes; undefined where none has. */
function withVectors(build: Builder, three: ThreeFactors, site: Surroundings): ThreeFactors | undefined {
  let now = three;
  for (const { op, by } of three.vectors) {
    const own = indicesOf(by);
    const holders = (['a', 'x', 'm'] as const).filter((name) => {
      const held = indicesOf(now[name]);
      return own.every((index) => held.includes(index)) && (name !== 'a' || now.bias === undefined);
    });
    const [first, ...others] = holders;
    if (first === undefined) return undefined;
    const size = (name: 'a' | 'x' | 'm') => elements(now[name].value.type);
    const best = others.reduce((best, name) => (isLess(size(name), size(best), site) ? name : best), first);
    const order = indicesOf(now[best]);
    const value = build.emit(op, [apart(build, now[best]).value, aligned(build, by, order)], {})[0];
    now = { ...now, [best]: { value, axes: order.map((index) => [index]) } };
  }
  return now;
}

/** The product with A and one factor of the inner product in brackets. */
function bracketed(build: Builder, given: ThreeFactors, first: 'x' | 'm', site: Surroundings): Value | undefined {
  const three = withVectors(build, given, site);
  if (three === undefined) return undefined;
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
  const axes = indicesOf(a).flatMap((index, axis) => (summed.has(index) ? [axis] : []));
  const terms = apart(build, a);
  const left = terms.axes.filter((_, axis) => !axes.includes(axis));
  const sums: Factor = { value: build.sum(terms.value, axes), axes: left };
  const order = indicesOf(result).filter((index) => own.includes(index) || indicesOf(sums).includes(index));
  return {
    value: build.mul(aligned(build, sums, order), aligned(build, b, order)),
    axes: order.map((index) => [index]),
  };
}

/** A factor with an axis for each index. */
function apart(build: Builder, factor: Factor): Factor {
  const indices = indicesOf(factor);
  const shape = indices.map(({ size }) => size);
  return { value: build.reshape(factor.value, shape), axes: indices.map((index) => [index]) };
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
