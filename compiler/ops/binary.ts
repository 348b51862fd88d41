import type { BinaryName, OpAttributes } from '../ir/names.ts';
import type { DType, TensorData } from '../ir/types.ts';
import { broadcastConstraint, broadcastShapes } from './broadcasting.ts';
import { perElement } from './cost.ts';
import { zip } from './kernels/elementwise.ts';
import { input } from './kernels/tensor.ts';
import type { HalfPrecision, OpRow, Random, ResultMemory } from './row.ts';
import { alignedShapes, bools, floats, halves, integers } from './sampling.ts';
import { inputType, isFloat, isNumeric, typing } from './typing.ts';

type Draw = (random: Random, shape: readonly number[]) => TensorData;

interface Binary {
  readonly docs: string;
  readonly takes: keyof typeof accepts;
  readonly gives: 'same' | 'bool';
  readonly f: (a: number, b: number) => number;
  /** Default: `element`. */
  readonly memory?: Extract<ResultMemory, 'element' | 'alone'>;
  /** The function for i32, if float64 arithmetic would not wrap as int32 does. */
  readonly integer?: (a: number, b: number) => number;
  /** Pairs of samplers to pick from; both draw the same dtype. */
  readonly draws: readonly (readonly [Draw, Draw])[];
  /** Default: `operands`. */
  readonly half?: HalfPrecision;
  readonly bf16?: 'f32';
  readonly commutes?: true;
  readonly idempotent?: true;
}

const accepts = {
  float: { constraint: 'Both inputs are f32.', test: isFloat },
  integer: { constraint: 'Both inputs are i32.', test: (dtype: DType) => dtype === 'i32' },
  numeric: { constraint: 'Both inputs are f32 or i32.', test: isNumeric },
  bool: { constraint: 'Both inputs are bool.', test: (dtype: DType) => dtype === 'bool' },
  any: {
    constraint: 'Both inputs are f32, i32 or bool.',
    test: (dtype: DType) => isNumeric(dtype) || dtype === 'bool',
  },
} as const;

const sameDtype = 'Both inputs have the same dtype.';

const anyNumbers: Binary['draws'] = [
  [floats, floats],
  [halves, halves],
  [integers, integers],
];
const divisors: Draw = (random, shape) => integers(random, shape, 1, 7);
const awayFromZero: Draw = (random, shape) => {
  const x = floats(random, shape, 0.25, 4);
  return { ...x, data: x.data.map((value) => (random.int(0, 1) === 0 ? value : -value)) };
};
const bases: Draw = (random, shape) => floats(random, shape, 0.25, 3);
const exponents: Draw = (random, shape) => floats(random, shape, -3, 3);
const wholeExponents: Draw = (random, shape) => {
  const x = integers(random, shape, 0, 3);
  return { dtype: 'f32', shape, data: Float64Array.from(x.data) };
};

function row<O extends BinaryName>(name: O, binary: Binary): OpRow<O> {
  const {
    docs,
    takes,
    gives,
    f,
    memory = 'element',
    integer,
    draws,
    half = 'operands',
    bf16,
    commutes,
    idempotent,
  } = binary;
  const { constraint, test } = accepts[takes];
  return {
    name,
    docs: `${docs} Element by element, broadcasting by trailing alignment; counted as 1 FLOP each.`,
    constraints: [sameDtype, constraint, broadcastConstraint],
    inputs: ['a', 'b'],
    memory,
    elements: 'own',
    half,
    ...(bf16 === undefined ? {} : { bf16 }),
    ...(commutes === undefined ? {} : { commutes }),
    ...(idempotent === undefined ? {} : { idempotent }),
    infer: (inputs, _attributes, facts) =>
      typing(facts, (prove) => {
        const [a, b] = [inputType(inputs, 0), inputType(inputs, 1)];
        prove.holds(a.dtype === b.dtype, sameDtype);
        prove.holds(test(a.dtype), constraint);
        return [{ dtype: gives === 'bool' ? 'bool' : a.dtype, shape: broadcastShapes(prove, [a.shape, b.shape]) }];
      }),
    reference(inputs) {
      const [a, b] = [input(inputs, 0), input(inputs, 1)];
      const apply = a.dtype === 'i32' && integer !== undefined ? integer : f;
      return [zip(gives === 'bool' ? 'bool' : a.dtype, a, b, apply)];
    },
    cost: (inputs, outputs) => perElement(1, inputType(outputs, 0), inputs, outputs),
    sample(random) {
      const [left = [], right = []] = alignedShapes(random, 2);
      const [a, b] = random.pick(draws);
      return { inputs: [a(random, left), b(random, right)], attributes: {} as OpAttributes[O] };
    },
  };
}

