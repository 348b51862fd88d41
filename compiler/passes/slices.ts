import { add, asConstant, constant, type Dim, mul, product, sub, zero } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { NodeOf, Value } from '../ir/graph.ts';
import { sameDim } from '../ir/shapes.ts';
import { groupAxes } from './axes.ts';
import { producer } from './match.ts';
import { finding, named, nodeOf, once, operators, value, where, withSome } from './patterns/construct.ts';
import { type Rule, rewrite, rule } from './rule.ts';

const { add: addition, pad, reshape, slice } = operators;
const [x, y] = [value('x'), value('y')];

/** Merges a slice of a slice. */
const sliceOnce = rule(
  'slice-once',
  'gradients',
  rewrite(slice(named('inner', slice(x))), ({ x, inner }, { build, node: { attributes: outer } }) => {
    const { start, step } = inner.attributes;
    const from = (at: Dim, axis: number): Dim => add(start[axis]!, mul(at, constant(step[axis]!)));
    return build.slice(
      x,
      outer.start.map(from),
      // One past the last selected element, because stops need not be a multiple of the step.
      outer.stop.map((at, axis) => add(from(sub(at, constant(1)), axis), constant(1))),
      outer.step.map((by, axis) => by * step[axis]!),
    );
  }),
);

/** A slice of a concat that lies within one part or covers some parts whole. */
const sliceOfConcat = rule(
  'slice-of-concat',
  'gradients',
  rewrite(
    finding(
      slice(named('joined', nodeOf('concat'))),
      'touched',
      'the slice is known to leave out some parts',
      ({ joined }, { attributes }, { facts }) => {
        const { axis } = joined.attributes;
        return partsBetween(facts, joined, attributes.start[axis]!, attributes.stop[axis]!);
      },
    ),
    ({ joined, touched: { parts, before } }, { build, node: { attributes } }) => {
      const { axis } = joined.attributes;
      const shifted = (dims: readonly Dim[]): Dim[] => dims.map((dim, i) => (i === axis ? sub(dim, before) : dim));
      const { start, stop, step } = attributes;
      return build.slice(build.concat(parts, axis), shifted(start), shifted(stop), step);
    },
  ),
);

/** Returns the parts that a slice overlaps and the size of the parts before them; undefined if that is not known. */
function partsBetween(facts: Facts, joined: NodeOf<'concat'>, from: Dim, to: Dim) {
  const { axis } = joined.attributes;
  const parts = joined.inputs;
  const size = (part: Value): Dim => part.type.shape[axis]!;
  let first = 0;
  let before: Dim = zero;
  while (first < parts.length - 1 && atMost(facts, add(before, size(parts[first]!)), from)) {
    before = add(before, size(parts[first]!));
    first++;
  }
  let last = first;
  let after = add(before, size(parts[first]!));
  while (last < parts.length - 1 && !atMost(facts, to, after)) {
    last++;
    after = add(after, size(parts[last]!));
  }
  if (last - first + 1 === parts.length) return undefined;
  if (!atMost(facts, before, from) || !atMost(facts, to, after)) return undefined;
  return { parts: parts.slice(first, last + 1), before };
}

/** A slice of a pad that takes none of the padding. */
const sliceOfPad = rule(
  'slice-of-pad',
  'gradients',
  rewrite(
    where(
      slice(named('padded', pad(x))),
      'the slice takes none of the padding',
      ({ x, padded }, { attributes: { start, stop } }, { facts }) => {
        const { low, high } = padded.attributes;
        return x.type.shape.every(
          (size, axis) =>
            isUnpadded(facts, low, high, axis) ||
            (atMost(facts, low[axis]!, start[axis]!) && atMost(facts, stop[axis]!, add(low[axis]!, size))),
        );
      },
    ),
    ({ x, padded }, { build, facts, node }) => {
      const { low, high } = padded.attributes;
      const whole = padded.outputs[0].type.shape;
      const shifted = (dims: readonly Dim[]): Dim[] =>
        dims.map((dim, axis) =>
          sameDim(facts, dim, whole[axis]!) && isUnpadded(facts, low, high, axis)
            ? x.type.shape[axis]!
            : sub(dim, low[axis]!),
        );
      const { start, stop, step } = node.attributes;
      return build.slice(x, shifted(start), shifted(stop), step);
    },
  ),
);

