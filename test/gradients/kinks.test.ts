// slow: differences of every operator

import { describe, expect, test } from 'vitest';
import { Facts } from '../../compiler/dims/facts.ts';
import { gradientRowOf } from '../../compiler/gradients/table.ts';
import { interpret } from '../../compiler/graphs/interpret.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { OpAttributes, OpName } from '../../compiler/ir/names.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { seededRandom, seedOf } from '../../compiler/ops/random.ts';
import type { Sample } from '../../compiler/ops/row.ts';
import { floats } from '../../compiler/ops/sampling.ts';
import { opNames } from '../../compiler/ops/table.ts';
import { gradients } from '../../compiler/passes/differentiate.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { emitted, GraphBuilder } from '../emit/onnx/graphs.ts';
import { runOnnx } from '../emit/onnx/session.ts';
import { runTfjs } from '../emit/tfjs/run.ts';
import { rowOf, samples } from '../ops/samples.ts';
import { type KinkCase, kinkCases } from './kinks.ts';

const noWeights = (): never => {
  throw new Error('no weights here');
};

/** The gradients in all inputs of the sum of the first result. */
function step<O extends OpName>(op: O, { inputs, attributes }: KinkCase<O>): Graph {
  const build = new GraphBuilder(Facts.none);
  const given = inputs.map(({ dtype, shape }, i) => build.given(`x${i}`, dtype, ...shape));
  const y = build.emit(op, given, attributes)[0]!;
  const loss = y.type.shape.length === 0 ? y : build.sum(y, [...y.type.shape.keys()]);
  const found = gradients(build, loss, given);
  // What has no gradient is as if it had zeros.
  const gradient = (i: number) => found.get(given[i]!) ?? build.full(0, 'f32', given[i]!.type.shape);
  return build.graph(Object.fromEntries(given.map((_, i) => [`d${i}`, gradient(i)])));
}

function expectGradients(results: ReadonlyMap<string, TensorData>, expected: KinkCase['gradients']): void {
  for (const [i, wanted] of expected.entries()) {
    const found = results.get(`d${i}`)!.data;
    expect(found.length).toBe(wanted.length);
    for (const [j, value] of wanted.entries())
      if (Number.isFinite(value)) expect(found[j], `x${i}[${j}]`).toBeCloseTo(value, 5);
      else expect(found[j], `x${i}[${j}]`).toBe(value);
  }
}

const cases = Object.entries(kinkCases) as [OpName, readonly KinkCase[]][];

test('every operator that says what its gradient is without a derivative has cases, and no other', () => {
  expect(cases.map(([op]) => op).sort()).toEqual(opNames.filter((op) => gradientRowOf(op).kinks !== undefined).sort());
});

describe.each(cases)('%s where it has no derivative: the gradient is PyTorch’s', (op, all) => {
  const feedsOf = ({ inputs }: KinkCase) => new Map(inputs.map((x, i) => [`x${i}`, x]));

  test('in the interpreter, before and after the passes', () => {
    for (const each of all) {
      const graph = step(op, each);
      expectGradients(interpret(graph, feedsOf(each), noWeights), each.gradients);
      const optimised = runPipeline(graph, { verify: true });
      expectGradients(interpret(optimised, feedsOf(each), noWeights), each.gradients);
    }
  });

  test('in onnxruntime', async () => {
    for (const each of all)
      expectGradients(await runOnnx(emitted(runPipeline(step(op, each))), feedsOf(each)), each.gradients);
  });

  test('in TensorFlow.js', async () => {
    for (const each of all) {
      const { results } = await runTfjs(runPipeline(step(op, each)), feedsOf(each));
      expectGradients(results, each.gradients);
    }
  });
});

/** The sample with whole numbers for floats: at zeros, ties and whole places. */
function rounded({ inputs, attributes }: Sample<OpName>): Sample<OpName> {
  const whole = (x: TensorData) => (x.dtype === 'f32' ? { ...x, data: Float64Array.from(x.data, Math.round) } : x);
  return { inputs: inputs.map(whole), attributes };
}

/** The largest difference between slopes of an operator to the left and to the right in one element; NaN and infinity count. */
function bend(op: OpName, { inputs, attributes }: Sample<OpName>, weights: readonly TensorData[]): number {
  const apart = 1e-6;
  const total = (xs: readonly TensorData[]): number => {
    const ys = rowOf(op).reference(xs, attributes as OpAttributes[OpName]);
    let sum = 0;
    for (const [i, { dtype, data }] of ys.entries())
      if (dtype === 'f32') for (const [j, value] of data.entries()) sum += value * weights[i]!.data[j]!;
    return sum;
  };
  const here = total(inputs);
  let most = 0;
  for (const [i, x] of inputs.entries()) {
    if (x.dtype !== 'f32') continue;
    for (const j of x.data.keys()) {
      const moved = (by: number) => {
        const data = Float64Array.from(x.data);
        data[j] = data[j]! + by;
        return total(inputs.map((other, k) => (k === i ? { ...x, data } : other)));
      };
      const [right, left] = [(moved(apart) - here) / apart, (here - moved(-apart)) / apart];
      const difference = Math.abs(right - left) / Math.max(1, Math.abs(right));
      // A jump may be as high on both sides.
      if (Number.isNaN(difference) || Math.abs(right) > 1e5) return Number.POSITIVE_INFINITY;
      most = Math.max(most, difference);
    }
  }
  return most;
}

/** Operators from floats to floats. */
const smooth = opNames.filter((op) =>
  samples(op, 20).some(({ inputs, attributes }) => {
    const ys = rowOf(op).reference(inputs, attributes);
    return inputs.some(({ dtype }) => dtype === 'f32') && ys.some(({ dtype }) => dtype === 'f32');
  }),
);

test.each(smooth)('%s says so if it has no derivative somewhere, and only then', (op) => {
  const random = seededRandom(seedOf(op));
  const bends = samples(op, 60).map((drawn) => {
    const sample = rounded(drawn);
    const ys = rowOf(op).reference(sample.inputs, sample.attributes);
    return bend(
      op,
      sample,
      ys.map(({ shape }) => floats(random, shape, 0.5, 2)),
    );
  });
  expect(gradientRowOf(op).kinks !== undefined, 'kinks of its gradient').toBe(Math.max(...bends) > 1e-2);
});
