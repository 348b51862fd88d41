import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { diagnosticsOf } from '../../compiler/check/diagnostics-of.ts';
import { type Checked, nothingChecked, recheck } from '../../compiler/check/recheck.ts';
import { inlineModel } from '../../compiler/elaborate/models/inline.ts';
import type { SourceHost } from '../../compiler/elaborate/source/program.ts';
import { printCanonical } from '../../compiler/ir/print.ts';
import { memoryHost } from '../memory-host.ts';
import { holds } from '../property.ts';

type Files = Readonly<Record<string, string>>;

const layers = 'module Wide(dim: int) {\n  forward(x: f32[B, dim]) -> f32[B, dim] {\n    return x + x\n  }\n}\n';
/** The same, with as many more modules. */
const wide = (n: number) =>
  `${layers}${Array.from({ length: n }, (_, i) => `module M${i} {\n  forward(x: f32[B, 2]) -> f32[B, 2] {\n    return x\n  }\n}\n`).join('')}`;
const user = 'use layers.{Wide}\nmodel A {\n  wide = Wide(8)\n  input x: f32[B, 8]\n  output y = wide(x)\n}\n';
const other = 'model B {\n  input x: f32[B, 4]\n  output y = x + x\n}\n';

const kinds =
  'interface Row(dim: int) {\n  forward(x: f32[B, dim]) -> f32[B, dim]\n}\nfn twice(n: int) -> int {\n  return 2 * n\n}\n';
const rows = `use kinds.{Row, twice}
use a.{r}
module Wider(dim: int, by: int = twice(dim)): Row {
  up = Linear(dim, by)
  down = Linear(by, dim)
  drop = Dropout(0.1)
  forward {
    return down(drop(up(x)))
  }
}
module Each(dim: int, of: Row): Row {
  inner = of(dim)
  forward {
    return inner(x) + x
  }
}
fn applied(layer: Linear, x: f32[B, 8]) -> f32[B, 8] = layer(x)
module Passing(dim: int): Row {
  own = Linear(dim, dim)
  forward {
    return applied(own, x)
  }
}
recipe s extends r for D {
}
model D(row: Row = Wider()) {
  each = Each(8, row)
  passing = [Passing(8), Passing(8)]
  input x: f32[B, 8]
  output y = passing[1](passing[0](each(x)))
}
`;
const recipe = `recipe r for A at B = 2 {
  input t: f32[B, 8]
  term mse = mean((y - t) * (y - t), "b c ->")
  optimizer = AdamW(lr = 1e-3)
  schedule = constant()
  steps = 10
}
`;

const recipeOfOther = `${user
  .replace('use layers.{Wide}\n', '')
  .replace('Wide', 'Linear')
  .replace('(8)', '(8, 8)')
  .replace('model A', 'model Own')}recipe own for Own extends r {\n}\n`;

