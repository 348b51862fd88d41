import { expect, test } from 'vitest';
import { compile } from '../../compiler/compile.ts';
import { interpret } from '../../compiler/graphs/interpret.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { seededRandom } from '../../compiler/ops/random.ts';
import { floats } from '../../compiler/ops/sampling.ts';
import { memoryHost } from '../memory-host.ts';
import { relativeError } from './goldens.ts';

const side = (i: number) => 2 ** (3 - i);
const stages = [0, 1, 2, 3];

/** The compensation of four maps of 2 × 3 cells each, where the score map of each stage is that of `score` in cells. */
function compensated(compared: readonly number[], cells: readonly TensorData[]): ReadonlyMap<string, TensorData> {
  const inputs = stages.map(
    (i) => `input v${i}: f32[1, ${2 * side(i)}, ${3 * side(i)}, 4]\n  input c${i}: f32[1, 2, 3]`,
  );
  const scores = stages.map((i) => `repeat(c${i}, "b h w -> b (h p) (w q)", p = ${side(i)}, q = ${side(i)})`);
  const source = `use std.compensation.{DeficitCompensation}
model Net {
  part = DeficitCompensation([4, 4, 4, 4], dim = 4, heads = 1, topk = 2, compared = [${compared}])
  ${inputs.join('\n  ')}
  output y = part([${stages.map((i) => `v${i}`)}], [${scores}])
}
`;
  const { graph, diagnostics } = compile(memoryHost({ 'main.crob': source }), 'main.crob', {
    model: 'Net',
    dims: new Map(),
    overrides: [],
  });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const maps = stages.map((i) => [`v${i}`, floats(seededRandom(i), [1, 2 * side(i), 3 * side(i), 4], -1, 1)] as const);
  const feeds = new Map([...maps, ...cells.map((cell, i) => [`c${i}`, cell] as const)]);
  return interpret(graph!, feeds, (path, shape) => floats(seededRandom(path.length), shape, -1, 1));
}

const cellsOf = (seed: number) => floats(seededRandom(seed), [1, 2, 3], 0, 1);
const [first, others] = [cellsOf(20), [cellsOf(21), cellsOf(22), cellsOf(23)]];

function difference(one: ReadonlyMap<string, TensorData>, other: ReadonlyMap<string, TensorData>): number {
  return Math.max(...stages.map((i) => relativeError(one.get(`y_${i}`)!, other.get(`y_${i}`)!)));
}

test('a stage that is not compared has no part in the choice of regions', () => {
  const without = compensated([1, 2, 3], [first, ...others]);
  expect(difference(without, compensated([1, 2, 3], [cellsOf(24), ...others]))).toBe(0);
});

test('a stage that agrees with the next one adds nothing to the deficit', () => {
  const without = compensated([1, 2, 3], [first, ...others]);
  expect(difference(without, compensated([0, 1, 2, 3], [others[0]!, ...others]))).toBeLessThan(1e-9);
});

test('the cells about which the compared stages disagree most are chosen', () => {
  const cells = (...data: number[]): TensorData => ({ dtype: 'f32', shape: [1, 2, 3], data: Float64Array.from(data) });
  const agreed = cells(0, 0.2, 0.4, 0.6, 0.8, 1);
  // Most about the third and the fourth where the first stage counts, else about the first two.
  const scores = [cells(0, 0.2, 1, 0, 0.8, 1), agreed, agreed, cells(0.2, 0, 0.4, 0.6, 0.8, 1)];
  const changed = (compared: readonly number[]) => {
    const { data } = compensated(compared, scores).get('y_3')!;
    const before = floats(seededRandom(3), [1, 2, 3, 4], -1, 1).data;
    return [0, 1, 2, 3, 4, 5].filter((cell) => [0, 1, 2, 3].some((c) => data[4 * cell + c] !== before[4 * cell + c]));
  };
  expect(changed([0, 1, 2, 3])).toEqual([2, 3]);
  expect(changed([1, 2, 3])).toEqual([0, 1]);
  expect(changed([0, 3])).toEqual([2, 3]);
});
