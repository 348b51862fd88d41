import { evaluate as evaluateDim } from '../../../compiler/dims/dim.ts';
import { interpret } from '../../../compiler/graphs/interpret.ts';
import { verify } from '../../../compiler/graphs/verify.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import { seedOf } from '../../../compiler/ops/random.ts';
import { compileTraining, type Training } from '../../../compiler/training/compile-training.ts';
import {
  differentiate,
  forwardGraph,
  type StepGraph,
  stepNames,
  trainingStep,
} from '../../../compiler/training/step.ts';
import type { Feeds } from '../../../runtime/ort/session.ts';
import { openOnnxBackend } from '../../../runtime/training/onnx-backend.ts';
import { draws } from '../../draws.ts';
import { runTfjs, toHost } from '../../emit/tfjs/run.ts';
import { memoryHost } from '../../memory-host.ts';
import { evaluate, type Meaning } from '../meaning/evaluate.ts';
import { count, make, type Tensor } from '../meaning/tensors.ts';
import { printProgram } from '../program/print.ts';
import { sizeAt } from '../program/size.ts';
import { model, type Program, type Recipe, type Weight } from '../program/tree.ts';
import type { PyTorch } from '../pytorch/python.ts';
import type { Checks } from './checks.ts';
import { allowed, difference, differences, float32 } from './close.ts';
import { type Lanes, runLanes } from './lanes.ts';
import { openGraph } from './onnx.ts';
import { type Learned, optimize } from './optimizer.ts';
import { compareAutograd, comparePyTorch } from './pytorch.ts';
import { drawValues, drawWeight, sizesOf } from './values.ts';

/** Compares the training of a program that has a recipe. */
export async function compareTraining(
  program: Program,
  seed: number,
  tfjs: boolean,
  checks: Checks,
  pytorch: PyTorch | undefined,
): Promise<void> {
  const { recipe } = program;
  if (recipe) await new TrainingComparison(program, recipe, seed, tfjs, checks, pytorch).all();
}

type Data = ReadonlyMap<string, TensorData>;

/** A weight as the program declares it. */
interface Declared {
  readonly path: string;
  readonly start: Tensor;
  /** The direction in which the loss is differentiated: 0 for what is not trained. */
  readonly direction: Float64Array;
  readonly weight: Weight;
}

const learningRate = 0.05;

class TrainingComparison {
  readonly #program: Program;
  readonly #recipe: Recipe;
  readonly #seed: number;
  readonly #tfjs: boolean;
  readonly #checks: Checks;
  readonly #pytorch: PyTorch | undefined;
  readonly #weights = new Map<string, Declared>();
  /** Feeds of each micro-batch. */
  readonly #batches: ReadonlyMap<string, Tensor>[] = [];

  constructor(
    program: Program,
    recipe: Recipe,
    seed: number,
    tfjs: boolean,
    checks: Checks,
    pytorch: PyTorch | undefined,
  ) {
    this.#pytorch = pytorch;
    this.#program = program;
    this.#recipe = recipe;
    this.#seed = seed;
    this.#tfjs = tfjs;
    this.#checks = checks;
    const sizes = sizesOf(program, new Map(recipe.sizes));
    for (let i = 0; i < recipe.accumulate; i++) {
      const inputs = [...program.model.inputs, ...recipe.inputs];
      const value = (input: (typeof inputs)[number]) =>
        drawValues(
          seed + i,
          input,
          input.type.shape.map((axis) => sizeAt(axis, sizes)),
        );
      this.#batches.push(new Map(inputs.map((input) => [input.name, value(input)])));
    }
  }

