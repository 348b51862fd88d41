import { describe, expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { compile } from '../../compiler/compile.ts';
import { toJson } from '../../compiler/diagnostics/render-json.ts';
import { renderTerminal } from '../../compiler/diagnostics/render-terminal.ts';
import { memoryHost } from '../memory-host.ts';
import { shippedModels } from '../shipped.ts';

const two = `
module Two(dim: int) {
  param bias: f32[dim] ~ zeros
  a = Linear(dim, dim)
  b = Linear(dim, dim)
  forward(x: f32[B, dim]) -> (p: f32[B, dim], q: f32[B, dim]) {
    return (p = a(x) + bias, q = b(x))
  }
}
model Both {
  two = Two(4)
  input x: f32[B, 4]
  let (p, q) = two(x)
  output y = p + q
}
`;

/** Each message with the text that it and its notes stand at. */
function messages(source: string): string[] {
  const host = memoryHost({ ...shippedModels, 'main.crob': source });
  const { diagnostics, program } = check(host, ['main.crob']);
  return diagnostics.map(({ code, message, span, notes }) => {
    const at = notes.map((note) => `${note.text}: ${program.text(note.span)}`);
    return [`${code} at ${program.text(span)}: ${message}`, ...at].join('; ');
  });
}

describe('what a variant leaves unread is a note', () => {
  test('at the line without which an output needs it', () => {
    expect(messages(`${two}model First extends Both {\n  two = Two(4)\n  output y = p\n}\n`)).toEqual([
      'CROB2317 at output y = p: no output reads `two.b` any longer: 20 weights; declared here: b',
    ]);
  });

  test('weights of one line together', () => {
    expect(messages(`${two}model Second extends Both {\n  output y = q\n}\n`)).toEqual([
      'CROB2317 at output y = q: no output reads `two.bias` and `two.a` any longer: 24 weights; declared here: bias',
    ]);
  });

  test('at the name where it takes two lines', () => {
    const base = `${two}model Shown extends Both {\n  output z = q\n}\n`;
    expect(messages(`${base}model Neither extends Shown {\n  output y = p\n  output z = 2 * p\n}\n`)).toEqual([
      'CROB2317 at Neither: no output reads `two.b` any longer: 20 weights; ' +
        'without this line, an output would depend on it: output y = p; ' +
        'without this line, an output would depend on it: output z = 2 * p; declared here: b',
    ]);
  });

  test('once, though other variants inherit it', () => {
    const first = `${two}model First extends Both {\n  output y = p\n}\n`;
    expect(messages(`${first}model Third extends First {\n  output z = p * p\n}\n`)).toHaveLength(1);
  });

  test('of a part that the variant brings in', () => {
    expect(
      messages(`${two}model Another extends Both {\n  more = Two(4)\n  let r = more(x)\n  output z = r.q\n}\n`),
    ).toEqual([
      'CROB2317 at bias: no output reads `more.bias`: 4 weights; in this part of Another: more',
      'CROB2317 at a: no output reads `more.a`: 20 weights; in this part of Another: more',
    ]);
  });

  test('of a shipped model, and by --set', () => {
    const line = 'mid.levels = [1, 2, 3]';
    const said = 'no output reads `lgfa.compensation.0.back.0` any longer';
    const source = `use crobim.{CroBIM_micro}\nmodel V extends CroBIM_micro {\n  ${line}\n}\n`;
    expect(messages(source)).toEqual([`CROB2317 at ${line}: ${said}: 1,560 weights; declared here: back`]);
    const options = { model: 'CroBIM', dims: new Map<string, number>(), overrides: [line] };
    const { diagnostics, graph } = compile(memoryHost(shippedModels), 'crobim.crob', options);
    expect(diagnostics.map(({ severity, message }) => `${severity}: ${message}`)).toEqual([
      `note: ${said}: 32,896 weights`,
    ]);
    expect(graph).toBeDefined();
  });
});

describe('in a model of its own it is told where it is declared', () => {
  const model = (two: string) =>
    `model One {\n  two = ${two}\n  input x: f32[B, 4]\n  let r = two(x)\n  output y = r.p\n}\n`;

  test('in a module of the same file', () => {
    expect(messages(two + model('Two(4)'))).toEqual([
      'CROB2317 at b: no output reads `two.b`: 20 weights; in this part of One: two',
    ]);
  });

  test('or at the part, where the library declares it', () => {
    const source = `use std.fusion.{PixelWords}
model One {
  read = PixelWords(8, 8)
  input x: f32[B, N, 8]
  input words: f32[B, T, 8]
  input mask: bool[B, T]
  let r = read(x, words, mask)
  output y = r.score
}
`;
    expect(messages(source)).toEqual([expect.stringMatching(/^CROB2317 at read: no output reads `read\./)]);
  });
});

describe('there is none', () => {
  test.each([
    ['where training reads it', `${two}model First extends Both {\n  output y = p\n  output(train) z = q\n}\n`],
    [
      'where another call of the module reads it',
      `${two}model First extends Both {\n  let (q = again) = two(2 * x)\n  output y = p + again\n}\n`,
    ],
    [
      'for weights that no called method mentions',
      `
module Coded(coded: bool = true) {
  param code: f32[4] ~ zeros
  head = Linear(4, 4)
  forward(x: f32[B, 4]) -> f32[B, 4] {
    return if coded { head(x + code) } else { head(x) }
  }
}
model Base {
  part = Coded()
  input x: f32[B, 4]
  output y = part(x)
}
model Plain extends Base {
  part.coded = false
}
`,
    ],
    [
      'for what feeds a buffer that an output reads',
      `
module Kept {
  buffer kept: f32[4] = zeros
  head = Linear(4, 4)
  forward(x: f32[B, 4]) -> f32[B, 4] {
    let y = x + kept
    let next = mean(head(x), "b c -> c")
    if training {
      kept <- next
    }
    return y
  }
}
model Base {
  part = Kept()
  input x: f32[B, 4]
  output y = part(x)
}
`,
    ],
  ])('%s', (_, source) => {
    expect(messages(source)).toEqual([]);
  });
});

test('a note keeps a model right', () => {
  const source = `${two}model First extends Both {\n  output y = p\n}\n`;
  const { diagnostics, models } = check(memoryHost({ 'main.crob': source }), ['main.crob']);
  expect([...models.keys()]).toEqual(['Both', 'First']);
  const text = () => source;
  expect(diagnostics.map((d) => toJson(d, text).severity)).toEqual(['note']);
  expect(renderTerminal(diagnostics, text, { color: false, width: 80 })).toMatch(/^note\[CROB2317\]: /);
});
