import { constant } from '../../../compiler/dims/dim.ts';
import { Facts } from '../../../compiler/dims/facts.ts';
import { Builder } from '../../../compiler/graphs/builder.ts';
import { finish } from '../../../compiler/graphs/rebuild.ts';
import type { Graph, Value } from '../../../compiler/ir/graph.ts';
import type { DType } from '../../../compiler/ir/types.ts';
import { type StateTensor, type StepGraph, stepNames } from '../../../compiler/training/step-graph.ts';
import type { Feeds } from '../../../runtime/ort/session.ts';
import type { StoredTensor } from '../../../runtime/training/checkpoint.ts';
import { draw } from '../../../runtime/training/draws.ts';

/** Rows of a batch, and numbers in a row. */
export const rows = 3;
export const width = 4;
const momentum = 0.9;
const dropped = 0.25;
const drawName = 'uniform/drop';

/**
 * A linear model, its loss mean((drop(x) w - y)²), and SGD with momentum, as step graphs made by hand. `broken` puts a
 * logarithm of the weights' sum into the loss, which is NaN where that is negative.
 */
export function toySteps({ broken = false, times = 1 } = {}) {
  const state: StateTensor[] = [
    { name: 'weight:w', next: 'next:weight:w', kind: 'weight', path: 'w', shape: [width] },
    { name: 'moment:w', next: 'next:moment:w', kind: 'moment', path: 'w', shape: [width] },
  ];
  const accumulator: StateTensor = {
    name: 'gradient:w',
    next: 'next:gradient:w',
    kind: 'gradient',
    path: 'w',
    shape: [width],
  };
  const part = (
    build: (make: Maker) => Record<string, Value>,
    used: readonly StateTensor[],
    draws: boolean,
  ): StepGraph => {
    const make = new Maker();
    const outputs = build(make);
    const graph = make.graph(outputs);
    return {
      graph,
      state: used,
      packs: [],
      apart: [],
      draws: draws ? [{ name: drawName, shape: [rows, width] }] : [],
      outputs: Object.keys(outputs),
    } as unknown as StepGraph;
  };
  const update = (make: Maker, gradient: Value): Record<string, Value> => {
    const { build } = make;
    const norm = build.sqrt(build.sum(build.mul(gradient, gradient), [0]));
    const moment = build.add(build.mul(make.input('moment:w', 'f32', [width]), make.number(momentum)), gradient);
    const w = make.input('weight:w', 'f32', [width]);
    const next = build.sub(w, build.mul(moment, make.input(stepNames.learningRate, 'f32', [])));
    return { [stepNames.gradientNorm]: norm, 'next:moment:w': moment, 'next:weight:w': next };
  };
  if (times === 1) {
    return {
      whole: part(
        (make) => {
          const { loss, gradient } = make.loss(broken);
          return { [stepNames.loss]: loss, 'term:square': loss, ...update(make, gradient) };
        },
        state,
        true,
      ),
    };
  }
  return {
    times,
    accumulate: part(
      (make) => {
        const { build } = make;
        const { loss, gradient } = make.loss(broken);
        const sum = build.add(make.input('gradient:w', 'f32', [width]), build.mul(gradient, make.number(1 / times)));
        return { [stepNames.loss]: loss, 'term:square': loss, 'next:gradient:w': sum };
      },
      [state[0]!, accumulator].map((one) => (one.kind === 'gradient' ? one : { ...one, next: undefined })),
      true,
    ),
    update: part(
      (make) => update(make, make.input('gradient:w', 'f32', [width])),
      [...state, { ...accumulator, next: undefined }],
      false,
    ),
  };
}

class Maker {
  readonly build = new Builder(Facts.none);
  readonly #inputs: { name: string; value: Value; docs: string }[] = [];

  input(name: string, dtype: DType, shape: readonly number[]): Value {
    const known = this.#inputs.find((one) => one.name === name);
    if (known) return known.value;
    this.build.origin = { span: undefined, path: '', label: name };
    const value = this.build.input(name, { dtype, shape: shape.map((n) => constant(n)) });
    this.#inputs.push({ name, value, docs: '' });
    return value;
  }

  number(value: number): Value {
    return this.build.full(value, 'f32', []);
  }

