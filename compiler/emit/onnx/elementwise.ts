import type { NodeOf, Value } from '../../ir/graph.ts';
import type { BinaryName, UnaryName } from '../../ir/names.ts';
import { convolution } from './convolution.ts';
import { transposed } from './data.ts';
import { toAttribute } from './element-types.ts';
import type { Emission } from './emission.ts';
import { inputOf, type Lowering } from './lowering.ts';
import { signOf } from './non-negative.ts';
import { broadcastOperands } from './operands.ts';
import { reshaped } from './reshaped.ts';

const unary = (op: string) => (node: NodeOf<UnaryName>, emission: Emission) => [
  emission.node(op, [emission.use(inputOf(node, 0))]),
];
/** All of them broadcast as ours do. Mod without fmod has the sign of the divisor: Euclidean where it is positive. */
const binary = (op: string) => (node: NodeOf<BinaryName>, emission: Emission) => [
  emission.node(op, broadcastOperands(node, emission)),
];

const add: Lowering<'add'> = (node, emission) => {
  const fused = emission.plan.convBias.get(node);
  return fused === undefined ? binary('Add')(node, emission) : [convolution(fused.conv, emission, fused.bias)];
};

/**
 * Div truncates towards zero: the same as the floor for a dividend that is not negative, else (a - a mod b) / b. Near the
 * least number that difference would wrap: there one is taken off where something negative was cut.
 */
const floordiv: Lowering<'floordiv'> = (node, emission) => {
  const [a, b] = broadcastOperands(node, emission) as [string, string];
  switch (signOf(inputOf(node, 0), emission.facts)) {
    case 'not negative':
      return [emission.node('Div', [a, b])];
    case 'far from the least':
      return [emission.node('Div', [emission.node('Sub', [a, emission.node('Mod', [a, b])]), b])];
    case 'unknown': {
      const quotient = emission.node('Div', [a, b]);
      const cut = emission.node('Sub', [a, emission.node('Mul', [quotient, b])]);
      // The sign of what was cut is -1, 0 or 1.
      const least = emission.node('Min', [emission.node('Sign', [cut]), emission.node('Sub', [b, b])]);
      return [emission.node('Add', [quotient, least])];
    }
  }
};

/** onnxruntime has no Where for bool on the CPU. */
const select: Lowering<'select'> = (node, emission) => {
  const operands = broadcastOperands(node, emission);
  if (inputOf(node, 1).type.dtype !== 'bool') return [emission.node('Where', operands)];
  const [condition, a, b] = operands as [string, string, string];
  const then = emission.node('And', [condition, a]);
  const otherwise = emission.node('And', [emission.node('Not', [condition]), b]);
  return [emission.node('Or', [then, otherwise])];
};

/** A cast of a dim is made from its i64 form. */
const cast: Lowering<'cast'> = (node, emission) => {
  const from = inputOf(node, 0);
  const { dtype } = node.attributes;
  if (from.node.op === 'dim') return [emission.dims.scalar(from.node.attributes.value, dtype)];
  const castOf = (value: Value) => emission.node('Cast', [emission.use(value)], toAttribute(dtype));
  if (!emission.plan.early.has(node)) return [castOf(from)];
  // The views are made anew, of what the cast gives.
  const early = (value: Value): string => {
    const { node: view, type } = value;
    if (view.op === 'transpose') return transposed(early(inputOf(view, 0)), view, emission);
    if (view.op !== 'reshape') return castOf(value);
    const source = inputOf(view, 0);
    return reshaped(emission, early(source), source.type.shape, type.shape);
  };
  return [early(from)];
};

/** Operators on elements. */
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
  div: binary('Div'),
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
