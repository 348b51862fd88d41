import { expect, test } from 'vitest';
import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import { scalar } from '../../../compiler/ir/tensor-data.ts';
import { seededRandom } from '../../../compiler/ops/random.ts';
import { floats } from '../../../compiler/ops/sampling.ts';
import { expectClose } from './closeness.ts';
import { graphOf } from './graphs.ts';
import { runOnnx } from './session.ts';

/** What opsets spell differently: Gelu (20), GridSample's mode (20), axes of reductions (18). */
const graph = graphOf((build) => {
  const x = build.given('x', 'f32', 'B', 3, 'H', 'W');
  const sampled = build.gridSample(x, build.given('at', 'f32', 'B', 'P', 2));
  const parts = { exact: build.gelu(sampled, false), tanh: build.gelu(sampled, true) };
  return { ...parts, mean: build.mean(x, [2, 3]), max: build.reduceMax(x, [1], true) };
});

test.each([18, 19, 20, 21, 22, 23])('opset %i', async (opset) => {
  const random = seededRandom(opset);
  const feeds = new Map([
    ['x', floats(random, [2, 3, 5, 4])],
    ['at', floats(random, [2, 6, 2], -1, 6)],
  ]);
  const model = emitOnnx(graph, { producerVersion: 'test', opset });
  expect(model.opsets).toEqual([{ domain: '', version: opset }]);
  const actual = await runOnnx(model, feeds);
  for (const [name, want] of interpret(graph, feeds, () => scalar('f32', 0)))
    expectClose(name, actual.get(name)!, want);
});
