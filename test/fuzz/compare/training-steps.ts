import { interpret } from '../../../compiler/graphs/interpret.ts';
import { verify } from '../../../compiler/graphs/verify.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import type { Training } from '../../../compiler/training/compile-training.ts';
import { differentiate } from '../../../compiler/training/differentiated.ts';
import { trainingStep } from '../../../compiler/training/step.ts';
import { type StepGraph, stepNames } from '../../../compiler/training/step-graph.ts';
import type { Feeds } from '../../../runtime/ort/session.ts';
import { openOnnxBackend } from '../../../runtime/training/onnx-backend.ts';
import { runTfjs, toHost } from '../../emit/tfjs/run.ts';
import { count } from '../meaning/tensors.ts';
import { allowed, difference, differences, float32 } from './close.ts';
import type { Lanes } from './lanes.ts';
import { openGraph } from './onnx.ts';
import { type Learned, optimize } from './optimizer.ts';
import { type Data, learningRate, noWeights, type TrainingCase } from './training-case.ts';

/** Whole training steps of a case: by the formulas of the optimizer, and by everything that runs a step. */
export class TrainingSteps {
  readonly #case: TrainingCase;
  readonly #tfjs: boolean;

  constructor(trained: TrainingCase, tfjs: boolean) {
    this.#case = trained;
    this.#tfjs = tfjs;
  }

