import { definitions } from '../../compiler/definitions/table.ts';
import { add, asConstant, constant, type Dim, mul, one, product, variable, zero } from '../../compiler/dims/dim.ts';
import { Facts } from '../../compiler/dims/facts.ts';
import { gradientRowOf } from '../../compiler/gradients/table.ts';
import { Builder, OpError } from '../../compiler/graphs/builder.ts';
import { finish } from '../../compiler/graphs/rebuild.ts';
import type { Graph, Value } from '../../compiler/ir/graph.ts';
import type { BinaryName, CompositeName, OpAttributes, OpName, UnaryName } from '../../compiler/ir/names.ts';
import { tensor } from '../../compiler/ir/tensor-data.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import { binaryRows } from '../../compiler/ops/binary.ts';
import type { OpRow, Random } from '../../compiler/ops/row.ts';
import { unaryRows } from '../../compiler/ops/unary.ts';

const [B, H] = [variable('B'), variable('H')];
const n = constant;

/** A random well-typed graph, most of it views and elementwise arithmetic, with two free dims. */
export function randomGraph(random: Random, steps: number, kind: keyof typeof moves): Graph {
  const even = Facts.none.assume({ kind: 'mod', value: H, modulus: 2, remainder: 0 });
  const build = new Builder(even.assume({ kind: 'le', left: n(2), right: B }));
  const starts = [
    [B, n(4), n(6)],
    [B, H, n(4)],
    [n(2), n(3), n(4)],
  ];
  const inputs = starts.map((shape, i) => build.input(`x${i}`, { dtype: 'f32', shape }));
  const pool = [...inputs];
  for (let step = 0; step < steps; step++) {
    // Recent values first, so that chains grow long.
    const x = pool[Math.max(0, pool.length - 1 - Math.floor(random.real() ** 3 * pool.length))]!;
    const made = attempt(() => random.pick(moves[kind])(build, x, random, pool, step));
    if (made !== undefined && made.type.dtype === 'f32' && made.type.shape.length <= 6) pool.push(made);
  }
  const picked = [...new Set([pool.at(-1)!, pool.at(-2)!, random.pick(pool)])];
  const results =
    kind === 'kinks'
      ? picked.map((x, i) => attempt(() => random.pick(endings)(build, x, random, pool, steps + i)) ?? x)
      : picked;
  const parts = {
    name: 'random',
    docs: '',
    inputs: inputs.map((value, i) => ({ name: `x${i}`, value, docs: '' })),
    outputs: results.map((value, i) => ({ name: `y${i}`, value, docs: '' })),
    facts: build.facts,
    // So large that products are worth their while to regroup.
    expected: new Map([
      ['B', n(4096)],
      ['H', n(6144)],
    ]),
    guards: [],
  };
  return finish(parts, build.nodes);
}

/** Undefined where the shape rule refuses, as for a slice of an axis that may be too short. */
function attempt(move: () => Value | undefined): Value | undefined {
  try {
    return move();
  } catch (error) {
    if (error instanceof OpError) return undefined;
    throw error;
  }
}

type Move = (build: Builder, x: Value, random: Random, pool: readonly Value[], step: number) => Value | undefined;

/** What operators make of numbers on a grid, each of one operand or of all pairs. */
const halves = Array.from({ length: 13 }, (_, i) => (i - 6) / 2);
const [given, left, right] = [
  halves,
  halves.flatMap((a) => halves.map(() => a)),
  halves.flatMap(() => halves),
] as const;
const column = (elements: readonly number[]) => tensor('f32', [elements.length], elements);

/** Of operators on floats that give floats, those whose results are all like that. */
function floatOps<O extends UnaryName | BinaryName>(
  rows: { readonly [P in O]: OpRow<P> },
  operands: readonly (readonly number[])[],
  test: (result: number, i: number) => boolean,
): readonly O[] {
  return (Object.keys(rows) as O[]).filter((op) => {
    const row = rows[op] as OpRow<OpName>;
    const types = operands.map((): TensorType => ({ dtype: 'f32', shape: [n(operands[0]!.length)] }));
    const typed = row.infer(types, {}, Facts.none);
    if ('fault' in typed || typed.types[0].dtype !== 'f32') return false;
    return [...row.reference(operands.map(column), {})[0]!.data].every(test);
  });
}
const isHalf = (x: number) => Number.isInteger(2 * x);
const hasSlope = (op: OpName) => gradientRowOf(op).gradient !== 'none';

