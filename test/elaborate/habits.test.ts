import { describe, expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { builtins } from '../../compiler/elaborate/eval/builtins/table.ts';
import { initialisers } from '../../compiler/ir/initialisers.ts';
import { foreignNames } from '../../grammar/foreign.ts';
import { parse } from '../../grammar/parse.ts';
import { memoryHost } from '../memory-host.ts';

/** Each message as one line, with its help. */
function told(source: string): string[] {
  const { diagnostics } = check(memoryHost({ 'main.crob': source }), ['main.crob']);
  return diagnostics.map(({ message, help }) => `${message} | ${help}`);
}

const inBody = (text: string) =>
  told(`module A(dim: int = 4) {
  norm = LayerNorm(dim)
  forward(x: f32[B, dim]) -> f32[B, dim] {
    return norm(x) + ${text}
  }
}
`);
const asPart = (text: string) => told(`module A(dim: int = 4) {\n  part = ${text}\n}\n`);

describe('what PyTorch has is answered with what crob has', () => {
  test.each([
    ['self.norm(x)', /no `self.norm` here \| .*`norm`/],
    ['torch.cat([x, x], dim = 1)', /no `torch.cat` here \| `concat\(/],
    ['torch.relu(x)', /no `torch.relu` here \| names have no prefix here: `relu`/],
    ['torch.nn.functional.gelu(x)', /no `torch.nn.functional.gelu` here \| names have no prefix here: `gelu`/],
    ['F.interpolate(x, scale_factor = 2)', /`F.interpolate` here \| `resize\(/],
    ['interpolate(x, 2)', /no `interpolate` here \| `resize\(/],
    ['silu(x)', /no `silu` here \| write `x \* sigmoid\(x\)`/],
    ['F.silu(x)', /no `F.silu` here \| write `x \* sigmoid\(x\)`/],
    ['x.view(4)', /a tensor has no `view` \| .*`rearrange\(x/],
    ['x.permute(1, 0)', /a tensor has no `permute` \| .*`rearrange\(x/],
    ['x.shape[0]', /a tensor has no `shape` \| `size\(x, 0\)`/],
    ['x.relu()', /a tensor has no `relu` \| .*`relu\(x\)`/],
    ['norm(x).mean(1)', /a tensor has no `mean` \| .*`mean\(norm\(x\), /],
    ['x.unsqueeze(1)', /`rearrange\(x, "b c -> b c 1"\)`/],
    ['enumerate(x)', /`for i, x in xs/],
  ])('%s', (text, expected) => {
    expect(inBody(text)).toEqual([expect.stringMatching(expected)]);
  });

  test.each([
    ['nn.Linear(4, 4)', /no `nn.Linear` here \| names have no prefix here: `Linear`/],
    ['torch.nn.Linear(4, 4)', /no `torch.nn.Linear` here \| names have no prefix here: `Linear`/],
    ['nn.Linaer(4, 4)', /no `nn.Linaer` here \| did you mean `Linear`\?/],
    ['nn.BatchNorm2d(4)', /`BatchNorm\(channels\)`/],
    ['nn.Sequential(Linear(4, 4))', /a list of parts/],
    ['ModuleList([Linear(4, 4)])', /a list of parts/],
    ['Identity()', /`norm = LayerNorm\(dim\) if c`/],
  ])('%s', (text, expected) => {
    expect(asPart(text)).toEqual([expect.stringMatching(expected)]);
  });
});

describe('a name that the library has is answered with its line', () => {
  test('and not with the nearest of those that are there', () => {
    const source = 'use std.backbone.{SwinT}\nmodule A {\n  a = SwinT()\n  b = SwinS()\n}\n';
    expect(told(source)).toEqual(['there is no `SwinS` here | the library has it: `use std.backbone.{SwinS}`']);
  });

  test('also from a file that nothing uses', () => {
    expect(asPart('DeficitCompensation(dim)')).toEqual([
      expect.stringContaining('`use std.compensation.{DeficitCompensation}`'),
    ]);
  });

  test('in a `use` of another file, and as a type', () => {
    expect(told('use std.text.{SwinT}\n')).toEqual([expect.stringContaining('`use std.backbone.{SwinT}`')]);
    expect(told('module A(encoder: TextEncoder = 3) { }\n')).toEqual([
      expect.stringContaining('`use std.text.{TextEncoder}`'),
    ]);
    expect(told('module A: TextEncoder { }\n')).toContainEqual(expect.stringContaining('`use std.text.{TextEncoder}`'));
  });

  test('a near name is still found', () => {
    expect(asPart('Linaer(4, 4)')).toEqual(['there is no `Linaer` here | did you mean `Linear`?']);
  });
});

describe('what the answers name exists', () => {
  const known = new Set([...builtins.keys(), ...Object.keys(initialisers), 'floor', 'ceil']);
  const { program } = check(memoryHost({ 'main.crob': 'use std.drop.{DropPath}\n' }), ['main.crob']);
  for (const name of program.files.get('main.crob')!.names()) known.add(name);

  test.each([...foreignNames])('%s', (_, help) => {
    const codes = [...help.matchAll(/`([^`]+)`/g)].map(([, code]) => code!.replaceAll('{x}', 'x'));
    for (const code of codes) {
      for (const [, called] of code.matchAll(
        /(?<![\w.])(?!layer\b|norm\b|drop\b|if\b|in\b|module\b|Name\b)([A-Za-z_]\w*)\(/g,
      ))
        expect([...known], code).toContain(called);
      if (/…|[{}=*]|^x: |^--|^use |^i32$|^train|^param|^buffer|crobc/.test(code)) continue;
      expect(parse('x.crob', `fn f() = ${code}\n`).faults, code).toEqual([]);
    }
  });
});
