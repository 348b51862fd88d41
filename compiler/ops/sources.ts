import { constant, zero } from '../dims/dim.ts';
import { bytes, free, movement } from './cost.ts';
import { allocate, copy, count, input, sizeOf } from './kernels/tensor.ts';
import { seededRandom, seedOf } from './random.ts';
import type { OpRow } from './row.ts';
import { anyShape, bools, dims, floats, integers, numbers } from './sampling.ts';
import { inputType, positiveShape, representable, typing } from './typing.ts';

const positive = 'Every dim of the shape is at least 1.';
const fits = 'The value is one that the dtype can hold.';

const constantElements = 'The shape has as many elements as the data.';
const constantRow: OpRow<'constant'> = {
  name: 'constant',
  docs: 'A tensor known when the graph is made. Floats are kept in float64 and rounded by the target.',
  constraints: [constantElements, positive],
  inputs: [],
  memory: 'new',
  elements: 'new',
  half: 'operands',
  free: true,
  infer: (_inputs, { tensor }, facts) =>
    typing(facts, (prove) => {
      const shape = tensor.shape.map(constant);
      prove.holds(count(tensor.shape) === tensor.data.length, constantElements);
      positiveShape(prove, shape, positive);
      return [{ dtype: tensor.dtype, shape }];
    }),
  reference: (_inputs, { tensor }) => [{ ...tensor, data: copy(tensor.dtype, tensor.data) }],
  cost: () => free,
  sample: (random) => ({
    inputs: [],
    attributes: { tensor: random.pick([floats, integers, bools])(random, anyShape(random)) },
  }),
};

const full: OpRow<'full'> = {
  name: 'full',
  docs: 'A tensor of `shape` with `value` everywhere.',
  constraints: [fits, positive],
  inputs: [],
  memory: 'new',
  elements: 'new',
  half: 'operands',
  free: true,
  infer: (_inputs, { value, dtype, shape }, facts) =>
    typing(facts, (prove) => {
      prove.holds(representable(value, dtype), fits);
      positiveShape(prove, shape, positive);
      return [{ dtype, shape }];
    }),
  reference(_inputs, { value, dtype, shape }) {
    const sizes = shape.map(sizeOf);
    return [{ dtype, shape: sizes, data: allocate(dtype, count(sizes)).fill(value) }];
  },
  cost: (_inputs, outputs) => ({ flops: zero, bytes: bytes(inputType(outputs, 0)) }),
  sample(random) {
    const dtype = random.pick(['f32', 'i32', 'bool'] as const);
    const value = dtype === 'bool' ? random.int(0, 1) : dtype === 'i32' ? random.int(-9, 9) : random.int(-9, 9) / 4;
    return { inputs: [], attributes: { value, dtype, shape: dims(anyShape(random)) } };
  },
};

const iotaPositive = 'n is at least 1.';
const iota: OpRow<'iota'> = {
  name: 'iota',
  docs: 'The numbers 0, 1, …, n-1 as `i32[n]`.',
  constraints: [iotaPositive],
  inputs: [],
  memory: 'new',
  elements: 'new',
  half: 'operands',
  free: true,
  infer: (_inputs, { n }, facts) =>
    typing(facts, (prove) => {
      prove.positive(n, iotaPositive);
      return [{ dtype: 'i32', shape: [n] }];
    }),
  reference(_inputs, { n }) {
    const data = new Int32Array(sizeOf(n));
    for (let i = 0; i < data.length; i++) data[i] = i;
    return [{ dtype: 'i32', shape: [data.length], data }];
  },
  cost: (_inputs, outputs) => ({ flops: zero, bytes: bytes(inputType(outputs, 0)) }),
  sample: (random) => ({ inputs: [], attributes: { n: constant(random.int(1, 20)) } }),
};

const dim: OpRow<'dim'> = {
  name: 'dim',
  docs: 'A dim as a number in the graph: `i32[]`. It may be any integer that int32 holds.',
  constraints: [],
  inputs: [],
  memory: 'new',
  elements: 'new',
  half: 'operands',
  free: true,
  infer: () => ({ types: [{ dtype: 'i32', shape: [] }] }),
  reference: (_inputs, { value }) => [{ dtype: 'i32', shape: [], data: Int32Array.of(sizeOf(value)) }],
  cost: (_inputs, outputs) => ({ flops: zero, bytes: bytes(inputType(outputs, 0)) }),
  sample: (random) => ({ inputs: [], attributes: { value: constant(random.int(-5, 500)) } }),
};

const uniform: OpRow<'uniform'> = {
  name: 'uniform',
  docs: 'f32 in [0, 1), drawn by the host from (seed, key, step) and fed to the graph. The reference kernel stands in for the host: its numbers depend on the key alone.',
  constraints: [positive],
  inputs: [],
  memory: 'new',
  elements: 'new',
  half: 'f32',
  infer: (_inputs, { shape }, facts) =>
    typing(facts, (prove) => {
      positiveShape(prove, shape, positive);
      return [{ dtype: 'f32', shape }];
    }),
  reference(_inputs, { shape, key }) {
    const sizes = shape.map(sizeOf);
    return [floats(seededRandom(seedOf(key)), sizes, 0, 1 - 2 ** -24)];
  },
  cost: (_inputs, outputs) => ({ flops: zero, bytes: bytes(inputType(outputs, 0)) }),
  sample: (random) => ({
    inputs: [],
    attributes: { shape: dims(anyShape(random)), key: `dropout.${random.int(0, 99)}` },
  }),
};

const stopGradient: OpRow<'stop_gradient'> = {
  name: 'stop_gradient',
  docs: 'The input itself, through which no gradient flows.',
  constraints: [],
  inputs: ['x'],
  memory: 'same',
  elements: 'own',
  half: 'operands',
  idempotent: true,
  free: true,
  infer: (inputs) => ({ types: [inputType(inputs, 0)] }),
  reference: (inputs) => [input(inputs, 0)],
  cost: () => free,
  sample: (random) => ({ inputs: [numbers(random, anyShape(random))], attributes: {} }),
};

const barrier: OpRow<'barrier'> = {
  name: 'barrier',
  docs: '`x`, available only once `signal` is, whose elements do not matter: `(x, signal) -> x`. What is computed from the result is not merged with what was computed from `x`, so that activations are recomputed instead of stored.',
  constraints: [],
  inputs: ['x', 'signal'],
  memory: 'same',
  elements: 'moved',
  half: 'operands',
  infer: (inputs) => ({ types: [inputType(inputs, 0)] }),
  reference: (inputs) => [input(inputs, 0)],
  cost: (inputs, outputs) => movement(inputs.slice(0, 1), outputs),
  sample: (random) => ({
    inputs: [numbers(random, anyShape(random)), numbers(random, anyShape(random))],
    attributes: {},
  }),
};

/** Operators without inputs, and identities with special gradients. */
export const sourceRows = { constant: constantRow, full, iota, dim, uniform, stop_gradient: stopGradient, barrier };
