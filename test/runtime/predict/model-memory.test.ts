import { describe, expect, test } from 'vitest';
import { compile } from '../../../compiler/compile.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { checkMemory, leastMemory } from '../../../runtime/predict/model-memory.ts';
import { memoryHost } from '../../memory-host.ts';

/** [B, 3, 64, 64] → 8 channels, one product of every pixel, and a sum. */
const source = (height: number) => `model Net {
  first = Conv2d(3, 8, 1)
  input image: f32[B, 3, ${height}, 64]
  output y = sum(relu(first(image)), "b c h w -> b")
}`;

function graph(height = 64): Graph {
  const host = memoryHost({ 'main.crob': source(height) });
  const compiled = compile(host, 'main.crob', { model: undefined, dims: new Map(), overrides: [] });
  if (!compiled.graph) throw new Error('the model does not compile');
  return compiled.graph;
}

/** Bytes of one image and of what the convolution makes of it. */
const [image, made] = [4 * 3 * 64 * 64, 4 * 8 * 64 * 64];
const MiB = 2 ** 20;
const check = (batch: number, available: number, dtype: 'f32' | 'f16' = 'f32') =>
  checkMemory(graph(), { dtype, batch, height: 64, width: 64, available });

test('a convolution has its input and its result', () => {
  expect(leastMemory(graph(), new Map([['B', 5]]), 'f32')).toEqual({ bytes: 5 * (image + made), at: 'first' });
  expect(leastMemory(graph(), new Map(), 'f16')).toEqual({ bytes: (image + made) / 2, at: 'first' });
});

describe('a run', () => {
  test('that may fit is not refused', () => {
    expect(() => check(5, 5 * (image + made))).not.toThrow();
    expect(() => check(10, 5 * (image + made), 'f16')).not.toThrow();
  });

  test('that cannot is, with the batch that fits', () => {
    // At the peak the convolution's result and that of relu are there; the process takes twice that, and 256 MiB.
    const fits = Math.floor((300 * MiB - 256 * MiB - 4 * (3 * 8 + 8)) / (2 * 2 * made));
    expect(() => check(100_000, 300 * MiB)).toThrow(
      `100,000 images at a time of 64 × 64 do not fit into this machine's memory of 300.0 MiB: first takes 16.8 GiB or more; ${fits} at a time fit`,
    );
  });

  test('that cannot with one image either, with how many pixels do', () => {
    const large = () =>
      checkMemory(graph(1_000_000), { dtype: 'f32', batch: 1, height: 1_000_000, width: 64, available: 300 * MiB });
    expect(large).toThrow(
      /^images of 1000000 × 64 do not fit into this machine's memory of 300\.0 MiB: first takes 2\.6 GiB or more; images of 178 times fewer pixels fit$/,
    );
  });

  test('that fits no machine of that size, without advice', () => {
    expect(() => check(1, 100_000)).toThrow(/: first takes 176\.0 KiB or more$/);
  });
});
