import { add, asConstant, constant, type Dim, mul, sub, zero } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { NodeOf, Value } from '../ir/graph.ts';
import { sameDim } from '../ir/shapes.ts';
import { producer } from './match.ts';
import { type Rule, rule } from './rule.ts';

/** A slice of a slice. */
const sliceOnce = rule('slice-once', ['slice'], 'gradients', (node, { build, miss }) => {
  const inner = producer(node.inputs[0]!, 'slice');
  if (inner === undefined) return miss('the operand is not sliced');
  const outer = node.attributes;
  const { start, step } = inner.attributes;
  const from = (at: Dim, axis: number): Dim => add(start[axis]!, mul(at, constant(step[axis]!)));
  return build.slice(
    inner.inputs[0]!,
    outer.start.map(from),
    // One past the last element that is taken: stops need not fall on a step.
    outer.stop.map((at, axis) => add(from(sub(at, constant(1)), axis), constant(1))),
    outer.step.map((by, axis) => by * step[axis]!),
  );
});

/** A slice that lies within one part, or covers some parts whole. */
const sliceOfConcat = rule('slice-of-concat', ['slice'], 'gradients', (node, { build, miss }) => {
  const joined = producer(node.inputs[0]!, 'concat');
  if (joined === undefined) return miss('the operand is not joined from parts');
  const { axis } = joined.attributes;
  const { facts } = build;
  const { start, stop, step } = node.attributes;
  const [from, to] = [start[axis]!, stop[axis]!];
  let first = 0;
  let before: Dim = zero;
  const parts = joined.inputs;
  const size = (part: Value): Dim => part.type.shape[axis]!;
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
  if (last - first + 1 === parts.length) return miss('it touches every part, as far as is known');
  if (!atMost(facts, before, from) || !atMost(facts, to, after)) return miss('its bounds cannot be placed');
  const shifted = (dims: readonly Dim[]): Dim[] => dims.map((dim, i) => (i === axis ? sub(dim, before) : dim));
  return build.slice(build.concat(parts.slice(first, last + 1), axis), shifted(start), shifted(stop), step);
});

/** A slice that takes back what was padded, whole or in part. */
const sliceOfPad = rule('slice-of-pad', ['slice'], 'gradients', (node, { build, miss }) => {
  const pad = producer(node.inputs[0]!, 'pad');
  if (pad === undefined) return miss('the operand is not padded');
  const { facts } = build;
  const { low, high } = pad.attributes;
  const { start, stop, step } = node.attributes;
  const x = pad.inputs[0]!;
  const padded = pad.outputs[0].type.shape;
  const inside = x.type.shape.every((size, axis) =>
    sameDim(facts, low[axis]!, zero) && sameDim(facts, high[axis]!, zero)
      ? true
      : atMost(facts, low[axis]!, start[axis]!) && atMost(facts, stop[axis]!, add(low[axis]!, size)),
  );
  if (!inside) return miss('it takes some of the padding');
  const shifted = (dims: readonly Dim[]): Dim[] =>
    dims.map((dim, axis) =>
      sameDim(facts, dim, padded[axis]!) && isUnpadded(facts, low, high, axis)
        ? x.type.shape[axis]!
        : sub(dim, low[axis]!),
    );
  return build.slice(x, shifted(start), shifted(stop), step);
});

function isUnpadded(facts: Facts, low: readonly Dim[], high: readonly Dim[], axis: number): boolean {
  return sameDim(facts, low[axis]!, zero) && sameDim(facts, high[axis]!, zero);
}

const padOnce = rule('pad-once', ['pad'], 'gradients', (node, { build, miss }) => {
  const inner = producer(node.inputs[0]!, 'pad');
  if (inner === undefined || !Object.is(inner.attributes.value, node.attributes.value))
    return miss('the operand is not padded with the same number');
  const { low, high, value } = node.attributes;
  const sums = (a: readonly Dim[], b: readonly Dim[]): Dim[] => a.map((dim, axis) => add(dim, b[axis]!));
  return build.pad(inner.inputs[0]!, sums(low, inner.attributes.low), sums(high, inner.attributes.high), value);
});

/** Parts of parts, along one axis. */
const concatOnce = rule('concat-once', ['concat'], 'gradients', (node, { build, miss }) => {
  const { axis } = node.attributes;
  const parts = node.inputs.flatMap((part) => {
    const inner = producer(part, 'concat');
    return inner?.attributes.axis === axis ? inner.inputs : [part];
  });
  return parts.length > node.inputs.length ? build.concat(parts, axis) : miss('no part is joined along the same axis');
});

/** Neighbouring slices of one tensor, joined again: also what is left of rolling by zero. */
const concatOfSlices = rule('concat-of-slices', ['concat'], 'gradients', (node, { build, miss }) => {
  const { axis } = node.attributes;
  const parts: Value[] = [];
  for (const part of node.inputs) {
    const left = parts.at(-1);
    const joined = left && joinedSlice(build.facts, left, part, axis);
    if (joined === undefined) parts.push(part);
    else parts.splice(-1, 1, build.slice(joined.x, joined.start, joined.stop, joined.step));
  }
  return parts.length < node.inputs.length ? build.concat(parts, axis) : miss('no two parts are neighbours');
});

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

/** Slices, pads and concats of each other. */
export const sliceRules: readonly Rule[] = [sliceOnce, sliceOfConcat, sliceOfPad, padOnce, concatOnce, concatOfSlices];
