import { expect, test } from 'vitest';
import { asConstant } from '../../compiler/dims/dim.ts';
import type { OpName } from '../../compiler/ir/names.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import type { Sample } from '../../compiler/ops/row.ts';
import { opNames } from '../../compiler/ops/table.ts';
import { rowOf, samples, typeOf } from './samples.ts';

const samplesOf = (op: OpName) => samples(op, 40);

const withElement = (tensor: TensorData, at: number): TensorData => {
  const data = tensor.data.slice();
  data[at] = tensor.dtype === 'bool' ? 1 - data[at]! : data[at]! + 1;
  return { ...tensor, data } as TensorData;
};

/** The flat index of the input's element that stands at a place of the result, by trailing alignment. */
function aligned(flat: number, shape: readonly number[], input: readonly number[]): number {
  let [rest, index, stride] = [flat, 0, 1];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const place = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
    const size = input[axis - shape.length + input.length];
    if (size === undefined) continue;
    if (size !== 1) index += place * stride;
    stride *= size;
  }
  return index;
}

/** Whether an element of an input changes nothing but what is aligned with it. */
function isOwn(op: OpName, { inputs, attributes }: Sample<OpName>): boolean {
  const before = rowOf(op).reference(inputs, attributes);
  return inputs.every((input, i) =>
    Array.from(input.data.slice(0, 6)).every((_, at) => {
      const changed = inputs.map((one, k) => (k === i ? withElement(one, at) : one));
      const after = rowOf(op).reference(changed, attributes);
      return after.every((result, k) => {
        const { shape, data } = before[k]!;
        if (shape.length < input.shape.length) return false;
        return Array.from(result.data).every(
          (x, flat) => Object.is(x, data[flat]) || aligned(flat, shape, input.shape) === at,
        );
      });
    }),
  );
}

const computed = opNames.filter((op) => rowOf(op).inputs.length > 0);

test.each(computed.filter((op) => rowOf(op).elements === 'own'))('elements of %s are computed from their own', (op) => {
  for (const sample of samplesOf(op)) expect(isOwn(op, sample)).toBe(true);
});

test.each(computed.filter((op) => rowOf(op).elements === 'new'))('elements of %s are not', (op) => {
  expect(samplesOf(op).every((sample) => isOwn(op, sample))).toBe(false);
});

test.each(computed.filter((op) => rowOf(op).elements === 'moved'))(
  'elements of %s are some of its operands, or one constant',
  (op) => {
    for (const { inputs, attributes } of samplesOf(op)) {
      const given = new Set(inputs.flatMap(({ data }) => Array.from(data)));
      const results = rowOf(op)
        .reference(inputs, attributes)
        .flatMap(({ data }) => Array.from(data));
      expect(new Set(results.filter((x) => !given.has(x))).size).toBeLessThan(2);
    }
  },
);

const binary = computed.filter((op) => rowOf(op).inputs.length === 2 && rowOf(op).elements === 'own');

test.each(binary)('whether the operands of %s may change places', (op) => {
  const isSame = samplesOf(op).every(({ inputs: [a, b], attributes }) => {
    const [there, back] = [
      [a!, b!],
      [b!, a!],
    ].map((pair) => rowOf(op).reference(pair, attributes)[0]!.data);
    return there!.every((x, i) => Object.is(x, back![i]));
  });
  expect(rowOf(op).commutes ?? false, 'commutes in its row').toBe(isSame);
});

test.each(opNames.filter((op) => rowOf(op).bounded))('half precision holds the results of %s', (op) => {
  for (const { inputs, attributes } of samplesOf(op)) {
    // Scale and bias of a norm are weights, which are looked at where they are stored.
    const large = inputs.map((input, i) =>
      i === 0
        ? ({ ...input, data: input.data.map((x) => (op === 'exp' ? -1e4 * Math.abs(x) : 1e4 * x)) } as TensorData)
        : input,
    );
    for (const { data } of rowOf(op).reference(large, attributes))
      for (const x of data) expect(Math.abs(x)).toBeLessThanOrEqual(65504);
  }
});

