import { describe, expect, it } from 'vitest';
import { constant, type Dim, mod, negate, one, print, sub } from '../../../compiler/dims/dim.ts';
import { Facts } from '../../../compiler/dims/facts.ts';
import { alongAxis, concat, pad, roll, split, stack } from '../../../compiler/elaborate/patterns/index.ts';
import { compute, dim, fault, inputs, operators, shapeOf, value } from './naive.ts';

const none: ReadonlyMap<string, Dim> = new Map();

describe('concat', () => {
  it('joins along the starred axis', () => {
    const { cx, xs } = inputs([
      ['B', 'T', 8],
      ['B', 4, 8],
    ]);
    const y = value(concat(cx, xs, 'b * d'));
    expect(shapeOf(y)).toBe('B, T + 4, 8');
    const { tensors, y: actual } = compute(cx.build, xs, y, { B: 1, T: 2 });
    expect(actual.data).toEqual([...tensors[0]!.data, ...tensors[1]!.data]);
  });

  it('finds the axis next to `...`', () => {
    const { cx, xs } = inputs([
      [2, 3, 4],
      [2, 3, 5],
    ]);
    expect(shapeOf(value(concat(cx, xs, '... *')))).toBe('2, 3, 9');
  });

  it('wants the other axes to agree', () => {
    const { cx, xs } = inputs([
      ['B', 'T', 'D'],
      ['B', 4, 'E'],
    ]);
    expect(fault(concat(cx, xs, 'b * d'))).toMatchObject({ kind: 'dims', relation: '==', input: 1, axis: 2 });
  });
});

describe('stack', () => {
  it('makes a new axis at the star', () => {
    const { cx, xs } = inputs([
      ['B', 'C'],
      ['B', 'C'],
    ]);
    const front = value(stack(cx, xs, '* b c'));
    expect(shapeOf(front)).toBe('2, B, C');
    const { tensors, y } = compute(cx.build, xs, front, { B: 2, C: 2 });
    expect(y.data).toEqual([...tensors[0]!.data, ...tensors[1]!.data]);
    const last = value(stack(cx, xs, 'b c *'));
    expect(shapeOf(last)).toBe('B, C, 2');
    const [a, b] = tensors.map((tensor) => [...tensor.data]);
    expect(compute(cx.build, xs, last, { B: 2, C: 2 }).y.data).toEqual(a!.flatMap((number, i) => [number, b![i]!]));
  });

  it('wants one shape', () => {
    const { cx, xs } = inputs([
      ['B', 'C'],
      ['B', 'D'],
    ]);
    expect(fault(stack(cx, xs, '* b c'))).toMatchObject({ kind: 'dims', relation: '==', input: 1, axis: 1 });
  });
});

describe('split', () => {
  it('cuts an axis into parts that fill it', () => {
    const { cx, x } = inputs([['B', 85, 2]]);
    const parts = value(split(cx, x, 'b * c', [64, 16, 4, 1].map(constant)));
    expect(parts.map(shapeOf)).toEqual(['B, 64, 2', 'B, 16, 2', 'B, 4, 2', 'B, 1, 2']);
    const { tensors, y } = compute(cx.build, [x], parts[2]!, { B: 1 });
    expect(y.data).toEqual([...tensors[0]!.data].slice(160, 168));
  });

  it('gives a single part back as it is', () => {
    const { cx, x } = inputs([['B', 'N']]);
    expect(value(split(cx, x, 'b *', [dim('N')]))).toEqual([x]);
  });

  it('wants positive parts that add up', () => {
    const { cx, x } = inputs([['B', 'N']]);
    expect(fault(split(cx, x, 'b *', [dim('N'), one]))).toMatchObject({ kind: 'dims', relation: '==', axis: 1 });
    const parts = [sub(dim('N'), constant(4)), constant(4)];
    expect(fault(split(cx, x, 'b *', parts))).toMatchObject({ kind: 'dims', relation: '<=', axis: 1 });
    const { cx: known, x: y } = inputs(
      [['B', 'N']],
      Facts.none.assume({ kind: 'le', left: constant(5), right: dim('N') }),
    );
    expect(value(split(known, y, 'b *', parts)).map(shapeOf)).toEqual(['B, N - 4', 'B, 4']);
  });
});

