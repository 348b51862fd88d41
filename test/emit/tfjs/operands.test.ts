// long: every operator of TensorFlow.js, with its operands in every form

import { describe, expect, test } from 'vitest';
import { asConstant } from '../../../compiler/dims/dim.ts';
import { Facts } from '../../../compiler/dims/facts.ts';
import { gradientRowOf } from '../../../compiler/gradients/table.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import type { Graph, Value } from '../../../compiler/ir/graph.ts';
import type { OpAttributes, OpName } from '../../../compiler/ir/names.ts';
import { elementCount, tensor } from '../../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import { seededRandom } from '../../../compiler/ops/random.ts';
import type { OpRow, Random } from '../../../compiler/ops/row.ts';
import { dims, floats, shuffled } from '../../../compiler/ops/sampling.ts';
import { opNames, ops } from '../../../compiler/ops/table.ts';
import { gradients } from '../../../compiler/passes/differentiate.ts';
import { runPipeline } from '../../../compiler/passes/pipeline.ts';
import { expectClose } from '../onnx/closeness.ts';
import { GraphBuilder } from '../onnx/graphs.ts';
import { runTfjsOn } from './run.ts';

const samples = Number(process.env.CROBC_FUZZ_SAMPLES ?? 5);

/** A graph that grows by one sample after the other, with what it is fed. */
class Trial {
  readonly build = new GraphBuilder(Facts.none);
  readonly random: Random;
  readonly feeds = new Map<string, TensorData>();
  readonly outputs: Record<string, Value> = {};

  constructor(random: Random) {
    this.random = random;
  }

  given(data: TensorData): Value {
    const name = `in${this.feeds.size}`;
    this.feeds.set(name, data);
    return this.build.given(name, data.dtype, ...data.shape);
  }

  shaped(x: Value, shape: readonly number[]): Value {
    return this.build.reshape(x, dims(shape));
  }

  give(value: Value): void {
    this.outputs[`out${Object.keys(this.outputs).length}`] = value;
  }

  /** The same elements as a matrix of every shape, each the second factor of a product. */
  multiply(x: Value): void {
    const n = elementCount(x.type.shape.map((dim) => asConstant(dim)!));
    if (x.type.dtype !== 'f32') return;
    for (let rows = 1; rows <= n; rows++) {
      if (n % rows !== 0) continue;
      const left = this.given(floats(this.random, [2, rows]));
      this.give(this.build.matmul(left, this.shaped(x, [rows, n / rows])));
    }
  }

  graph(): Graph {
    return this.build.graph(this.outputs);
  }
}

/** A way in which operands reach an operator; `others` are what came before of the same sample. */
type Form = (trial: Trial, operand: TensorData, earlier: Map<string, Value>) => Value;

/** The first elements along some axes, repeated; axes in front may be missing. */
const repeated: Form = (trial, operand) => {
  const { shape } = operand;
  const { random } = trial;
  const kept = shape.map((size) => (random.int(0, 1) === 0 ? 1 : size));
  const small = firstElements(operand, kept);
  const lead = kept.findIndex((size) => size !== 1);
  const ones = lead < 0 ? kept.length : lead;
  const given = trial.given({ ...small, shape: kept.slice(random.int(0, ones)) });
  return trial.build.broadcast(given, dims(shape));
};

function firstElements({ dtype, shape, data }: TensorData, kept: readonly number[]): TensorData {
  const elements: number[] = [];
  for (const [i, x] of data.entries()) {
    let rest = i;
    let inside = true;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (rest % shape[axis]! >= kept[axis]!) inside = false;
      rest = Math.floor(rest / shape[axis]!);
    }
    if (inside) elements.push(x);
  }
  return tensor(dtype, kept, elements);
}

const forms: Readonly<Record<string, Form>> = {
  'that share data': (trial, operand, earlier) => {
    const n = elementCount(operand.shape);
    const key = `${operand.dtype} ${n}`;
    const flat = earlier.get(key) ?? trial.given({ ...operand, shape: [n] });
    earlier.set(key, flat);
    return trial.shaped(flat, operand.shape);
  },
  'that are repeated': repeated,
  'that are one number': (trial, operand) => {
    const { dtype, data, shape } = operand;
    if (trial.random.int(0, 2) > 0)
      return trial.build.broadcast(trial.given(tensor(dtype, [], [data[0]!])), dims(shape));
    return trial.build.full(data[0]!, dtype, dims(shape));
  },
  'with axes of size 1 around': (trial, operand) => {
    const { random, build } = trial;
    const wide = operand.shape.flatMap((size) => (random.int(0, 1) === 0 ? [1, size] : [size]));
    const given = trial.given({ ...operand, shape: wide });
    const order = shuffled(random, wide.length);
    const ones = order.filter((axis) => wide[axis] === 1);
    const perm = [...ones, ...[...wide.keys()].filter((axis) => wide[axis] !== 1)];
    return trial.shaped(build.transpose(given, perm), operand.shape);
  },
};

const given: Form = (trial, operand) => trial.given(operand);

/**
 * Row numbers must be rows, each of its part; and rows of one number, less their mean, are rounding alone, which a norm makes
 * large.
 */
const asItIs: Partial<Record<OpName, number>> = { gather: 1, scatter_add: 0, layer_norm: 0 };

/** Small sizes come up as 1 more often than not. */
function narrow(random: Random): Random {
  return { ...random, int: (lo, hi) => (lo === 1 && random.real() < 0.6 ? 1 : random.int(lo, hi)) };
}

const none = (path: string): never => {
  throw new Error(`no weight ${path}`);
};