/** Defined everywhere, without jumps, and not growing faster than their operand. */
const steadyUnary = floatOps(unaryRows, [given], (y, i) => Math.abs(y) <= Math.abs(given[i]!) + 1).filter(hasSlope);
/** Exact on small numbers, so that what is equal stays equal however it is computed. */
const bentUnary = floatOps(unaryRows, [given], isHalf);
/** Defined everywhere, and growing no faster than products. */
const steadyBinary = floatOps(
  binaryRows,
  [left, right],
  (y, i) => Math.abs(y) <= Math.max(Math.abs(left[i]! * right[i]!), Math.abs(left[i]!) + Math.abs(right[i]!)),
).filter(hasSlope);
const bentBinary = floatOps(
  binaryRows,
  [left, right],
  (y, i) => isHalf(y) && Math.abs(y) <= Math.abs(left[i]!) + Math.abs(right[i]!),
);
const commuting = steadyBinary.filter((op) => binaryRows[op].commutes);

const unary: Move = (build, x, random) => build.emit(random.pick(steadyUnary), [x], {})[0];

const withNumber: Move = (build, x, random) => {
  const number = build.full(random.pick([0, 1, -1, 2, 0.5, 3]), 'f32', random.pick([[], x.type.shape, [one]]));
  const op = random.pick(steadyBinary);
  return random.int(0, 1) === 0 ? build.emit(op, [x, number], {})[0] : build.emit(op, [number, x], {})[0];
};

const divide: Move = (build, x, random) => build.div(x, build.full(random.pick([1, 2, -4, 3]), 'f32', []));

const power: Move = (build, x, random) => build.pow(x, build.full(random.pick([1, 2, 3]), 'f32', []));

const withAnother: Move = (build, x, random, pool) => {
  const others = pool.filter((other) => 'values' in build.tryEmit('add', [x, other], {}));
  return build.emit(random.pick(steadyBinary), [x, random.pick(others)], {})[0];
};

/** A vector along one axis, as a weight or a constant would be. */
const withVector: Move = (build, x, random, _pool, step) => {
  const axis = random.int(0, x.type.shape.length - 1);
  const size = asConstant(x.type.shape[axis] ?? one);
  if (size === undefined) return undefined;
  const shape = x.type.shape.slice(axis).map((dim, i) => (i === 0 ? dim : one));
  const isWeight = random.int(0, 1) === 0;
  const elements = Array.from({ length: size }, (_, i) => i - 1);
  const vector = isWeight ? weight(build, `v${step}`, [n(size)]) : build.constant(tensor('f32', [size], elements));
  return build.emit(random.pick(commuting), [build.reshape(vector, shape), x], {})[0];
};

function weight(build: Builder, path: string, shape: readonly Dim[]): Value {
  const init = { name: 'zeros', args: {} };
  return build.weight({ path, role: 'param', init, decay: true, keepF32: false }, { dtype: 'f32', shape });
}

const permuted = (random: Random, rank: number): number[] => {
  const perm = Array.from({ length: rank }, (_, i) => i);
  for (let i = rank - 1; i > 0; i--) {
    const j = random.int(0, i);
    [perm[i], perm[j]] = [perm[j]!, perm[i]!];
  }
  return perm;
};

const transpose: Move = (build, x, random) => build.transpose(x, permuted(random, x.type.shape.length));

const merge: Move = (build, x, random) => {
  const { shape } = x.type;
  if (shape.length < 2) return undefined;
  const at = random.int(0, shape.length - 2);
  return build.reshape(x, [...shape.slice(0, at), mul(shape[at]!, shape[at + 1]!), ...shape.slice(at + 2)]);
};

const split: Move = (build, x, random) => {
  const { shape } = x.type;
  const axis = random.int(0, shape.length - 1);
  const size = asConstant(shape[axis] ?? one);
  const by = random.pick([2, 3]);
  if (size === undefined || size % by !== 0) return undefined;
  const pieces = random.int(0, 1) === 0 ? [n(by), n(size / by)] : [n(size / by), n(by)];
  return build.reshape(x, [...shape.slice(0, axis), ...pieces, ...shape.slice(axis + 1)]);
};

