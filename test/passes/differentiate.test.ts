import { describe, expect, test } from 'vitest';
import { constant, evaluate, variable } from '../../compiler/dims/dim.ts';
import { Facts } from '../../compiler/dims/facts.ts';
import { Builder } from '../../compiler/graphs/builder.ts';
import { interpret } from '../../compiler/graphs/interpret.ts';
import { memory } from '../../compiler/graphs/liveness.ts';
import { finish } from '../../compiler/graphs/rebuild.ts';
import { verify } from '../../compiler/graphs/verify.ts';
import type { Graph, Value } from '../../compiler/ir/graph.ts';
import { identicalTypes } from '../../compiler/ir/shapes.ts';
import { tensor } from '../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { seededRandom, seedOf } from '../../compiler/ops/random.ts';
import { floats } from '../../compiler/ops/sampling.ts';
import { type GradientOptions, gradients } from '../../compiler/passes/differentiate.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';

/** A model in the making, with inputs whose sizes are numbers, or names of free dims. */
class Model {
  readonly build = new Builder(Facts.none);
  readonly inputs: { readonly name: string; readonly value: Value; readonly docs: string }[] = [];

  f32(name: string, ...shape: (number | string)[]): Value {
    const dims = shape.map((size) => (typeof size === 'number' ? constant(size) : variable(size)));
    const value = this.build.input(name, { dtype: 'f32', shape: dims });
    this.inputs.push({ name, value, docs: '' });
    return value;
  }

  /** Makes nodes of a module. */
  within<T>(path: string, make: () => T): T {
    const outer = this.build.origin;
    this.build.origin = { span: undefined, path, label: '' };
    const made = make();
    this.build.origin = outer;
    return made;
  }

  /** The mean of the squares. */
  loss(x: Value): Value {
    return this.build.mean(this.build.mul(x, x), [...x.type.shape.keys()]);
  }

  number(value: number): Value {
    return this.build.full(value, 'f32', []);
  }

  graph(loss: Value, wanted: readonly Value[], options: GradientOptions = {}): Graph {
    const found = gradients(this.build, loss, wanted, options);
    const outputs = [{ name: 'loss', value: loss, docs: '' }];
    for (const [value, gradient] of found) {
      expect(identicalTypes(gradient.type, value.type)).toBe(true);
      outputs.push({ name: this.inputs.find((input) => input.value === value)!.name, value: gradient, docs: '' });
    }
    const parts = { name: 'step', docs: '', inputs: this.inputs, outputs, facts: Facts.none, guards: [] };
    return finish(parts, this.build.nodes);
  }
}

const sizes = new Map([
  ['B', 2],
  ['N', 3],
]);

function feedsOf(graph: Graph): Map<string, TensorData> {
  return new Map(
    graph.inputs.map(({ name, value }) => {
      const shape = value.type.shape.map((dim) => evaluate(dim, (free) => sizes.get(free)!));
      return [name, floats(seededRandom(seedOf(name)), shape, -1, 1)];
    }),
  );
}

const run = (graph: Graph, feeds: ReadonlyMap<string, TensorData>) =>
  interpret(
    graph,
    feeds,
    () => {
      throw new Error('no weights here');
    },
    sizes,
  );

/** The gradients, before and after the passes, against central differences of the loss in up to 12 elements each. */
function expectGradients(graph: Graph, names: readonly string[]): void {
  expect(graph.outputs.map(({ name }) => name)).toEqual(['loss', ...names]);
  const feeds = feedsOf(graph);
  const results = run(graph, feeds);
  const optimal = runPipeline(graph, { verify: true });
  const again = run(optimal, feeds);
  const step = 1e-5;
  for (const name of names) {
    const x = feeds.get(name)!;
    const stride = Math.max(1, Math.floor(x.data.length / 12));
    let moved = 0;
    for (let i = 0; i < x.data.length; i += stride) {
      const [up, down] = [step, -step].map((by) => {
        const data = Float64Array.from(x.data);
        data[i] = data[i]! + by;
        return run(graph, new Map([...feeds, [name, { ...x, data }]])).get('loss')!.data[0]!;
      });
      const wanted = (up! - down!) / (2 * step);
      moved = Math.max(moved, Math.abs(wanted));
      for (const found of [results, again])
        expect(Math.abs(found.get(name)!.data[i]! - wanted), `${name}[${i}]`).toBeLessThan(
          1e-7 + 1e-6 * Math.abs(wanted),
        );
    }
    expect(moved, name).toBeGreaterThan(1e-6);
  }
}

