import type { Dim } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { NodeOf, Value } from '../ir/graph.ts';
import { sameShape } from '../ir/shapes.ts';
import { groupAxes, minimalPermutation } from './axes.ts';
import { isOne } from './match.ts';
import { anything, finding, named, once, operators, value, where, withEach } from './patterns/construct.ts';
import type { NodeAmong, Pattern } from './patterns/pattern.ts';
import { type Rewrite, type Rule, rewrite, rule } from './rule.ts';

const { reshape, transpose } = operators;
const x = value('x');

const reshapeOnce = rule(
  'reshape-once',
  'gradients',
  rewrite(reshape(reshape(x)), ({ x }, { build, node }) => build.reshape(x, node.attributes.shape)),
);

const transposeOnce = rule(
  'transpose-once',
  'gradients',
  rewrite(transpose(named('inner', transpose(x))), ({ x, inner }, { build, node }) =>
    build.transpose(x, composed(inner.attributes.perm, node.attributes.perm)),
  ),
);

/** Returns the permutation of a transpose by `first` followed by one by `second`. */
export function composed(first: readonly number[], second: readonly number[]): number[] {
  return second.map((axis) => first[axis]!);
}

/** A transpose that only moves axes of size 1 is a reshape. */
const transposeAsReshape = rule(
  'transpose-as-reshape',
  'gradients',
  rewrite(
    where(
      transpose(where(x, 'an axis has size 1', ({ x }, _, { facts }) => x.type.shape.some((dim) => isOne(facts, dim)))),
      'the transpose moves axes of size 1 alone',
      ({ x }, { attributes }, { facts }) =>
        minimalPermutation(facts, x.type.shape, attributes.perm).perm.every((from, to) => from === to),
    ),
    ({ x }, { build, node }) => build.reshape(x, node.outputs[0].type.shape),
  ),
);

const reshapedFirst = named('inner', transpose(reshape(x)));
const unshaped = where(x, 'no reshape is above', ({ x }) => x.node.op !== 'reshape');
const transposed = named('inner', transpose(unshaped));

/** Reshape, transpose, reshape with as few axes as possible in the middle, if that saves a reshape or an axis. */
const fewestAxes = rule(
  'fewest-axes',
  'gradients',
  withFewestAxes(reshapedFirst, 1),
  withFewestAxes(transposed, 0),
  withFewestAxes(reshape(once(reshapedFirst)), 2),
  withFewestAxes(reshape(once(transposed)), 1),
);

/** Rewrites a transpose among this many reshapes of x. */
function withFewestAxes(
  pattern: Pattern<{ readonly x: Value; readonly inner: NodeOf<'transpose'> }, NodeAmong<'reshape' | 'transpose'>>,
  reshapes: number,
): Rewrite {
  return rewrite(
    finding(pattern, 'least', 'fewer axes save a reshape, or cost none', ({ x, inner }, node, { facts }) => {
      const shape = inner.inputs.flatMap(({ type }) => type.shape);
      const least = minimalPermutation(facts, shape, inner.attributes.perm);
      const middle = least.perm.map((axis) => least.shape[axis]!);
      const before = sameShape(facts, least.shape, x.type.shape) ? 0 : 1;
      const behind = sameShape(facts, middle, node.outputs[0].type.shape) ? 0 : 1;
      const saved = reshapes - before - behind;
      return saved > 0 || (saved === 0 && least.perm.length < shape.length) ? least : undefined;
    }),
    ({ x, least }, { build, node }) =>
      build.reshape(build.transpose(build.reshape(x, least.shape), least.perm), node.outputs[0].type.shape),
  );
}

/** Transpose, reshape, transpose become one transpose if the reshape splits or merges whole axes. */
const transposeAcrossReshape = rule(
  'transpose-across-reshape',
  'gradients',
  rewrite(
    finding(
      transpose(once(named('middle', reshape(once(named('first', transpose(x))))))),
      'refined',
      'the reshape splits or merges whole axes',
      ({ first, middle }, { attributes }, { facts }) => refine(facts, first, middle.outputs[0], attributes.perm),
    ),
    ({ x, refined }, { build, node }) =>
      build.reshape(build.transpose(build.reshape(x, refined.shape), refined.perm), node.outputs[0].type.shape),
  ),
);

/** Splits the first transpose's operand so finely that the reshape in the middle only regroups axes. */
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
  // Pieces in the order of the transposed tensor, each with its axis before and after the reshape.
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

/** If all parts are transposed in the same way, they are concatenated before the transpose. */
const concatBeforeTranspose = rule(
  'concat-before-transpose',
  'gradients',
  rewrite(
    where(
      withEach(['concat'], 'parts', once(transpose(anything))),
      'all parts are transposed alike',
      ({ parts: [first, ...others] }) =>
        others.every(({ attributes }) => samePerm(attributes.perm, first.attributes.perm)),
    ),
    ({ parts }, { build, node }) => {
      const { perm } = parts[0].attributes;
      const sources = parts.flatMap(({ inputs }) => inputs);
      return build.transpose(build.concat(sources, perm[node.attributes.axis]!), perm);
    },
  ),
);

function samePerm(a: readonly number[], b: readonly number[]): boolean {
  return a.every((axis, i) => axis === b[i]);
}

/** Shortens chains of reshapes and transposes. */
export const reshapeRules: readonly Rule[] = [
  reshapeOnce,
  transposeOnce,
  transposeAsReshape,
  transposeAcrossReshape,
  fewestAxes,
  concatBeforeTranspose,
];
