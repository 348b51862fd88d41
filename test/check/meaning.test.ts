import { expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { diagnosticsOf } from '../../compiler/check/diagnostics-of.ts';
import { nothingChecked, recheck } from '../../compiler/check/recheck.ts';
import { inlineModel } from '../../compiler/elaborate/models/inline.ts';
import { printCanonical } from '../../compiler/ir/print.ts';
import { memoryHost } from '../memory-host.ts';

type Files = Readonly<Record<string, string>>;

const layers = `module One(dim: int) {
  up = Linear(dim, dim)
  forward(x: f32[B, dim]) -> f32[B, dim] {
    return up(x)
  }
}
module Two(dim: int) {
  forward(x: f32[B, dim]) -> f32[B, dim] {
    return x + x
  }
}
`;
const model = (name: string) => `model ${name} {
  first = A(8)
  second = Z(8)
  input x: f32[B, 8]
  output y = second(first(x))
}
`;
const recipe = (of: string, loss = '(y - t) * (y - t)') => `recipe r for ${of} at B = 2 {
  input t: f32[B, 8]
  term mse = mean(${loss}, "b c ->")
  optimizer = AdamW(lr = 1e-3)
  steps = 10
}
`;
const used = 'use layers.{One as A, Two as Z}\n';
const extending = `use base.{r}\n${used}${model('Net')}recipe own for Net extends r {\n}\n`;
const variant = 'use base.{Base}\nmodel Variant extends Base {\n  first.up.bias = false\n}\n';
const base = `${used}${model('Base')}`;

/** What a change does not show in the text of what depends on it, or nearly not. */
const changes: readonly [what: string, before: Files, after: Files, again: readonly string[]][] = [
  [
    'names are exchanged where they are imported',
    { 'net.crob': used + model('Net'), 'layers.crob': layers },
    { 'net.crob': `use layers.{Two as A, One as Z}\n${model('Net')}`, 'layers.crob': layers },
    ['net.crob'],
  ],
  [
    'a module of that name comes from another file',
    { 'net.crob': used + model('Net'), 'layers.crob': layers, 'more.crob': layers.replace('x + x', 'x * x') },
    {
      'net.crob': `use layers.{One as A}\nuse more.{Two as Z}\n${model('Net')}`,
      'layers.crob': layers,
      'more.crob': layers.replace('x + x', 'x * x'),
    },
    ['net.crob'],
  ],
  [
    'what is imported is there no longer',
    { 'net.crob': used + model('Net'), 'layers.crob': layers },
    { 'net.crob': used + model('Net'), 'layers.crob': layers.replace('module Two', 'module Three') },
    ['net.crob', 'layers.crob'],
  ],
  [
    'a file that is imported has a syntax error, behind what is used of it',
    { 'net.crob': used + model('Net'), 'layers.crob': layers },
    { 'net.crob': used + model('Net'), 'layers.crob': `${layers}module Broken(dim {\n` },
    ['net.crob', 'layers.crob'],
  ],
  [
    'the loss of a recipe that another extends reads something else',
    { 'net.crob': extending, 'base.crob': base + recipe('Base'), 'layers.crob': layers },
    { 'net.crob': extending, 'base.crob': base + recipe('Base', '(y - t) * z'), 'layers.crob': layers },
    ['net.crob', 'base.crob'],
  ],
  [
    'the model of a recipe that another extends is there no longer',
    { 'net.crob': extending, 'base.crob': base + recipe('Base'), 'layers.crob': layers },
    { 'net.crob': extending, 'base.crob': base + recipe('Gone'), 'layers.crob': layers },
    ['net.crob', 'base.crob'],
  ],
  [
    'the recipe that a variant inherits without naming it does not fit it any longer',
    { 'net.crob': variant, 'base.crob': base + recipe('Base'), 'layers.crob': layers },
    { 'net.crob': variant, 'base.crob': base + recipe('Base').replace('B, 8', 'B, 9'), 'layers.crob': layers },
    ['net.crob', 'base.crob'],
  ],
  [
    'another declaration takes the name of a library module',
    { 'net.crob': used + model('Net'), 'layers.crob': layers },
    {
      'net.crob': used + model('Net'),
      'layers.crob': `${layers}module Linear(dim: int, by: int) {\n  forward(x: f32[B, dim]) -> f32[B, dim] {\n    return x\n  }\n}\n`,
    },
    ['net.crob', 'layers.crob'],
  ],
  [
    'only documentation and places change',
    { 'net.crob': used + model('Net'), 'layers.crob': layers },
    { 'net.crob': `// A net.\n${used}\n/// Doubles.\n${model('Net')}`, 'layers.crob': `\n/// Once.\n${layers}` },
    ['net.crob', 'layers.crob'],
  ],
];

test.each(changes)('%s', (_, before, after, again) => {
  const asked = Object.keys(before);
  const state = recheck(memoryHost(after), asked, recheck(memoryHost(before), asked, nothingChecked));
  const whole = check(memoryHost(after), asked);
  expect(diagnosticsOf(state.checks)).toEqual(whole.diagnostics);
  const shown = ({ checks }: Pick<typeof state, 'checks'>) =>
    checks.flatMap(({ models }) =>
      [...models].map(([name, one]) => [name, one.flat.decl.docs, one.flat.decl.name.span, graphOf(one)]),
    );
  expect(shown(state)).toEqual(shown(whole));
  expect([...state.again].sort()).toEqual([...again].sort());
});

function graphOf(model: Parameters<typeof inlineModel>[0]): string {
  return printCanonical(inlineModel(model, new Map()));
}