/** Rows times a matrix, a norm, and gelu, twice; sizes free. */
function perceptron(model: Model): { loss: Value; weights: Value[] } {
  const { build } = model;
  let x = model.f32('x', 'B', 'N', 4);
  const weights: Value[] = [];
  for (const layer of [0, 1])
    model.within(`layers.${layer}`, () => {
      const part = (name: string, ...shape: number[]) => {
        const value = model.f32(`${name}${layer}`, ...shape);
        weights.push(value);
        return value;
      };
      const normal = build.layerNorm(x, part('scale', 4), part('shift', 4), 1e-5);
      const hidden = build.gelu(build.add(build.matmul(normal, part('in', 4, 8)), part('bias', 8)), false);
      x = build.add(x, build.matmul(hidden, part('out', 8, 4)));
    });
  return { loss: model.loss(x), weights };
}

describe('gradients of whole models are those of finite differences', () => {
  test('perceptron with norms', () => {
    const model = new Model();
    const { loss, weights } = perceptron(model);
    expectGradients(
      model.graph(loss, weights),
      [0, 1].flatMap((i) => ['scale', 'shift', 'in', 'bias', 'out'].map((name) => `${name}${i}`)),
    );
  });

  test('attention with a mask', () => {
    const model = new Model();
    const { build } = model;
    const x = model.f32('x', 'B', 'N', 6);
    const [q, k, v] = ['q', 'k', 'v'].map((name) => {
      const rows = build.matmul(x, model.f32(name, 6, 6));
      const [batch, words] = x.type.shape as [(typeof x.type.shape)[number], (typeof x.type.shape)[number]];
      return build.transpose(build.reshape(rows, [batch, words, constant(2), constant(3)]), [0, 2, 1, 3]);
    }) as [Value, Value, Value];
    const scores = build.mul(build.matmul(q, build.transpose(k, [0, 1, 3, 2])), model.number(3 ** -0.5));
    const seen = build.le(build.iota(constant(1)), build.iota(x.type.shape[1]!));
    const masked = build.select(seen, scores, model.number(-1e4));
    const read = build.matmul(build.softmax(masked, 3), v);
    const y = build.reshape(build.transpose(read, [0, 2, 1, 3]), x.type.shape);
    const wanted = model.inputs.map(({ value }) => value);
    expectGradients(model.graph(model.loss(build.add(y, x)), wanted), ['x', 'q', 'k', 'v']);
  });

  test('convolutions with pooling, and a sum of slices', () => {
    const model = new Model();
    const { build } = model;
    const x = model.f32('x', 'B', 3, 9, 10);
    const conv = (y: Value, w: Value, stride: number, groups = 1) =>
      build.conv2d(y, w, { stride: [stride, stride], pad: [1, 1, 1, 1], dilation: [1, 1], groups });
    const first = build.relu(conv(x, model.f32('w', 4, 3, 3, 3), 1));
    const pooled = build.maxPool2d(first, { kernel: [3, 3], stride: [2, 2], pad: [1, 1, 1, 1] });
    const second = conv(pooled, model.f32('d', 4, 1, 3, 3), 2, 4);
    const half = (from: number) =>
      build.slice(
        second,
        [0, from, 0, 0].map(constant),
        second.type.shape.map((size, axis) => (axis === 1 ? constant(from + 2) : size)),
        [1, 1, 1, 1],
      );
    const y = build.mul(build.sigmoid(half(0)), half(2));
    expectGradients(
      model.graph(
        model.loss(y),
        model.inputs.map(({ value }) => value),
      ),
      ['x', 'w', 'd'],
    );
  });

  test.each([
    ['small', 5],
    ['large', 2],
  ])('samples at computed places of a %s map', (_, channels) => {
    const model = new Model();
    const { build } = model;
    const x = model.f32('x', 'B', channels, 5, 6);
    const offsets = build.matmul(model.f32('queries', 'B', 7, 3), model.f32('w', 3, 2));
    const places = build.add(offsets, build.constant(tensor('f32', [2], [2.4, 1.7])));
    const y = build.mul(build.gridSample(x, places), model.f32('weights', 'B', 1, 7));
    const wanted = model.inputs.map(({ value }) => value);
    expectGradients(model.graph(model.loss(y), wanted), ['x', 'queries', 'w', 'weights']);
  });

  test('losses: cross-entropy of logits, and dice', () => {
    const model = new Model();
    const { build } = model;
    const logits = model.f32('logits', 'B', 3);
    const truth = build.constant(tensor('f32', [3], [1, 0, 1]));
    const one = model.number(1);
    // max(x, 0) - x·t + log(1 + e^-|x|), as PyTorch has it.
    const soft = build.log(build.add(one, build.exp(build.neg(build.abs(logits)))));
    const entropy = build.add(build.sub(build.relu(logits), build.mul(logits, truth)), soft);
    const p = build.sigmoid(logits);
    const overlap = build.add(build.mul(model.number(2), build.sum(build.mul(p, truth), [1])), one);
    const whole = build.add(build.add(build.sum(p, [1]), build.sum(truth, [0])), one);
    const dice = build.mean(build.sub(one, build.div(overlap, whole)), [0]);
    const classes = build.logSoftmax(model.f32('classes', 'B', 4), 1);
    const loss = build.add(build.add(build.mean(entropy, [0, 1]), dice), build.neg(build.mean(classes, [0, 1])));
    expectGradients(
      model.graph(
        loss,
        model.inputs.map(({ value }) => value),
      ),
      ['logits', 'classes'],
    );
  });

  test('a value that is used many times', () => {
    const model = new Model();
    const { build } = model;
    const x = model.f32('x', 3);
    const y = build.add(build.mul(x, x), build.mul(build.sum(x, [0], true), x));
    expectGradients(model.graph(model.loss(build.add(y, x)), [x]), ['x']);
  });
});

