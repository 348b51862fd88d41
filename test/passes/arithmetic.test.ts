import { describe, expect, it } from 'vitest';
import { arithmeticRules } from '../../compiler/passes/arithmetic.ts';
import { castRules } from '../../compiler/passes/casts.ts';
import { rewritten } from './equivalence.ts';

const rules = [...arithmeticRules, ...castRules];

/** `expression` gives %9 from x = %0: f32[B, 3], n = %1: i32[B], b = %2: bool[B]; numbers are %3 and up. */
function simplified(body: string, type = 'f32[B, 3]', result = '%9'): string {
  return rewritten(
    rules,
    `%0 = input name="x" : f32[B, 3]
%1 = input name="n" : i32[B]
%2 = input name="b" : bool[B]
${body} : ${type}
input "x" = %0 ""
input "n" = %1 ""
input "b" = %2 ""
output "y" = ${result} ""
`,
  );
}

const number = (name: string, value: string, dtype = 'f32') =>
  `${name} = full value=${value} dtype=${dtype} shape=[] : ${dtype}[]\n`;

describe('arithmetic', () => {
  it.each([
    ['x + 0', number('%3', '0') + '%9 = add %0, %3'],
    ['0 + x', number('%3', '0') + '%9 = add %3, %0'],
    ['x - 0', number('%3', '0') + '%9 = sub %0, %3'],
    ['x * 1', number('%3', '1') + '%9 = mul %0, %3'],
    ['x / 1', number('%3', '1') + '%9 = div %0, %3'],
    ['x ^ 1', number('%3', '1') + '%9 = pow %0, %3'],
    ['-(-x)', '%3 = neg %0 : f32[B, 3]\n%9 = neg %3'],
    ['max(x, x)', '%9 = max %0, %0'],
    [
      'select(b, x, x)',
      '%3 = full value=1 dtype=bool shape=[] : bool[]\n%4 = neg %0 : f32[B, 3]\n%9 = select %3, %0, %4',
    ],
  ])('%s is x', (_what, body) => {
    expect(simplified(body)).toBe('y = %0');
  });

  it.each([
    ['0 - x', number('%3', '0') + '%9 = sub %3, %0', '%3 = neg %0 : f32[B, 3]'],
    ['x * -1', number('%3', '-1') + '%9 = mul %0, %3', '%3 = neg %0 : f32[B, 3]'],
    ['x ^ 2', number('%3', '2') + '%9 = pow %0, %3', '%3 = mul %0, %0 : f32[B, 3]'],
    ['x + -x', '%3 = neg %0 : f32[B, 3]\n%9 = add %0, %3', '%3 = sub %0, %0 : f32[B, 3]'],
    ['-x + x', '%3 = neg %0 : f32[B, 3]\n%9 = add %3, %0', '%3 = sub %0, %0 : f32[B, 3]'],
    ['x - -x', '%3 = neg %0 : f32[B, 3]\n%9 = sub %0, %3', '%3 = add %0, %0 : f32[B, 3]'],
    ['-x * -x', '%3 = neg %0 : f32[B, 3]\n%9 = mul %3, %3', '%3 = mul %0, %0 : f32[B, 3]'],
    ['relu(relu(x))', '%3 = relu %0 : f32[B, 3]\n%9 = relu %3', '%3 = relu %0 : f32[B, 3]'],
  ])('%s', (_what, body, wanted) => {
    expect(simplified(body)).toBe(`${wanted}\ny = %3`);
  });

  it('divides by powers of two exactly, and by nothing else', () => {
    expect(simplified(number('%3', '8') + '%9 = div %0, %3')).toMatchInlineSnapshot(`
      "%3 = full value=0.125 dtype=f32 shape=[] : f32[]
      %4 = mul %0, %3 : f32[B, 3]
      y = %4"
    `);
    expect(simplified(number('%3', '3') + '%9 = div %0, %3')).toContain('div %0');
  });

  it('keeps the shape that a number broadcasts to', () => {
    const body = '%3 = full value=1 dtype=f32 shape=[2, 1, 3] : f32[2, 1, 3]\n%9 = mul %0, %3';
    expect(simplified(body, 'f32[2, B, 3]')).toMatchInlineSnapshot(`
      "%3 = broadcast %0 shape=[2, B, 3] : f32[2, B, 3]
      y = %3"
    `);
  });

  it('does not take a float times 0 for 0, which NaN is not', () => {
    expect(simplified(number('%3', '0') + '%9 = mul %0, %3')).toContain('mul');
    const whole = number('%3', '0', 'i32') + '%9 = mul %1, %3';
    expect(simplified(whole, 'i32[B]')).toBe('%3 = full value=0 dtype=i32 shape=[B] : i32[B]\ny = %3');
  });

  it('merges numbers in index arithmetic, and not in floats', () => {
    const whole = number('%3', '2', 'i32') + number('%4', '5', 'i32') + '%5 = add %1, %3 : i32[B]\n%9 = add %4, %5';
    expect(simplified(whole, 'i32[B]')).toMatchInlineSnapshot(`
      "%3 = full value=7 dtype=i32 shape=[] : i32[]
      %4 = add %1, %3 : i32[B]
      y = %4"
    `);
    const floats = number('%3', '2') + number('%4', '5') + '%5 = add %0, %3 : f32[B, 3]\n%9 = add %4, %5';
    expect(simplified(floats).match(/add/g)).toHaveLength(2);
  });

  it.each([
    ['x * 6 * 0.5', 'mul', '6', 'mul', '0.5', 'mul %0, %3', '3'],
    ['x * 6 / 3', 'mul', '6', 'div', '3', 'mul %0, %3', '2'],
    ['x / 3 * 6', 'div', '3', 'mul', '6', 'mul %0, %3', '2'],
    ['x / 3 / 5', 'div', '3', 'div', '5', 'div %0, %3', '15'],
  ])('multiplies %s by one number', (_what, inner, n, outer, m, product, factor) => {
    const body = number('%3', n) + number('%4', m) + `%5 = ${inner} %0, %3 : f32[B, 3]\n%9 = ${outer} %5, %4`;
    const full = `%3 = full value=${factor} dtype=f32 shape=[] : f32[]`;
    expect(simplified(body)).toBe(`${full}\n%4 = ${product} : f32[B, 3]\ny = %4`);
  });

  it('leaves numbers that are far from 1 as they are', () => {
    const body = number('%3', '1e30') + number('%4', '1e-30') + '%5 = mul %0, %3 : f32[B, 3]\n%9 = mul %5, %4';
    expect(simplified(body).match(/mul/g)).toHaveLength(2);
  });

  it('decides logic', () => {
    const constant = (value: number) => number('%3', String(value), 'bool');
    expect(simplified(constant(1) + '%9 = and %2, %3', 'bool[B]')).toBe('y = %2');
    expect(simplified(constant(0) + '%9 = or %3, %2', 'bool[B]')).toBe('y = %2');
    expect(simplified(constant(0) + '%9 = and %2, %3', 'bool[B]')).toContain('full value=0 dtype=bool shape=[B]');
    expect(simplified('%3 = not %2 : bool[B]\n%9 = not %3', 'bool[B]')).toBe('y = %2');
    const turned = '%3 = not %2 : bool[B]\n%4 = neg %1 : i32[B]\n%9 = select %3, %1, %4';
    expect(simplified(turned, 'i32[B]')).toContain('select %2, %3, %1');
  });
});

describe('casts', () => {
  it('go straight when the dtype in between loses nothing', () => {
    const exact = '%3 = cast %2 dtype=i32 : i32[B]\n%9 = cast %3 dtype=f32';
    expect(simplified(exact, 'f32[B]')).toBe('%3 = cast %2 dtype=f32 : f32[B]\ny = %3');
    const there = '%3 = cast %1 dtype=i64 : i64[B]\n%9 = cast %3 dtype=i32';
    expect(simplified(there, 'i32[B]')).toBe('y = %1');
    const lossy = '%3 = cast %0 dtype=f16 : f16[B, 3]\n%9 = cast %3 dtype=f32';
    expect(simplified(lossy).match(/cast/g)).toHaveLength(2);
  });
});
