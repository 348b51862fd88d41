import { expect, test } from 'vitest';
import { constant, type Dim, evaluate, mul, one, sub, variable } from '../../compiler/dims/dim.ts';
import { Facts } from '../../compiler/dims/facts.ts';
import { Builder } from '../../compiler/graphs/builder.ts';
import { interpret } from '../../compiler/graphs/interpret.ts';
import { finish } from '../../compiler/graphs/rebuild.ts';
import { rangesUnder } from '../../compiler/graphs/value-range.ts';
import type { Value } from '../../compiler/ir/graph.ts';
import { tensor } from '../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { seededRandom } from '../../compiler/ops/random.ts';
import type { Random } from '../../compiler/ops/row.ts';

const [N, M] = [variable('N'), variable('M')];
const none = () => {
  throw new Error('no weights here');
};

function elementsOf(value: Value, build: Builder, inputs: ReadonlyMap<Value, TensorData>, sizes: Map<string, number>) {
  const parts = {
    name: 'Test',
    docs: '',
    inputs: [...inputs.keys()].map((input, i) => ({ name: `input ${i}`, value: input, docs: '' })),
    outputs: [{ name: 'y', value, docs: '' }],
    facts: build.facts,
    guards: [],
  };
  const feeds = new Map([...inputs.values()].map((data, i) => [`input ${i}`, data]));
  return interpret(finish(parts, build.nodes), feeds, none, sizes).get('y')!.data;
}

/** An i32 value of [N, M], [N, 1], [M] or [] that is made of whatever index arithmetic is made of. */
function draw(random: Random, build: Builder, inputs: readonly Value[], depth: number): Value {
  const again = () => draw(random, build, inputs, depth - 1);
  if (depth === 0)
    return random.pick<() => Value>([
      () => build.iota(M),
      () => build.reshape(build.iota(N), [N, one]),
      () => build.dim(random.pick([N, M, mul(N, M), sub(M, constant(2))])),
      () => build.full(random.int(-3, 6), 'i32', []),
      () => random.pick(inputs),
    ])();
  const whole = (x: Value) => (x.type.shape.length === 2 ? x : build.broadcast(x, [N, M]));
  return random.pick<() => Value>([
    () => build.add(again(), again()),
    () => build.sub(again(), again()),
    () => build.mul(again(), again()),
    () => build.min(again(), again()),
    () => build.max(again(), again()),
    () => build.floordiv(again(), build.full(random.int(1, 4), 'i32', [])),
    () => build.floordiv(again(), build.dim(M)),
    () => build.mod(again(), build.dim(random.pick([N, M, constant(3)]))),
    () => build.neg(again()),
    () => build.abs(again()),
    () => build.relu(again()),
    () => build.select(build.lt(again(), again()), again(), again()),
    () => build.cast(build.floor(build.cast(again(), 'f32')), 'i32'),
    () => build.gather(build.reshape(whole(again()), [mul(N, M)]), build.iota(M)),
    () => build.reshape(build.concat([whole(again()), whole(again())], 1), [N, mul(constant(2), M)]),
    () => build.transpose(build.transpose(whole(again()), [1, 0]), [1, 0]),
    () => build.slice(whole(again()), [constant(0), sub(M, one)], [N, M], [1, 1]),
    () => build.cast(build.eq(again(), again()), 'i32'),
  ])();
}

test('every element lies in its range, and an end that is reached is there, at all sizes', () => {
  const random = seededRandom(11);
  let [known, reached, tried] = [0, 0, 0];
  const start = 600;
  while (tried < start) {
    const build = new Builder(Facts.none);
    const byte = build.input('input 0', { dtype: 'u8', shape: [M] });
    const bool = build.input('input 1', { dtype: 'bool', shape: [N, M] });
    const word = build.input('input 2', { dtype: 'i32', shape: [M] });
    const leaves = [build.cast(byte, 'i32'), build.cast(bool, 'i32'), build.max(word, build.full(1, 'i32', []))];
    let value: Value;
    try {
      value = draw(random, build, leaves, random.int(1, 4));
    } catch {
      // Shapes that do not broadcast.
      continue;
    }
    tried++;
    const { low, high } = rangesUnder(build.facts)(value);
    if (low !== undefined) known++;
    if (high !== undefined) known++;
    for (const [n, m] of [
      [1, 1],
      [1, 4],
      [3, 1],
      [2, 3],
      [5, 4],
    ] as const) {
      const sizes = new Map([
        ['N', n],
        ['M', m],
      ]);
      const numbers = (count: number, lo: number, hi: number) =>
        Array.from({ length: count }, () => random.int(lo, hi));
      const inputs = new Map([
        [byte, tensor('u8', [m], numbers(m, 0, 255))],
        [bool, tensor('bool', [n, m], numbers(n * m, 0, 1))],
        [word, tensor('i32', [m], numbers(m, -9, 9))],
      ]);
      const elements = [...elementsOf(value, build, inputs, sizes)];
      const at = (dim: Dim) => evaluate(dim, (name) => sizes.get(name)!);
      const what = `${value.node.op} at N = ${n}, M = ${m}: ${elements}`;
      if (low !== undefined) expect(Math.min(...elements), what).toBeGreaterThanOrEqual(at(low.at));
      if (high !== undefined) expect(Math.max(...elements), what).toBeLessThanOrEqual(at(high.at));
      for (const bound of [low, high]) {
        if (!bound?.reached) continue;
        reached++;
        expect(elements, what).toContain(at(bound.at));
      }
    }
  }
  // Enough of them say something.
  expect(known).toBeGreaterThan(start / 2);
  expect(reached).toBeGreaterThan(start);
});

const low = (value: Value, facts = Facts.none) => rangesUnder(facts)(value).low?.at.key;

test('what wraps beyond 32 bits may be anything', () => {
  const build = new Builder(Facts.none);
  const word = build.cast(build.input('x', { dtype: 'u8', shape: [M] }), 'i32');
  const large = build.mul(word, build.full(2 ** 20, 'i32', []));
  expect(low(large)).toBe('0');
  const wrapped = build.mul(large, build.full(2 ** 10, 'i32', []));
  expect(low(wrapped)).toBeUndefined();
  // Not known to be less than anything, so neither is its double to be positive.
  const open = build.max(build.input('y', { dtype: 'i32', shape: [M] }), build.full(0, 'i32', []));
  expect(low(open)).toBe('0');
  expect(low(build.add(open, open))).toBeUndefined();
});

test('a float beyond the integers may become any of them', () => {
  const build = new Builder(Facts.none);
  const x = build.relu(build.input('x', { dtype: 'f32', shape: [M] }));
  expect(low(x)).toBe('0');
  expect(low(build.cast(x, 'i32'))).toBeUndefined();
  expect(low(build.cast(build.min(x, build.full(9.5, 'f32', [])), 'i32'))).toBe('0');
});
