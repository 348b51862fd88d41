import type { NodeOf } from '../../ir/graph.ts';
import type { BinaryName, UnaryName } from '../../ir/names.ts';
import type { Emission } from './emission.ts';
import type { Lowering } from './lowering.ts';
import { broadcastOperands } from './operands.ts';
import { type Argument, isTemp, type Temp, tfType } from './program.ts';

const unary =
  (fn: string) =>
  (node: NodeOf<UnaryName>, emission: Emission): Temp[] => {
    const x = emission.use(node.inputs[0]);
    return [emission.call(fn, [x], x.shape, x.dtype)];
  };

const binary =
  (fn: string) =>
  (node: NodeOf<BinaryName>, emission: Emission): Temp[] => {
    const { operands, shape } = broadcastOperands(node, emission);
    const result = node.outputs[0];
    const temp = emission.call(fn, operands, shape, tfType(result.type.dtype));
    return [emission.reshape(temp, emission.shape(result))];
  };

/**
 * `where` repeats its operands with tile, so they are passed in full size. On wasm it has no bool branches, so those
 * are computed as (condition and a) or (not condition and b).
 */
const select: Lowering<'select'> = (node, emission) => {
  const { operands, shape } = broadcastOperands(node, emission);
  const [condition, a, b] = operands as [Argument, Argument, Argument];
  const result = node.outputs[0];
  const dtype = tfType(result.type.dtype);
  const finish = (temp: Temp) => [emission.reshape(temp, emission.shape(result))];
  if (dtype !== 'bool') {
    const whole = [condition, a, b].map((operand) => {
      if (isTemp(operand)) return emission.expand(operand, shape);
      return emission.fill(shape, operand as number, result.type.dtype);
    });
    return finish(emission.call('where', whole, shape, dtype));
  }
  const cond = condition as Temp;
  const opposite = emission.call('logicalNot', [cond], cond.shape, 'bool');
  const then = emission.call('logicalAnd', [condition, a], shape, 'bool');
  const otherwise = emission.call('logicalAnd', [opposite, b], shape, 'bool');
  return finish(emission.call('logicalOr', [then, otherwise], shape, 'bool'));
};

const cast: Lowering<'cast'> = (node, emission) => [
  emission.cast(emission.use(node.inputs[0]), tfType(node.attributes.dtype)),
];

/** Elementwise operators. */
export const elementwise = {
  neg: unary('neg'),
  abs: unary('abs'),
  exp: unary('exp'),
  log: unary('log'),
  sqrt: unary('sqrt'),
  sin: unary('sin'),
  cos: unary('cos'),
  tanh: unary('tanh'),
  erf: unary('erf'),
  sigmoid: unary('sigmoid'),
  softplus: unary('softplus'),
  relu: unary('relu'),
  floor: unary('floor'),
  not: unary('logicalNot'),
  add: binary('add'),
  sub: binary('sub'),
  mul: binary('mul'),
  div: binary('div'),
  pow: binary('pow'),
  max: binary('maximum'),
  min: binary('minimum'),
  mod: binary('mod'),
  floordiv: binary('floorDiv'),
  eq: binary('equal'),
  lt: binary('less'),
  le: binary('lessEqual'),
  and: binary('logicalAnd'),
  or: binary('logicalOr'),
  select,
  cast,
};
