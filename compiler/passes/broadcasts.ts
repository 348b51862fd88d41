import { type Dim, one } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { Builder } from '../graphs/builder.ts';
import type { NodeOf, Value } from '../ir/graph.ts';
import { sameShape } from '../ir/shapes.ts';
import { elementwiseOps, isOne, numberOf, producer } from './match.ts';
import {
  anything,
  finding,
  named,
  nodeOf,
  oneOf,
  operators,
  value,
  where,
  withEach,
  withSome,
} from './patterns/construct.ts';
import { type Rule, rewrite, rule } from './rule.ts';

const { broadcast, matmul } = operators;
const [x, y] = [value('x'), value('y')];

/** Returns the common shape, by trailing alignment, of shapes that are known to broadcast. */
export function broadcastTogether(facts: Facts, shapes: readonly (readonly Dim[])[]): Dim[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.flatMap((shape) => shape[axis - (rank - shape.length)] ?? []);
    return sizes.find((size) => !isOne(facts, size)) ?? one;
  });
}

/** A tensor with axes whose elements are all one number. */
const full = where(nodeOf('full', 'constant'), 'the constant is one number along axes', (_, { outputs: [x] }) => {
  return x.type.shape.length > 0 && numberOf(x) !== undefined;
});

/** Returns the operand of a broadcast, or a scalar for a value whose elements are all one number. */
function unrepeated(value: Value, build: Builder): Value {
  const [x = value] = producer(value, 'broadcast')?.inputs ?? [];
  if (x.type.shape.length === 0 || !isLiteral(x)) return x;
  const number = numberOf(x);
  return number === undefined ? x : build.full(number, x.type.dtype, []);
}

function isLiteral({ node }: Value): boolean {
  return node.op === 'full' || node.op === 'constant';
}

/**
 * An elementwise operator need not broadcast its operands first: its result is broadcast afterwards, as far as
 * necessary.
 */
const repeatLate = rule(
  'repeat-late',
  'gradients',
  rewrite(withSome(elementwiseOps, oneOf(broadcast(anything), full)), (_, { build, node }) => {
    const inputs = node.inputs.map((input) => unrepeated(input, build));
    return build.emit(node.op, inputs, node.attributes)[0];
  }),
);

const repeatOnce = rule(
  'repeat-once',
  'gradients',
  rewrite(broadcast(broadcast(x)), ({ x }, { build, node }) => build.broadcast(x, node.attributes.shape)),
);

const alongBatch = 'the operand is repeated along batch axes that the other one has';

/** matmul itself broadcasts the batch axes. */
const repeatInMatmul = rule(
  'repeat-in-matmul',
  'gradients',
  rewrite(
    where(matmul(named('repeated', broadcast(x)), y), alongBatch, ({ repeated, x, y }, node, { facts }) =>
      isRepeatedAlongBatch(facts, repeated, x, y, node),
    ),
    ({ x, y }, { build }) => build.matmul(x, y),
  ),
  rewrite(
    where(matmul(y, named('repeated', broadcast(x))), alongBatch, ({ repeated, x, y }, node, { facts }) =>
      isRepeatedAlongBatch(facts, repeated, x, y, node),
    ),
    ({ x, y }, { build }) => build.matmul(y, x),
  ),
);

function isRepeatedAlongBatch(
  facts: Facts,
  repeated: NodeOf<'broadcast'>,
  x: Value,
  other: Value,
  product: NodeOf<'matmul'>,
): boolean {
  const batch = ({ type }: Value): readonly Dim[] => type.shape.slice(0, -2);
  const matrix = ({ type }: Value): readonly Dim[] => type.shape.slice(-2);
  return (
    x.type.shape.length >= 2 &&
    sameShape(facts, matrix(x), matrix(repeated.outputs[0])) &&
    sameShape(facts, broadcastTogether(facts, [batch(x), batch(other)]), batch(product.outputs[0]))
  );
}

/** A tensor whose elements are all one number still is after its elements are rearranged. */
const movedFull = rule(
  'moved-full',
  'gradients',
  rewrite(
    finding(
      withEach(['reshape', 'transpose', 'broadcast', 'slice', 'concat', 'pad'], 'parts', nodeOf('full', 'constant')),
      'moved',
      'all elements are the same number',
      ({ parts }, node) => {
        const [first, ...others] = parts.map(({ outputs }) => numberOf(outputs[0]));
        const padded = node.op === 'pad' ? [node.attributes.value] : [];
        return [...others, ...padded].every((number) => Object.is(number, first)) ? first : undefined;
      },
    ),
    ({ moved }, { build, node }) => {
      const { dtype, shape } = node.outputs[0].type;
      return build.full(moved, dtype, shape);
    },
  ),
);

/** Broadcasts are moved towards the outputs and merged. */
export const broadcastRules: readonly Rule[] = [movedFull, repeatOnce, repeatLate, repeatInMatmul];
