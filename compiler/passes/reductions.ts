import { asConstant, one, product } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { NodeOf, Value } from '../ir/graph.ts';
import { sameShape } from '../ir/shapes.ts';
import { isOne, numberOf, producer } from './match.ts';
import { anyOf, finding, named, once, operators, value, where } from './patterns/construct.ts';
import { type Rewrite, type Rule, rewrite, rule } from './rule.ts';

const { reshape } = operators;
const x = value('x');

type Reduction = 'sum' | 'mean' | 'reduce_max';
const reductions = ['sum', 'mean', 'reduce_max'] as const;

/** Merges two nested reductions into one along the axes of both. */
function ofReduction(op: Reduction): Rewrite {
  return rewrite(
    where(
      anyOf([op], once(named('inner', anyOf([op], x)))),
      'both keep their axes or neither does',
      ({ inner }, { attributes }) => inner.attributes.keep === attributes.keep,
    ),
    ({ x, inner }, { build, node: { attributes } }) => {
      const { keep } = attributes;
      const left = [...x.type.shape.keys()].filter((axis) => !inner.attributes.axes.includes(axis));
      const outer = keep ? attributes.axes : left.filter((_, place) => attributes.axes.includes(place));
      const axes = [...new Set([...inner.attributes.axes, ...outer])].sort((a, b) => a - b);
      return build.emit(op, [x], { axes, keep })[0];
    },
  );
}

/** A sum of a sum, or a mean of a mean. */
const reduceOnce = rule('reduce-once', 'gradients', ofReduction('sum'), ofReduction('mean'));

/**
 * A maximum of a maximum. Equal elements share a gradient evenly; in two stages they would first share it within their
 * row, so only values are kept.
 */
const reduceMaxOnce = rule('reduce-max-once', 'values', ofReduction('reduce_max'));

/** A reduction along axes of size 1 does nothing. */
const reduceLongAxes = rule(
  'reduce-long-axes',
  'gradients',
  rewrite(
    finding(anyOf(reductions, x), 'long', 'a reduced axis has size 1', ({ x }, { attributes: { axes } }, { facts }) => {
      const long = axes.filter((axis) => !x.type.shape.slice(axis, axis + 1).every((size) => isOne(facts, size)));
      return long.length < axes.length ? long : undefined;
    }),
    ({ x, long }, { build, node }) => {
      const { keep } = node.attributes;
      const reduced = long.length === 0 ? x : build.emit(node.op, [x], { axes: long, keep })[0];
      return build.reshape(reduced, node.outputs[0].type.shape);
    },
  ),
);

/** A reshape that only drops or adds the reduced axes becomes the `keep` of the reduction. */
const reshapeOfReduction = rule(
  'reshape-of-reduction',
  'gradients',
  rewrite(
    where(
      reshape(once(named('inner', anyOf(reductions, x)))),
      'the reshape only drops or adds the reduced axes',
      ({ x, inner }, { attributes }, { facts }) => {
        const { axes, keep } = inner.attributes;
        const other = keep
          ? x.type.shape.filter((_, axis) => !axes.includes(axis))
          : x.type.shape.map((dim, axis) => (axes.includes(axis) ? one : dim));
        return sameShape(facts, attributes.shape, other);
      },
    ),
    ({ x, inner }, { build }) => {
      const { axes, keep } = inner.attributes;
      return build.emit(inner.op, [x], { axes, keep: !keep })[0];
    },
  ),
);

/** A sum divided by the number of its elements is a mean. */
const sumOverCount = rule('sum-over-count', 'gradients', meanBy('div'), meanBy('mul'));

function meanBy(op: 'div' | 'mul'): Rewrite {
  const total = where(
    named('total', operators.sum(x)),
    'the sum is of floats',
    ({ total }) => total.outputs[0].type.dtype !== 'i32',
  );
  return rewrite(
    where(
      anyOf([op], total, value('count')),
      op === 'div' ? 'the divisor is how many there were' : 'the factor is one over how many there were',
      ({ count, total }, _, { facts }) => count.type.shape.length === 0 && isCount(count, total, op, facts),
      'count',
    ),
    ({ x, total }, { build }) => build.mean(x, total.attributes.axes, total.attributes.keep),
  );
}

function isCount(count: Value, { inputs, attributes }: NodeOf<'sum'>, op: 'div' | 'mul', facts: Facts): boolean {
  const summed = inputs.flatMap(({ type }) => type.shape.filter((_, axis) => attributes.axes.includes(axis)));
  const n = product(summed);
  const known = asConstant(facts.normalize(n));
  if (op === 'mul') return known !== undefined && numberOf(count) === 1 / known;
  return (known !== undefined && numberOf(count) === known) || isDim(count, n.key);
}

function isDim(value: Value, key: string): boolean {
  const [counted = value] = producer(value, 'cast')?.inputs ?? [];
  return producer(counted, 'dim')?.attributes.value.key === key;
}

/** Simplifies nested reductions and reshapes of reductions. */
export const reductionRules: readonly Rule[] = [
  reduceOnce,
  reduceMaxOnce,
  reduceLongAxes,
  reshapeOfReduction,
  sumOverCount,
];