const arithmetic = { takes: 'numeric', gives: 'same', draws: anyNumbers } as const;
const comparison = { takes: 'numeric', gives: 'bool', bf16: 'f32', draws: anyNumbers } as const;
const logical = { takes: 'bool', gives: 'bool', commutes: true, idempotent: true, draws: [[bools, bools]] } as const;
const whole = { takes: 'integer', gives: 'same', draws: [[integers, divisors]] } as const;

/** Euclidean remainder for a positive divisor: 0 <= mod(a, b) < b. */
const euclidean = (a: number, b: number): number => ((a % b) + b) % b;

/** Binary operators: they combine pairs of elements. */
export const binaryRows: { readonly [O in BinaryName]: OpRow<O> } = {
  add: row('add', {
    ...arithmetic,
    commutes: true,
    docs: 'a + b; i32 wraps.',
    f: (a, b) => a + b,
  }),
  sub: row('sub', {
    ...arithmetic,
    docs: 'a - b; i32 wraps.',
    f: (a, b) => a - b,
  }),
  mul: row('mul', {
    ...arithmetic,
    commutes: true,
    docs: 'a · b; i32 wraps.',
    f: (a, b) => a * b,
    integer: Math.imul,
  }),
  div: row('div', {
    docs: 'a / b. For i32 see `floordiv`.',
    takes: 'float',
    gives: 'same',
    f: (a, b) => a / b,
    draws: [[floats, awayFromZero]],
  }),
  pow: row('pow', {
    half: 'f32',
    docs: 'a to the power b; a negative base wants a whole exponent.',
    takes: 'float',
    gives: 'same',
    f: (a, b) => a ** b,
    memory: 'alone',
    draws: [
      [bases, exponents],
      [floats, wholeExponents],
    ],
  }),
  max: row('max', {
    ...arithmetic,
    commutes: true,
    idempotent: true,
    docs: 'The larger one.',
    f: Math.max,
  }),
  min: row('min', {
    ...arithmetic,
    commutes: true,
    idempotent: true,
    docs: 'The smaller one.',
    f: Math.min,
  }),
  mod: row('mod', {
    ...whole,
    docs: 'The remainder 0 <= r < b of a by b, for b > 0; other divisors are unspecified.',
    f: euclidean,
  }),
  floordiv: row('floordiv', {
    ...whole,
    docs: 'a / b rounded down, for b > 0; other divisors are unspecified.',
    f: (a, b) => Math.floor(a / b),
  }),
  eq: row('eq', {
    ...comparison,
    commutes: true,
    docs: 'a == b.',
    takes: 'any',
    draws: [...anyNumbers, [bools, bools]],
    f: (a, b) => (a === b ? 1 : 0),
  }),
  lt: row('lt', { ...comparison, docs: 'a < b.', f: (a, b) => (a < b ? 1 : 0) }),
  le: row('le', { ...comparison, docs: 'a <= b.', f: (a, b) => (a <= b ? 1 : 0) }),
  and: row('and', { ...logical, docs: 'Both hold.', f: (a, b) => a & b }),
  or: row('or', { ...logical, docs: 'At least one holds.', f: (a, b) => a | b }),
};
