import { asConstant, one, product } from '../dims/dim.ts';
import type { NodeOf, Value } from '../ir/graph.ts';
import { sameShape } from '../ir/shapes.ts';
import { isOne, numberOf, producer } from './match.ts';
import { type Rule, rule, type Site } from './rule.ts';

type Reduction = 'sum' | 'mean' | 'reduce_max';
const reductions = ['sum', 'mean', 'reduce_max'] as const;

function reduce(op: Reduction, x: Value, axes: readonly number[], keep: boolean, { build }: Site): Value {
  return build.emit(op, [x], { axes, keep })[0]!;
}

/** A sum of a sum, a mean of a mean. */
const reduceOnce = rule('reduce-once', ['sum', 'mean'], 'gradients', (node, site) => ofReduction(node, site));

/** A maximum of a maximum. Equal elements share a gradient evenly; in two stages, they share it within their row first. */
const reduceMaxOnce = rule('reduce-max-once', ['reduce_max'], 'values', (node, site) => ofReduction(node, site));

function ofReduction(node: NodeOf<Reduction>, site: Site): Value | undefined {
  const inner = producer(node.inputs[0]!, node.op) as NodeOf<Reduction> | undefined;
  if (inner === undefined) return site.miss('the operand is not reduced alike');
  if (site.uses(node.inputs[0]!) > 1) return site.miss('the inner one is needed elsewhere');
  if (inner.attributes.keep !== node.attributes.keep) return site.miss('one keeps its axes and the other does not');
  const x = inner.inputs[0]!;
  const left = x.type.shape.map((_, axis) => axis).filter((axis) => !inner.attributes.axes.includes(axis));
  const outer = node.attributes.keep ? node.attributes.axes : node.attributes.axes.map((axis) => left[axis]!);
  const axes = [...new Set([...inner.attributes.axes, ...outer])].sort((a, b) => a - b);
  return reduce(node.op, x, axes, node.attributes.keep, site);
}

/** Along axes of size 1 there is nothing to reduce. */
const reduceLongAxes = rule('reduce-long-axes', reductions, 'gradients', (node, site) => {
  const x = node.inputs[0]!;
  const { axes, keep } = node.attributes;
  const long = axes.filter((axis) => !isOne(site.build.facts, x.type.shape[axis]!));
  if (long.length === axes.length) return site.miss('every axis has elements to reduce');
  const { shape } = node.outputs[0].type;
  return site.build.reshape(long.length === 0 ? x : reduce(node.op, x, long, keep, site), shape);
});

/** A reshape that only drops or adds the reduced axes is the reduction's own `keep`. */
const reshapeOfReduction = rule('reshape-of-reduction', ['reshape'], 'gradients', (node, site) => {
  const x = node.inputs[0]!;
  const inner = reductions.map((op) => producer(x, op)).find((found) => found !== undefined);
  if (inner === undefined) return site.miss('the operand is not reduced');
  if (site.uses(x) > 1) return site.miss('the reduction is needed elsewhere');
  const { axes, keep } = inner.attributes;
  const operand = inner.inputs[0]!;
  const { shape } = operand.type;
  const other = keep
    ? shape.filter((_, axis) => !axes.includes(axis))
    : shape.map((dim, axis) => (axes.includes(axis) ? one : dim));
  if (!sameShape(site.build.facts, node.attributes.shape, other)) return site.miss('it is another shape');
  return reduce(inner.op, operand, axes, !keep, site);
});

/** A sum over how many there were. */
const sumOverCount = rule('sum-over-count', ['div', 'mul'], 'gradients', (node, site) => {
  const [total, count] = [node.inputs[0]!, node.inputs[1]!];
  const inner = producer(total, 'sum');
  if (inner === undefined || total.type.dtype === 'i32') return site.miss('the first operand is not a sum of floats');
  const n = product(inner.attributes.axes.map((axis) => inner.inputs[0]!.type.shape[axis]!));
  const known = asConstant(site.build.facts.normalize(n));
  const isCount =
    node.op === 'div'
      ? (known !== undefined && numberOf(count) === known) || isDim(count, n.key)
      : known !== undefined && numberOf(count) === 1 / known;
  if (!isCount || count.type.shape.length > 0) return site.miss('the other operand is not how many there were');
  return reduce('mean', inner.inputs[0]!, inner.attributes.axes, inner.attributes.keep, site);
});

function isDim(value: Value, key: string): boolean {
  const dim = producer(value, 'dim') ?? producer(producer(value, 'cast')?.inputs[0] ?? value, 'dim');
  return dim?.attributes.value.key === key;
}

/** Reductions of reductions, and around reshapes. */
export const reductionRules: readonly Rule[] = [
  reduceOnce,
  reduceMaxOnce,
  reduceLongAxes,
  reshapeOfReduction,
  sumOverCount,
];
