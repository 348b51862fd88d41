import { expect, test } from 'vitest';
import { compile } from '../../compiler/compile.ts';
import { diskHost } from '../../runtime/files/source-host.ts';

function draws(training: boolean): string[] {
  const { graph, diagnostics } = compile(diskHost(), 'models/crobim.crob', {
    model: 'CroBIM',
    dims: new Map(),
    overrides: [],
    training,
  });
  expect(diagnostics).toEqual([]);
  return graph!.nodes.flatMap((node) => (node.op === 'uniform' ? [node.attributes.key] : []));
}

test('in training every dropout and drop path draws for itself, also where a module is applied twice', () => {
  const keys = draws(true);
  // Swin-B: 24 blocks, two branches each, the first block at rate 0. BERT: 12 layers, three places each, and the embedding.
  expect(keys).toHaveLength(23 * 2 + 12 * 3 + 1);
  expect(new Set(keys).size).toBe(keys.length);
});

test('in evaluation nothing is random', () => {
  expect(draws(false)).toEqual([]);
});
