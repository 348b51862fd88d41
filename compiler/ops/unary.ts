import type { OpAttributes, UnaryName } from '../ir/names.ts';
import type { DType } from '../ir/types.ts';
import { perElement } from './cost.ts';
import { map } from './kernels/elementwise.ts';
import { erf as errorFunction } from './kernels/erf.ts';
import { input } from './kernels/tensor.ts';
import type { HalfPrecision, OpRow, Random, ResultMemory } from './row.ts';
import { anyShape, bools, floats, numbers } from './sampling.ts';
import { inputType, isFloat, isNumeric, typing } from './typing.ts';

interface Unary {
  readonly docs: string;
  readonly takes: 'float' | 'numeric' | 'bool';
  readonly f: (x: number) => number;
  /** Default: `element`. */
  readonly memory?: Extract<ResultMemory, 'element' | 'alone'>;
  /** Default: `operands`. */
  readonly half?: HalfPrecision;
  readonly bf16?: 'f32';
  readonly bounded?: true;
  readonly idempotent?: true;
  readonly involution?: true;
  readonly flops: number;
  /** The range of sampled arguments; default: -3..3. */
  readonly domain?: readonly [number, number];
}

const accepts: Record<Unary['takes'], { constraint: string; test: (dtype: DType) => boolean }> = {
  float: { constraint: 'x is f32.', test: isFloat },
  numeric: { constraint: 'x is f32 or i32.', test: isNumeric },
  bool: { constraint: 'x is bool.', test: (dtype) => dtype === 'bool' },
};

function row<O extends UnaryName>(name: O, unary: Unary): OpRow<O> {
  const {
    docs,
    takes,
    f,
    memory = 'element',
    half = 'operands',
    bf16,
    bounded,
    idempotent,
    involution,
    flops,
    domain,
  } = unary;
  const { constraint, test } = accepts[takes];
  const draw = (random: Random, shape: number[]) => {
    if (takes === 'bool') return bools(random, shape);
    return takes === 'numeric' ? numbers(random, shape) : floats(random, shape, ...(domain ?? [-3, 3]));
  };
  return {
    name,
    docs: `${docs} Element by element; counted as ${flops} FLOP${flops === 1 ? '' : 's'} each.`,
    constraints: [constraint],
    inputs: ['x'],
    memory,
    elements: 'own',
    half,
    ...(bf16 === undefined ? {} : { bf16 }),
    ...(bounded === undefined ? {} : { bounded }),
    ...(idempotent === undefined ? {} : { idempotent }),
    ...(involution === undefined ? {} : { involution }),
    infer: (inputs, _attributes, facts) =>
      typing(facts, (prove) => {
        const x = inputType(inputs, 0);
        prove.holds(test(x.dtype), constraint);
        return [x];
      }),
    reference(inputs) {
      const x = input(inputs, 0);
      return [map(x.dtype, x, f)];
    },
    cost: (inputs, outputs) => perElement(flops, inputType(outputs, 0), inputs, outputs),
    sample: (random) => ({ inputs: [draw(random, anyShape(random))], attributes: {} as OpAttributes[O] }),
  };
}

/** Unary operators: they map one element at a time. */
export const unaryRows: { readonly [O in UnaryName]: OpRow<O> } = {
  neg: row('neg', {
    involution: true,
    docs: '-x.',
    takes: 'numeric',
    f: (x) => -x,
    flops: 1,
  }),
  abs: row('abs', {
    idempotent: true,
    docs: '|x|.',
    takes: 'numeric',
    f: Math.abs,
    flops: 1,
  }),
  exp: row('exp', {
    half: 'f32',
    bounded: true,
    docs: 'e^x.',
    takes: 'float',
    f: Math.exp,
    memory: 'alone',
    flops: 1,
  }),
  log: row('log', {
    half: 'f32',
    docs: 'The natural logarithm.',
    takes: 'float',
    f: Math.log,
    memory: 'alone',
    flops: 1,
    domain: [0.1, 9],
  }),
  sqrt: row('sqrt', {
    half: 'f32',
    docs: 'The square root.',
    takes: 'float',
    f: Math.sqrt,
    flops: 1,
    domain: [0, 9],
  }),
  sin: row('sin', {
    half: 'f32',
    bounded: true,
    docs: 'The sine of radians.',
    takes: 'float',
    f: Math.sin,
    memory: 'alone',
    flops: 1,
  }),
  cos: row('cos', {
    half: 'f32',
    bounded: true,
    docs: 'The cosine of radians.',
    takes: 'float',
    f: Math.cos,
    memory: 'alone',
    flops: 1,
  }),
  tanh: row('tanh', {
    bounded: true,
    docs: 'The hyperbolic tangent.',
    takes: 'float',
    f: Math.tanh,
    memory: 'alone',
    flops: 1,
  }),
  erf: row('erf', {
    half: 'f32',
    bounded: true,
    docs: 'The error function.',
    takes: 'float',
    f: errorFunction,
    memory: 'alone',
    flops: 1,
  }),
  sigmoid: row('sigmoid', {
    bounded: true,
    docs: '1 / (1 + e^-x).',
    takes: 'float',
    f: (x) => 1 / (1 + Math.exp(-x)),
    memory: 'alone',
    flops: 4,
  }),
  softplus: row('softplus', {
    half: 'f32',
    docs: 'log(1 + e^x), safe for large x.',
    takes: 'float',
    f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    memory: 'alone',
    flops: 4,
  }),
  relu: row('relu', {
    idempotent: true,
    docs: 'max(x, 0).',
    takes: 'float',
    f: (x) => Math.max(x, 0),
    flops: 1,
  }),
  floor: row('floor', {
    bf16: 'f32',
    idempotent: true,
    docs: 'The largest whole number that is not above x.',
    takes: 'float',
    f: Math.floor,
    flops: 1,
  }),
  not: row('not', { involution: true, docs: 'true for false.', takes: 'bool', f: (x) => 1 - x, flops: 1 }),
};
