import { describe, expect, test } from 'vitest';
import {
  asConstant,
  ceilDiv,
  constant,
  type Dim,
  floorDiv,
  mul,
  sub,
  substitute,
  variable,
} from '../../compiler/dims/dim.ts';
import { Facts } from '../../compiler/dims/facts.ts';
import { mapDims } from '../../compiler/ir/attributes.ts';
import type { ConvAttributes } from '../../compiler/ir/names.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import { seededRandom } from '../../compiler/ops/random.ts';
import { opNames, ops } from '../../compiler/ops/table.ts';
import { rowOf, samples, spell, typeOf } from './samples.ts';

const random = seededRandom(7);

/** Some sizes as variables: every occurrence of a size is the same variable, at least that size. */
function generalise(sizes: ReadonlySet<number>) {
  const chosen = [...sizes].filter((size) => size > 1 && random.int(0, 1) === 0);
  const facts = chosen.reduce(
    (known, size) => known.assume({ kind: 'le', left: constant(size), right: variable(`D${size}`) }),
    Facts.none,
  );
  const symbolic = (dim: Dim): Dim => {
    const size = asConstant(dim);
    return size !== undefined && chosen.includes(size) ? variable(`D${size}`) : dim;
  };
  const bind = (by: (size: number) => number) => new Map(chosen.map((size) => [`D${size}`, constant(by(size))]));
  return { chosen, facts, symbolic, bind };
}

const shaped =
  (f: (dim: Dim) => Dim) =>
  (type: TensorType): TensorType => ({ ...type, shape: type.shape.map(f) });

// `constant` and `dim` have no dim that may vary; a gradient's dy is a function of the other dims, and has a test of its own.
const apart = new Set(['constant', 'dim', 'conv2d_dx', 'conv2d_dw']);

describe.each(opNames.filter((op) => !apart.has(op)))('%s', (op) => {
  const row = rowOf(op);
  test('types inferred symbolically instantiate to those inferred from numbers', () => {
    let proved = 0;
    for (const { inputs, attributes } of samples(op, 80)) {
      const types = inputs.map(typeOf);
      const sizes = new Set(inputs.flatMap((x) => x.shape));
      mapDims(op, attributes, (dim) => {
        const size = asConstant(dim);
        if (size !== undefined) sizes.add(size);
        return dim;
      });
      const { chosen, facts, symbolic, bind } = generalise(sizes);
      if (chosen.length === 0) continue;
      const general = mapDims(op, attributes, symbolic);
      const inferred = row.infer(types.map(shaped(symbolic)), general, facts);
      if ('fault' in inferred) {
        expect(row.constraints).toContain(inferred.fault.constraint);
        continue;
      }
      proved++;
      for (const by of [(n: number) => n, (n: number) => n + 1, (n: number) => 3 * n + 2, (n: number) => n + n * n]) {
        const at = bind(by);
        const numbers = (dim: Dim) => substitute(dim, at);
        const concrete = row.infer(
          types.map(shaped(symbolic)).map(shaped(numbers)),
          mapDims(op, general, numbers),
          Facts.none,
        );
        if ('fault' in concrete)
          throw new Error(`proved for all sizes, refused for some: ${concrete.fault.constraint}`);
        expect(inferred.types.map(shaped(numbers)).map(spell)).toEqual(concrete.types.map(spell));
      }
    }
    expect(proved).toBeGreaterThanOrEqual(10);
  });
});

test('the gradients of a symbolic convolution have the shapes of what they are gradients of', () => {
  let proved = 0;
  for (const { inputs, attributes } of samples('conv2d', 80)) {
    const conv = attributes as ConvAttributes;
    const { facts, symbolic } = generalise(new Set([inputs[0]!.shape[0]!, ...inputs[0]!.shape.slice(2)]));
    const w = typeOf(inputs[1]!);
    const x = typeOf(inputs[0]!);
    const image = { ...x, shape: x.shape.map((dim, axis) => (axis === 1 ? dim : symbolic(dim))) };
    const forward = ops.conv2d.infer([image, w], conv, facts);
    if ('fault' in forward) throw new Error(forward.fault.constraint);
    const [dy] = forward.types as [TensorType];
    const kernel = [inputs[1]!.shape[2]!, inputs[1]!.shape[3]!] as const;
    const dx = ops.conv2d_dx.infer([dy, w], { ...conv, shape: image.shape }, facts);
    const dw = ops.conv2d_dw.infer([image, dy], { ...conv, kernel }, facts);
    if ('fault' in dx) throw new Error(dx.fault.constraint);
    if ('fault' in dw) throw new Error(dw.fault.constraint);
    expect([...dx.types, ...dw.types].map(spell)).toEqual([image, w].map(spell));
    if (dy.shape.some((dim) => asConstant(dim) === undefined)) proved++;
  }
  expect(proved).toBeGreaterThanOrEqual(40);
});

