// slow: differences of every operator

import { describe, expect, test } from 'vitest';
import { Facts } from '../../compiler/dims/facts.ts';
import { gradientRowOf } from '../../compiler/gradients/table.ts';
import { Builder } from '../../compiler/graphs/builder.ts';
import { interpret } from '../../compiler/graphs/interpret.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import type { OpName } from '../../compiler/ir/names.ts';
import { sameShape } from '../../compiler/ir/shapes.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { seededRandom, seedOf } from '../../compiler/ops/random.ts';
import type { Sample } from '../../compiler/ops/row.ts';
import { floats } from '../../compiler/ops/sampling.ts';
import { opNames } from '../../compiler/ops/table.ts';
import { rowOf, samples, typeOf } from '../ops/samples.ts';

const step = 1e-5;

function isFloat({ dtype }: TensorData): boolean {
  return dtype === 'f32';
}

const without = (): never => {
  throw new Error('no weights here');
};

/** The gradients that a row's rule makes, computed: by input, undefined where it gives none. */
function ruled({ op, inputs, attributes, wanted, dys }: Case): (TensorData | undefined)[] {
  const build = new Builder(Facts.none);
  const declare = (name: string, x: TensorData) => ({ name, value: build.input(name, typeOf(x)), docs: '' });
  const xs = inputs.map((x, i) => declare(`x${i}`, x));
  const given = dys.map((dy, i) => (dy === undefined ? undefined : declare(`dy${i}`, dy)));
  const values = xs.map(({ value }) => value);
  const outputs = build.emit(op, values, attributes);
  const { gradient } = gradientRowOf(op);
  if (gradient === 'none') throw new Error(`${op} has no gradient`);
  const at = { build, inputs: values, outputs, dys: given.map((dy) => dy?.value), attributes, wanted };
  const dxs = gradient(at);
  expect(dxs.length).toBe(inputs.length);
  for (const [i, dx] of dxs.entries()) {
    if (wanted[i] !== true) expect(dx).toBeUndefined();
    if (dx === undefined) continue;
    expect(dx.type.dtype).toBe('f32');
    expect(sameShape(build.facts, dx.type.shape, values[i]!.type.shape)).toBe(true);
  }
  const named = dxs.flatMap((value, i) => (value === undefined ? [] : [{ name: `${i}`, value, docs: '' }]));
  const declared = [...xs, ...given.filter((dy) => dy !== undefined)];
  const graph: Graph = {
    name: op,
    docs: '',
    inputs: declared,
    outputs: named,
    nodes: build.nodes,
    facts: Facts.none,
    guards: [],
  };
  const feeds = new Map<string, TensorData>();
  for (const [i, x] of inputs.entries()) feeds.set(`x${i}`, x);
  for (const [i, dy] of dys.entries()) if (dy !== undefined) feeds.set(`dy${i}`, dy);
  const results = interpret(graph, feeds, without);
  return inputs.map((_, i) => results.get(`${i}`));
}

interface Case extends Sample<OpName> {
  readonly op: OpName;
  readonly wanted: readonly boolean[];
  readonly dys: readonly (TensorData | undefined)[];
}

/** <dy, y> as a function of the inputs. */
function weighed({ op, attributes, dys }: Case, inputs: readonly TensorData[]): number {
  const ys = rowOf(op).reference(inputs, attributes);
  let total = 0;
  for (const [i, dy] of dys.entries()) if (dy) for (const [j, w] of dy.data.entries()) total += w * ys[i]!.data[j]!;
  return total;
}

/** Central differences of the reference kernel, in float64. */
function differences(of: Case, input: number): number[] {
  const x = of.inputs[input]!;
  return Array.from(x.data, (_, j) => {
    const [up, down] = [step, -step].map((by) => {
      const data = Float64Array.from(x.data);
      data[j] = data[j]! + by;
      return weighed(
        of,
        of.inputs.map((other, i) => (i === input ? { ...x, data } : other)),
      );
    });
    return (up! - down!) / (2 * step);
  });
}

