import { describe, expect, test } from 'vitest';
import { evaluate } from '../../compiler/dims/dim.ts';
import { Facts } from '../../compiler/dims/facts.ts';
import { seededRandom } from '../../compiler/ops/random.ts';
import { opNames, ops } from '../../compiler/ops/table.ts';
import { rowOf, samples, spell, typeOf } from './samples.ts';

test('the table names each row by its key', () => {
  for (const [name, row] of Object.entries(ops)) expect(row.name).toBe(name);
});

describe.each(opNames)('%s', (op) => {
  const row = rowOf(op);
  test('is documented', () => {
    expect(row.docs).toMatch(/[.)]$/);
    for (const constraint of row.constraints) expect(constraint).toMatch(/\.$/);
    expect(new Set(row.constraints).size).toBe(row.constraints.length);
  });
  test('the inferred types are those of what the reference kernel gives', () => {
    for (const { inputs, attributes } of samples(op, 60)) {
      const inferred = row.infer(inputs.map(typeOf), attributes, Facts.none);
      if ('fault' in inferred)
        throw new Error(`${inferred.fault.constraint} at ${inputs.map((x) => spell(typeOf(x)))}`);
      const results = row.reference(inputs, attributes);
      expect(inferred.types.map(spell)).toEqual(results.map((x) => spell(typeOf(x))));
      for (const { shape, data } of results) {
        expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
        expect([...data].every(Number.isFinite)).toBe(true);
      }
      const cost = row.cost(inputs.map(typeOf), inferred.types, attributes);
      for (const dim of [cost.flops, cost.bytes]) expect(evaluate(dim, () => Number.NaN)).toBeGreaterThanOrEqual(0);
    }
  });
  test('the kernel leaves its inputs alone', () => {
    for (const { inputs, attributes } of samples(op, 5)) {
      const before = inputs.map((x) => [...x.data]);
      row.reference(inputs, attributes);
      expect(inputs.map((x) => [...x.data])).toEqual(before);
    }
  });
});

test('samples cover ranks 0 to 6, broadcasting, negative numbers, and i32 beside f32', () => {
  const adds = samples('add', 200);
  expect(new Set(adds.map(({ inputs }) => Math.max(...inputs.map((x) => x.shape.length)))).size).toBe(7);
  expect(adds.some(({ inputs: [a, b] }) => a!.shape.length < b!.shape.length)).toBe(true);
  expect(adds.some(({ inputs: [a, b] }) => a!.shape.some((n, i) => n === 1 && (b!.shape[i] ?? 1) > 1))).toBe(true);
  expect(new Set(adds.map(({ inputs: [a] }) => a!.dtype))).toEqual(new Set(['f32', 'i32']));
  expect(adds.some(({ inputs: [a] }) => a!.data.some((x) => x < 0))).toBe(true);
});

test('samples of convolutions are strided, dilated, grouped, depthwise, unevenly padded', () => {
  const attributes = samples('conv2d', 100).map(({ inputs, attributes }) => {
    const conv = attributes as { stride: number[]; pad: number[]; dilation: number[]; groups: number };
    return { ...conv, channels: inputs[0]!.shape[1]! };
  });
  expect(attributes.some(({ stride }) => stride[0]! > 1)).toBe(true);
  expect(attributes.some(({ dilation }) => dilation[0]! > 1)).toBe(true);
  expect(attributes.some(({ pad }) => pad[0] !== pad[2])).toBe(true);
  expect(attributes.some(({ groups }) => groups === 1)).toBe(true);
  expect(attributes.some(({ groups, channels }) => groups > 1 && channels > groups)).toBe(true);
  expect(attributes.some(({ groups, channels }) => groups > 1 && channels === groups)).toBe(true);
});

test('topk samples have no ties', () => {
  for (const { inputs } of samples('topk', 50)) expect(new Set(inputs[0]!.data).size).toBe(inputs[0]!.data.length);
});

test('random numbers depend on the seed alone and fill their range', () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed);
    return Array.from({ length: 2000 }, () => random.int(-2, 3));
  };
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
  const counts = new Map<number, number>();
  for (const n of draw(3)) counts.set(n, (counts.get(n) ?? 0) + 1);
  expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2, 3]);
  // A sixth of 2000 is 333; five standard deviations are 83.
  for (const n of counts.values()) expect(Math.abs(n - 333)).toBeLessThan(83);
  const reals = seededRandom(4);
  for (let i = 0; i < 1000; i++) {
    const x = reals.real();
    expect(x >= 0 && x < 1).toBe(true);
  }
});