describe('pad', () => {
  it('adds to named axes', () => {
    const { cx, x } = inputs([['B', 2, 'W']]);
    const y = value(pad(cx, x, 'b h w', new Map([['w', [one, constant(2)] as const]]), -1));
    expect(shapeOf(y)).toBe('B, 2, W + 3');
    const { tensors, y: actual } = compute(cx.build, [x], y, { B: 1, W: 1 });
    const [a, b] = tensors[0]!.data;
    expect(actual.data).toEqual([-1, a, -1, -1, -1, b, -1, -1]);
  });

  it('pads to a multiple, and not at all where nothing is missing', () => {
    const amounts = new Map([['h', [constant(0), mod(negate(dim('H')), 4)] as const]]);
    const { cx, x } = inputs([['H']]);
    const y = value(pad(cx, x, 'h', amounts, 0));
    expect(compute(cx.build, [x], y, { H: 5 }).y.shape).toEqual([8]);
    const facts = Facts.none.assume({ kind: 'mod', value: dim('H'), modulus: 4, remainder: 0 });
    const { cx: multiple, x: whole } = inputs([['H']], facts);
    expect(value(pad(multiple, whole, 'h', amounts, 0))).toBe(whole);
  });

  it('wants amounts that are not negative', () => {
    const { cx, x } = inputs([['H']]);
    const amounts = new Map([['h', [constant(0), sub(dim('H'), constant(3))] as const]]);
    expect(fault(pad(cx, x, 'h', amounts, 0))).toMatchObject({ kind: 'dims', relation: '<=', input: 0, axis: 0 });
  });
});

describe('roll', () => {
  const rolled = (size: number | string, shift: number, at: Record<string, number>, facts?: Facts) => {
    const { cx, x } = inputs([[2, size]], facts);
    const y = value(roll(cx, x, 'b n', new Map([['n', constant(shift)]])));
    const { tensors, y: actual } = compute(cx.build, [x], y, at);
    return { before: [...tensors[0]!.data], after: actual.data, ops: operators(cx.build) };
  };
  const expected = (data: readonly number[], shift: number): number[] => {
    const n = data.length / 2;
    return data.map((_, i) => data[Math.floor(i / n) * n + (((((i % n) - shift) % n) + n) % n)]!);
  };

  it.each([-7, -5, -2, -1, 0, 1, 3, 5, 8])('by %i along a static axis of 5', (shift) => {
    const { before, after, ops } = rolled(5, shift, {});
    expect(after).toEqual(expected(before, shift));
    if (shift % 5 === 0) expect(ops).toEqual([]);
    else expect(ops).toEqual(['slice', 'slice', 'concat']);
  });

  it.each([-3, 2])('by %i along a symbolic axis that is longer', (shift) => {
    const facts = Facts.none.assume({ kind: 'le', left: constant(4), right: dim('N') });
    const { before, after } = rolled('N', shift, { N: 6 }, facts);
    expect(after).toEqual(expected(before, shift));
  });

  it('refuses a shift that may be as long as the axis', () => {
    const { cx, x } = inputs([[2, 'N']]);
    expect(fault(roll(cx, x, 'b n', new Map([['n', constant(3)]])))).toMatchObject({
      kind: 'dims',
      relation: '<=',
      input: 0,
      axis: 1,
    });
  });

  it('rolls windows: the axis is a multiple of the window', () => {
    const { cx, x } = inputs([['B', 'M*7', 'N*7', 'C']]);
    const shifts = new Map([
      ['h', constant(-3)],
      ['w', constant(-3)],
    ]);
    const y = value(roll(cx, x, 'b h w c', shifts));
    expect(y.type.shape.map(print)).toEqual(x.type.shape.map(print));
    const back = value(roll(cx, y, 'b h w c', new Map([...shifts].map(([name, by]) => [name, negate(by)]))));
    const { tensors, y: actual } = compute(cx.build, [x], back, { B: 1, M: 1, N: 2, C: 1 });
    expect(actual.data).toEqual([...tensors[0]!.data]);
  });
});

describe('alongAxis', () => {
  it('counts the axes before the star', () => {
    const { cx, x } = inputs([['B', 'N', 'C', 1]]);
    const axisOf = (pattern: string | null) =>
      value(alongAxis(cx, 'softmax', x, pattern)).node.attributes as { readonly axis: number };
    expect(axisOf('b * n 1').axis).toBe(1);
    expect(axisOf('... * 1').axis).toBe(2);
    expect(axisOf('* ...').axis).toBe(0);
    expect(axisOf(null).axis).toBe(3);
  });

  it('wants the rank to fit', () => {
    const { cx, x } = inputs([['B', 'N']]);
    expect(fault(alongAxis(cx, 'softmax', x, 'b * n'))).toEqual({
      kind: 'rank',
      message: 'the pattern names 3 axes, the tensor has 2 axes',
    });
    expect(fault(pad(cx, x, 'b n', new Map([['h', [one, one] as const]]), 0)).kind).toBe('names');
    expect(fault(roll(cx, x, 'b', none)).kind).toBe('rank');
  });
});
