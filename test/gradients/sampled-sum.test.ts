import { expect, test } from 'vitest';
import { constant } from '../../compiler/dims/dim.ts';
import { Facts } from '../../compiler/dims/facts.ts';
import { Builder } from '../../compiler/graphs/builder.ts';
import { interpret } from '../../compiler/graphs/interpret.ts';
import type { Graph, Value } from '../../compiler/ir/graph.ts';
import { tensor } from '../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { seededRandom } from '../../compiler/ops/random.ts';
import { floats } from '../../compiler/ops/sampling.ts';
import { gradients } from '../../compiler/passes/differentiate.ts';
import { typeOf } from '../ops/samples.ts';

const [batch, channels, taps, queries] = [2, 2, 3, 4];
const shape = (...sizes: number[]) => sizes.map(constant);

/** Σ dy · y for deformable attention y to an image, and its gradients by x, points and weights if they are wanted. */
function attention(feeds: ReadonlyMap<string, TensorData>, wanted: readonly string[]) {
  const build = new Builder(Facts.none);
  const values = new Map([...feeds].map(([name, data]) => [name, build.input(name, typeOf(data))]));
  const given = (name: string): Value => values.get(name)!;
  const samples = build.reshape(build.gridSample(given('x'), given('points')), shape(batch, channels, taps, queries));
  const y = build.sum(build.mul(samples, given('weights')), [2]);
  const loss = build.sum(build.mul(y, given('dy')), [0, 1, 2]);
  const found = gradients(build, loss, wanted.map(given));
  const outputs = wanted.map((name) => ({ name, value: found.get(given(name))!, docs: '' }));
  const inputs = [...values].map(([name, value]) => ({ name, value, docs: '' }));
  const parts = { name: 'Test', docs: '', inputs, facts: Facts.none, guards: [] };
  const graph: Graph = { ...parts, nodes: build.nodes, outputs: [...outputs, { name: 'loss', value: loss, docs: '' }] };
  return { graph, samples };
}

function feedsOf(height: number, width: number): Map<string, TensorData> {
  const random = seededRandom(height);
  // Some points are outside of the image; none is at a pixel, where there is no derivative.
  const points = floats(random, [batch, taps * queries, 2], -2, width + 1);
  const away = points.data.map((at) => (Math.abs(at - Math.round(at)) < 0.01 ? at + 0.05 : at));
  return new Map([
    ['x', floats(random, [batch, channels, height, width])],
    ['points', tensor('f32', points.shape, away)],
    ['weights', floats(random, [batch, 1, taps, queries])],
    ['dy', floats(random, [batch, channels, queries])],
  ]);
}

const without = (): never => {
  throw new Error('no weights here');
};

// 3×4 pixels are multiplied with a matrix of weights, 5×7 are scattered.
test.each([
  [3, 4, ['x', 'points', 'weights']],
  [5, 7, ['x', 'points', 'weights']],
  [5, 7, ['points', 'weights']],
  [5, 7, ['x', 'weights']],
  [5, 7, ['x', 'points']],
])('the gradients of a weighted sum of samples from %i×%i pixels are differences: %s', (height, width, wanted) => {
  const feeds = feedsOf(height, width);
  const { graph } = attention(feeds, wanted);
  const results = interpret(graph, feeds, without);
  const step = 1e-5;
  for (const name of wanted) {
    const { data, ...type } = feeds.get(name)!;
    const moved = (i: number, by: number): number => {
      const other = new Map(feeds).set(name, { ...type, data: Float64Array.from(data).with(i, data[i]! + by) });
      return interpret(graph, other, without).get('loss')!.data[0]!;
    };
    const found = results.get(name)!.data;
    for (let i = 0; i < data.length; i++)
      expect(found[i], `${name}[${i}]`).toBeCloseTo((moved(i, step) - moved(i, -step)) / (2 * step), 6);
  }
});

test('samples are not kept for the gradients of weights and points', () => {
  const readersOf = (wanted: readonly string[]) => {
    const { graph, samples } = attention(feedsOf(5, 7), wanted);
    return graph.nodes.filter(({ inputs }) => inputs.some((input) => input === samples)).length;
  };
  expect(readersOf(['x', 'points', 'weights'])).toBe(1);
  // Where the points are fixed, one product with the samples is less work.
  expect(readersOf(['x', 'weights'])).toBe(2);
});