/** How far a sample must stay from where an operator has no derivative; the rest of them are smooth. */
const kinks: { readonly [O in OpName]?: (sample: Sample<OpName>) => Sample<OpName> } = {
  abs: (sample) => moved(sample, (x) => (Math.abs(x) < 0.01 ? x + 0.1 : x)),
  relu: (sample) => moved(sample, (x) => (Math.abs(x) < 0.01 ? x + 0.1 : x)),
  sqrt: (sample) => moved(sample, (x) => x + 0.1),
  max: distinct,
  min: distinct,
  reduce_max: distinct,
  max_pool2d: distinct,
  // Whole positions are borders between pixels.
  grid_sample: ({ inputs, attributes }) => {
    const [x, points] = inputs as [TensorData, TensorData];
    const off = points.data.map((p) => (Math.abs(p - Math.round(p)) < 0.01 ? p + 0.1 : p));
    return { inputs: [x, { ...points, data: off }], attributes };
  },
};

function moved({ inputs, attributes }: Sample<OpName>, f: (x: number) => number): Sample<OpName> {
  return { inputs: inputs.map((x) => (isFloat(x) ? { ...x, data: Float64Array.from(x.data, f) } : x)), attributes };
}

/** Every element of every input differs from every other one by 1/100 or more. */
function distinct({ inputs, attributes }: Sample<OpName>): Sample<OpName> {
  const random = seededRandom(inputs.length);
  const all = inputs.reduce((n, { data }) => n + data.length, 0);
  const ranks = Array.from({ length: all }, (_, i) => ({ i, key: random.real() })).sort((a, b) => a.key - b.key);
  let next = 0;
  const spread = (x: TensorData): TensorData =>
    isFloat(x) ? { ...x, data: Float64Array.from(x.data, () => (ranks[next++]!.i - all / 2) / 50) } : x;
  return { inputs: inputs.map(spread), attributes };
}

/** Up to n samples with float inputs, each with a random gradient of its float results. */
function cases(op: OpName, n: number): Case[] {
  const random = seededRandom(seedOf(op) + 1);
  const found = samples(op, 20 * n).flatMap((drawn) => {
    const sample = kinks[op]?.(drawn) ?? drawn;
    const ys = rowOf(op).reference(sample.inputs, sample.attributes);
    const dys = ys.map((y) => (isFloat(y) ? floats(random, y.shape) : undefined));
    const wanted = sample.inputs.map(isFloat);
    return wanted.includes(true) && dys.some((dy) => dy !== undefined) ? [{ op, ...sample, wanted, dys }] : [];
  });
  return found.slice(0, n);
}

const differentiable = opNames.filter((op) => gradientRowOf(op).gradient !== 'none');

test.each(opNames.filter((op) => gradientRowOf(op).gradient === 'none'))(
  '%s, without a gradient, is constant, whole, or a step of its inputs',
  (op) => {
    // What stops a gradient has one.
    for (const each of cases(op, 40))
      for (const [i, input] of each.inputs.entries())
        if (isFloat(input) && op !== 'stop_gradient')
          expect(differences(each, i).every((slope) => slope === 0)).toBe(true);
  },
);

describe.each(differentiable)('%s', (op) => {
  test('its gradients are what finite differences give', () => {
    const all = cases(op, 40);
    expect(all.length).toBeGreaterThan(5);
    for (const each of all) {
      const dxs = ruled(each);
      for (const [i, input] of each.inputs.entries()) {
        if (!isFloat(input)) continue;
        if (op === 'pow' && i === 1 && each.inputs[0]!.data.some((x) => x <= 0)) continue;
        const expected = differences(each, i);
        const actual = dxs[i];
        if (actual === undefined) expect(Math.max(...expected.map(Math.abs))).toBe(0);
        else expectClose(actual.data, expected);
      }
    }
  });

  test('only gradients that are wanted are made', () => {
    for (const each of cases(op, 10))
      for (const chosen of each.inputs.keys()) {
        if (!isFloat(each.inputs[chosen]!)) continue;
        const alone = ruled({ ...each, wanted: each.inputs.map((_, i) => i === chosen) });
        expect(alone[chosen]?.data).toEqual(ruled(each)[chosen]?.data);
      }
  });
});

/** Differences are off by about 1e-16 / step in the largest terms, and by step² in curvature. */
function expectClose(actual: TensorData['data'], expected: readonly number[]): void {
  const scale = Math.max(1, ...expected.map(Math.abs));
  for (const [i, wanted] of expected.entries())
    if (!(Math.abs(actual[i]! - wanted) <= 1e-6 * scale)) expect.fail(`element ${i} is ${actual[i]}, not ${wanted}`);
}
