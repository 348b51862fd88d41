import { expect, test } from 'vitest';
import { Facts } from '../../../compiler/dims/facts.ts';
import { tensor } from '../../../compiler/ir/tensor-data.ts';
import { runPipeline } from '../../../compiler/passes/pipeline.ts';
import { GraphBuilder } from '../onnx/graphs.ts';
import { runTfjs } from './run.ts';

test('a factor that is repeated along a batch axis that the other one lacks stays repeated', async () => {
  const build = new GraphBuilder(Facts.none);
  const x = build.given('x', 'f32', 2, 3);
  const w = build.given('w', 'f32', 3, 2);
  const batch = build.given('batch', 'f32', 3, 1, 1);
  const y = build.matmul(build.broadcast(x, [...batch.type.shape.slice(0, 1), ...x.type.shape]), w);
  const graph = runPipeline(build.graph({ y, batch }), { verify: true });
  const feeds = new Map([
    ['x', tensor('f32', [2, 3], [0, 1, 2, 3, 4, 5])],
    ['w', tensor('f32', [3, 2], [0, 1, 2, 3, 4, 5])],
    ['batch', tensor('f32', [3, 1, 1], [0, 0, 0])],
  ]);
  const { results } = await runTfjs(graph, feeds);
  const product = [10, 13, 28, 40];
  expect(results.get('y')).toMatchObject({ shape: [3, 2, 2] });
  expect([...results.get('y')!.data]).toEqual([...product, ...product, ...product]);
});