/** What a file may contain in its life; undefined while it does not exist. */
const lives: Readonly<Record<string, readonly (string | undefined)[]>> = {
  'kinds.crob': [
    kinds,
    `// A comment moves everything.\n${kinds}`,
    kinds.replaceAll('[B, dim]', '[B, dim, 1]'),
    kinds.replace('-> f32[B, dim]', '-> f32[B, 2*dim]'),
    kinds.replace('2 * n', '3 * n'),
    kinds.replace('fn twice', 'recipe twice for A {\n}\nfn thrice'),
    kinds.replace('return', 'retrun'),
    undefined,
  ],
  'd.crob': [
    rows,
    `\n${rows}`,
    rows.replace('drop(up(x))', 'up(x)'),
    rows.replace('Wider()', 'Wider(by = 9)'),
    rows.replace('Each(8, row)', 'Each(9, row)'),
    rows.replace('inner(x) + x', 'inner(inner(x))'),
    rows.replace('applied(own, x)', 'own(x)'),
    rows.replace('= layer(x)', '= layer(layer(x))'),
    rows.replace('[Passing(8), Passing(8)]', '[Passing(8) for i in 0..3]'),
    rows
      .replace('use a.{r}', 'use a.{A, r}')
      .replace('model D(row: Row = Wider())', 'model E extends A {\n}\nmodel D(row: Row = Wider())'),
    undefined,
  ],
  'layers.crob': [
    layers,
    layers.replace('x + x', 'x * x'),
    layers.replace('[B, dim]', '[B, dim, 2]'),
    `${layers}module Spare(dim: int) {\n  forward(x: f32[B, dim]) -> f32[B, dim] {\n    return x\n  }\n}\n`,
    layers.replace('Wide', 'Wider'),
    layers.replace('return', 'retrun'),
    undefined,
  ],
  'a.crob': [
    user,
    `${user}${recipe}`,
    `${user}${recipe.replace('10', '20')}`,
    `// Moved.\n${user}${recipe}`,
    user.replace('8]', '9]'),
    user.replace('wide(x)', 'x'),
    user.replace('}', ''),
    other,
    undefined,
  ],
  'b.crob': [other, `${other}model B2 extends B {\n}\n`, user.replace('model A', 'model B'), undefined],
  'c.crob': [
    'use layers.{Wide}\nuse a.{A}\nmodel C extends A {\n  wide = Wide(8)\n}\n',
    'use layers.{Spare}\nmodel C {\n  spare = Spare(3)\n  input x: f32[B, 3]\n  output y = spare(x)\n}\n',
    'use models.b.{B}\nmodel C extends B {\n}\n',
    undefined,
  ],
  // While it is there, `models.b` refers to it, and to `b.crob` otherwise.
  'models/b.crob': [undefined, other, other.replaceAll('4', '5')],
};
const names = Object.keys(lives);

function hostOf(files: Files): SourceHost {
  return {
    ...memoryHost(files),
    resolve: (_from, [first, ...rest]) => {
      const path = `${[first, ...rest].join('/')}.crob`;
      return first === 'models' && !(path in files) ? `${rest.join('/')}.crob` : path;
    },
  };
}

/** The requested files, and the contents of all. */
interface Moment {
  readonly files: Files;
  readonly asked: readonly string[];
}

const moment: fc.Arbitrary<Moment> = fc
  .record({
    texts: fc.tuple(...names.map((name) => fc.constantFrom(...(lives[name] ?? [])))),
    asked: fc.subarray(names, { minLength: 2 }),
  })
  .map(({ texts, asked }) => ({
    asked,
    files: Object.fromEntries(names.flatMap((name, i) => (texts[i] === undefined ? [] : [[name, texts[i]]]))),
  }));

function again(before: Checked, { files, asked }: Moment) {
  return recheck(hostOf(files), asked, before);
}

/** The graphs of all models, and with them the paths of their weights. */
function graphsOf({ checks }: Pick<Checked, 'checks'>): readonly string[] {
  return checks.flatMap(({ models }) =>
    [...models].map(([name, model]) => `${name} ${printCanonical(inlineModel(model, new Map()))}`),
  );
}

test('what is checked again has the messages and the graphs of a check of everything', () => {
  holds(
    fc.property(fc.array(moment, { minLength: 2, maxLength: 5 }), (moments) => {
      let state: Checked = nothingChecked;
      for (const one of moments) {
        state = again(state, one);
        const whole = check(hostOf(one.files), one.asked);
        expect(diagnosticsOf(state.checks)).toEqual(whole.diagnostics);
        expect(state.missing).toEqual(whole.missing);
        expect(graphsOf(state)).toEqual(graphsOf(whole));
      }
    }),
    { seed: 151, numRuns: 100 },
  );
});

test('templates of files that are as they were are not made again', () => {
  const files: Files = { 'layers.crob': layers, 'a.crob': `${user}${recipe}`, 'kinds.crob': kinds, 'd.crob': rows };
  const asked = Object.keys(files);
  const templatesOf = (checked: Checked) => new Set(checked.elaborated?.kept.inference.values());
  const first = again(nothingChecked, { files, asked });
  expect(diagnosticsOf(first.checks)).toEqual([]);
  const before = templatesOf(first);
  // Modules cannot refer to the recipe, so those of `d.crob` are as they were.
  const changed = again(first, { files: { ...files, 'a.crob': `${user}${recipe.replace('10', '20')}` }, asked });
  expect(changed.again).toEqual(['a.crob', 'd.crob']);
  expect(templatesOf(changed)).toEqual(before);
  const other = again(first, { files: { ...files, 'kinds.crob': kinds.replace('2 * n', '3 * n') }, asked });
  expect(other.again).toEqual(['kinds.crob', 'd.crob']);
  expect(templatesOf(other).size).toBeGreaterThan(before.size);
});

