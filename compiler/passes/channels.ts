import { one } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { Builder } from '../graphs/builder.ts';
import type { NodeOf, Value } from '../ir/graph.ts';
import { sameDim } from '../ir/shapes.ts';
import { elements } from '../ops/cost.ts';
import { groupAxes, minimalPermutation } from './axes.ts';
import { isOne } from './match.ts';
import { finding, named, once, operators, value } from './patterns/construct.ts';
import type { Surroundings } from './patterns/pattern.ts';
import { type Rule, rewrite, rule } from './rule.ts';
import { isLess, isStored, swapsMatrix } from './work.ts';

const { reshape, transpose } = operators;
const y = value('y');

/**
 * The channels of x·W + b, which a reshape takes apart and a transpose puts in another order, in that order from the start: W and
 * b are rearranged before any run. What is left of the transpose moves fewer axes, or none; if it swaps channels with rows, it is
 * that of the product Wᵀ·xᵀ.
 */
const channelsInWeights = rule(
  'channels-in-weights',
  'gradients',
  rewrite(
    finding(
      transpose(once(named('apart', reshape(once(y))))),
      'ordered',
      'the channels of a product with a weight change their order, and the weight is smaller than the product',
      ({ apart, y }, { attributes }, site) => ordered(y, apart, attributes.perm, site),
      'y',
    ),
    ({ ordered }, { build, node }) => ordered.make(build, node.outputs[0]),
  ),
);

interface Ordered {
  make(build: Builder, result: Value): Value;
}

function ordered(y: Value, apart: NodeOf<'reshape'>, perm: readonly number[], site: Surroundings): Ordered | undefined {
  const { shape } = apart.attributes;
  const last = y.type.shape.length - 1;
  const channels = groupAxes(site.facts, y.type.shape, shape)?.find(({ before }) => before.includes(last));
  if (channels === undefined || channels.before.length > 1) return undefined;
  const { after } = channels;
  const order = perm.filter((axis) => after.includes(axis));
  if (order.every((axis, i) => axis === after[i])) return undefined;
  const layer = layerOf(y, site);
  if (layer === undefined) return undefined;
  const then = shape.map((size, axis) => (after.includes(axis) ? shape[order[after.indexOf(axis)]!]! : size));
  const place = (axis: number) => (after.includes(axis) ? after[order.indexOf(axis)]! : axis);
  const moved = perm.map(place);
  const left = minimalPermutation(site.facts, then, moved);
  if (left.perm.length >= minimalPermutation(site.facts, shape, perm).perm.length) return undefined;
  const isSwap =
    swapsMatrix(left.perm) && [-1, -2].every((at) => sameDim(site.facts, left.shape.at(at)!, y.type.shape.at(at)!));
  const inOrder = (build: Builder, weight: Value): Value => {
    const lead = weight.type.shape.slice(0, -1);
    const pieces = build.reshape(weight, [...lead, ...after.map((axis) => shape[axis]!)]);
    const places = order.map((axis) => lead.length + after.indexOf(axis));
    return build.reshape(build.transpose(pieces, [...lead.keys(), ...places]), weight.type.shape);
  };
  const swapped = (build: Builder, value: Value): Value => {
    const rank = value.type.shape.length;
    return build.transpose(value, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
  };
  return {
    make(build, result) {
      const outer = build.origin;
      build.origin = y.node.origin;
      const [weight, bias] = [inOrder(build, layer.weight), layer.bias && inOrder(build, layer.bias)];
      if (isSwap) {
        const product = build.matmul(swapped(build, weight), swapped(build, layer.x));
        const sum = bias === undefined ? product : build.add(product, build.reshape(bias, [...bias.type.shape, one]));
        build.origin = outer;
        return build.reshape(sum, result.type.shape);
      }
      const product = build.matmul(layer.x, weight);
      const sum = bias === undefined ? product : build.add(product, bias);
      build.origin = outer;
      return build.reshape(build.transpose(build.reshape(sum, then), moved), result.type.shape);
    },
  };
}

interface Layer {
  readonly x: Value;
  readonly weight: Value;
  readonly bias: Value | undefined;
}

/** x·W or x·W + b, of a matrix and a vector that are known before any run. */
function layerOf({ node, type }: Value, site: Surroundings): Layer | undefined {
  if (node.op === 'matmul') {
    const [x, weight] = [node.inputs[0]!, node.inputs[1]!];
    const isSmaller = weight.type.shape.length === 2 && isLess(elements(weight.type), elements(type), site);
    return isSmaller && isStored(weight) ? { x, weight, bias: undefined } : undefined;
  }
  if (node.op !== 'add') return undefined;
  const [a, b] = [node.inputs[0]!, node.inputs[1]!];
  for (const [product, bias] of [
    [a, b],
    [b, a],
  ] as const) {
    if (product.node.op !== 'matmul' || site.uses(product) > 1 || !isVector(bias, site.facts)) continue;
    const layer = layerOf(product, site);
    if (layer !== undefined) return { ...layer, bias };
  }
  return undefined;
}

/** A stored value with a number for each channel. */
function isVector(value: Value, facts: Facts): boolean {
  const [size, ...others] = value.type.shape;
  return isStored(value) && others.length === 0 && size !== undefined && !isOne(facts, size);
}

/** The order of channels. */
export const channelRules: readonly Rule[] = [channelsInWeights];
