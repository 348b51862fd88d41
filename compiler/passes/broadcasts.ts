import { type Dim, one } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { Value } from '../ir/graph.ts';
import { sameShape } from '../ir/shapes.ts';
import { elementwiseOps, isOne, numberOf, producer } from './match.ts';
import { type Rule, rule, type Site } from './rule.ts';

/** The common shape by trailing alignment of shapes that are known to have one. */
export function broadcastTogether(facts: Facts, shapes: readonly (readonly Dim[])[]): Dim[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.flatMap((shape) => shape[axis - (rank - shape.length)] ?? []);
    return sizes.find((size) => !isOne(facts, size)) ?? one;
  });
}

/** What is repeated: a broadcast's operand, or the one number that a value consists of. */
function unrepeated(value: Value, { build }: Site): Value {
  const repeated = producer(value, 'broadcast')?.inputs[0];
  if (repeated !== undefined) return unrepeatedFull(repeated, build);
  return unrepeatedFull(value, build);
}

function unrepeatedFull(value: Value, build: Site['build']): Value {
  if (value.type.shape.length === 0 || (value.node.op !== 'full' && value.node.op !== 'constant')) return value;
  const number = numberOf(value);
  return number === undefined ? value : build.full(number, value.type.dtype, []);
}

/** Element by element, operands need not be repeated first: the result is, or what is left of it. */
const repeatLate = rule('repeat-late', elementwiseOps, 'gradients', (node, site) => {
  const inputs = node.inputs.map((input) => unrepeated(input, site));
  if (inputs.every((input, i) => input === node.inputs[i])) return site.miss('no operand is repeated');
  const shape = broadcastTogether(
    site.build.facts,
    inputs.map((input) => input.type.shape),
  );
  const type = node.outputs[0].type;
  const smaller = site.build.emit(node.op, inputs, node.attributes as never)[0]!;
  return sameShape(site.build.facts, shape, type.shape) ? smaller : site.build.broadcast(smaller, type.shape);
});

const repeatOnce = rule('repeat-once', ['broadcast'], 'gradients', (node, { build, miss }) => {
  const inner = producer(node.inputs[0]!, 'broadcast');
  return inner ? build.broadcast(inner.inputs[0]!, node.attributes.shape) : miss('the operand is not repeated');
});

/** Batch axes of matmul broadcast by themselves. */
const repeatInMatmul = rule('repeat-in-matmul', ['matmul'], 'gradients', (node, { build, miss }) => {
  const batch = (value: Value) => value.type.shape.slice(0, -2);
  const wanted = batch(node.outputs[0]);
  for (const [i, operand] of node.inputs.entries()) {
    const x = producer(operand, 'broadcast')?.inputs[0];
    if (x === undefined || x.type.shape.length < 2) continue;
    if (!sameShape(build.facts, x.type.shape.slice(-2), operand.type.shape.slice(-2))) continue;
    const other = node.inputs[1 - i]!;
    if (!sameShape(build.facts, broadcastTogether(build.facts, [batch(x), batch(other)]), wanted)) continue;
    return i === 0 ? build.matmul(x, other) : build.matmul(other, x);
  }
  return miss('no operand is repeated along batch axes that the other one has');
});

/** Moving one number about leaves it: what is full stays full. */
const movedFull = rule(
  'moved-full',
  ['reshape', 'transpose', 'broadcast', 'slice', 'concat', 'pad'],
  'gradients',
  (node, site) => {
    const numbers = node.inputs.map((input) => (movable(input) ? numberOf(input) : undefined));
    const [first] = numbers;
    if (first === undefined || numbers.some((number) => !Object.is(number, first))) return site.miss('not one number');
    if (node.op === 'pad' && !Object.is(node.attributes.value, first)) return site.miss('the pad is another number');
    const { dtype, shape } = node.outputs[0].type;
    return site.build.full(first, dtype, shape);
  },
);

function movable(value: Value): boolean {
  return value.node.op === 'full' || value.node.op === 'constant';
}

/** Repetition as late and as seldom as it can be. */
export const broadcastRules: readonly Rule[] = [movedFull, repeatOnce, repeatLate, repeatInMatmul];