async function agrees(graph: Graph, feeds: ReadonlyMap<string, TensorData>, tolerance?: number): Promise<void> {
  const expected = interpret(graph, feeds, none);
  for (const [backend, { results, leaked }] of Object.entries(await runTfjsOn(['best', 'cpu'], graph, feeds))) {
    for (const [name, data] of expected) expectClose(`${backend} ${name}`, results.get(name)!, data, tolerance);
    expect(leaked, backend).toBe(0);
  }
}

/** One operator on sampled operands in a form, and on the results of views of them. */
function trialOf(op: OpName, seed: number, form: Form, isEnough = (_: Trial) => true): Trial {
  const trial = new Trial(seededRandom(seed));
  const row = ops[op] as OpRow<OpName>;
  for (let i = 0; i < samples || !isEnough(trial); i++) {
    const sample = row.sample(i % 2 === 0 ? trial.random : narrow(trial.random));
    if (sample.inputs.length === 0) continue;
    const earlier = new Map<string, Value>();
    // A power's base is positive; elsewhere the last operand is the one that must not be 0.
    const order = op === 'pow' ? [...sample.inputs.keys()] : [...sample.inputs.keys()].reverse();
    const operands: Value[] = [];
    for (const j of order) operands[j] = (asItIs[op] === j ? given : form)(trial, sample.inputs[j]!, earlier);
    const multiplied = i < 3 ? [...earlier.values()] : [];
    for (const x of multiplied) trial.multiply(x);
    const attributes = sample.attributes as OpAttributes[OpName];
    for (const value of trial.build.emit(op, operands, attributes)) trial.give(value);
    for (const x of multiplied) trial.multiply(x);
  }
  return trial;
}

const withOperands = opNames.filter((op) => (ops[op] as OpRow<OpName>).sample(seededRandom(1)).inputs.length > 0);

describe.each(Object.entries(forms))('operands %s', (_, form) => {
  test.each(withOperands.map((op, i) => [op, i] as const))('%s', async (op, seed) => {
    const trial = trialOf(op, seed + 4001, form);
    const graph = trial.graph();
    await agrees(graph, trial.feeds);
    const optimised = runPipeline(graph, { verify: true });
    const [before, after] = [interpret(graph, trial.feeds, none), interpret(optimised, trial.feeds, none)];
    for (const [name, data] of before) expectClose(`optimised ${name}`, after.get(name)!, data);
    await agrees(optimised, trial.feeds);
  });
});

const differentiable = withOperands.filter((op) => gradientRowOf(op).gradient !== 'none');

describe.each(Object.entries(forms))('gradients of operands %s', (_, form) => {
  test.each(differentiable.map((op, i) => [op, i] as const))('%s', async (op, seed) => {
    const floatsOf = ({ outputs }: Trial) => Object.values(outputs).filter(({ type }) => type.dtype === 'f32');
    const trial = trialOf(op, seed + 5001, form, (so) => floatsOf(so).length > 0);
    const { build, feeds } = trial;
    const terms = floatsOf(trial);
    const sums = terms.map((y) => {
      const axes = [...y.type.shape.keys()];
      return axes.length === 0 ? build.mul(y, y) : build.sum(build.mul(y, y), axes);
    });
    const loss = sums.reduce((a, b) => build.add(a, b));
    const inputs = build.nodes.flatMap(({ op: of, outputs: [x] }) =>
      of === 'input' && x!.type.dtype === 'f32' ? [x!] : [],
    );
    const found = [...gradients(build, loss, inputs).values()];
    const graph = build.graph(Object.fromEntries(found.map((dx, i) => [`d${i}`, dx])));
    // Rows with nearly equal numbers make the rounding of a norm large.
    const tolerance = op === 'layer_norm' ? 1e-3 : 1e-4;
    await agrees(graph, feeds, tolerance);
    await agrees(runPipeline(graph, { verify: true }), feeds, tolerance);
  });
});

/** Every way in which the leading axes of two operands can meet, with and without a repetition in the graph. */
test('products of matrices', async () => {
  const trial = new Trial(seededRandom(7));
  const wide = (x: Value, lead: readonly number[], own: readonly number[]): Value | undefined => {
    if (lead.length === 0) return x;
    const made = trial.build.tryEmit('broadcast', [x], { shape: dims([...lead, ...own]) });
    return 'values' in made ? made.values[0] : undefined;
  };
  const leading = [[], [1], [2], [2, 1], [1, 3], [2, 3], [1, 1]];
  const sizes = [
    [1, 1, 1],
    [1, 2, 1],
    [2, 1, 3],
    [3, 2, 1],
    [2, 3, 2],
  ] as const;
  for (const left of leading)
    for (const right of leading)
      for (const [m, k, n] of sizes) {
        const a = trial.given(floats(trial.random, [...left, m, k]));
        const b = trial.given(floats(trial.random, [...right, k, n]));
        for (const [many, one] of [
          [[], []],
          [[2, 3], []],
          [[], [2, 3]],
          [
            [2, 3],
            [2, 3],
          ],
          [[4, 2, 3], []],
        ] as const) {
          const [x, y] = [wide(a, many, [m, k]), wide(b, one, [k, n])];
          if (x === undefined || y === undefined) continue;
          const made = trial.build.tryEmit('matmul', [x, y], {});
          if ('values' in made) trial.give(made.values[0]!);
        }
      }
  const graph = trial.graph();
  expect(graph.outputs.length).toBeGreaterThan(500);
  await agrees(graph, trial.feeds);
  await agrees(runPipeline(graph, { verify: true }), trial.feeds);
});