/** Where operands may be in half precision; elsewhere it makes no difference. */
const halved = computed.filter((op) => rowOf(op).elements === 'own' && rowOf(op).half === 'operands');

test.each(halved.filter((op) => Object.keys(samplesOf(op)[0]!.attributes).length === 0))(
  'whether half precision holds the results of %s',
  (op) => {
    const isHeld = samplesOf(op).every(({ inputs, attributes }) =>
      // Any of them may be large.
      Array.from({ length: 2 ** inputs.length }, (_, which) => {
        const large = inputs.map((x, i) =>
          x.dtype === 'f32' && (which >> i) % 2 === 1 ? { ...x, data: x.data.map((e) => 1e12 * e) } : x,
        );
        const [result] = rowOf(op).reference(large as TensorData[], attributes);
        return result!.dtype === 'f32' && result!.data.every((x) => Math.abs(x) <= 65504);
      }).every((held) => held),
    );
    expect(rowOf(op).bounded ?? false, 'bounded in its row').toBe(isHeld);
  },
);

/** Operators of the elements of one dtype alone, which can be applied to what they give. */
const repeatable = computed.filter((op) => {
  const [{ inputs, attributes }] = samplesOf(op) as [Sample<OpName>];
  const [result] = rowOf(op).reference(inputs, attributes);
  return (
    rowOf(op).elements === 'own' &&
    Object.keys(attributes).length === 0 &&
    inputs.every((x) => x.dtype === result!.dtype)
  );
});
const same = (a: TensorData, b: TensorData) => a.data.every((x, i) => Object.is(x + 0, b.data[i]! + 0));

test.each(repeatable.filter((op) => rowOf(op).inputs.length === 1))('%s applied twice', (op) => {
  const apply = (x: TensorData) => rowOf(op).reference([x], {})[0]!;
  const given = samplesOf(op).map(({ inputs }) => inputs[0]!);
  const isIdentity = given.every((x) => same(apply(x), x));
  expect(rowOf(op).idempotent ?? false, 'idempotent in its row').toBe(
    given.every((x) => same(apply(apply(x)), apply(x))),
  );
  expect(rowOf(op).involution ?? false, 'involution in its row').toBe(
    !isIdentity && given.every((x) => same(apply(apply(x)), x)),
  );
});

test.each(repeatable.filter((op) => rowOf(op).inputs.length === 2 && rowOf(op).elements === 'own'))(
  '%s of the same operand twice',
  (op) => {
    const isSame = samplesOf(op).every(({ inputs: [a, b] }) =>
      [a!, b!].every((x) => same(rowOf(op).reference([x, x], {})[0]!, x)),
    );
    expect(rowOf(op).idempotent ?? false, 'idempotent in its row').toBe(isSame);
  },
);

test.each(computed)('whether %s takes row numbers', (op) => {
  const numbered = samplesOf(op).map(({ inputs, attributes }) => {
    const numbers = rowOf(op).rowNumbers?.(inputs.map(typeOf), attributes);
    if (numbers === undefined) return false;
    // Another number is an error.
    const rows = asConstant(numbers.rows)!;
    const index = inputs[numbers.input]!;
    const beyond = inputs.map((x) => (x === index ? { ...x, data: x.data.slice().fill(rows) } : x));
    expect(index.dtype).toBe('i32');
    expect(() => rowOf(op).reference(inputs, attributes)).not.toThrow();
    expect(() => rowOf(op).reference(beyond, attributes)).toThrow();
    return true;
  });
  // Of others, no whole number is an error.
  for (const { inputs, attributes } of numbered.includes(true) ? [] : samplesOf(op)) {
    const large = inputs.map((x) => (x.dtype === 'i32' ? { ...x, data: x.data.slice().fill(2 ** 20) } : x));
    expect(() => rowOf(op).reference(large, attributes)).not.toThrow();
  }
});