function isUnpadded(facts: Facts, low: readonly Dim[], high: readonly Dim[], axis: number): boolean {
  return sameDim(facts, low[axis]!, zero) && sameDim(facts, high[axis]!, zero);
}

const padOnce = rule(
  'pad-once',
  'gradients',
  rewrite(
    where(pad(named('inner', pad(x))), 'both pad with the same number', ({ inner }, { attributes }) =>
      Object.is(inner.attributes.value, attributes.value),
    ),
    ({ x, inner }, { build, node }) => {
      const { low, high, value } = node.attributes;
      const sums = (a: readonly Dim[], b: readonly Dim[]): Dim[] => a.map((dim, axis) => add(dim, b[axis]!));
      return build.pad(x, sums(low, inner.attributes.low), sums(high, inner.attributes.high), value);
    },
  ),
);

/**
 * Parts that are padded to one size and added, such as the gradients of slices of one tensor: those that lie side by side
 * are concatenated, which is read and written once.
 */
const sumOfPads = rule(
  'sum-of-pads',
  'gradients',
  rewrite(
    finding(
      addition(once(named('a', pad(x))), once(named('b', pad(y)))),
      'place',
      'both are padded with zeros, and one begins where the other ends along one axis',
      ({ a, b }, _, { facts }) => sideBySide(facts, a, b) ?? sideBySide(facts, b, a),
    ),
    ({ place: { first, second, axis } }, { build }) => {
      const high = first.attributes.high.map((dim, i) => (i === axis ? second.attributes.high[i]! : dim));
      return build.pad(build.concat([first.inputs[0]!, second.inputs[0]!], axis), first.attributes.low, high, 0);
    },
  ),
);

function sideBySide(facts: Facts, first: NodeOf<'pad'>, second: NodeOf<'pad'>) {
  if (first.attributes.value !== 0 || second.attributes.value !== 0) return undefined;
  const [before, after] = [first.attributes, second.attributes];
  const alike = (axis: number): boolean =>
    sameDim(facts, before.low[axis]!, after.low[axis]!) && sameDim(facts, before.high[axis]!, after.high[axis]!);
  const [axis, ...others] = [...before.low.keys()].filter((i) => !alike(i));
  if (axis === undefined || others.length > 0) return undefined;
  const end = add(before.low[axis]!, first.inputs[0]!.type.shape[axis]!);
  return sameDim(facts, end, after.low[axis]!) ? { first, second, axis } : undefined;
}

/** A slice along the first of the axes into which a reshape splits one, as a slice of that one: the reshapes become one. */
const sliceBeforeSplit = rule(
  'slice-before-split',
  'gradients',
  rewrite(
    finding(
      reshape(once(named('part', slice(named('split', reshape(x)))))),
      'run',
      'the slice cuts only the first of the axes into which one of known size is split',
      ({ x, part, split }, _, { facts }) => runOf(x, part, split, facts),
      'part',
    ),
    ({ x, run: { axis, from, to } }, { build, node }) => {
      const cut = (dims: readonly Dim[], at: number): Dim[] => dims.map((dim, i) => (i === axis ? constant(at) : dim));
      const { shape } = x.type;
      const start = shape.map(() => zero);
      const step = shape.map(() => 1);
      return build.reshape(build.slice(x, cut(start, from), cut(shape, to), step), node.attributes.shape);
    },
  ),
);

