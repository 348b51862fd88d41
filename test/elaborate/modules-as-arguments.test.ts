import { expect, test } from 'vitest';
import { compile } from '../../compiler/compile.ts';
import { graphHash } from '../../compiler/ir/hash.ts';
import { memoryHost } from '../memory-host.ts';

const functions = `
fn applied(layer: Linear, x: f32[B, 4]) -> f32[B, 4] = layer(x)
fn applied_all(layers: list[Linear], x: f32[B, 4]) -> f32[B, 4] {
  for layer in layers { x = layer(x) }
  return x
}
module Behind() {
  forward(layer: Linear, x: f32[B, 4]) -> f32[B, 4] { return layer(x) }
}
module Outer() {
  inner = Inner()
  forward(x: f32[B, 4]) -> f32[B, 4] { return inner(x) }
}
`;

/** The graph's hash and the paths of its weights; the modules `Inner` of the model have a layer `a`. */
function made(inner: string, model: string) {
  const source = `${functions}
module Inner() {
  a = Linear(4, 4)
  ${inner}
}
${model}`;
  const { graph, diagnostics } = compile(memoryHost({ 'main.crob': source }), 'main.crob', {
    model: undefined,
    dims: new Map(),
    overrides: [],
  });
  if (!graph) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  const paths = graph.nodes.flatMap((node) => (node.op === 'weight' ? [node.attributes.path] : []));
  return { hash: graphHash(graph), paths: paths.sort() };
}

const direct = 'forward(x: f32[B, 4]) -> f32[B, 4] { return a(x) }';

const passing = [
  { how: 'to a function', inner: 'forward(x: f32[B, 4]) -> f32[B, 4] { return applied(a, x) }' },
  { how: 'in a list', inner: 'forward(x: f32[B, 4]) -> f32[B, 4] { return applied_all([a], x) }' },
  {
    how: 'to a method',
    inner: 'behind = Behind()\n  forward(x: f32[B, 4]) -> f32[B, 4] { return behind(a, x) }',
  },
  {
    how: 'in a method that forward calls',
    inner:
      'method own(x: f32[B, 4]) -> f32[B, 4] { return applied(a, x) }\n  forward(x: f32[B, 4]) -> f32[B, 4] { return own(x) }',
  },
];

const models = [
  {
    where: 'two parts',
    model: 'model M {\n  p = Inner()\n  q = Inner()\n  input x: f32[B, 4]\n  output y = p(x) + q(x)\n}',
    paths: ['p.a.bias', 'p.a.weight', 'q.a.bias', 'q.a.weight'],
  },
  {
    where: 'parts of a list, inside others',
    model: 'model M {\n  p = [Outer() for i in 0..2]\n  input x: f32[B, 4]\n  output y = p[1](p[0](x))\n}',
    paths: ['p.0.inner.a.bias', 'p.0.inner.a.weight', 'p.1.inner.a.bias', 'p.1.inner.a.weight'],
  },
];

const cases = models.flatMap((one) => passing.map((other) => ({ ...one, ...other })));

test.each(cases)('a module that passes its own part $how has its own weights: $where', ({ inner, model, paths }) => {
  const given = made(inner, model);
  expect(given.paths).toEqual(paths);
  expect(given.hash).toBe(made(direct, model).hash);
});
