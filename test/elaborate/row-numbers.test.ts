import { describe, expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { memoryHost } from '../memory-host.ts';

/** What is said of a model of these lines, with its place. */
function messages(model: string, before = '', where = ''): string[] {
  const text = `use std.linear.{Embedding}\n${before}\nmodel M ${where} {\n${model}\n}\n`;
  return check(memoryHost({ 'main.crob': text }), ['main.crob']).diagnostics.map(({ code, message, span, help }) => {
    const at = text.slice(span.start, span.end);
    return [`${code} at ${at}: ${message}`, help].filter((line) => line !== undefined).join('; ');
  });
}

const x = 'input x: f32[N, 2]';
const reaches = (index: string, what: string) => [`CROB2121 at ${index}: the index \`${index}\` reaches ${what}`];

describe('an index that certainly is out of range is refused', () => {
  test.each([
    ['iota(3) - 1', 'input x: f32[3, 2]', '-1: the rows are 0 to 2'],
    ['iota(3)', 'input x: f32[2, 2]', '2: the rows are 0 to 1'],
    ['iota(N) - 1', x, '-1: the rows are 0 to N - 1'],
    ['iota(N) + 1', x, 'N: the rows are 0 to N - 1'],
    ['2*iota(N)', x, '2*N - 2: the rows are 0 to N - 1'],
    ['-iota(N)', x, '1 - N: the rows are 0 to N - 1'],
    ['(N - 2) - iota(N)', x, '-1: the rows are 0 to N - 1'],
    ['full(i32(N), [3])', x, 'N: the rows are 0 to N - 1'],
    ['tensor i32[i in 2,j in 3]{3*i+j}', 'input x: f32[5, 2]', '5: the rows are 0 to 4'],
    ['tensor i32[i in 4] { i*i }', 'input x: f32[9, 2]', '9: the rows are 0 to 8'],
    ['floor(iota(12)/2)', 'input x: f32[5, 2]', '5: the rows are 0 to 4'],
    ['min(iota(3) - 2, 1)', x, '-2: the rows are 0 to N - 1'],
    ['concat([iota(2),iota(2)+8],"*")', 'input x: f32[9, 2]', '9: the rows are 0 to 8'],
  ])('%s', (index, input, what) => {
    for (const taken of [`gather(x, ${index})`, `x[${index}]`])
      expect(messages(`${input}\noutput y = ${taken}`).map((line) => line.split(';')[0])).toEqual(reaches(index, what));
  });

  test('in what is added to rows', () => {
    expect(messages('input x: f32[3, 2]\noutput y = scatter_add(iota(3), x, 2)')).toEqual(
      reaches('iota(3)', '2: the rows are 0 to 1'),
    );
  });

  test('with the condition that would do', () => {
    const model = 'input x: f32[64, 2]\ninput z: f32[T, 2]\noutput y = z + x[iota(T)]';
    expect(messages(model)).toEqual([
      `${reaches('iota(T)', 'T - 1: the rows are 0 to 63')[0]}; add \`where T <= 64\` to model M (:3)`,
    ]);
    expect(messages(model, '', 'where T <= 64')).toEqual([]);
  });

  test('where it goes through functions and modules', () => {
    const before = `fn before(n: dim) -> i32[n] { return iota(n) - 1 }
fn take(t: f32[N, C], at: i32[M]) -> f32[M, C] { return t[at] }
fn through(t: f32[N, C], at: i32[M]) -> f32[M, C] { return take(t, at) }`;
    expect(messages(`${x}\noutput y = gather(x, before(N))`, before)).toEqual(
      reaches('before(N)', '-1: the rows are 0 to N - 1'),
    );
    expect(messages(`${x}\noutput y = through(x, iota(N) + 1)`, before)[0]).toContain(
      reaches('iota(N) + 1', 'N: the rows are 0 to N - 1')[0],
    );
    expect(messages('table = Embedding(10, 4)\ninput x: f32[11, 4]\noutput y = x + table(iota(11))')).toEqual(
      reaches('iota(11)', '10: the rows are 0 to 9'),
    );
  });
});

test.each([
  ['gather(x, iota(N))'],
  ['gather(x, max(iota(N) - 1, 0))'],
  ['gather(x, min(iota(N) + 1, N - 1))'],
  ['gather(x, (iota(N) + 1) % N)'],
  ['gather(x, (N - 1) - iota(N))'],
  // Not known, or never so: found out when it runs.
  ['gather(x, i32(x[:, 0]))'],
  ['gather(x, iota(N) - iota(N))'],
  ['gather(x, select(x[:, 0] < 0, iota(N), iota(N) - 1))'],
  ['gather(x, tensor i32[i in 3] { i*i - 2*i + 1 - i*(i - 2) - 1 })'],
  ['scatter_add(iota(N), x, N)'],
  ['x[i32(x[:, 1])]'],
])('%s is not refused', (value) => {
  expect(messages(`${x}\noutput y = ${value}`)).toEqual([]);
});