describe('what is not asked for is not made', () => {
  const nodes = (wanted: (weights: readonly Value[]) => readonly Value[]): number => {
    const model = new Model();
    const { loss, weights } = perceptron(model);
    const before = model.build.nodes.length;
    gradients(model.build, loss, wanted(weights));
    return model.build.nodes.length - before;
  };

  test('frozen weights cost nothing', () => {
    const all = nodes((weights) => weights);
    const last = nodes((weights) => weights.slice(-1));
    const second = nodes((weights) => weights.slice(5));
    expect(nodes(() => [])).toBe(0);
    // Mean, the square's two products and their sum, the residual's matrix: no more.
    expect(last).toBeLessThan(14);
    expect(second).toBeLessThan(all / 2 + 5);
  });

  test('values that the loss does not depend on are missing', () => {
    const model = new Model();
    const { build } = model;
    const [x, other, stopped] = [model.f32('x', 2), model.f32('other', 2), model.f32('stopped', 2)];
    build.mul(other, x);
    const loss = model.loss(build.mul(x, build.stopGradient(stopped)));
    const floored = build.add(loss, build.sum(build.floor(other), [0]));
    expect([...gradients(build, floored, [x, other, stopped]).keys()]).toEqual([x]);
  });

  test('whole numbers carry no gradient', () => {
    const model = new Model();
    const { build } = model;
    const x = model.f32('x', 4);
    const whole = build.cast(build.cast(x, 'i32'), 'f32');
    expect([...gradients(build, model.loss(whole), [x])]).toEqual([]);
  });

  test('a loss is one f32', () => {
    const model = new Model();
    const x = model.f32('x', 2);
    expect(() => gradients(model.build, x, [x])).toThrow('bug in crobc: a loss is f32[]');
  });
});

describe('activations that are computed again', () => {
  const layer = (path: string) => /^layers\.\d+/.exec(path)?.[0];
  const step = (options: GradientOptions): Graph => {
    const model = new Model();
    const { build } = model;
    const weights: Value[] = [];
    let x = model.f32('x', 64, 8);
    for (let i = 0; i < 6; i++)
      model.within(`layers.${i}`, () => {
        const [into, out] = [model.f32(`in${i}`, 8, 64), model.f32(`out${i}`, 64, 8)];
        weights.push(into, out);
        x = build.add(x, build.matmul(build.gelu(build.matmul(x, into), false), out));
      });
    return model.graph(model.loss(x), weights, options);
  };

  test('give the same gradients from less memory', () => {
    const [kept, again] = [step({}), step({ rematerialise: layer })].map((graph) =>
      runPipeline(graph, { verify: true }),
    );
    expect(verify(again!)).toEqual([]);
    const feeds = feedsOf(kept!);
    expect([...run(again!, feeds)]).toEqual([...run(kept!, feeds)]);
    const [most, least] = [kept!, again!].map((graph) => memory(graph, new Map()).peakBytes);
    expect(least).toBeLessThan(0.5 * most!);
  });

  test('are computed once more each, behind a barrier that the passes leave alone', () => {
    const count = (graph: Graph, op: string) => graph.nodes.filter((node) => node.op === op).length;
    const [kept, again] = [step({}), step({ rematerialise: layer })].map((graph) => runPipeline(graph));
    expect(count(again!, 'gelu') - count(kept!, 'gelu')).toBe(6);
    expect(count(again!, 'matmul') - count(kept!, 'matmul')).toBe(6);
    expect(count(again!, 'barrier')).toBe(6);
  });
});
