import { expect, test } from 'vitest';
import { compile } from '../../compiler/compile.ts';
import { interpret } from '../../compiler/graphs/interpret.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { tensor } from '../../compiler/ir/tensor-data.ts';
import { seededRandom } from '../../compiler/ops/random.ts';
import { floats } from '../../compiler/ops/sampling.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { emitted } from '../emit/onnx/graphs.ts';
import { runOnnx } from '../emit/onnx/session.ts';
import { memoryHost } from '../memory-host.ts';
import { relativeError } from './goldens.ts';

const source = `
model Groups {
  norm = GroupNorm(3, 6)
  input x: f32[B, 6, H, W]
  output maps = rearrange(norm(x), "b c h w -> b (h w) c")
  output tokens = norm.tokens(rearrange(x, "b c h w -> b (h w) c"))
}

model Mixture {
  norm = InstanceNorm(32, affine = true)
  input score: f32[B, 4000, 24]
  input v: f32[B, 24, 32]
  output y = norm.tokens(matmul(softmax(score), v))
}
`;

function graphOf(model: string) {
  const host = memoryHost({ 'norms.crob': source });
  const { graph, diagnostics } = compile(host, 'norms.crob', { model, dims: new Map(), overrides: [] });
  expect(diagnostics).toEqual([]);
  return graph!;
}

const weights = (path: string, shape: readonly number[]) => floats(seededRandom(path.length), shape, 0.5, 2);

test('group norm of tokens is that of maps', () => {
  const x = floats(seededRandom(1), [2, 6, 3, 4], -1, 3);
  const outputs = interpret(graphOf('Groups'), new Map([['x', x]]), weights);
  expect(relativeError(outputs.get('tokens')!, outputs.get('maps')!)).toBeLessThan(1e-12);
});

test('where attention is diffuse, the passes make the norm of mixed tokens more exact in float32', async () => {
  const [tokens, words] = [4000, 24];
  const random = seededRandom(4);
  const v = floats(random, [1, words, 32], -1, 1);
  const feeds = new Map([
    ['score', floats(random, [1, tokens, words], -0.01, 0.01)],
    [
      'v',
      tensor(
        'f32',
        [1, words, 32],
        Float32Array.from(v.data, (x) => x + 4),
      ),
    ],
  ]);
  const graph = graphOf('Mixture');
  const read = (path: string) => Float32Array.from(weights(path, [32]).data);
  const exact = interpret(graph, feeds, weights).get('y')!;
  const errorOf = async (of: Graph) => relativeError((await runOnnx(emitted(of), feeds, { read })).get('y')!, exact);
  const [plain, optimised] = [await errorOf(graph), await errorOf(runPipeline(graph))];
  expect(optimised).toBeLessThan(2e-4);
  expect(optimised).toBeLessThan(plain / 4);
});
