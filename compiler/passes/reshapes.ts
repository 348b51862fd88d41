import type { Dim } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { NodeOf, Value } from '../ir/graph.ts';
import { sameShape } from '../ir/shapes.ts';
import { groupAxes, minimalPermutation } from './axes.ts';
import { isOne, producer } from './match.ts';
import { type Rule, rule } from './rule.ts';

const reshapeOnce = rule('reshape-once', ['reshape'], 'gradients', (node, { build, miss }) => {
  const inner = producer(node.inputs[0]!, 'reshape');
  return inner ? build.reshape(inner.inputs[0]!, node.attributes.shape) : miss('the operand is not reshaped');
});

const transposeOnce = rule('transpose-once', ['transpose'], 'gradients', (node, { build, miss }) => {
  const inner = producer(node.inputs[0]!, 'transpose');
  if (inner === undefined) return miss('the operand is not transposed');
  return build.transpose(inner.inputs[0]!, composed(inner.attributes.perm, node.attributes.perm));
});

/** The perm of transposing by `first`, then by `second`. */
export function composed(first: readonly number[], second: readonly number[]): number[] {
  return second.map((axis) => first[axis]!);
}

/** A transpose that moves axes of size 1 only. */
const transposeAsReshape = rule('transpose-as-reshape', ['transpose'], 'gradients', (node, { build, miss }) => {
  const x = node.inputs[0]!;
  if (!x.type.shape.some((dim) => isOne(build.facts, dim))) return miss('no axis is of size 1');
  const { perm } = minimalPermutation(build.facts, x.type.shape, node.attributes.perm);
  if (perm.some((from, to) => from !== to)) return miss('it moves elements');
  return build.reshape(x, node.outputs[0].type.shape);
});

/**
 * Reshape, transpose, reshape, with as few axes as possible in the middle, where that saves a
 * reshape, or an axis.
 */
const fewestAxes = rule('fewest-axes', ['reshape', 'transpose'], 'gradients', (node, { build, uses, miss }) => {
  const transpose = node.op === 'transpose' ? node : producer(node.inputs[0]!, 'transpose');
  if (transpose === undefined) return miss('no transpose');
  if (transpose !== node && uses(transpose.outputs[0]) > 1) return miss('the transpose is needed elsewhere');
  const y = transpose.inputs[0]!;
  const x = producer(y, 'reshape')?.inputs[0] ?? y;
  const { facts } = build;
  const least = minimalPermutation(facts, y.type.shape, transpose.attributes.perm);
  const middle = least.perm.map((axis) => least.shape[axis]!);
  const wanted = node.outputs[0].type.shape;
  const now = Number(x !== y) + Number(node !== transpose);
  const then = Number(!sameShape(facts, least.shape, x.type.shape)) + Number(!sameShape(facts, middle, wanted));
  if (then > now) return miss('it takes more reshapes');
  if (then === now && least.perm.length >= y.type.shape.length) return miss('there are no fewer axes');
  return build.reshape(build.transpose(build.reshape(x, least.shape), least.perm), wanted);
});

/** Transpose, reshape, transpose: one transpose, when the reshape splits or merges whole axes. */
const transposeAcrossReshape = rule(
  'transpose-across-reshape',
  ['transpose'],
  'gradients',
  (node, { build, uses, miss }) => {
    const reshape = producer(node.inputs[0]!, 'reshape');
    const first = reshape && producer(reshape.inputs[0]!, 'transpose');
    if (first === undefined) return miss('no reshape of a transpose');
    if (uses(first.outputs[0]) > 1 || uses(reshape!.outputs[0]) > 1) return miss('the inner one is needed elsewhere');
    const refined = refine(build.facts, first, node.inputs[0]!, node.attributes.perm);
    if (refined === undefined) return miss('the reshape regroups axes across each other');
    const split = build.reshape(first.inputs[0]!, refined.shape);
    return build.reshape(build.transpose(split, refined.perm), node.outputs[0].type.shape);
  },
);

/** The first transpose's operand split so finely that the reshape in the middle is no more than a regrouping. */
function refine(
  facts: Facts,
  first: NodeOf<'transpose'>,
  reshaped: Value,
  second: readonly number[],
): { shape: Dim[]; perm: number[] } | undefined {
  const from = first.outputs[0].type.shape;
  const to = reshaped.type.shape;
  const groups = groupAxes(facts, from, to);
  if (groups === undefined) return undefined;
  // Pieces in the order of the transposed tensor, each with its place on either side.
  const pieces: { readonly size: Dim; readonly before: number; readonly after: number }[] = [];
  for (const { before, after } of groups) {
    if (before.length > 1 && after.length > 1) return undefined;
    for (const b of before)
      for (const a of after) pieces.push({ size: before.length > 1 ? from[b]! : to[a]!, before: b, after: a });
  }
  const ids = pieces.map((_, i) => i);
  const source = first.attributes.perm
    .map((axis, at) => ({ axis, pieces: ids.filter((i) => pieces[i]!.before === at) }))
    .sort((a, b) => a.axis - b.axis)
    .flatMap((axis) => axis.pieces);
  const target = second.flatMap((axis) => ids.filter((i) => pieces[i]!.after === axis));
  return { shape: source.map((i) => pieces[i]!.size), perm: target.map((i) => source.indexOf(i)) };
}

/** Transposed alike, parts are joined before they are transposed. */
const concatBeforeTranspose = rule(
  'concat-before-transpose',
  ['concat'],
  'gradients',
  (node, { build, uses, miss }) => {
    const parts = node.inputs.map((input) => producer(input, 'transpose'));
    const perm = parts[0]?.attributes.perm;
    if (perm === undefined) return miss('a part is not transposed');
    if (!parts.every((part) => part?.attributes.perm.every((axis, i) => axis === perm[i])))
      return miss('parts are transposed differently');
    if (node.inputs.some((input) => uses(input) > 1)) return miss('a transposed part is needed elsewhere');
    const sources = parts.map((part) => part!.inputs[0]!);
    return build.transpose(build.concat(sources, perm[node.attributes.axis]!), perm);
  },
);

/** Chains of reshapes and transposes, shortened. */
export const reshapeRules: readonly Rule[] = [
  reshapeOnce,
  transposeOnce,
  transposeAsReshape,
  transposeAcrossReshape,
  fewestAxes,
  concatBeforeTranspose,
];
