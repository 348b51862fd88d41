// slow: tries what help proposes

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import type { MessageRow } from '../../compiler/diagnostics/message-row.ts';
import { messages } from '../../compiler/diagnostics/messages.ts';
import { readCase } from '../cases/case.ts';
import { memoryHost } from '../memory-host.ts';
import { follow } from './follow.ts';

/**
 * Who does what the help of a message says gets rid of the message, and of an error gets a file that checks. Helps that name an edit are
 * followed as they stand; for those that leave something to the reader, here is what a reader would write: a text of the example, and
 * what stands in its place.
 */
const followed: Readonly<Record<string, readonly [from: string, to: string]>> = {
  CROB1002: ['×', '*'],
  CROB1003: ['(b c))', '(b c)")'],
  CROB1008: ['x + x\n}', 'x + x\n}\n}'],
  CROB1009: ['x))', 'x)'],
  CROB1010: ['# twice', '// twice'],
  CROB1011: ['/* twice as much */', '// twice as much'],
  CROB1015: ['0:2', '0..2'],
  CROB1016: ['9007199254740993', '9007199254740993.0'],
  CROB1018: ['= x, x)', '= x, b = x)'],
  CROB1019: ['x\n    + x', 'x +\n    x'],
  CROB1020: ['"b c \\d"', '"b c -> b"'],
  CROB1021: ['0 <= shift < 4', '0 <= shift, shift < 4'],
  CROB1022: ['{ n }', '{ n } else { 0 }'],
  CROB1024: ['  x + x\n  return x', '  return x + x'],
  CROB1027: ['@no_decay ', ''],
  CROB1028: ['fn one() = 1\nuse std.linear.{Linear}', 'use std.linear.{Linear}\nfn one() = 1'],
  CROB1029: ['factor: float', 'factor: f32[]'],
  CROB1030: [`${'('.repeat(101)}1${')'.repeat(101)}`, `${'('.repeat(50)}1${')'.repeat(50)}`],
  CROB1031: ['let in', 'let in_'],
  CROB1032: ['def forward', 'forward'],
  CROB1033: ['n > 2: 1', 'n > 2 { 1 } else { 0 }'],
  CROB1034: ['module Outer() {\n  fn twice(n: int) = 2 * n\n}', 'fn twice(n: int) = 2 * n'],
  CROB1035: ['heads = 8, dim', 'dim, heads = 8'],
  CROB1036: ['let fc', 'fc'],
  CROB1037: ['(x) =', '(x: int) ='],
  CROB1038: ['let y: f32[B] = x + x', 'let y = x + x as f32[B]'],
  CROB1040: ['1 if n > 2 else 0', 'if n > 2 { 1 } else { 0 }'],
  CROB1041: ['(dim: int)', '(dim: int) {}'],
  CROB1042: ['encode(', 'method encode('],
  CROB1043: ['weight: f32[dim] = ones', 'param weight: f32[dim] ~ ones'],
  CROB1044: ['let rate = 0.1', 'fn rate() = 0.1'],
  CROB1045: ['0..4', '[i for i in 0..4]'],
  CROB1046: ['x + x return', 'x + x; return'],
  CROB1047: ['\ufffd', 'é'],
  CROB1050: ['let a, b', 'let (a, b)'],
  CROB1051: ['n // 4', 'floor(n / 4)'],
  CROB2003: ['layers.blocks.{Block}', 'std.linear.{Linear}'],
  CROB2013: ['module', 'example Gate(dim = 8)\nmodule'],
  CROB2014: ['"shared") second', '"other") second'],
  CROB2101: [
    'f32[B, 2*N]) -> f32[B, N] = x[:, 0..N]',
    'f32[B, N]) -> f32[B, floor(N/2)] where 2 <= N = x[:, 0..floor(N/2)]',
  ],
  CROB2103: ['x * mask', 'x * f32(mask)'],
  CROB2116: ['0..M', '0..N'],
  CROB2118: ['Bias() {\n  param weight: f32[1, W]', 'Bias(width: int = 8) {\n  param weight: f32[1, 1]'],
  CROB2202: ['dim / 2', 'floor(dim/2)'],
  CROB2208: ['if x < 0.0 {\n    return 0.0 * x\n  }\n  return x', 'return select(x < 0.0, 0.0 * x, x)'],
  CROB2210: [
    '  input features: f32[B, 64]\n  output logits = Linear(64, 10)(',
    '  part = Linear(64, 10)\n  input features: f32[B, 64]\n  output logits = part(',
  ],
  CROB2213: ['let y =', 'return'],
  CROB2215: ['seen <- seen + 1.0', 'if training { seen <- seen + 1.0 }'],
  CROB2217: ['~ 1.0', '~ ones'],
  CROB2226: ['x + uniform(x)', 'if training { x + uniform([8]) } else { x }'],
  CROB2304: ['  norm = LayerNorm(64)\n', ''],
  CROB2308: ['let head = features', 'head = Linear(64, 5)'],
  CROB2320: ['  dropout = 0.1\n', '  seed = 1\n'],
  CROB2240: ['forward {', 'forward(x: f32[B, N]) -> f32[B, N] {'],
  CROB2322: ['fix backbone.*', 'fix head.bias'],
  CROB2324: ['square(score)', 'mean(square(score), "b c -> ")'],
  CROB2325: ['for Small {', 'for Small at B = 2 {'],
  CROB2326: ['input score', 'input target'],
  CROB2327: ['  start from plain\n', ''],
  CROB2328: [
    'group head.* { lr = 0.1x }\n  group head.bias { weight_decay = 0 }',
    'group head.bias { weight_decay = 0 }\n  group head.* { lr = 0.1x }',
  ],
  CROB2330: ['{j}', '{i}'],
};

