import { type Dim, one } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { Builder } from '../graphs/builder.ts';
import type { NodeOf, Value } from '../ir/graph.ts';
import { sameDim } from '../ir/shapes.ts';
import { elements } from '../ops/cost.ts';
import { groupAxes, minimalPermutation } from './axes.ts';
import { finding, named, once, operators, value } from './patterns/construct.ts';
import type { Surroundings } from './patterns/pattern.ts';
import { type Rule, rewrite, rule } from './rule.ts';
import { isLess, isStored, swapsMatrix } from './work.ts';

const { add, matmul, reshape, transpose } = operators;
const product = matmul(value('x'), value('weight'));
const needed = 'the channels of a product with a weight change their order, and the weight is smaller than the product';

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
      transpose(once(named('apart', reshape(once(named('y', add(once(product), value('bias')))))))),
      'order',
      needed,
      ({ apart, y, weight, bias }, { attributes }, site) =>
        isVector(bias, y.outputs[0], site.facts)
          ? newOrder(y.outputs[0], weight, apart, attributes.perm, site)
          : undefined,
    ),
    ({ x, weight, bias, y, order }, { build, node }) =>
      inOrder(build, { x, weight, bias }, order, y, node.outputs[0].type.shape),
  ),
  rewrite(
    finding(
      transpose(once(named('apart', reshape(once(named('y', product)))))),
      'order',
      needed,
      ({ apart, y, weight }, { attributes }, site) => newOrder(y.outputs[0], weight, apart, attributes.perm, site),
    ),
    ({ x, weight, y, order }, { build, node }) =>
      inOrder(build, { x, weight, bias: undefined }, order, y, node.outputs[0].type.shape),
  ),
);

interface Layer {
  readonly x: Value;
  readonly weight: Value;
  readonly bias: Value | undefined;
}

interface Order {
  /** Into which the channels are taken apart now, and the permutation of these pieces. */
  readonly pieces: readonly Dim[];
  readonly places: readonly number[];
  /** The shape that the product is taken apart into afterwards, and what is left of the transpose. */
  readonly shape: readonly Dim[];
  readonly perm: readonly number[];
  /** Whether what is left swaps rows and channels. */
  readonly isSwap: boolean;
}

function newOrder(
  y: Value,
  weight: Value,
  { attributes: { shape } }: NodeOf<'reshape'>,
  perm: readonly number[],
  site: Surroundings,
): Order | undefined {
  const { facts } = site;
  if (weight.type.shape.length !== 2 || !isStored(weight)) return undefined;
  const last = y.type.shape.length - 1;
  const channels = groupAxes(facts, y.type.shape, shape)?.find(({ before }) => before.includes(last));
  if (channels === undefined || channels.before.length > 1) return undefined;
  const { after } = channels;
  const order = perm.filter((axis) => after.includes(axis));
  if (order.every((axis, i) => axis === after[i]) || !isLess(elements(weight.type), elements(y.type), site))
    return undefined;
  const then = shape.map((size, axis) => (after.includes(axis) ? shape[order[after.indexOf(axis)]!]! : size));
  const moved = perm.map((axis) => (after.includes(axis) ? after[order.indexOf(axis)]! : axis));
  const left = minimalPermutation(facts, then, moved);
  if (left.perm.length >= minimalPermutation(facts, shape, perm).perm.length) return undefined;
  return {
    pieces: after.map((axis) => shape[axis]!),
    places: order.map((axis) => after.indexOf(axis)),
    shape: then,
    perm: moved,
    isSwap: swapsMatrix(left.perm) && endsWith(facts, left.shape, y.type.shape.slice(-2)),
  };
}

function endsWith(facts: Facts, shape: readonly Dim[], last: readonly Dim[]): boolean {
  const end = shape.slice(-last.length);
  return end.length === last.length && end.every((size, i) => sameDim(facts, size, last[i]!));
}

function inOrder(
  build: Builder,
  { x, weight, bias }: Layer,
  { pieces, places, shape, perm, isSwap }: Order,
  { origin }: { readonly origin: Builder['origin'] },
  result: readonly Dim[],
): Value {
  const outer = build.origin;
  build.origin = origin;
  const ordered = (stored: Value): Value => {
    const lead = stored.type.shape.slice(0, -1);
    const apart = build.reshape(stored, [...lead, ...pieces]);
    const moved = build.transpose(apart, [...lead.keys(), ...places.map((place) => lead.length + place)]);
    return build.reshape(moved, stored.type.shape);
  };
  const [matrix, vector] = [ordered(weight), bias && ordered(bias)];
  if (isSwap) {
    const product = build.matmul(swapped(build, matrix), swapped(build, x));
    const sum = vector === undefined ? product : build.add(product, build.reshape(vector, [...vector.type.shape, one]));
    build.origin = outer;
    return build.reshape(sum, result);
  }
  const product = build.matmul(x, matrix);
  const sum = vector === undefined ? product : build.add(product, vector);
  build.origin = outer;
  return build.reshape(build.transpose(build.reshape(sum, shape), perm), result);
}

function swapped(build: Builder, value: Value): Value {
  const rank = value.type.shape.length;
  return build.transpose(value, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
}

/** Whether a stored value has a number for each channel of y. */
function isVector(value: Value, y: Value, facts: Facts): boolean {
  const { shape } = value.type;
  return shape.length === 1 && isStored(value) && endsWith(facts, y.type.shape, shape);
}

/** The order of channels. */
export const channelRules: readonly Rule[] = [channelsInWeights];