const insertOne: Move = (build, x, random) => {
  const at = random.int(0, x.type.shape.length);
  return build.reshape(x, [...x.type.shape.slice(0, at), one, ...x.type.shape.slice(at)]);
};

const dropOnes: Move = (build, x) =>
  build.reshape(
    x,
    x.type.shape.filter((dim) => asConstant(dim) !== 1),
  );

const reshapeAs: Move = (build, x, random, pool) => {
  const volume = product(x.type.shape).key;
  return build.reshape(x, random.pick(pool.filter((other) => product(other.type.shape).key === volume)).type.shape);
};

const repeat: Move = (build, x, random) => {
  const shape = x.type.shape.map((dim) => (asConstant(dim) === 1 ? n(2) : dim));
  return build.broadcast(x, random.int(0, 1) === 0 ? shape : [n(2), ...shape]);
};

const slice: Move = (build, x, random) => {
  const start = x.type.shape.map((dim) => n(random.int(0, Math.max(0, (asConstant(dim) ?? 1) - 2))));
  const whole = random.int(0, 2) === 0;
  const from = start.map((dim) => (whole ? zero : dim));
  return build.slice(
    x,
    from,
    x.type.shape,
    x.type.shape.map(() => (whole ? 1 : random.int(1, 2))),
  );
};

const roll: Move = (build, x, random) => {
  const axis = random.int(0, x.type.shape.length - 1);
  const size = x.type.shape[axis];
  if (size === undefined || (asConstant(size) ?? 2) < 2) return undefined;
  const part = (from: Dim, to: Dim): Value => {
    const bound = (at: Dim, other: Dim, i: number) => (i === axis ? at : other);
    const ends = x.type.shape;
    return build.slice(
      x,
      ends.map((_, i) => bound(from, zero, i)),
      ends.map((end, i) => bound(to, end, i)),
      ends.map(() => 1),
    );
  };
  const [first, rest] = [part(zero, one), part(one, size)];
  return build.concat(random.int(0, 1) === 0 ? [first, rest] : [rest, first], axis);
};

const pad: Move = (build, x, random) => {
  const width = () => x.type.shape.map(() => n(random.int(0, 3) === 0 ? 1 : 0));
  return build.pad(x, width(), width(), random.pick([0, 1]));
};

const concat: Move = (build, x, random, pool) => {
  const axis = random.int(0, x.type.shape.length - 1);
  const parts = pool.filter((other) => 'values' in build.tryEmit('concat', [x, other], { axis }));
  return parts.length === 0 ? undefined : build.concat([x, random.pick(parts)], axis);
};

const unconcat: Move = (build, x, random) => {
  if (x.node.op !== 'concat') return undefined;
  const { axis } = x.node.attributes;
  const [first, second] = [x.node.inputs[0]!.type.shape[axis]!, x.node.inputs[1]!.type.shape[axis]!];
  const [from, to] = random.int(0, 1) === 0 ? [zero, first] : [first, add(first, second)];
  const bounds = (at: Dim, whole: (dim: Dim) => Dim) => x.type.shape.map((dim, i) => (i === axis ? at : whole(dim)));
  return build.slice(
    x,
    bounds(from, () => zero),
    bounds(to, (dim) => dim),
    x.type.shape.map(() => 1),
  );
};

const reduce: Move = (build, x, random) => {
  const axes = x.type.shape.flatMap((_, axis) => (random.int(0, 2) === 0 ? [axis] : []));
  if (axes.length === 0) return undefined;
  const reduced = build.emit(random.pick(['sum', 'mean', 'reduce_max'] as const), [x], {
    axes,
    keep: random.int(0, 1) === 0,
  });
  return reduced[0];
};

const linear: Move = (build, x, random, _pool, step) => {
  const size = asConstant(x.type.shape.at(-1) ?? variable('N'));
  if (size === undefined || x.type.shape.length < 2) return undefined;
  const out = random.int(2, 4);
  const turned = random.int(0, 1) === 0;
  const matrix = weight(build, `w${step}`, turned ? [n(out), n(size)] : [n(size), n(out)]);
  return build.matmul(x, turned ? build.transpose(matrix, [1, 0]) : matrix);
};

