import type { Dim } from '../../dims/dim.ts';
import type { NodeOf, Value } from '../../ir/graph.ts';
import type { BinaryName, UnaryName } from '../../ir/names.ts';
import type { TensorType } from '../../ir/types.ts';
import { convolution } from './convolution.ts';
import { transposed } from './data.ts';
import { toAttribute } from './element-types.ts';
import type { Emission } from './emission.ts';
import type { Lowering } from './lowering.ts';
import { signOf } from './non-negative.ts';
import { broadcastOperands, namesOf, type Operand, shapeOfBoth } from './operands.ts';
import { reshaped } from './reshaped.ts';
import { onRows } from './rows.ts';

const unary = (op: string) => (node: NodeOf<UnaryName>, emission: Emission) =>
  onRows(node, emission, op) ?? [emission.node(op, [emission.use(node.inputs[0])], node.outputs[0].type)];
/**
 * ONNX broadcasts these like the IR. Mod without fmod has the sign of the divisor, so it is Euclidean for a positive
 * divisor.
 */
const binary = (op: string) => (node: NodeOf<BinaryName>, emission: Emission) =>
  onRows(node, emission, op) ?? [emission.node(op, namesOf(broadcastOperands(node, emission)), node.outputs[0].type)];

const add: Lowering<'add'> = (node, emission) => {
  const fused = emission.plan.convBias.get(node);
  return fused === undefined ? binary('Add')(node, emission) : [convolution(fused.conv, emission, fused.bias)];
};

const div: Lowering<'div'> = (node, emission) => {
  if (!emission.plan.deviations.divisions.has(node)) return binary('Div')(node, emission);
  const [dividend, deviation] = node.inputs;
  const reciprocal = emission.reciprocals.get(deviation)!;
  return [emission.node('Mul', [emission.use(dividend), reciprocal], node.outputs[0].type)];
};

/**
 * Div truncates towards zero. For a non-negative dividend that is the floor; otherwise the result is (a - a mod b) / b.
 * Near the least int32 that difference would wrap, so 1 is subtracted from the quotient if a negative remainder was cut
 * off.
 */
const floordiv: Lowering<'floordiv'> = (node, emission) => {
  const operands = broadcastOperands(node, emission) as [Operand, Operand];
  const [a, b] = namesOf(operands) as [string, string];
  const { type } = node.outputs[0];
  const whole = (op: string, inputs: readonly string[]) => emission.node(op, inputs, type);
  switch (signOf(node.inputs[0], emission.facts)) {
    case 'not negative':
      return [whole('Div', [a, b])];
    case 'far from the least':
      return [whole('Div', [whole('Sub', [a, whole('Mod', [a, b])]), b])];
    case 'unknown': {
      const quotient = whole('Div', [a, b]);
      const cut = whole('Sub', [a, whole('Mul', [quotient, b])]);
      const sign = whole('Sign', [cut]);
      const zeros = emission.node('Sub', [b, b], { dtype: type.dtype, shape: operands[1].shape });
      // The sign of the remainder that was cut off is -1, 0 or 1.
      return [whole('Add', [quotient, whole('Min', [sign, zeros])])];
    }
  }
};

/** onnxruntime has no CPU kernel of Where for bool. */
const select: Lowering<'select'> = (node, emission) => {
  const operands = broadcastOperands(node, emission);
  const { type } = node.outputs[0];
  if (type.dtype !== 'bool') return [emission.node('Where', namesOf(operands), type)];
  const [condition, a, b] = operands as [Operand, Operand, Operand];
  const bool = (op: string, inputs: readonly string[], shape: readonly Dim[]) =>
    emission.node(op, inputs, { dtype: 'bool', shape });
  const then = bool('And', [condition.name, a.name], shapeOfBoth(emission, condition, a));
  const opposite = bool('Not', [condition.name], condition.shape);
  const otherwise = bool('And', [opposite, b.name], shapeOfBoth(emission, condition, b));
  return [bool('Or', [then, otherwise], type.shape)];
};

/** A cast of a dim is computed from the dim's i64 form. */
const cast: Lowering<'cast'> = (node, emission) => {
  const from = node.inputs[0];
  const { dtype } = node.attributes;
  if (from.node.op === 'dim') return [emission.dims.scalar(from.node.attributes.value, dtype)];
  const cast = ({ type }: Value): TensorType => ({ dtype, shape: type.shape });
  const castOf = (value: Value) => emission.node('Cast', [emission.use(value)], cast(value), toAttribute(dtype));
  if (!emission.plan.early.has(node)) return [castOf(from)];
  // The views are emitted again, on the result of the cast.
  const early = (value: Value): string => {
    const { node: view, type } = value;
    if (view.op === 'transpose') return transposed(early(view.inputs[0]), view, cast(value), emission);
    if (view.op !== 'reshape') return castOf(value);
    const source = view.inputs[0];
    return reshaped(emission, early(source), cast(source), type.shape);
  };
  return [early(from)];
};

/** Elementwise operators. */
export const elementwise = {
  neg: unary('Neg'),
  abs: unary('Abs'),
  exp: unary('Exp'),
  log: unary('Log'),
  sqrt: unary('Sqrt'),
  sin: unary('Sin'),
  cos: unary('Cos'),
  tanh: unary('Tanh'),
  erf: unary('Erf'),
  sigmoid: unary('Sigmoid'),
  softplus: unary('Softplus'),
  relu: unary('Relu'),
  floor: unary('Floor'),
  not: unary('Not'),
  add,
  sub: binary('Sub'),
  mul: binary('Mul'),
  div,
  pow: binary('Pow'),
  max: binary('Max'),
  min: binary('Min'),
  mod: binary('Mod'),
  floordiv,
  eq: binary('Equal'),
  lt: binary('Less'),
  le: binary('LessOrEqual'),
  and: binary('And'),
  or: binary('Or'),
  select,
  cast,
};