/** What of one axis of x a slice takes, if that axis is split, and all others are taken whole. */
function runOf(
  x: Value,
  { attributes: { start, stop, step } }: NodeOf<'slice'>,
  split: NodeOf<'reshape'>,
  facts: Facts,
): { axis: number; from: number; to: number } | undefined {
  const { shape } = split.attributes;
  const isWhole = (at: number): boolean => sameDim(facts, start[at]!, zero) && sameDim(facts, stop[at]!, shape[at]!);
  const [cut, ...others] = [...shape.keys()].filter((at) => !isWhole(at));
  if (cut === undefined || others.length > 0 || step.some((by) => by !== 1)) return undefined;
  const group = groupAxes(facts, x.type.shape, shape)?.find(({ after }) => after[0] === cut);
  const [axis, ...more] = group?.before ?? [];
  if (group === undefined || axis === undefined || more.length > 0 || group.after.length === 1) return undefined;
  const each = asConstant(product(group.after.slice(1).map((at) => shape[at]!)));
  const [from, to] = [asConstant(start[cut]!), asConstant(stop[cut]!)];
  if (each === undefined || from === undefined || to === undefined) return undefined;
  return { axis, from: from * each, to: to * each };
}

/** Merges a concat within a concat along the same axis. */
const concatOnce = rule(
  'concat-once',
  'gradients',
  rewrite(
    where(
      withSome(['concat'], named('inner', nodeOf('concat'))),
      'the part is joined along the same axis',
      ({ inner }, { attributes }) => inner.attributes.axis === attributes.axis,
      'inner',
    ),
    (_, { build, node }) => {
      const { axis } = node.attributes;
      const parts = node.inputs.flatMap((part) => {
        const inner = producer(part, 'concat');
        return inner?.attributes.axis === axis ? inner.inputs : [part];
      });
      return build.concat(parts, axis);
    },
  ),
);

/** Merges neighbouring slices of one tensor that are concatenated again, such as what is left of rolling by zero. */
const concatOfSlices = rule(
  'concat-of-slices',
  'gradients',
  rewrite(
    where(
      withSome(['concat'], nodeOf('slice')),
      'two neighbouring parts are neighbouring slices of one tensor',
      (_, { inputs, attributes: { axis } }, { facts }) =>
        inputs.some((part, i) => {
          const left = inputs[i - 1];
          return left !== undefined && joinedSlice(facts, left, part, axis) !== undefined;
        }),
    ),
    (_, { build, node }) => {
      const { axis } = node.attributes;
      const parts: Value[] = [];
      for (const part of node.inputs) {
        const left = parts.at(-1);
        const joined = left && joinedSlice(build.facts, left, part, axis);
        if (joined === undefined) parts.push(part);
        else parts.splice(-1, 1, build.slice(joined.x, joined.start, joined.stop, joined.step));
      }
      return build.concat(parts, axis);
    },
  ),
);

function joinedSlice(facts: Facts, left: Value, right: Value, axis: number) {
  const [a, b] = [producer(left, 'slice'), producer(right, 'slice')];
  if (a === undefined || b === undefined || a.inputs[0] !== b.inputs[0]) return undefined;
  if (!isContiguous(a, axis) || !isContiguous(b, axis)) return undefined;
  if (!sameDim(facts, a.attributes.stop[axis]!, b.attributes.start[axis]!)) return undefined;
  const alike = a.attributes.start.every(
    (start, i) =>
      i === axis ||
      (sameDim(facts, start, b.attributes.start[i]!) &&
        sameDim(facts, a.attributes.stop[i]!, b.attributes.stop[i]!) &&
        a.attributes.step[i] === b.attributes.step[i]),
  );
  if (!alike) return undefined;
  const stop = a.attributes.stop.map((dim, i) => (i === axis ? b.attributes.stop[i]! : dim));
  return { x: a.inputs[0]!, start: a.attributes.start, stop, step: a.attributes.step };
}

function isContiguous(slice: NodeOf<'slice'>, axis: number): boolean {
  return slice.attributes.step[axis] === 1;
}

function atMost(facts: Facts, a: Dim, b: Dim): boolean {
  const known = asConstant(sub(b, a));
  return known === undefined ? facts.proves({ kind: 'le', left: a, right: b }) : known >= 0;
}

/** Simplifies slices, pads and concats of each other. */
export const sliceRules: readonly Rule[] = [
  sliceOnce,
  sliceOfConcat,
  sliceOfPad,
  sliceBeforeSplit,
  padOnce,
  sumOfPads,
  concatOnce,
  concatOfSlices,
];