describe('named results', () => {
  const [B, C, H, W, T] = ['B', 'C', 'H', 'W', 'T'].map((name) => variable(name)) as [Dim, Dim, Dim, Dim, Dim];
  const f32 = (...shape: Dim[]): TensorType => ({ dtype: 'f32', shape });
  const k = constant;

  function shown(inferred: ReturnType<ReturnType<typeof rowOf>['infer']>, facts: Facts): string {
    if ('fault' in inferred) return inferred.fault.constraint;
    return inferred.types.map(({ shape }) => `[${shape.map((dim) => facts.show(dim)).join(', ')}]`).join(' ');
  }

  test('a convolution of stride 2', () => {
    const attributes = { stride: [2, 2], pad: [1, 1, 1, 1], dilation: [1, 1], groups: 1 } as const;
    const types = [f32(B, k(3), H, W), f32(C, k(3), k(3), k(3))];
    const even = [H, W].reduce(
      (facts, value) => facts.assume({ kind: 'mod', value, modulus: 2, remainder: 0 }),
      Facts.none,
    );
    expect(shown(rowOf('conv2d').infer(types, attributes, even), even)).toBe('[B, C, H/2, W/2]');
  });
  test('windows of a divisible map', () => {
    const facts = [H, W].reduce(
      (known, value) => known.assume({ kind: 'mod', value, modulus: 7, remainder: 0 }),
      Facts.none,
    );
    const x = f32(B, H, W, C);
    const shape = [B, floorDiv(H, 7), k(7), floorDiv(W, 7), k(7), C];
    expect(shown(rowOf('reshape').infer([x], { shape }, facts), facts)).toBe('[B, H/7, 7, W/7, 7, C]');
    expect(shown(rowOf('reshape').infer([x], { shape }, Facts.none), Facts.none)).toMatch(/^The new shape has as many/);
  });
  test('windows of a map padded to whole windows', () => {
    const short = sub(mul(ceilDiv(H, 7), k(7)), H);
    const padded = rowOf('pad').infer([f32(H, C)], { low: [k(0), k(0)], high: [short, k(0)], value: 0 }, Facts.none);
    expect(shown(padded, Facts.none)).toBe('[7*ceil(H/7), C]');
    if ('fault' in padded) return;
    const shape = [ceilDiv(H, 7), k(7), C];
    expect(shown(rowOf('reshape').infer(padded.types, { shape }, Facts.none), Facts.none)).toBe('[ceil(H/7), 7, C]');
  });
  test('unknown is neither equal nor broadcast', () => {
    const inferred = rowOf('add').infer([f32(B, T), f32(B, H)], {}, Facts.none);
    expect(inferred).toMatchObject({
      fault: {
        left: { key: T.key },
        right: { key: H.key },
        at: [
          { input: 0, axis: 1 },
          { input: 1, axis: 1 },
        ],
      },
    });
    const same = Facts.none.assume({ kind: 'eq', left: T, right: H });
    expect('types' in rowOf('add').infer([f32(B, T), f32(B, H)], {}, same)).toBe(true);
  });
  test('an axis that facts make 1 broadcasts', () => {
    const one = Facts.none.assume({ kind: 'eq', left: T, right: k(1) });
    expect(shown(rowOf('add').infer([f32(B, T), f32(B, H)], {}, one), one)).toBe('[B, H]');
  });
  test('slices are proved inside, or refused', () => {
    const slice = (stop: Dim, facts: Facts) =>
      shown(rowOf('slice').infer([f32(H)], { start: [k(0)], stop: [stop], step: [1] }, facts), facts);
    expect(slice(T, Facts.none)).toBe('stop <= the size of the axis.');
    expect(slice(T, Facts.none.assume({ kind: 'le', left: T, right: H }))).toBe('[T]');
  });
});
