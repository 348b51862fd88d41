import { expect, test } from 'vitest';
import { compile } from '../../../compiler/compile.ts';
import { graphHash } from '../../../compiler/ir/hash.ts';
import { buildIdentity } from '../../../runtime/build/build-identity.ts';
import { memoryHost } from '../../memory-host.ts';

function identityAt(size: number) {
  const source = `
model Tiny() {
  input x: f32[N, 4]
  output y = relu(x)
}
recipe plain for Tiny at N = ${size} {
  term loss = mean(y, "n c ->")
  optimizer = SGD(lr = 0.1)
  steps = 1
}`;
  const options = { model: undefined, dims: new Map<string, number>(), overrides: [] };
  const { graph } = compile(memoryHost({ 'main.crob': source }), 'main.crob', options);
  if (!graph) throw new Error('the source has errors');
  const { expected } = graph;
  const parts = { dtype: 'f32', opset: 20, profile: 'portable', weights: { kind: 'none' } } as const;
  const hash = graphHash(graph);
  return { hash, identity: buildIdentity({ graph: hash, expected, ...parts }) };
}

test('a recipe of other sizes makes another build of the same graph: the optimiser compares costs at them', () => {
  const [first, again, other] = [identityAt(8), identityAt(8), identityAt(9)];
  expect(other.hash).toBe(first.hash);
  expect(again.identity).toBe(first.identity);
  expect(other.identity).not.toBe(first.identity);
});
