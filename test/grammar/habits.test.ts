import { describe, expect, test } from 'vitest';
import { fromSyntax } from '../../compiler/diagnostics/from-syntax.ts';
import { parse } from '../../grammar/parse.ts';

/** Each fault as its message and its help. */
function told(text: string): string[] {
  return parse('x.crob', text).faults.map((fault) => {
    const { message, help } = fromSyntax(fault);
    return `${message} | ${help}`;
  });
}

const inBody = (text: string) => `fn f(x: f32[B, C], y: f32[C, D]) -> f32[B, D] {\n  ${text}\n  return z\n}\n`;
const inModule = (text: string) => `module A(dim: int) {\n  ${text}\n}\n`;

describe('a habit of PyTorch is one message that says what crob has instead', () => {
  test.each([
    ['let a, b = both(x)', inBody('let a, b = both(x)'), /let \(a, b\) = …/],
    ['a @ b', inBody('let z = x @ y'), /matmul\(a, b\)/],
    ['a @ b @ c', 'fn f(x: f32[B, B]) -> f32[B, B] = x @ x\n', /matmul\(a, b\)/],
    ['lambda', inBody('let z = lambda x: x + 1'), /declare a `fn`/],
    ['lambda in a call', inBody('let z = map(lambda x: x, xs)'), /declare a `fn`/],
    ['is None', inBody('let z = if x is None { y } else { x }'), /`==` or `!=`/],
    ['is not None', inBody('if x is not none { z = y }'), /`==` or `!=`/],
    ['None', inBody('let z = None'), /`none`/],
    ['True', inBody('let z = True'), /`true`/],
    ['import', 'import torch\nmodule A() { }\n', /`use std\./],
    ['import as', 'import torch.nn as nn\nmodule A() { }\n', /`use std\./],
    ['from import', 'from torch import nn\nmodule A() { }\n', /`use std\./],
    ['def', inModule('def forward(x: f32[B]) -> f32[B] { return x }'), /`forward\(…\)`/],
    ['self as a parameter', inModule('forward(self, x: f32[B]) -> f32[B] { return x }'), /named directly/],
    ['a // b', inModule('hidden = Linear(dim, dim // 2)'), /floor\(a \/ b\)/],
    ['a // b at the end', inModule('static hidden = dim // 2'), /floor\(a \/ b\)/],
    ['a if c else b', inModule('norm = A(dim) if dim > 2 else B(dim)'), /`if condition { a } else { b }`/],
    ['a if c else None', inModule('norm = A(dim) if dim > 2 else None'), /`if condition { a } else { b }`/],
    ['while', inBody('while x { }'), /static ranges/],
  ])('%s', (_, text, help) => {
    const messages = told(text);
    expect(messages).toEqual([expect.stringMatching(help)]);
  });

  test.each([
    ['term dice = 0.4x * dice(logits, target)', 1],
    ['let half = 0.5x', 1],
    ['lr = 2 * 0.1x', 1],
    ['optimizer = AdamW(lr = 0.1x)', 1],
    ['schedule = warmup(10) then poly(power = 0.9x)', 1],
    ['lr = 0.1x', 0],
    ['group a.* { lr = 0.1x }', 0],
  ])('%s', (member, count) => {
    const messages = told(`recipe r for M { ${member} }\n`);
    expect(messages).toEqual(Array(count).fill(expect.stringMatching(/is a factor.*write `[\d.]+`/)));
  });

  test('a comment that holds a word is a comment', () => {
    expect(told('fn f(n: int) = n * 5 // five\nfn g(n: int) = n // 4 of them\n')).toEqual([]);
  });
});