const scores: Move = (build, x, random) => {
  const rank = x.type.shape.length;
  if (rank < 2) return undefined;
  const swap = permuted(random, 0).concat(
    Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i)),
  );
  return build.mul(build.matmul(x, build.transpose(build.tanh(x), swap)), build.full(0.25, 'f32', []));
};

const softmax: Move = (build, x, random) => {
  if (x.type.shape.length === 0) return undefined;
  const axis = random.int(0, x.type.shape.length - 1);
  return random.int(0, 1) === 0 ? build.softmax(x, axis) : writtenOut('softmax', build, [build.tanh(x)], { axis });
};

const norm: Move = (build, x, random, _pool, step) => {
  const size = asConstant(x.type.shape.at(-1) ?? variable('N'));
  if (size === undefined || size < 2) return undefined;
  const operands = [x, weight(build, `s${step}`, [n(size)]), weight(build, `b${step}`, [n(size)])];
  return random.int(0, 1) === 0
    ? build.layerNorm(operands[0]!, operands[1]!, operands[2]!, 0.5)
    : writtenOut('layer_norm', build, operands, { eps: 0.5 });
};

const gelu: Move = (build, x, random) => writtenOut('gelu', build, [x], { approximate: random.int(0, 1) === 0 });

function writtenOut<O extends CompositeName>(
  op: O,
  build: Builder,
  inputs: readonly Value[],
  attributes: OpAttributes[O],
): Value {
  return definitions[op](build, inputs, attributes)[0]!;
}

const choose: Move = (build, x, random) => {
  const half = build.full(0.5, 'f32', []);
  const condition = random.int(0, 1) === 0 ? build.lt(x, half) : build.not(build.le(half, x));
  return build.select(random.int(0, 3) === 0 ? build.full(random.int(0, 1), 'bool', []) : condition, x, build.neg(x));
};

const position: Move = (build, x, random) => {
  const size = x.type.shape.at(-1);
  if (size === undefined) return undefined;
  const index = build.mod(build.add(build.iota(size), build.full(1, 'i32', [])), build.full(3, 'i32', []));
  const scaled = random.int(0, 1) === 0 ? index : build.mul(index, build.dim(size));
  return build.add(x, build.cast(scaled, 'f32'));
};

const half: Move = (build, x, random) =>
  random.int(0, 3) === 0 ? build.cast(build.cast(build.lt(x, x), 'i32'), 'f32') : undefined;

const bent: Move = (build, x, random) => build.emit(random.pick(bentUnary), [x], {})[0];

const bentWithNumber: Move = (build, x, random) => {
  const number = build.full(random.pick([0, 1, -1]), 'f32', random.pick([[], x.type.shape, [one]]));
  const op = random.pick([...bentBinary, 'mul'] as const);
  return random.int(0, 1) === 0 ? build.emit(op, [x, number], {})[0] : build.emit(op, [number, x], {})[0];
};

const bentWithAnother: Move = (build, x, random, pool) => {
  const others = pool.filter((other) => 'values' in build.tryEmit('add', [x, other], {}));
  return build.emit(random.pick(bentBinary), [x, random.pick(others)], {})[0];
};

const bentReduce: Move = (build, x, random) => {
  const axes = x.type.shape.flatMap((_, axis) => (random.int(0, 1) === 0 ? [axis] : []));
  if (axes.length === 0) return undefined;
  const keep = random.int(0, 1) === 0;
  return build.emit(random.pick(['sum', 'reduce_max', 'reduce_max'] as const), [x], { axes, keep })[0];
};

const halved: Move = (build, x, random) => build.div(x, build.full(random.pick([1, 2, -4]), 'f32', []));

const squared: Move = (build, x, random) => build.pow(x, build.full(random.pick([1, 2]), 'f32', []));

const root: Move = (build, x, random) => {
  const positive = build.add(build.abs(x), build.full(1, 'f32', []));
  return build.pow(positive, build.full(random.pick([0.5, -0.5, -1]), 'f32', []));
};