const rows = Object.entries(messages) as [string, MessageRow][];

function diagnosticsOf(source: string): readonly Diagnostic[] {
  return check(memoryHost({ 'example.crob': source }), ['example.crob']).diagnostics;
}

function errorsOf(source: string): readonly Diagnostic[] {
  return diagnosticsOf(source).filter(({ severity }) => severity === 'error');
}

/** What could not be seen before may have a help of its own. */
function afterwards(source: string): readonly Diagnostic[] {
  const left = errorsOf(source);
  const [next] = left;
  const edited = next?.help === undefined ? undefined : follow(source, next, next.help);
  return edited === undefined ? left : errorsOf(edited);
}

describe.each(rows)('%s', (code, { example }) => {
  const [first] = diagnosticsOf(example);
  const help = first?.help;
  test.runIf(help !== undefined)('goes when its help is followed', () => {
    if (!first || help === undefined) return;
    const own = followed[code];
    const edited = own ? example.replace(own[0], () => own[1]) : follow(example, first, help);
    expect(edited, `the help of ${code} can be followed: ${help}`).toBeDefined();
    expect(edited).not.toBe(example);
    const left = errorsOf(edited ?? '');
    expect(left.filter((d) => d.code === code)).toEqual([]);
    expect(afterwards(edited ?? '').map((d) => `${d.code} ${d.message}`)).toEqual([]);
  });
});

const folder = join(import.meta.dirname, '../cases');
const cases = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md'))
  .flatMap((file) => {
    const files = [...readCase(readFileSync(join(folder, file), 'utf8')).files.values()];
    const [source] = files;
    return source !== undefined && files.length === 1 ? [{ file, source }] : [];
  });

describe('a part that a help names', () => {
  const helps = cases.flatMap(({ file, source }) =>
    diagnosticsOf(source).flatMap((d) =>
      d.help?.includes('the part is `') ? [{ file, source, d, help: d.help }] : [],
    ),
  );

  test('is named somewhere', () => {
    expect(helps.length).toBeGreaterThan(3);
  });

  test.each(helps)('stands where it says: $file, $help', ({ source, d, help }) => {
    const edited = follow(source, d, help) ?? '';
    expect(edited).not.toBe(source);
    // What is said of it there may be wrong as well.
    expect(
      diagnosticsOf(edited).filter(({ message, span }) => message === d.message && span.start === d.span.start),
    ).toEqual([]);
  });
});

describe('a condition that a help asks for', () => {
  const sources = cases.filter(({ source }) =>
    diagnosticsOf(source).some(({ help }) => help?.startsWith('add `where')),
  );

  test('is asked for somewhere', () => {
    expect(sources.length).toBeGreaterThan(10);
  });

  test.each(sources)('makes the message go: $file', ({ source }) => {
    const before = diagnosticsOf(source);
    for (const d of before) {
      const help = d.help?.startsWith('add `where') ? d.help : undefined;
      if (help === undefined) continue;
      const edited = follow(source, d, help);
      expect(edited, help).toBeDefined();
      const after = diagnosticsOf(edited ?? '');
      // Another line may say the same of itself.
      const alike = (all: readonly Diagnostic[]) =>
        all.filter(({ code, message }) => code === d.code && message === d.message);
      expect(alike(after).length).toBeLessThan(alike(before).length);
      const known = new Set(before.map(({ code }) => code));
      // A method may not ask for more than its interface, and conditions must leave some sizes.
      expect(after.filter(({ code }) => (code === 'CROB2117' || code === 'CROB2119') && !known.has(code))).toEqual([]);
    }
  });
});
