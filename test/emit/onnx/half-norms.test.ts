import { expect, test } from 'vitest';
import { compile } from '../../../compiler/compile.ts';
import { withHalfNorms } from '../../../compiler/emit/onnx/fused/half-norms.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { runPipeline } from '../../../compiler/passes/pipeline.ts';
import { memoryHost } from '../../memory-host.ts';

/** A graph in half precision, after what is tested: its operators, with the types of their results, in order. */
function half(body: string): { readonly graph: Graph; readonly ops: readonly string[] } {
  const source = `
model M {
  into = Linear(16, 16)
  norm = LayerNorm(16)
  out = Linear(16, 16)
  input x: f32[4, 6, 16]
  ${body}
}`;
  const options = { model: undefined, dims: new Map<string, number>(), overrides: [] };
  const { graph, diagnostics } = compile(memoryHost({ 'main.crob': source }), 'main.crob', options);
  if (!graph) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  const converted = withHalfNorms(runPipeline(graph, { dtype: 'f16' }));
  const ops = converted.nodes
    .filter(({ op }) => !['input', 'weight', 'full', 'constant'].includes(op))
    .map(({ op, outputs }) => `${op} ${outputs[0]!.type.dtype}`);
  return { graph: converted, ops };
}

test('a norm between products takes and gives half precision, with its scale and shift', () => {
  const { graph, ops } = half('output y = out(norm(into(x)))');
  expect(ops).toMatchInlineSnapshot(`
    [
      "transpose f16",
      "cast f16",
      "matmul f16",
      "add f16",
      "layer_norm f16",
      "transpose f16",
      "matmul f16",
      "add f16",
      "cast f32",
    ]
  `);
  const types = graph.nodes.flatMap(({ op, attributes, outputs }) =>
    op === 'weight' && attributes.path.startsWith('norm') ? [outputs[0].type.dtype] : [],
  );
  expect(types).toEqual(['f16', 'f16']);
});

test('views between a norm and a product are in half precision', () => {
  const { ops } = half('output y = out(rearrange(norm(into(x))[:, 1..5, :], "b n c -> n b c"))');
  expect(ops).toMatchInlineSnapshot(`
    [
      "transpose f16",
      "cast f16",
      "matmul f16",
      "add f16",
      "layer_norm f16",
      "slice f16",
      "transpose f16",
      "transpose f16",
      "matmul f16",
      "add f16",
      "cast f32",
    ]
  `);
});

test('softmax between products', () => {
  const { ops } = half(
    'let k = into(x)\n  let a = softmax(einsum("b n c, b m c -> b n m", k, k))\n  output y = einsum("b n m, b m c -> b n c", a, k)\n  output z = out(norm(k))',
  );
  expect(ops).toMatchInlineSnapshot(`
    [
      "transpose f16",
      "cast f16",
      "matmul f16",
      "add f16",
      "transpose f16",
      "matmul f16",
      "softmax f16",
      "matmul f16",
      "layer_norm f16",
      "transpose f16",
      "matmul f16",
      "add f16",
      "cast f32",
      "cast f32",
    ]
  `);
});

test.each([
  ['that something reads in float32', 'let n = norm(into(x))\n  output y = out(n)\n  output z = n'],
  ['of float32', 'output y = out(norm(x))\n  output z = into(x)'],
])('a norm %s stays float32', (_, body) => {
  const { ops } = half(body);
  expect(ops).toContain('layer_norm f32');
  expect(ops).not.toContain('layer_norm f16');
});