test('what no text needs is forgotten in the end', () => {
  let state = again(nothingChecked, { files: { 'layers.crob': layers }, asked: ['layers.crob'] });
  const first = state.elaborated?.kept;
  let sizes = 0;
  for (let i = 0; state.elaborated?.kept === first || state.elaborated === undefined; i++) {
    state = again(state, {
      // A comment in a module is part of its text, as it may be in a message.
      files: { 'layers.crob': wide(100).replaceAll('return', `// ${i}\n    return`) },
      asked: ['layers.crob'],
    });
    sizes = Math.max(sizes, first?.store.settled.size ?? 0);
    expect(i).toBeLessThan(100);
  }
  expect(sizes).toBeGreaterThan(1000);
});

describe('only what depends on a change is checked again', () => {
  const files: Files = {
    'layers.crob': layers.replace('(dim: int)', '(dim: int = 8)'),
    'a.crob': user,
    'b.crob': other,
    'c.crob': 'use a.{A}\nmodel C extends A {\n}\n',
  };
  const asked = ['a.crob', 'b.crob', 'c.crob', 'layers.crob'];
  // What is kept is of the last check, so each change has a first one of its own.
  const first = () => again(nothingChecked, { files, asked });
  const changed = (changes: Files, now = asked) =>
    again(first(), { files: { ...files, ...changes }, asked: now }).again;

  test('nothing changed', () => expect(changed({})).toEqual([]));
  test('declarations have moved', () =>
    expect(changed({ 'layers.crob': `// Moved.\n${files['layers.crob']}` })).toEqual(['layers.crob']));
  test('a file that no other reads', () =>
    expect(changed({ 'b.crob': other.replace('x + x', 'x * x') })).toEqual(['b.crob']));
  test('a file and its heirs', () =>
    expect(changed({ 'a.crob': user.replace('wide(x)', 'wide(wide(x))') })).toEqual(['a.crob', 'c.crob']));
  test('a declaration that others do not name', () =>
    expect(changed({ 'a.crob': `${user}${other.replace('model B', 'model Other')}` })).toEqual(['a.crob']));
  test('a recipe that a variant inherits', () =>
    expect(changed({ 'a.crob': `${user}${recipe}` })).toEqual(['a.crob', 'c.crob']));
  test('the model of a recipe that another one extends, with a model of its own', () => {
    const bases = { 'a.crob': `${user}${recipe}`, 'layers.crob': layers, 'b.crob': `use a.{r}\n${recipeOfOther}` };
    const before = again(nothingChecked, { files: bases, asked: ['a.crob', 'b.crob'] });
    expect(diagnosticsOf(before.checks)).toEqual([]);
    const edited = { ...bases, 'a.crob': bases['a.crob'].replace('wide(x)', 'wide(wide(x))') };
    expect(again(before, { files: edited, asked: ['a.crob', 'b.crob'] }).again).toEqual(['a.crob']);
  });
  test('a file of modules', () =>
    expect(changed({ 'layers.crob': layers })).toEqual(['a.crob', 'c.crob', 'layers.crob']));
  test('fewer files', () => expect(changed({}, ['a.crob', 'b.crob'])).toEqual([]));

  test('a module that only one file constructs is warned about when that file does so no longer', () => {
    const state = again(nothingChecked, { files: { ...files, 'layers.crob': layers }, asked });
    expect(diagnosticsOf(state.checks)).toEqual([]);
    const without = { ...files, 'layers.crob': layers, 'a.crob': other, 'c.crob': other };
    const { checks } = again(state, { files: without, asked });
    expect(diagnosticsOf(checks).map(({ code, span }) => [code, span.file])).toEqual([['CROB2013', 'layers.crob']]);
  });

  test('the library', () => {
    const host = hostOf(files);
    const edited: SourceHost = {
      ...host,
      read: (path) => (path === 'std/linear.crob' ? `${host.read(path)}\n` : host.read(path)),
    };
    expect(recheck(edited, asked, first()).again).toEqual(asked);
  });
});
