// slow: compiles every shipped model, in many forms

import { describe, expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { compile } from '../../compiler/compile.ts';
import { contentsOf, type Entry } from '../../compiler/contents/contents.ts';
import { gather } from '../../compiler/contents/gather.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { weightsOf } from '../../runtime/weights/graph-weights.ts';
import { memoryHost } from '../memory-host.ts';

function compiled(file: string, model: string | undefined, overrides: readonly string[] = [], host = diskHost()) {
  const result = compile(host, file, { model, dims: new Map(), overrides });
  const { context, graph, diagnostics } = result;
  if (!context || !result.model || !graph) throw new Error(JSON.stringify(diagnostics, undefined, 2));
  return { context, model: result.model, graph, models: result.models };
}

const contents = ({ context, model }: ReturnType<typeof compiled>) => contentsOf(context, model);
const of = <K extends Entry['kind']>(entries: readonly Entry[], kind: K) =>
  entries.filter((entry): entry is Extract<Entry, { kind: K }> => entry.kind === kind);

const levelOf = ({ owner }: Entry) => owner.split('.').length;

const micro = compiled('models/crobim.crob', 'CroBIM_micro');
const inMicro = contents(micro);

test.each(['crobim.crob', 'readings.crob', 'sizes.crob'])(
  'every weight of the models in %s has one member path, and no two entries have the same',
  (name) => {
    for (const model of compiled(`models/${name}`, undefined).models) {
      const found = compiled(`models/${name}`, model);
      const entries = contents(found);
      const paths = entries.map(({ path }) => path);
      expect(new Set(paths).size).toBe(paths.length);
      const inGraph = weightsOf(found.graph).map(({ path }) => path);
      const declared = of(entries, 'weight').map(({ file }) => file);
      expect(new Set(declared).size).toBe(declared.length);
      expect(inGraph.filter((path) => !declared.includes(path))).toEqual([]);
    }
  },
  60_000,
);

/** The paths that are refused because nothing depends on their values. */
function unreadIn(source: string, overrides: readonly string[]): string[] {
  const { diagnostics } = compile(memoryHost({ 'small.crob': source }), 'small.crob', {
    model: 'Small',
    dims: new Map(),
    overrides,
  });
  return diagnostics.map(({ code, message }) => {
    expect(code).toBe('CROB2314');
    return /`(.*)`/.exec(message)?.[1] ?? message;
  });
}

test('an override of every parameter with its own value leaves everything as it is', () => {
  // CroBIM in small, without overrides of its own, which others further in would make unread.
  const source = `
use std.backbone.{VisualBackbone, SwinMicro}
use std.text.{TextEncoder, BertMicro}
use std.rris.{CAPM, LGFA, MID}
model Small(backbone: VisualBackbone = SwinMicro(), text: TextEncoder = BertMicro(), dim: int = 64)
    where H % 32 == 0, W % 32 == 0, T <= text.positions, lgfa.topk <= (H/32) * (W/32) {
  capm = CAPM(channels = backbone.channels, dim = text.dim)
  lgfa = LGFA(channels = backbone.channels, text_dim = text.dim, dim = dim, topk = 4, heads = 4)
  mid = MID(channels = backbone.channels, text_dim = text.dim, dim = dim, layers = 2, heads = 4, points = 2, hidden = 128, groups = 8)
  input image: f32[B, 3, H, W]
  input tokens: i64[B, T]
  input mask: bool[B, T]
  let maps = backbone(image)
  let seen = extend(mask, 4)
  let words = text.encode(concat([text.embed(tokens), capm(maps)], "b * d"), seen)
  output coarse = mid(lgfa(maps, words, seen), words, seen)
}
`;
  const small = (overrides: readonly string[]) =>
    compiled('small.crob', 'Small', overrides, memoryHost({ 'small.crob': source }));
  const before = small([]);
  const entries = contents(before);
  const literals = of(entries, 'parameter').filter(({ value }) =>
    /^(\d[\d.e-]*|true|false|"\w+"|\[[\d., ]*\])$/.test(value),
  );
  expect(literals.length).toBeGreaterThan(300);
  // One level at a time: a value that is given to every part of a module is no longer read from the module.
  for (const level of new Set(literals.map(levelOf))) {
    const overrides = literals.filter((one) => levelOf(one) === level).map(({ path, value }) => `${path}=${value}`);
    // What the model does not depend on is refused: the number of words, where scores are not of words, has no effect.
    const unread = unreadIn(source, overrides);
    const read = overrides.filter((one) => !unread.some((path) => one.startsWith(`${path}=`)));
    expect(read.length).toBeGreaterThan(unread.length);
    const after = small(read);
    // All is the same but where it is written.
    const withoutSpans = (all: readonly Entry[]) => all.map(({ span: _, ...rest }) => rest);
    expect(withoutSpans(contents(after))).toEqual(withoutSpans(entries));
    expect(after.graph.nodes.length).toBe(before.graph.nodes.length);
  }
});

test.each([
  ['text.depth=3', 'text.depth', '3'],
  ['mid.layer[1].pixels.deform.points=3', 'mid.layer[1].pixels.deform.points', '3'],
  ['backbone.layers[*].window=2', 'backbone.layers[2].window', '2'],
  ['capm.scales=[1, 3]', 'capm.scales', '[1, 3]'],
])('--set %s shows', (override, path, value) => {
  const entries = contents(compiled('models/crobim.crob', 'CroBIM_micro', [override]));
  expect(entries.find((entry) => entry.path === path)).toMatchObject({ kind: 'parameter', value });
});

test('a static is refused as an override', () => {
  for (const { path } of of(inMicro, 'static').slice(0, 8)) {
    const { diagnostics } = compile(diskHost(), 'models/crobim.crob', {
      model: 'CroBIM_micro',
      dims: new Map(),
      overrides: [`${path}=1`],
    });
    expect(diagnostics.map(({ code }) => code)).toEqual(['CROB2311']);
  }
});

test('recipes select every part and every weight by its member path', () => {
  const parts = of(inMicro, 'part');
  const files = new Map(parts.map(({ path, file }) => [path, file]));
  // A part without weights selects nothing. Weights of a part with its owner's path stand among the owner's, and are selected one by one.
  const merged = parts.filter(({ owner, file }) => owner !== '' && files.get(owner) === file);
  const weights = of(inMicro, 'weight');
  const isEmpty = (file: string) => !weights.some((weight) => weight.file.startsWith(`${file}.`));
  const refusable = parts.filter((part) => merged.includes(part) || isEmpty(part.file));
  const paths = [...parts.map(({ path }) => path), ...weights.map(({ path }) => path)];
  const source = `use crobim.{CroBIM_micro, micro}\nrecipe all for CroBIM_micro extends micro {\n${paths
    .map((path) => `  fix ${path}\n`)
    .join('')}}\n`;
  const disk = diskHost();
  const file = 'models/every-path.crob';
  const host = { ...disk, read: (path: string) => (path === file ? source : disk.read(path)) };
  const { diagnostics } = check(host, [file]);
  const refused = diagnostics
    .filter(({ code }) => code === 'CROB2322')
    .map(({ span }) => source.slice(span.start, span.end));
  expect(refused.sort()).toEqual(refusable.map(({ path }) => path).sort());
});

describe('kinds of entries', () => {
  const source = `
module Pair(size: int, first: Linear = Linear(4, 4), second: Linear = Linear(4, 4)) {
  static twice = 2 * size
  @path("gamma") param scale: f32[size] ~ ones
  buffer seen: f32[size] = zeros
  extra = if 8 < size { Linear(size, size) } else { none }
  norms = [LayerNorm(size) for c in [size] if 8 < size]
  forward(x: f32[B, 4]) -> f32[B, 4] { return second(first(x)) * scale + seen }
}
model Two(size: int = 4) where 2 <= B {
  shared = Linear(4, 4)
  @path("pairs") pair = [Pair(size, second = shared), Pair(size)]
  input x: f32[B, 4]
  let y = pair[1](pair[0](shared(x)))
  output z = y
}
`;
  const entries = contents(compiled('two.crob', undefined, [], memoryHost({ 'two.crob': source })));
  const at = (path: string) => entries.find((entry) => entry.path === path);

  test.each([
    ['size', { kind: 'parameter', owner: '', type: 'int', value: '4' }],
    ['pair[0]', { kind: 'part', owner: '', module: 'Pair', file: 'pairs.0' }],
    ['pair[0].first', { kind: 'part', owner: 'pair[0]', module: 'Linear' }],
    ['pair[0].second', { kind: 'shared', owner: 'pair[0]', module: 'Linear', of: 'shared' }],
    ['pair[1].second', { kind: 'part', module: 'Linear' }],
    ['pair[0].twice', { kind: 'static', value: '8' }],
    ['pair[0].scale', { kind: 'weight', role: 'param' }],
    ['pair[0].seen', { kind: 'weight', role: 'buffer' }],
    ['pair[0].extra', { kind: 'absent', value: 'none' }],
    ['pair[0].norms', { kind: 'absent', value: '[]' }],
  ])('%s', (path, expected) => {
    expect(at(path)).toMatchObject(expected);
  });

  test('nothing is listed below a part that belongs to another place', () => {
    expect(entries.filter(({ path }) => path.startsWith('pair[0].second.'))).toEqual([]);
    expect(at('pair[1].second.weight')).toMatchObject({ kind: 'weight' });
  });
});

describe('gathered entries', () => {
  const part = (path: string, owner: string, file: string): Entry => ({
    kind: 'part',
    path,
    owner,
    span: undefined,
    file,
    module: 'M',
  });
  const paths = (entries: readonly Entry[]) => gather(entries).map(({ path, file }) => [path, file]);

  test('an index that varies is a star, another one stays', () => {
    expect(
      paths([
        part('a[0]', '', 'a.0'),
        part('a[0].b[0]', 'a[0]', 'a.0.b'),
        part('a[1]', '', 'a.1'),
        part('a[1].b[0]', 'a[1]', 'a.1.b'),
      ]),
    ).toEqual([
      ['a[*]', 'a.{i}'],
      ['a[*].b[0]', 'a.{i}.b'],
    ]);
  });

  test('what some items of a list lack stays by itself', () => {
    expect(
      paths([
        part('a[0]', '', 'a.0'),
        part('a[1]', '', 'a.1'),
        part('a[2]', '', 'a.2'),
        part('a[0].b', 'a[0]', 'a.0.b'),
        part('a[2].b', 'a[2]', 'a.2.b'),
      ]),
    ).toEqual([
      ['a[*]', 'a.{i}'],
      ['a[0].b', 'a.0.b'],
      ['a[2].b', 'a.2.b'],
    ]);
  });

  test('lists in lists, of different lengths', () => {
    const entries = [2, 1].flatMap((length, i) => [
      part(`a[${i}]`, '', `norm${i}`),
      ...Array.from({ length }, (_, j) => part(`a[${i}].b[${j}]`, `a[${i}]`, `norm${i}.b.${j}`)),
    ]);
    expect(paths(entries)).toEqual([
      ['a[*]', 'norm{i}'],
      ['a[*].b[*]', 'norm{i}.b.{j}'],
    ]);
  });

  test('of entries below a path whose owner is not among them', () => {
    expect(paths([part('m.a[0]', 'm', 'm.a.0'), part('m.a[1]', 'm', 'm.a.1')])).toEqual([['m.a[*]', 'm.a.{i}']]);
  });

  test('names with numbers are no lists', () => {
    expect(paths([part('fc1', '', 'fc1'), part('fc2', '', 'fc2')])).toEqual([
      ['fc1', 'fc1'],
      ['fc2', 'fc2'],
    ]);
  });

  test('of CroBIM_micro: they are all entries, and each path stands once', () => {
    const gathered = gather(inMicro);
    expect(gathered.flatMap(({ entries }) => entries).length).toBe(inMicro.length);
    expect(new Set(gathered.map(({ path }) => path)).size).toBe(gathered.length);
  });
});