const quotient: Move = (build, x) => {
  const positive = build.add(build.abs(x), build.full(1, 'f32', []));
  return build.mul(x, build.div(build.full(1, 'f32', []), positive));
};

const logistic: Move = (build, x) => {
  const number = build.full(1, 'f32', []);
  return build.div(number, build.add(number, build.exp(build.neg(x))));
};

const logSoftmax: Move = (build, x, random) => {
  if (x.type.shape.length === 0) return undefined;
  const axis = random.int(0, x.type.shape.length - 1);
  return random.int(0, 1) === 0
    ? build.log(build.softmax(build.tanh(x), axis))
    : writtenOut('log_softmax', build, [build.tanh(x)], { axis });
};

/** The definition takes the gradient of the maximum out; who writes softmax out may leave it in. */
const shiftedSoftmax: Move = (build, x, random) => {
  if (x.type.shape.length === 0) return undefined;
  const axis = random.int(0, x.type.shape.length - 1);
  const powers = build.exp(build.sub(x, build.reduceMax(x, [axis], true)));
  return build.div(powers, build.sum(powers, [axis], true));
};

const average: Move = (build, x, random) => {
  const axis = random.int(0, x.type.shape.length - 1);
  const size = asConstant(x.type.shape[axis] ?? variable('N'));
  if (size === undefined || random.int(0, 1) === 0) return build.mean(build.mean(x, [axis], false), [0], false);
  return build.div(build.sum(x, [axis]), build.full(size, 'f32', []));
};

/** A transpose on either side of merged axes. */
const turnedTwice: Move = (build, x, random) => {
  const rank = x.type.shape.length;
  if (rank < 3) return undefined;
  const turned = build.transpose(x, permuted(random, rank));
  const merged = build.reshape(turned, [...turned.type.shape.slice(0, -2), mul(...lastTwo(turned))]);
  return build.transpose(merged, permuted(random, rank - 1));
};

function lastTwo({ type: { shape } }: Value): [Dim, Dim] {
  return [shape.at(-2) ?? one, shape.at(-1) ?? one];
}

const turnedParts: Move = (build, x, random, pool) => {
  const perm = permuted(random, x.type.shape.length);
  const others = pool.filter((other) => 'values' in build.tryEmit('add', [x, other], {}));
  return build.concat(
    [x, random.pick(others)].map((part) => build.transpose(part, perm)),
    random.int(0, perm.length - 1),
  );
};

/** Whole numbers and conditions beside the floats. */
const indexed: Move = (build, x, random) => {
  const size = x.type.shape.at(-1);
  if (size === undefined) return undefined;
  const [first, second] = [1, 2].map((value) => build.full(value, 'i32', []));
  const places = build.add(build.add(build.iota(size), first!), second!);
  const condition = build.and(build.lt(build.cast(places, 'f32'), x), build.full(random.int(0, 1), 'bool', [one]));
  const counted = build.cast(build.cast(condition, 'i32'), 'f32');
  const moved = build.reshape(build.broadcast(build.full(1, 'f32', [one]), [size, one]), [size]);
  return build.select(condition, build.add(x, counted), build.max(x, moved));
};

/** One row of zeros in front: multiplied, or taken away again. */
const padded: Move = (build, x, random, _pool, step) => {
  const { shape } = x.type;
  const size = asConstant(shape.at(-1) ?? variable('N'));
  if (size === undefined || shape.length < 2) return undefined;
  const nothing = shape.map(() => zero);
  const first = shape.map((_, axis) => (axis === 0 ? one : zero));
  const rows = build.pad(x, first, nothing, 0);
  if (random.int(0, 1) === 0) return build.matmul(rows, weight(build, `p${step}`, [n(size), n(2)]));
  const stop = shape.map((dim, axis) => (axis === 0 ? add(dim, one) : dim));
  return build.slice(
    rows,
    first,
    stop,
    shape.map(() => 1),
  );
};

const repeatedTwice: Move = (build, x) => {
  const once = build.broadcast(x, [n(2), ...x.type.shape]);
  return build.broadcast(once, [n(3), ...once.type.shape]);
};

/** The largest of each row, then of those. */
const largestTwice: Move = (build, x) => build.reduceMax(build.reduceMax(x, [0], false), [0], false);

