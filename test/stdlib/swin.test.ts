import { expect, test } from 'vitest';
import { compile } from '../../compiler/compile.ts';
import { asConstant } from '../../compiler/dims/dim.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { memoryHost } from '../memory-host.ts';

const source = `
use std.swin.{SwinBlock}

model Block {
  block = SwinBlock(8, 2, window = 4, shift = 2)
  input x: f32[B, H, W, 8]
  output y = block(x)
}
`;

test('what fills up windows is projected no more', () => {
  const dims = new Map(Object.entries({ B: 1, H: 5, W: 6 }));
  const { graph, diagnostics } = compile(memoryHost({ 'block.crob': source }), 'block.crob', {
    model: 'Block',
    dims,
    overrides: [],
  });
  expect(diagnostics).toEqual([]);
  // Rows that each weight meets: queries, keys and values of 8×8 places, everything else of 5×6.
  const rows = new Map<string, number>();
  for (const node of runPipeline(graph!).nodes) {
    const weight = node.op === 'matmul' ? node.inputs[1]!.node.inputs[0]?.node : undefined;
    if (weight?.op !== 'weight') continue;
    const shape = node.outputs[0].type.shape.slice(0, -1);
    rows.set(
      weight.attributes.path,
      shape.reduce((product, d) => product * asConstant(d)!, 1),
    );
  }
  expect(Object.fromEntries(rows)).toEqual({
    'block.attn.qkv.weight': 64,
    'block.attn.proj.weight': 30,
    'block.mlp.fc1.weight': 30,
    'block.mlp.fc2.weight': 30,
  });
});