  /** Two whole steps: the formulas of the optimizer, then everything that runs a step. */
  async all(training: Training, accumulating: StepGraph): Promise<void> {
    const { accumulate, optimizer, clip, ema } = this.#case.recipe;
    const parts = (packed: boolean, rematerialise: readonly string[] = []) => {
      const differentiated = differentiate(training, rematerialise);
      return accumulate === 1
        ? [trainingStep(differentiated, { packed })]
        : [
            trainingStep(differentiated, { part: 'accumulate', packed }),
            trainingStep(differentiated, { part: 'update', packed }),
          ];
    };
    const make = (packed: boolean, rematerialise?: readonly string[]) =>
      this.#case.checks.sound('crash in making a training step', () => parts(packed, rematerialise));
    const plain = await make(false);
    for (const { graph } of plain) this.#case.checks.hold('a training step that does not verify', verify(graph)[0]);
    const paths = new Set(accumulating.state.filter(({ kind }) => kind === 'gradient').map(({ path }) => path));
    if (paths.size === 0) {
      this.#case.checks.count('training: nothing learns');
      return;
    }
    const state = this.#case.state(plain);
    const learned = this.#learned(paths);
    const before = new Map([...state].map(([name, { data }]) => [name, Float32Array.from(data)]));
    const lanesOf: (Lanes | undefined)[] = [];
    for (const step of [1, 2]) {
      const sums = this.#summed(accumulating, state);
      optimize(learned, sums, { optimizer, clip, ema, lr: learningRate, step });
      const lanes = await this.#case.checks.sound('crash in the interpreter of a training step', () =>
        this.#whole(plain, state, step),
      );
      if (lanes.unclear !== undefined) {
        this.#case.checks.count(`training: unclear: ${lanes.unclear}`);
        break;
      }
      for (const [path, one] of learned)
        for (const kind of ['weight', 'moment', 'variance', 'average'] as const) {
          const name = `${kind}:${path}`;
          const shape = state.get(name)?.shape;
          if (!shape) continue;
          const off = allowed(lanes)(`next:${name}`);
          this.#case.checks.hold(
            'the optimizer',
            difference(name, state.get(name), { shape, data: one[kind] }, off, 4 * float32),
          );
          // Both go on from the same numbers.
          one[kind] = Float64Array.from(state.get(name)!.data);
        }
      this.#case.checks.count(`optimizer: ${optimizer.kind}`);
      lanesOf.push(lanes);
    }
    const [first] = lanesOf;
    if (!first) return;
    const remade = await make(
      false,
      this.#case.program.model.parts.map(({ name }) => name),
    );
    await this.#again('a step that computes modules again', remade, before, first);
    await this.#inOnnx(plain, before, first);
    await this.#inPlace(
      training,
      await make(true, this.#case.seed % 2 === 0 ? this.#case.program.model.parts.map(({ name }) => name) : []),
      before,
      first,
    );
    if (this.#tfjs) await this.#inTfjs(plain, before, first);
  }

  #learned(paths: ReadonlySet<string>): Map<string, Learned> {
    const { groups, optimizer } = this.#case.recipe;
    return new Map(
      [...paths].map((path) => {
        const { start, weight } = this.#case.weights.get(path)!;
        const group = groups.find(({ part }) => path.startsWith(`${part}.`));
        const zeros = () => new Float64Array(start.data.length);
        const decay = weight.decay ? (group?.weightDecay ?? optimizer.weightDecay) : 0;
        return [
          path,
          {
            weight: Float64Array.from(start.data),
            moment: zeros(),
            variance: zeros(),
            average: Float64Array.from(start.data),
            lr: group?.lr ?? 1,
            decay,
          },
        ];
      }),
    );
  }

  /** The mean of the gradients of all micro-batches; buffers go from one to the next. */
  #summed(accumulating: StepGraph, state: Data): ReadonlyMap<string, Float64Array> {
    const own = new Map(this.#case.state([accumulating]));
    for (const name of own.keys()) if (state.has(name)) own.set(name, state.get(name)!);
    for (const { name, kind, shape } of accumulating.state)
      if (kind === 'gradient') own.set(name, { dtype: 'f32', shape, data: new Float64Array(count(shape)) });
    for (const batch of this.#case.batches) {
      const results = interpret(accumulating.graph, this.#case.feeds(accumulating.graph, own, batch, 1), noWeights);
      renew(own, [accumulating], results);
    }
    return new Map(
      accumulating.state
        .filter(({ kind }) => kind === 'gradient')
        .map(({ name, path }) => [path, Float64Array.from(own.get(name)!.data)]),
    );
  }

  /** A step in the interpreter, which renews the state; what is unclear of any of its parts, and how far results may be off. */
  #whole(steps: readonly StepGraph[], state: Map<string, TensorData>, step: number): Lanes {
    const results = new Map<string, TensorData>();
    const spread = new Map<string, number>();
    let unclear: string | undefined;
    for (const { name, kind, shape } of steps.flatMap((one) => one.state))
      if (kind === 'gradient') state.set(name, { dtype: 'f32', shape, data: new Float64Array(count(shape)) });
    const loose = new Map<string, number>();
    for (const [one, batch] of this.#runs(steps)) {
      const lanes = this.#case.lanes(one.graph, state, batch, step, loose);
      unclear ??= lanes.unclear;
      renew(state, [one], lanes.results);
      for (const [name, data] of lanes.results) results.set(name, data);
      for (const [name, off] of lanes.spread) spread.set(name, off);
      // What a micro-batch leaves goes into the next graph.
      for (const { name, next } of one.state) {
        const off = next === undefined ? undefined : lanes.spread.get(next);
        if (off !== undefined) loose.set(name, off);
      }
    }
    return { results, spread, unclear };
  }

  /** Each graph of a step with what it is fed. */
  #runs(steps: readonly StepGraph[]): readonly (readonly [StepGraph, Data])[] {
    const [first, update] = steps;
    if (!first) return [];
    return [
      ...this.#case.batches.map((batch) => [first, batch] as const),
      ...(update ? [[update, new Map() as Data] as const] : []),
    ];
  }

  /** A step of the interpreter that must give the same. */
  async #again(
    kind: string,
    steps: readonly StepGraph[],
    before: ReadonlyMap<string, Float32Array>,
    want: Lanes,
  ): Promise<void> {
    const state = started(before, this.#case.state(steps));
    const results = new Map<string, TensorData>();
    await this.#case.checks.sound(`crash in ${kind}`, () => {
      for (const [one, batch] of this.#runs(steps)) {
        const found = interpret(one.graph, this.#case.feeds(one.graph, state, batch, 1), noWeights);
        renew(state, [one], found);
        for (const [name, data] of found) results.set(name, data);
      }
    });
    this.#case.checks.hold(kind, differences(results, want.results, allowed(want), float32));
    this.#case.checks.count(kind);
  }

  /** Every result in memory of its own. */
  async #inOnnx(steps: readonly StepGraph[], before: ReadonlyMap<string, Float32Array>, want: Lanes): Promise<void> {
    const state = started(before, this.#case.state(steps));
    const results = new Map<string, TensorData>();
    for (const [one, batch] of this.#runs(steps)) {
      const session = await this.#case.checks.sound('crash in building a training step', () =>
        openGraph(one.graph, noWeights),
      );
      try {
        const found = await this.#case.checks.sound('crash in a training step in onnxruntime', () =>
          session.run(this.#case.feeds(one.graph, state, batch, 1)),
        );
        renew(state, [one], found);
        for (const [name, data] of found) results.set(name, data);
      } finally {
        await session.release();
      }
    }
    this.#case.checks.hold(
      'a training step in onnxruntime',
      differences(results, want.results, allowed(want), 4 * float32),
    );
    this.#case.checks.count('training step in onnxruntime');
  }

  /** What `crobc train` runs: packed, and over the old state. */
  async #inPlace(
    training: Training,
    steps: readonly StepGraph[],
    before: ReadonlyMap<string, Float32Array>,
    want: Lanes,
  ): Promise<void> {
    const state = new Map([...before].map(([name, data]) => [name, Float32Array.from(data)]));
    for (const { name, shape } of steps.flatMap((one) => one.state))
      if (!state.has(name)) state.set(name, new Float32Array(count(shape)));
    const [first, update] = steps as [StepGraph, StepGraph | undefined];
    const parts = update ? { accumulate: first, update, times: this.#case.recipe.accumulate } : { whole: first };
    const backend = await this.#case.checks.sound('crash in building a training step in place', () =>
      openOnnxBackend({ steps: parts, inference: training.inference, state, seed: 1, device: 'cpu', threads: 1 }),
    );
    try {
      const batches = this.#case.batches.map(
        (batch): Feeds => Object.fromEntries([...batch].map(([name, data]) => [name, toHost(data)])),
      );
      const result = await this.#case.checks.sound('crash in a training step in place', () =>
        backend.step(batches, { learningRate, step: 1 }),
      );
      const found = new Map<string, TensorData>();
      for (const [name, data] of await backend.read()) {
        const wanted = want.results.get(`next:${name}`);
        if (wanted && !name.startsWith('gradient:'))
          found.set(`next:${name}`, { dtype: 'f32', shape: wanted.shape, data });
      }
      const kept = new Map(
        [...want.results].filter(([name]) => name.startsWith('next:') && !name.startsWith('next:gradient:')),
      );
      this.#case.checks.hold('a training step in place', differences(found, kept, allowed(want), 4 * float32));
      const wanted = want.results.get(stepNames.gradientNorm);
      const norm = { shape: [], data: [result.gradientNorm] };
      if (wanted)
        this.#case.checks.hold(
          'a training step in place',
          difference('gradient norm', norm, wanted, allowed(want)(stepNames.gradientNorm), 4 * float32),
        );
      this.#case.checks.count('training step in place');
    } finally {
      await backend.release();
    }
  }

  async #inTfjs(steps: readonly StepGraph[], before: ReadonlyMap<string, Float32Array>, want: Lanes): Promise<void> {
    const state = started(before, this.#case.state(steps));
    const results = new Map<string, TensorData>();
    for (const [one, batch] of this.#runs(steps)) {
      const run = await this.#case.checks.sound('crash in a training step in TensorFlow.js', () =>
        runTfjs(one.graph, this.#case.feeds(one.graph, state, batch, 1)),
      );
      renew(state, [one], run.results);
      for (const [name, data] of run.results) results.set(name, data);
    }
    this.#case.checks.hold(
      'a training step in TensorFlow.js',
      differences(results, want.results, allowed(want), 8 * float32),
    );
    this.#case.checks.count('training step in TensorFlow.js');
  }
}

function renew(state: Map<string, TensorData>, steps: readonly StepGraph[], results: Data): void {
  for (const { name, next } of steps.flatMap((step) => step.state)) {
    const value = next === undefined ? undefined : results.get(next);
    if (value) state.set(name, value);
  }
}

function started(before: ReadonlyMap<string, Float32Array>, state: Map<string, TensorData>): Map<string, TensorData> {
  for (const [name, data] of before) {
    const held = state.get(name);
    if (held) state.set(name, { ...held, data: Float64Array.from(data) });
  }
  return state;
}