/** Few queries over the rows of x, as in attention with two heads. */
const attended: Move = (build, x, random, _pool, step) => {
  const [rows, size] = [x.type.shape.at(-2), asConstant(x.type.shape.at(-1) ?? variable('N'))];
  if (rows === undefined || size === undefined || x.type.shape.length !== 3) return undefined;
  const heads = (name: string, perm: readonly number[]): Value => {
    const product = build.matmul(x, weight(build, `${name}${step}`, [n(size), n(4)]));
    const moved = random.int(0, 1) === 0 ? product : build.add(product, weight(build, `${name}b${step}`, [n(4)]));
    const scaled = random.int(0, 1) === 0 ? moved : build.mul(moved, build.full(0.5, 'f32', []));
    return build.transpose(build.reshape(scaled, [x.type.shape[0]!, rows, n(2), n(2)]), perm);
  };
  const query = weight(build, `q${step}`, [n(2), n(3), n(2)]);
  const score = build.matmul(query, heads('k', [0, 2, 3, 1]));
  const rowsOf = random.int(0, 1) === 0 ? build.softmax(score, 3) : build.tanh(score);
  const read = build.matmul(rowsOf, heads('v', [0, 2, 1, 3]));
  return random.int(0, 1) === 0
    ? read
    : build.reshape(build.transpose(read, [0, 2, 1, 3]), [x.type.shape[0]!, n(3), n(4)]);
};

/** Rows that are mixed from three vectors, normalised over rows, and perhaps projected. */
const mixedRows: Move = (build, x, random, _pool, step) => {
  const size = asConstant(x.type.shape.at(-1) ?? variable('N'));
  if (size === undefined || x.type.shape.length < 2) return undefined;
  const score = build.matmul(x, weight(build, `s${step}`, [n(size), n(3)]));
  const vectors = weight(
    build,
    `t${step}`,
    random.pick([
      [n(3), n(4)],
      [n(2), n(3), n(4)],
    ]),
  );
  const mixed = build.matmul(build.softmax(score, score.type.shape.length - 1), vectors);
  const moved =
    random.int(0, 2) === 0 ? mixed : build.add(mixed, weight(build, `u${step}`, [random.pick([n(4), one])]));
  const rows = [moved.type.shape.length - 2];
  const centred = build.sub(moved, build.mean(moved, rows, true));
  const variance = build.mean(build.mul(centred, centred), rows, true);
  const deviation = build.sqrt(build.add(variance, build.full(0.5, 'f32', [])));
  const normed = random.int(0, 1) === 0 ? build.div(centred, deviation) : build.mul(deviation, centred);
  return random.int(0, 2) === 0 ? normed : build.matmul(normed, weight(build, `r${step}`, [n(4), n(2)]));
};

/** A product with a vector, of a sum of projections of all rows and of some. */
const weighed: Move = (build, x, random, _pool, step) => {
  const size = asConstant(x.type.shape.at(-1) ?? variable('N'));
  const rows = x.type.shape.length - 2;
  if (size === undefined || rows < 0) return undefined;
  const matrix = weight(build, `m${step}`, [n(size), n(4)]);
  const projected = build.add(build.matmul(x, matrix), weight(build, `a${step}`, [n(4)]));
  const { shape } = projected.type;
  const nothing = shape.map(() => zero);
  const first = build.slice(
    projected,
    nothing,
    shape.map((dim, axis) => (axis === rows ? one : dim)),
    shape.map(() => 1),
  );
  const whole =
    random.int(0, 1) === 0
      ? build.add(projected, build.mul(first, build.full(1, 'f32', [])))
      : build.concat([projected, first], rows);
  if (random.int(0, 1) === 0) return build.matmul(whole, weight(build, `d${step}`, [n(4), one]));
  const swapped = [...shape.keys()].map((axis) => (axis < rows ? axis : 2 * rows + 1 - axis));
  return build.matmul(weight(build, `d${step}`, [one, n(4)]), build.transpose(whole, swapped));
};