  async all(): Promise<void> {
    const training = await this.#compiled();
    if (!training) return;
    const meant = await this.#checks.sound('bug in the harness', () =>
      this.#batches.map((batch) => this.#meaning(batch, 0)),
    );
    const accumulating = await this.#checks.sound('crash in making a training step', () =>
      trainingStep(differentiate(training), { part: 'accumulate' }),
    );
    this.#checks.hold('a training step that does not verify', verify(accumulating.graph)[0]);
    const state = this.#state([accumulating]);
    const lanes: Lanes[] = [];
    const forward = forwardGraph(training.forward);
    const unfolded: Lanes[] = [];
    for (const batch of this.#batches)
      await this.#checks.sound('crash in the interpreter of a training step', () => {
        lanes.push(this.#lanes(accumulating.graph, state, batch, 1));
        // What was folded shows no rounding any more.
        unfolded.push(this.#lanes(forward, this.#withUnread(forward, state), batch, 1));
      });
    const unclear = [...lanes, ...unfolded].find((one) => one.unclear !== undefined)?.unclear;
    this.#checks.count(unclear === undefined ? 'training: clear' : `training: unclear: ${unclear}`);
    if (unclear !== undefined) return;
    const gradients = lanes.map((one) => this.#gradients(one));
    for (const [i, one] of meant.entries()) this.#held(one, lanes[i]!, gradients[i]!);
    if (this.#pytorch)
      for (const [i, one] of lanes.entries())
        await this.#inPyTorch(training, accumulating, state, this.#batches[i]!, one, gradients[i]!, this.#pytorch);
    await this.#finiteDifferences(meant[0]!);
    await this.#stepped(training, accumulating);
  }

  async #compiled(): Promise<Training | undefined> {
    const text = printProgram(this.#program);
    const { training, diagnostics } = await this.#checks.sound('crash in checking a recipe', () =>
      compileTraining(memoryHost({ 'main.crob': text }), 'main.crob', {
        model: model(this.#program),
        dims: new Map(),
        overrides: [],
      }),
    );
    const refused = diagnostics.find(({ severity }) => severity === 'error');
    if (refused && untrained.has(refused.code)) {
      this.#checks.count('training refused as without effect');
      return undefined;
    }
    if (refused)
      this.#checks.hold(`training refused ${refused.code}`, `${refused.message}\n${refused.details.join('\n')}`);
    this.#checks.hold('no training', training ? undefined : 'nothing was said against the recipe');
    return training;
  }

  /** The program in training form, with weights `by` of the way along their directions. */
  #meaning(batch: ReadonlyMap<string, Tensor>, by: number, weights?: ReadonlyMap<string, ArrayLike<number>>): Meaning {
    return evaluate(this.#program, {
      sizes: new Map(this.#recipe.sizes),
      inputs: batch,
      training: true,
      weight: (path, shape, declared) => {
        const { start, direction } = this.#declared(path, shape, declared);
        const data = weights?.get(path) ?? start.data;
        return make(
          'f32',
          shape,
          (i) => data[i]! + by * direction[i]!,
          (i) => direction[i]!,
        );
      },
    });
  }

  #declared(path: string, shape: readonly number[], weight: Weight): Declared {
    const known = this.#weights.get(path);
    if (known) return known;
    const draw = draws(this.#seed ^ seedOf(`along ${path}`));
    const isTrained = !weight.buffer && !this.#recipe.fixed.some((part) => path.startsWith(`${part}.`));
    const direction = Float64Array.from({ length: count(shape) }, () => (isTrained ? draw.below(2001) / 1000 - 1 : 0));
    const start = weight.buffer ? make('f32', shape, () => 0.25) : drawWeight(this.#seed, path, shape);
    const made: Declared = { path, start, direction, weight };
    this.#weights.set(path, made);
    return made;
  }

  /** State tensors as they start. */
  #state(steps: readonly StepGraph[]): Map<string, TensorData> {
    const state = new Map<string, TensorData>();
    for (const { name, kind, path, shape } of steps.flatMap((step) => step.state)) {
      const held = this.#weights.get(path);
      const starts = kind === 'weight' || kind === 'buffer' || kind === 'average';
      // What only the other form reads, the meaning did not ask for.
      const data = starts && held ? held.start.data : new Float64Array(count(shape));
      state.set(name, { dtype: 'f32', shape, data: Float64Array.from(data) });
    }
    return state;
  }

  /** With the weights that a graph reads and a step does not, as no result of it depends on them. */
  #withUnread(graph: Graph, state: Data): Data {
    const all = new Map(state);
    for (const { name, value } of graph.inputs) {
      const [, path] = name.match(/^(?:weight|buffer):(.*)$/) ?? [];
      if (path === undefined || all.has(name)) continue;
      const shape = value.type.shape.map((dim) => evaluateDim(dim, () => 1));
      const data = Float64Array.from(this.#weights.get(path)?.start.data ?? new Float64Array(count(shape)));
      all.set(name, { dtype: 'f32', shape, data });
    }
    return all;
  }

  #feeds(graph: Graph, state: Data, batch: Data, step: number): Data {
    const scalars = new Map<string, TensorData>([
      [stepNames.learningRate, { dtype: 'f32', shape: [], data: Float64Array.of(learningRate) }],
      [stepNames.number, { dtype: 'i32', shape: [], data: Float64Array.of(step) }],
    ]);
    return new Map(graph.inputs.map(({ name }) => [name, (state.get(name) ?? batch.get(name) ?? scalars.get(name))!]));
  }

  #lanes(graph: Graph, state: Data, batch: Data, step: number, loose?: ReadonlyMap<string, number>): Lanes {
    return runLanes(graph, this.#feeds(graph, state, batch, step), noWeights, new Map(), {
      noise: this.#checks.noise,
      loose,
    });
  }

  /** Gradients of one micro-batch by path. */
  #gradients({ results }: Pick<Lanes, 'results'>): ReadonlyMap<string, Float64Array> {
    const found = new Map<string, Float64Array>();
    for (const [name, { data }] of results) {
      const path = /^next:gradient:(.*)$/s.exec(name)?.[1];
      if (path !== undefined)
        found.set(
          path,
          Float64Array.from(data, (g) => g * this.#recipe.accumulate),
        );
    }
    return found;
  }

  /** Loss, terms, buffers, and the slope of the loss along one direction. */
  #held(meant: Meaning, lanes: Lanes, gradients: ReadonlyMap<string, Float64Array>): void {
    const off = allowed(lanes);
    let [slope, loss] = [0, 0];
    for (const [name, term] of meant.terms) {
      slope += term.slope?.[0] ?? 0;
      loss += Math.abs(term.data[0] ?? 0);
      this.#checks.hold(
        'a term of the loss',
        difference(name, lanes.results.get(`term:${name}`), term, off(`term:${name}`), float32),
      );
    }
    for (const [path, buffer] of meant.buffers) {
      const name = `next:buffer:${path}`;
      this.#checks.hold('a buffer', difference(name, lanes.results.get(name), buffer, off(name), float32));
      this.#checks.count('buffers');
    }
    let [along, most] = [0, 0];
    for (const [path, gradient] of gradients) {
      const direction = this.#weights.get(path)?.direction;
      this.#checks.hold('a gradient', direction ? undefined : `${path} has one, and the program does not read it`);
      for (const [i, g] of gradient.entries()) {
        along += g * direction![i]!;
        most +=
          Math.abs(direction![i]!) * (float32 * Math.abs(g) + off(`next:gradient:${path}`) * this.#recipe.accumulate);
      }
    }
    // Parts of the slope may cancel to what float64 rounds off, which is measured by the loss.
    const isClose = Math.abs(along - slope) <= 4 * most + 1e-9 * Math.abs(slope) + 1e-13 * loss + 1e-30;
    this.#checks.hold(
      'a gradient',
      isClose ? undefined : `along the direction the loss grows by ${along}, must be ${slope} to ${most}`,
    );
    this.#checks.count('gradients');
  }

  async #inPyTorch(
    training: Training,
    { graph, state: declared }: StepGraph,
    state: Data,
    batch: Data,
    lanes: Lanes,
    gradients: ReadonlyMap<string, Float64Array>,
    pytorch: PyTorch,
  ): Promise<void> {
    const shapes = new Map(declared.map(({ path, shape }) => [path, shape]));
    const wanted = new Map([...gradients].map(([path, data]) => [path, { shape: shapes.get(path)!, data }]));
    const off = (path: string) => (lanes.spread.get(`next:gradient:${path}`) ?? 0) * this.#recipe.accumulate;
    const given = { feeds: batch, weight: (path: string) => this.#weights.get(path)!.start };
    this.#checks.hold(
      'PyTorch: gradients',
      await compareAutograd(training.forward, given, lanes, wanted, off, pytorch, this.#checks),
    );
    // The operators that only gradients have.
    const fed = { feeds: this.#feeds(graph, state, batch, 1), weight: noWeights, size: noSizes };
    this.#checks.hold(
      'PyTorch: training step',
      await comparePyTorch('PyTorch: training step', graph, fed, lanes, pytorch, this.#checks),
    );
  }

  /** The slope that the reference gives itself, where the loss has no kink nearby. */
  async #finiteDifferences(meant: Meaning): Promise<void> {
    const h = 1e-5;
    const loss = ({ terms }: Meaning) => [...terms.values()].reduce((sum, { data }) => sum + data[0]!, 0);
    const [below, here, above] = [-h, 0, h].map((by) => loss(this.#meaning(this.#batches[0]!, by))) as [
      number,
      number,
      number,
    ];
    const [left, right] = [(here - below) / h, (above - here) / h];
    const slope = [...meant.terms.values()].reduce((sum, term) => sum + (term.slope?.[0] ?? 0), 0);
    const size = Math.max(Math.abs(left), Math.abs(right), 1e-3 * Math.abs(here), 1e-6);
    // Behind two ties a loss can be flat to both sides, and the shares of the ties have a slope.
    const isFlat = left === 0 && right === 0;
    const isBent = !Number.isFinite(size) || Math.abs(left - right) > 1e-3 * size || (isFlat && slope !== 0);
    if (isBent || stopsGradients(this.#program)) {
      this.#checks.count('finite differences: kink');
      return;
    }
    const found = (above - below) / (2 * h);
    const isClose = Math.abs(found - slope) <= 1e-3 * size + (1e-9 * Math.abs(here)) / h;
    this.#checks.hold(
      'bug in the harness',
      isClose ? undefined : `the loss grows by ${found}, and its slope is ${slope}`,
    );
    this.#checks.count('finite differences');
  }

  /** Two whole steps: the formulas of the optimizer, then everything that runs a step. */
  async #stepped(training: Training, accumulating: StepGraph): Promise<void> {
    const { accumulate, optimizer, clip, ema } = this.#recipe;
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
      this.#checks.sound('crash in making a training step', () => parts(packed, rematerialise));
    const plain = await make(false);
    for (const { graph } of plain) this.#checks.hold('a training step that does not verify', verify(graph)[0]);
    const paths = new Set(accumulating.state.filter(({ kind }) => kind === 'gradient').map(({ path }) => path));
    if (paths.size === 0) {
      this.#checks.count('training: nothing learns');
      return;
    }
    const state = this.#state(plain);
    const learned = this.#learned(paths);
    const before = new Map([...state].map(([name, { data }]) => [name, Float32Array.from(data)]));
    const lanesOf: (Lanes | undefined)[] = [];
    for (const step of [1, 2]) {
      const sums = this.#summed(accumulating, state);
      optimize(learned, sums, { optimizer, clip, ema, lr: learningRate, step });
      const lanes = await this.#checks.sound('crash in the interpreter of a training step', () =>
        this.#whole(plain, state, step),
      );
      if (lanes.unclear !== undefined) {
        this.#checks.count(`training: unclear: ${lanes.unclear}`);
        break;
      }
      for (const [path, one] of learned)
        for (const kind of ['weight', 'moment', 'variance', 'average'] as const) {
          const name = `${kind}:${path}`;
          const shape = state.get(name)?.shape;
          if (!shape) continue;
          const off = allowed(lanes)(`next:${name}`);
          this.#checks.hold(
            'the optimizer',
            difference(name, state.get(name), { shape, data: one[kind] }, off, 4 * float32),
          );
          // Both go on from the same numbers.
          one[kind] = Float64Array.from(state.get(name)!.data);
        }
      this.#checks.count(`optimizer: ${optimizer.kind}`);
      lanesOf.push(lanes);
    }
    const [first] = lanesOf;
    if (!first) return;
    const remade = await make(
      false,
      this.#program.model.parts.map(({ name }) => name),
    );
    await this.#again('a step that computes modules again', remade, before, first);
    await this.#inOnnx(plain, before, first);
    await this.#inPlace(
      training,
      await make(true, this.#seed % 2 === 0 ? this.#program.model.parts.map(({ name }) => name) : []),
      before,
      first,
    );
    if (this.#tfjs) await this.#inTfjs(plain, before, first);
  }

  #learned(paths: ReadonlySet<string>): Map<string, Learned> {
    const { groups, optimizer } = this.#recipe;
    return new Map(
      [...paths].map((path) => {
        const { start, weight } = this.#weights.get(path)!;
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
    const own = new Map(this.#state([accumulating]));
    for (const name of own.keys()) if (state.has(name)) own.set(name, state.get(name)!);
    for (const { name, kind, shape } of accumulating.state)
      if (kind === 'gradient') own.set(name, { dtype: 'f32', shape, data: new Float64Array(count(shape)) });
    for (const batch of this.#batches) {
      const results = interpret(accumulating.graph, this.#feeds(accumulating.graph, own, batch, 1), noWeights);
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
      const lanes = this.#lanes(one.graph, state, batch, step, loose);
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
      ...this.#batches.map((batch) => [first, batch] as const),
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
    const state = started(before, this.#state(steps));
    const results = new Map<string, TensorData>();
    await this.#checks.sound(`crash in ${kind}`, () => {
      for (const [one, batch] of this.#runs(steps)) {
        const found = interpret(one.graph, this.#feeds(one.graph, state, batch, 1), noWeights);
        renew(state, [one], found);
        for (const [name, data] of found) results.set(name, data);
      }
    });
    this.#checks.hold(kind, differences(results, want.results, allowed(want), float32));
    this.#checks.count(kind);
  }

  /** Every result in memory of its own. */
  async #inOnnx(steps: readonly StepGraph[], before: ReadonlyMap<string, Float32Array>, want: Lanes): Promise<void> {
    const state = started(before, this.#state(steps));
    const results = new Map<string, TensorData>();
    for (const [one, batch] of this.#runs(steps)) {
      const session = await this.#checks.sound('crash in building a training step', () =>
        openGraph(one.graph, noFloats),
      );
      try {
        const found = await this.#checks.sound('crash in a training step in onnxruntime', () =>
          session.run(this.#feeds(one.graph, state, batch, 1)),
        );
        renew(state, [one], found);
        for (const [name, data] of found) results.set(name, data);
      } finally {
        await session.release();
      }
    }
    this.#checks.hold('a training step in onnxruntime', differences(results, want.results, allowed(want), 4 * float32));
    this.#checks.count('training step in onnxruntime');
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
    const parts = update ? { accumulate: first, update, times: this.#recipe.accumulate } : { whole: first };
    const backend = await this.#checks.sound('crash in building a training step in place', () =>
      openOnnxBackend({ steps: parts, inference: training.inference, state, seed: 1, device: 'cpu', threads: 1 }),
    );
    try {
      const batches = this.#batches.map(
        (batch): Feeds => Object.fromEntries([...batch].map(([name, data]) => [name, toHost(data)])),
      );
      const result = await this.#checks.sound('crash in a training step in place', () =>
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
      this.#checks.hold('a training step in place', differences(found, kept, allowed(want), 4 * float32));
      const wanted = want.results.get(stepNames.gradientNorm);
      const norm = { shape: [], data: [result.gradientNorm] };
      if (wanted)
        this.#checks.hold(
          'a training step in place',
          difference('gradient norm', norm, wanted, allowed(want)(stepNames.gradientNorm), 4 * float32),
        );
      this.#checks.count('training step in place');
    } finally {
      await backend.release();
    }
  }

  async #inTfjs(steps: readonly StepGraph[], before: ReadonlyMap<string, Float32Array>, want: Lanes): Promise<void> {
    const state = started(before, this.#state(steps));
    const results = new Map<string, TensorData>();
    for (const [one, batch] of this.#runs(steps)) {
      const run = await this.#checks.sound('crash in a training step in TensorFlow.js', () =>
        runTfjs(one.graph, this.#feeds(one.graph, state, batch, 1)),
      );
      renew(state, [one], run.results);
      for (const [name, data] of run.results) results.set(name, data);
    }
    this.#checks.hold(
      'a training step in TensorFlow.js',
      differences(results, want.results, allowed(want), 8 * float32),
    );
    this.#checks.count('training step in TensorFlow.js');
  }
}

/** Messages about recipes and variants that change nothing. */
const untrained = new Set(['CROB2304', 'CROB2314', 'CROB2322', 'CROB2323']);

const noWeights = (path: string): never => {
  throw new Error(`a step has no weight ${path}`);
};
const noFloats = noWeights;
const noSizes = (name: string): never => {
  throw new Error(`a step has no free dim ${name}`);
};

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

/** Whether the slope is not that of the value, on purpose. */
function stopsGradients(program: Program): boolean {
  return (
    JSON.stringify(program).includes('"stop_gradient"') ||
    program.modules.some(({ weights }) => weights.some(({ buffer }) => buffer))
  );
}