  loss(broken: boolean): { loss: Value; gradient: Value } {
    const { build } = this;
    const x = this.input('image', 'f32', [rows, width]);
    const y = this.input('target', 'f32', [rows, 1]);
    const w = this.input('weight:w', 'f32', [width]);
    build.origin = { span: undefined, path: 'head', label: 'dropout' };
    const u = build.uniform([constant(rows), constant(width)], 'drop');
    const kept = build.cast(build.le(this.number(dropped), u), 'f32');
    const seen = build.mul(x, kept);
    const difference = build.sub(build.matmul(seen, build.reshape(w, [constant(width), constant(1)])), y);
    const plain = build.mean(build.mul(difference, difference), [0, 1]);
    build.origin = { span: undefined, path: 'head.extra', label: 'log' };
    const loss = broken ? build.add(plain, build.log(build.sum(w, [0]))) : plain;
    build.origin = { span: undefined, path: 'head', label: 'gradient' };
    const product = build.matmul(build.transpose(seen, [1, 0]), difference);
    const gradient = build.mul(build.reshape(product, [constant(width)]), this.number(2 / rows));
    return { loss, gradient };
  }

  graph(outputs: Readonly<Record<string, Value>>): Graph {
    return finish(
      {
        name: 'toy',
        docs: '',
        inputs: this.#inputs,
        outputs: Object.entries(outputs).map(([name, value]) => ({ name, value, docs: '' })),
        facts: Facts.none,
        guards: [],
      },
      this.build.nodes,
    );
  }
}

/** logits = x w with the weight inside, as the inference form has it. */
export function toyInference(): Graph {
  const build = new Builder(Facts.none);
  const shape = [constant(rows), constant(width)];
  const value = build.input('image', { dtype: 'f32', shape });
  const w = build.weight(
    { path: 'w', role: 'param', init: { name: 'zeros', args: {} }, decay: true, keepF32: false },
    { dtype: 'f32', shape: [constant(width)] },
  );
  const logits = build.matmul(value, build.reshape(w, [constant(width), constant(1)]));
  const inputs = [{ name: 'image', value, docs: '' }];
  const outputs = [{ name: 'logits', value: logits, docs: '' }];
  return finish({ name: 'toy', docs: '', inputs, outputs, facts: Facts.none, guards: [] }, build.nodes);
}

export function toyState(w: readonly number[] = [0.5, -0.25, 1, 2]): Map<string, Float32Array> {
  return new Map([
    ['weight:w', Float32Array.from(w)],
    ['moment:w', new Float32Array(width)],
    ['gradient:w', new Float32Array(width).fill(9)],
  ]);
}

/** Rows that depend on a number alone. */
export function toyFeeds(n: number): Feeds {
  const x = Float32Array.from({ length: rows * width }, (_, i) => Math.sin(n * 31 + i));
  const y = Float32Array.from({ length: rows }, (_, i) => Math.cos(n * 17 + i));
  return {
    image: { dtype: 'f32', shape: [rows, width], data: x },
    target: { dtype: 'f32', shape: [rows, 1], data: y },
  };
}

/** The same training in plain float64 loops. */
export class ToyReference {
  w: number[];
  m = new Array<number>(width).fill(0);
  constructor(w: readonly number[] = [0.5, -0.25, 1, 2]) {
    this.w = [...w];
  }

  step(batches: readonly Feeds[], { learningRate, step }: { learningRate: number; step: number }, seed: number) {
    const gradient = new Array<number>(width).fill(0);
    let loss = 0;
    for (const [micro, { image, target }] of batches.entries()) {
      const u = draw(drawName, [rows, width], { seed, step, micro });
      for (let r = 0; r < rows; r++) {
        const x = Array.from({ length: width }, (_, i) =>
          u[r * width + i]! >= dropped ? (image!.data[r * width + i] as number) : 0,
        );
        const difference = x.reduce((sum, v, i) => sum + v * this.w[i]!, 0) - (target!.data[r] as number);
        loss += difference ** 2 / rows / batches.length;
        for (let i = 0; i < width; i++) gradient[i]! += (2 * difference * x[i]!) / rows / batches.length;
      }
    }
    this.m = this.m.map((m, i) => momentum * m + gradient[i]!);
    this.w = this.w.map((w, i) => w - learningRate * this.m[i]!);
    return { loss, gradientNorm: Math.hypot(...gradient) };
  }
}

/** The tensors of the toy in its checkpoints, and what identifies its runs. */
export const toyStored: readonly StoredTensor[] = [
  { name: 'weight:w', file: 'weights', as: 'w', shape: [width] },
  { name: 'moment:w', file: 'state', as: 'moment:w', shape: [width] },
];
export const toyIdentity = {
  model: 'Toy',
  seed: 5,
  recipe: {},
  hashes: { model: '', loss: '', data: '', vocabulary: '' },
  surroundings: { crobc: '0', backend: 'onnx', device: 'cpu', threads: 1, recompute: [] },
};

/** Settings of a training loop of the toy that no test of loops changes by itself. */
export const toyLoop = {
  learningRate: (step: number) => 0.1 / step,
  earlyStop: undefined,
  checkpointSeconds: { most: Number.POSITIVE_INFINITY, least: 0 },
  identity: toyIdentity,
  stored: toyStored,
  events: undefined,
};