/** The channels of a product with a matrix, in another order. */
const reordered: Move = (build, x, random, _pool, step) => {
  const size = asConstant(x.type.shape.at(-1) ?? variable('N'));
  if (size === undefined || x.type.shape.length < 2) return undefined;
  const projected = build.matmul(x, weight(build, `o${step}`, [n(size), n(6)]));
  const moved =
    random.int(0, 1) === 0
      ? projected
      : build.add(weight(build, `ob${step}`, [random.pick([n(6), n(6), one])]), projected);
  const lead = moved.type.shape.slice(0, -1);
  const rank = lead.length;
  const perm =
    random.int(0, 1) === 0 ? [...lead.keys(), rank + 1, rank] : [...lead.slice(1).keys(), rank + 1, rank, rank - 1];
  return build.transpose(build.reshape(moved, [...lead, n(2), n(3)]), perm);
};

/** A run of an axis, by splitting it. */
const runOfAxis: Move = (build, x, random) => {
  const axis = random.int(0, x.type.shape.length - 1);
  const size = asConstant(x.type.shape[axis] ?? one) ?? 1;
  if (size < 4 || size % 2 !== 0) return undefined;
  const shape = [...x.type.shape.slice(0, axis), n(2), n(size / 2), ...x.type.shape.slice(axis + 1)];
  const first = random.int(0, 1);
  const bounds = (at: number, whole: (dim: Dim) => Dim) => shape.map((dim, i) => (i === axis ? n(at) : whole(dim)));
  const part = build.slice(
    build.reshape(x, shape),
    bounds(first, () => zero),
    bounds(first + 1, (dim) => dim),
    shape.map(() => 1),
  );
  return build.reshape(
    part,
    part.type.shape.filter((_, i) => i !== axis),
  );
};

/** Two parts of one size, padded with zeros and added: side by side, or one on the other. */
const paddedParts: Move = (build, x, random) => {
  const axis = random.int(0, x.type.shape.length - 1);
  const size = x.type.shape[axis];
  if (size === undefined) return undefined;
  const at = (dim: Dim) => x.type.shape.map((_, i) => (i === axis ? dim : zero));
  const [none, ahead] = [at(zero), at(size)];
  const other = build.neg(x);
  const first = build.pad(x, none, ahead, 0);
  return build.add(first, random.int(0, 3) === 0 ? build.pad(other, none, ahead, 0) : build.pad(other, ahead, none, 0));
};

const twoVectors: Move = (build, x, _random, _pool, step) => {
  const last = x.type.shape.at(-1);
  if (last === undefined || asConstant(last) === undefined) return undefined;
  return build.add(build.add(x, weight(build, `e${step}`, [last])), weight(build, `f${step}`, [last]));
};

const endings = [
  attended,
  mixedRows,
  reordered,
  runOfAxis,
  weighed,
  twoVectors,
  root,
  quotient,
  logistic,
  logSoftmax,
  shiftedSoftmax,
  average,
  softmax,
  norm,
  gelu,
  linear,
  scores,
  padded,
  paddedParts,
  repeatedTwice,
  largestTwice,
];

const elementwiseMoves = [unary, withNumber, withAnother, withVector];
const bentMoves = [bent, bentWithNumber, bentWithAnother, bentReduce, choose, halved, squared];
const layoutMoves = [transpose, merge, split, insertOne, dropOnes, reshapeAs, repeat];
const moves = {
  views: [
    ...elementwiseMoves,
    ...layoutMoves,
    ...layoutMoves,
    transpose,
    slice,
    roll,
    pad,
    concat,
    unconcat,
    reduce,
    linear,
    reordered,
    runOfAxis,
    paddedParts,
  ],
  everything: [
    ...[...elementwiseMoves, ...layoutMoves, divide, power, slice, roll, pad, concat, unconcat, reduce, linear],
    ...[scores, softmax, norm, gelu, choose, position, half],
  ],
  kinks: [
    ...bentMoves,
    ...bentMoves,
    ...layoutMoves,
    slice,
    roll,
    pad,
    concat,
    unconcat,
    indexed,
    turnedTwice,
    turnedParts,
  ],
  products: [
    ...[attended, mixedRows, weighed, twoVectors, linear, linear, linear, scores, withVector, unary],
    ...[...layoutMoves, transpose, slice, concat, softmax],
  ],
} satisfies Record<string, readonly Move[]>;
