// slow: programs at the limits

import { expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { memoryHost } from '../memory-host.ts';

/** Files made to wear the compiler out: each ends soon, with one message. */
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const module = (param: string) => `module A(${param}) { forward(x: f32[N]) -> f32[N] { return x } }\n`;

const hostile: readonly (readonly [string, string, string])[] = [
  ['brackets in brackets', `fn f(x: f32[N]) -> f32[N] = ${'('.repeat(3000)}x${')'.repeat(3000)}\n`, 'CROB1030'],
  ['a sum of thousands', `fn f(x: f32[N]) -> f32[N] = x${' + x'.repeat(8000)}\n`, 'CROB2225'],
  [
    'equations that wait for each other',
    `model M() {\n input x: f32[N]\n${range(2000)
      .map((i) => `let a${i} = a${i + 1} + 1.0\n`)
      .join('')}let a2000 = x\n output y = a0 }\n`,
    'CROB2225',
  ],
  [
    'functions that call functions',
    `${range(300)
      .map((i) => `fn f${i}(x: f32[N]) -> f32[N] = f${i + 1}(x)\n`)
      .join('')}fn f300(x: f32[N]) -> f32[N] = x\nmodel M() { input x: f32[N]; output y = f0(x) }\n`,
    'CROB2225',
  ],
  [
    'functions of statics that call functions',
    `${range(300)
      .map((i) => `fn f${i}(n: int) = f${i + 1}(n)\n`)
      .join('')}fn f300(n: int) = n\n${module('n: int = f0(3)')}`,
    'CROB2225',
  ],
  [
    'a long chain of functions, of which many are too deep',
    `${range(1500)
      .map((i) => `fn f${i}(x: f32[N]) -> f32[N] = f${i + 1}(x)\n`)
      .join('')}fn f1500(x: f32[N]) -> f32[N] = x\n`,
    'CROB2225',
  ],
  [
    'a function that counts down',
    `fn f(n: int) = if n == 0 { 0 } else { f(n - 1) }\n${module('n: int = f(1000)')}`,
    'CROB2225',
  ],
  ['a function that waits for itself', `fn f(n: int) = f(n)\n${module('n: int = f(1)')}`, 'CROB2206'],
  [
    'modules that have modules',
    `${range(100)
      .map((i) => `module P${i}(n: int) {\n q = P${i + 1}(n)\n}\n`)
      .join('')}module P100(n: int) {\n}\nexample P0(3)\n`,
    'CROB2225',
  ],
  [
    'calls that double',
    `${range(40)
      .map((i) => `fn f${i}(x: f32[N]) -> f32[N] = f${i + 1}(f${i + 1}(x))\n`)
      .join('')}fn f40(x: f32[N]) -> f32[N] = x + x\nmodel M() { input x: f32[N]; output y = f0(x) }\n`,
    'CROB2225',
  ],
  [
    'a list that doubles',
    `fn s(n: int) {\n let a = [1]\n for i in 0..n { a = a + a }\n return a }\n${module('q: list[int] = s(40)')}`,
    'CROB2225',
  ],
  [
    'a string that doubles',
    `fn s(n: int) {\n let a = "x"\n for i in 0..n { a = a + a }\n return a }\n${module('q: string = s(40)')}`,
    'CROB2225',
  ],
  [
    'loops in loops',
    `fn s(n: int) {\n for i in 0..4000 { for j in 0..4000 { n = j } }\n return n }\n${module('n: int = s(0)')}`,
    'CROB2220',
  ],
  ['a list of squares', module('n: list[int] = [i * j for i in 0..4000 for j in 0..4000]'), 'CROB2204'],
  ['nothing kept of much', module('n: list[int] = [i for i in 0..4000 for j in 0..4000 if i < 0]'), 'CROB2220'],
  [
    'modules in modules',
    'module A(n: int) {\n a = [B(n) for i in 0..4000]\n}\nmodule B(n: int) {\n a = [C(n) for i in 0..4000]\n}\nmodule C(n: int) {\n}\nexample A(3)\n',
    'CROB2220',
  ],
  [
    'a power of a sum',
    'fn f(x: f32[A, B, C, D]) -> f32[(A + B + C + D + 1)^40] = full(0.0, [(A + B + C + D + 1)^40])\n',
    'CROB2225',
  ],
  [
    'axes that are joined, each of sixty sizes',
    `model M() {\n${range(60)
      .map((i) => ` input x${i}: f32[D${i}, 4]\n`)
      .join('')} let all = concat([${range(60)
      .map((i) => `x${i}`)
      .join()}], "* c")\n let s = sum(all, "n c -> n")\n let a = einsum("i, j, k, l -> i j k l", s, s, s, s)
 output y = rearrange(a, "i j k l -> (i j k l)") }\n`,
    'CROB2224',
  ],
  [
    'a sum of sixty dims to the 4th',
    `model M() {\n${range(60)
      .map((i) => `input x${i}: f32[D${i}]\n`)
      .join('')}output y = full(0.0, [(${range(60)
      .map((i) => `D${i}`)
      .join(' + ')})^4]) }\n`,
    'CROB2225',
  ],
  ['a power', module('n: int = 10^30'), 'CROB2224'],
];

test.each(hostile)('%s', (_, source, code) => {
  const { diagnostics } = check(memoryHost({ 'main.crob': source }), ['main.crob']);
  expect(new Set(diagnostics.map((d) => d.code))).toEqual(new Set([code]));
});

test('a long body in order is no mistake', () => {
  const lines = range(2000).map((i) => `let a${i + 1} = a${i} + 1.0\n`);
  const source = `model M() {\n input x: f32[N]\n let a0 = x\n${lines.join('')} output y = a2000 }\n`;
  expect(check(memoryHost({ 'main.crob': source }), ['main.crob']).diagnostics).toEqual([]);
});

test('a million lines of documentation', () => {
  const source = `${'///\n'.repeat(1_000_000)}model M() {\n input x: f32[N]\n output y = x }\n`;
  expect(check(memoryHost({ 'main.crob': source }), ['main.crob']).diagnostics).toEqual([]);
});

test('five thousand mistakes', () => {
  const lines = range(5000).map((i) => `let a${i} = nothing${i}\n`);
  const source = `model M() {\n input x: f32[N]\n ${lines.join('')} output y = x }\n`;
  expect(check(memoryHost({ 'main.crob': source }), ['main.crob']).diagnostics).toHaveLength(5000);
});

test('a variant of a thousand lines, most of them wrong', () => {
  const layers = range(150);
  const parts = layers.map((i) => `l${i} = Linear(4, 4)\nlet a${i + 1} = l${i}(a${i})\n`);
  const right = layers.map((i) => `l${i}.bias = false\n`);
  const wrong = layers.flatMap((i) => range(6).map((j) => `l${i}.bad${j} = 4\n`));
  const source = `model M {\n input a0: f32[B, 4]\n${parts.join('')} output y = a150 }
model V extends M {\n${right.join('')}${wrong.join('')}}\n`;
  const { diagnostics } = check(memoryHost({ 'main.crob': source }), ['main.crob']);
  expect(diagnostics.map(({ code }) => code)).toEqual(wrong.map(() => 'CROB2301'));
});
