import { expect, test } from 'vitest';
import { compile } from '../../compiler/compile.ts';
import { interpret } from '../../compiler/graphs/interpret.ts';
import { verify } from '../../compiler/graphs/verify.ts';
import { graphHash } from '../../compiler/ir/hash.ts';
import { tensor } from '../../compiler/ir/tensor-data.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { memoryHost } from '../memory-host.ts';

function compiled(text: string) {
  const made = compile(memoryHost({ 'main.crob': text }), 'main.crob', {
    model: undefined,
    dims: new Map(),
    overrides: [],
  });
  if (!made.graph) throw new Error(made.diagnostics.map(({ code, message }) => `${code} ${message}`).join('\n'));
  return { ...made, graph: made.graph };
}

/** A part in a part, a list of parts, a part that is called twice, a loop, functions, and several results. */
const source = `
fn shifted(x: f32[N], by: float) -> f32[N] {
  let sum = x + by
  return sum * 2.0
}

module Inner(by: float) {
  forward(x: f32[N]) -> f32[N] {
    let y = x * by
    y = y + 1.0
    return y
  }
  method halved(x: f32[N]) -> f32[N] {
    let y = x * 0.5
    return y - 1.0
  }
}

module Outer() {
  inner = Inner(3.0)
  forward(x: f32[N]) -> (low: f32[N], high: f32[N]) {
    let both = [inner(x), shifted(x, 10.0)]
    let r = both[0]
    for i in 0..2 {
      r = r + both[1]
    }
    return (low = r, high = inner.halved(r))
  }
}

model M {
  outer = Outer()
  list = [Inner(2.0), Inner(5.0)]
  once = Inner(7.0)
  input x: f32[N]
  let (low, high) = outer(x)
  let steps = [list[0](low), list[1](high)]
  let a = once(x)
  let y = once(a)
  output y: f32[N] = y + steps[0] + steps[1]
}
`;

/** What each name stands for, computed by hand. */
function expected(x: number): Readonly<Record<string, number>> {
  const inner = x * 3 + 1;
  const shifted = (x + 10) * 2;
  const [first, second] = [inner + shifted, inner + 2 * shifted];
  const high = second * 0.5 - 1;
  const a = x * 7 + 1;
  return {
    'outer.inner.y': x * 3,
    'outer.inner.y#2': inner,
    'outer.inner': inner,
    'outer.shifted.sum': x + 10,
    'outer.both[0]': inner,
    'outer.both[1]': shifted,
    'outer.r': inner,
    'outer.r#2': first,
    'outer.r#3': second,
    'outer.inner.halved.y': second * 0.5,
    'outer.inner.halved': high,
    'outer.low': second,
    'outer.high': high,
    low: second,
    high,
    'list[0].y': second * 2,
    'list[0].y#2': second * 2 + 1,
    'list[0]': second * 2 + 1,
    'list[1].y': high * 5,
    'list[1].y#2': high * 5 + 1,
    'list[1]': high * 5 + 1,
    'steps[0]': second * 2 + 1,
    'steps[1]': high * 5 + 1,
    'once.y': x * 7,
    'once.y#2': a,
    once: a,
    a,
    'once.y#3': a * 7,
    'once.y#4': a * 7 + 1,
    'once#2': a * 7 + 1,
    'y#2': a * 7 + 1,
  };
}

const x = [1, -2, 0.25];
const feeds = new Map([['x', tensor('f32', [3], x)]]);
const weights = (path: string) => {
  throw new Error(`no weight ${path}`);
};

test('every name in the source has its value, by a path of its own', () => {
  const made = compiled(source);
  const paths = made.namedValues().map(({ path }) => path);
  expect([...paths].sort()).toEqual(Object.keys(expected(0)).sort());
  const graph = made.exposing(paths);
  expect(graph.outputs.map(({ name }) => name)).toEqual(['y', ...paths]);
  for (const one of [graph, runPipeline(graph, { verify: true })]) {
    expect(verify(one)).toEqual([]);
    const found = interpret(one, feeds, weights);
    const wanted = x.map(expected);
    for (const path of paths) expect([path, ...found.get(path)!.data]).toEqual([path, ...wanted.map((at) => at[path])]);
    expect([...found.get('y')!.data]).toEqual([...interpret(made.graph, feeds, weights).get('y')!.data]);
  }
});

test('a value that no output needs can be exposed, and is not computed otherwise', () => {
  const made = compiled(`module P() {
  forward(x: f32[N]) -> f32[N] {
    let other = exp(x)
    return x + 1.0
  }
}
model M {
  p = P()
  input x: f32[N]
  output y = p(x)
}`);
  expect(made.graph.nodes.map(({ op }) => op)).not.toContain('exp');
  const found = interpret(made.exposing(['p.other']), feeds, weights);
  expect([...found.get('p.other')!.data]).toEqual(x.map(Math.exp));
});

test('names of values do not change the hash', () => {
  const named = compiled('model M {\n  input x: f32[N]\n  let twice = x * 2.0\n  output y = twice + 1.0\n}');
  const plain = compiled('model M {\n  input x: f32[N]\n  output y = x * 2.0 + 1.0\n}');
  expect(graphHash(named.graph)).toBe(graphHash(plain.graph));
});

test('a name of an input or of a weight is not listed, since callers have those', () => {
  const made = compiled(`module P() {
  param w: f32[3] ~ ones
  forward(x: f32[3]) -> f32[3] {
    let own = w
    let given = x
    return own + given
  }
}
model M {
  p = P()
  input x: f32[3]
  let again = x
  output y = p(again) * 2.0
}`);
  expect(made.namedValues().map(({ path }) => path)).toEqual(['p']);
});

test('instances that share a template have paths of their own', () => {
  const made = compiled(`module Leaf(by: float) {
  forward(x: f32[N]) -> f32[N] {
    let y = x * by
    return y
  }
}
module Branch(by: float) {
  leaf = Leaf(by)
  forward(x: f32[N]) -> f32[N] {
    let z = leaf(x) + 1.0
    return z
  }
}
model M {
  one = Branch(2.0)
  two = Branch(3.0)
  input x: f32[N]
  output y = one(x) + two(x)
}`);
  const paths = ['one.leaf.y', 'two.leaf.y', 'one.z', 'two.z'];
  const found = interpret(made.exposing(paths), feeds, weights);
  expect(paths.map((path) => found.get(path)!.data[0])).toEqual([2, 3, 3, 4]);
});
