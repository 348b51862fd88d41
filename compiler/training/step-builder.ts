import { constant, product } from '../dims/dim.ts';
import { Builder } from '../graphs/builder.ts';
import { finish } from '../graphs/rebuild.ts';
import type { Graph, GraphInput, GraphOutput, Node, Value } from '../ir/graph.ts';
import { staticShape } from '../ir/shapes.ts';
import { clipScale, globalNorm, oneBehind } from './clip.ts';
import type { TrainedWeight, Training } from './compile-training.ts';
import type { Differentiated } from './differentiated.ts';
import { inPlaceFaults } from './in-place.ts';
import { allFinite, nextScaler, type ScalerPath, scalerNumber, scalerPaths } from './loss-scale.ts';
import { stateKinds, updateRule } from './optimizer.ts';
import { type Pack, packsOf, type Rates, type Together } from './packs.ts';
import {
  drawName,
  nextName,
  type PackedState,
  packName,
  type StateKind,
  type StateTensor,
  type StepGraph,
  slopeName,
  stateName,
  stepNames,
  termName,
} from './step-graph.ts';
import { forDepthFirst, gatheredEarly, gathering } from './step-order.ts';

/** A weight, or a state of the scaling, as which tensors are held. */
type Held = Pick<TrainedWeight, 'path' | 'shape'>;

const scalerState = (path: ScalerPath): Held => ({ path, shape: [1] });

/** Returns the factors of the average and of the new weight, which keep the average in a step that changes nothing. */
function averagingBy(build: Builder, ema: number, applies: Value | undefined): readonly [Value, Value] {
  const factor = (value: number, otherwise: number) => {
    const own = build.full(value, 'f32', []);
    return applies ? build.select(applies, own, build.full(otherwise, 'f32', [])) : own;
  };
  return [factor(ema, 1), factor(1 - ema, 0)];
}

/** Returns a single value as it is, or several flattened and concatenated. */
function joined(build: Builder, values: readonly Value[]): Value {
  if (values.length === 1) return values[0]!;
  return build.concat(
    values.map((one) => build.reshape(one, [product(one.type.shape)])),
    0,
  );
}

/** A weight, or several stored as one. */
interface Stored {
  readonly path: string;
  readonly weights: readonly TrainedWeight[];
  state(kind: StateKind): Value;
  next(kind: StateKind, value: Value): void;
}

/** A gradient, or those of a group as one. */
interface Gathered extends Stored {
  readonly gradient: Value;
}

/** A weight or a pack that is updated as one. */
interface Updated extends Stored {
  readonly rates: Rates;
  /** Its gradient, in parts that are computed at different times. */
  readonly parts: readonly Pick<Gathered, 'path' | 'gradient'>[];
}

/** Assembles the parts of a step in one graph. */
export class StepBuilder {
  readonly #training: Training;
  readonly #gradients: Graph;
  readonly #scaled: boolean;
  readonly #learning: readonly string[];
  readonly #build: Builder;
  readonly #inputs = new Map<string, GraphInput>();
  readonly #outputs = new Map<string, Value>();
  readonly #state = new Map<string, StateTensor>();
  readonly #weights: ReadonlyMap<string, TrainedWeight>;
  readonly #packs: readonly Pack[];
  readonly #depthFirst: boolean;
  readonly #packed = new Map<string, PackedState>();
  /** New values of buffers by path. */
  readonly #buffers = new Map<string, Value>();
  #norm: Value | undefined;
  /** Joined gradients, which the norm does not read, and the norm, which is to be computed before them. */
  readonly #waiting = new Map<Node, Node>();

  constructor(differentiated: Differentiated, packed: boolean) {
    const { training, graph, learning, scaled } = differentiated;
    this.#training = training;
    this.#gradients = graph;
    this.#scaled = scaled;
    this.#learning = learning;
    this.#packs = packed ? packsOf(learningWeights(differentiated)) : [];
    this.#depthFirst = packed;
    this.#weights = new Map(training.weights.map((weight) => [weight.path, weight]));
    this.#build = new Builder(training.forward.build.facts);
  }

  /** Adds the forward and backward nodes of a batch; returns the gradients by path. */
  compute(): ReadonlyMap<string, Value> {
    const graph = this.#gradients;
    this.#build.nodes.push(...graph.nodes);
    for (const input of graph.inputs) {
      const [, kind, path] = /^(weight|buffer):(.*)$/s.exec(input.name) ?? [];
      const weight = path === undefined ? undefined : this.#weights.get(path);
      if (weight) this.#hold(kind as 'weight' | 'buffer', weight, input);
      else if (input.name === stateName('scaler', 'scale')) this.#hold('scaler', scalerState('scale'), input);
      else this.#inputs.set(input.name, input);
    }
    const outputs = new Map(graph.outputs.map(({ name, value }) => [name, value]));
    const { forward, recipe } = this.#training;
    for (const name of [stepNames.loss, ...[...recipe.terms.keys()].map(termName)])
      this.#outputs.set(name, outputs.get(name)!);
    for (const path of forward.updates.keys())
      this.#buffers.set(path, outputs.get(nextName(stateName('buffer', path)))!);
    return new Map(this.#learning.map((path) => [path, outputs.get(slopeName(path))!]));
  }

  /** Returns the weights and packs with their accumulators as gradients. */
  accumulated(): readonly Updated[] {
    return this.#updated(
      (pack) => {
        const parts = pack.groups.map((group) => this.#group(group).state('gradient'));
        return [{ path: '', gradient: this.#together(parts) }];
      },
      (one) => one.state('gradient'),
    );
  }

  /** Returns the weights and packs with the gradients of a batch. */
  of(found: ReadonlyMap<string, Value>): readonly Updated[] {
    return this.#updated(
      (pack) => pack.groups.map((group) => this.#gathered(group, found)),
      ({ path }) => found.get(path)!,
    );
  }

  /** Returns the gradients of a batch as they are accumulated: those of a group together. */
  gathered(found: ReadonlyMap<string, Value>): readonly Gathered[] {
    const groups = this.#packs.flatMap((pack) => pack.groups.map((group) => this.#gathered(group, found)));
    return [...groups, ...this.#single().map((one) => ({ ...one, gradient: found.get(one.path)! }))];
  }

  accumulate(all: readonly Gathered[]): void {
    const build = this.#build;
    build.origin = { span: undefined, path: '', label: gathering.accumulate };
    const share = build.full(1 / this.#training.recipe.accumulate, 'f32', []);
    for (const one of all) one.next('gradient', build.add(one.state('gradient'), build.mul(one.gradient, share)));
  }

  /** Adds clipping, the optimizer and the moving average. */
  update(all: readonly Updated[]): void {
    const { optimizer, clip, ema } = this.#training.recipe;
    const build = this.#build;
    const whole = globalNorm(
      build,
      all.flatMap(({ parts }) => parts),
    );
    const scaling = this.#scaled ? this.#scaling(whole) : undefined;
    const norm = scaling ? build.mul(whole, scaling.inverse) : whole;
    this.#norm = norm;
    this.#outputs.set(stepNames.gradientNorm, norm);
    // Every update multiplies by the scale, which depends on every gradient and on the loss. So the host, which writes
    // weights in place, writes none while something still has to read the old one.
    build.origin = { span: undefined, path: '', label: 'clip' };
    const clipping = clipScale(build, norm, clip);
    const total = this.#outputs.get(stepNames.loss);
    const behind = total ? build.mul(clipping, oneBehind(build, total)) : clipping;
    const scale = scaling ? build.mul(behind, scaling.inverse) : behind;
    const learningRate = this.#scalar(stepNames.learningRate, 'f32');
    const number = this.#scalar(stepNames.number, 'i32');
    build.origin = { span: undefined, path: '', label: optimizer.kind };
    const applies = scaling?.applies;
    const step = scaling ? build.sub(number, scaling.skipped) : number;
    const rule = updateRule(optimizer, { build, learningRate, step, scale, ...(applies ? { applies } : {}) });
    const kinds = stateKinds(optimizer);
    const averaging = ema === undefined ? undefined : averagingBy(build, ema, applies);
    for (const one of all) {
      build.origin = { span: undefined, path: one.path, label: optimizer.kind };
      const held = Object.fromEntries(kinds.map((kind) => [kind, one.state(kind)]));
      const gradient = joined(
        build,
        one.parts.map((part) => part.gradient),
      );
      if (one.parts.length > 1) this.#waiting.set(gradient.node, whole.node);
      const updated = rule(one.rates, one.state('weight'), gradient, held);
      for (const kind of kinds) one.next(kind, updated[kind]!);
      one.next('weight', updated.weight);
      if (!averaging) continue;
      const [keep, take] = averaging;
      one.next('average', build.add(build.mul(one.state('average'), keep), build.mul(updated.weight, take)));
    }
  }

  /**
   * Adds the state of the scaling after a step. `norm` is that of the gradients of the scaled loss. Returns 1 / scale,
   * f32[], whether the step changes anything, bool[], and how many steps before it did not, i32[].
   */
  #scaling(norm: Value): { readonly inverse: Value; readonly applies: Value; readonly skipped: Value } {
    const build = this.#build;
    build.origin = { span: undefined, path: '', label: 'scale of the loss' };
    const total = this.#outputs.get(stepNames.loss);
    const applies = allFinite(build, total ? [norm, total] : [norm]);
    const held = (path: ScalerPath) => this.#stateInput('scaler', scalerState(path));
    const state = { scale: held('scale'), growth: held('growth'), skipped: held('skipped') };
    const next = nextScaler(build, state, applies);
    for (const path of scalerPaths) this.#next('scaler', scalerState(path), next[path]);
    this.#outputs.set(stepNames.applied, build.cast(applies, 'f32'));
    const inverse = build.div(build.full(1, 'f32', []), scalerNumber(build, state.scale));
    this.#outputs.set(stepNames.inverseScale, inverse);
    return { inverse, applies, skipped: build.cast(scalerNumber(build, state.skipped), 'i32') };
  }

  /** Returns the packs, then the weights that are in no pack. */
  #updated(ofPack: (pack: Pack) => Updated['parts'], ofWeight: (one: Stored) => Value): readonly Updated[] {
    const packs = this.#packs.map((pack) => ({ ...this.#stored(pack), rates: pack.rates, parts: ofPack(pack) }));
    const others = this.#single().map((one) => {
      const parts = [{ path: one.path, gradient: ofWeight(one) }];
      return { ...one, rates: one.weights[0]!, parts };
    });
    return [...packs, ...others];
  }

  #stored(together: Together): Stored {
    return {
      path: '',
      weights: together.weights,
      state: (kind) => this.#packInput(kind, together),
      next: (kind, value) => this.#packNext(kind, together, value),
    };
  }

  #alone(weight: TrainedWeight): Stored {
    return {
      path: weight.path,
      weights: [weight],
      state: (kind) => this.#stateInput(kind, weight),
      next: (kind, value) => this.#next(kind, weight, value),
    };
  }

  /** Returns the weights that are in no pack. */
  #single(): readonly Stored[] {
    const packed = new Set(this.#packs.flatMap(({ weights }) => weights));
    const weights = this.#learning.map((path) => this.#weights.get(path)!);
    return weights.filter((weight) => !packed.has(weight)).map((weight) => this.#alone(weight));
  }

  #group(group: Together): Stored {
    const [first, ...more] = group.weights;
    return more.length === 0 ? this.#alone(first!) : this.#stored(group);
  }

  #gathered(group: Together, found: ReadonlyMap<string, Value>): Gathered {
    return { ...this.#group(group), gradient: this.#together(group.weights.map(({ path }) => found.get(path)!)) };
  }

  /** Returns the gradients of a group as one. */
  #together(gradients: readonly Value[]): Value {
    this.#build.origin = { span: undefined, path: '', label: gathering.pack };
    return joined(this.#build, gradients);
  }

  #packInput(kind: StateKind, { id, weights, size }: Together): Value {
    const name = packName(kind, id);
    const known = this.#inputs.get(name);
    if (known) return known.value;
    const value = this.#build.input(name, { dtype: 'f32', shape: [constant(size)] });
    const parts = weights.map(({ path }) => stateName(kind, path));
    this.#inputs.set(name, { name, value, docs: '' });
    this.#packed.set(name, { name, next: undefined, parts, size });
    for (const { path, shape } of weights) {
      const part = stateName(kind, path);
      this.#state.set(part, { name: part, next: undefined, kind, path, shape, pack: name });
    }
    return value;
  }

  #packNext(kind: StateKind, pack: Together, value: Value): void {
    this.#packInput(kind, pack);
    const name = packName(kind, pack.id);
    this.#packed.set(name, { ...this.#packed.get(name)!, next: nextName(name) });
    this.#outputs.set(nextName(name), value);
  }

  buffers(): void {
    for (const [path, value] of this.#buffers) this.#next('buffer', this.#weights.get(path)!, value);
  }

  finish(name: string): StepGraph {
    const late = this.#late(this.#graph(name));
    const direct = new Map(this.#outputs);
    if (late.size > 0) this.#delay(late);
    // The delay helps if a result of the batch reads an old value late, but not if a new value depends on another old
    // one.
    const apart = late.size === 0 ? late : this.#late(this.#graph(name));
    for (const state of apart) this.#outputs.set(nextName(state), direct.get(nextName(state))!);
    const graph = this.#graph(name);
    const state = this.#stateOf(graph);
    const packs = this.#packsOf(graph);
    const next = new Set([...state, ...packs].map((one) => one.next));
    return {
      graph,
      state,
      packs,
      apart: [...apart],
      learning: this.#learning,
      draws: graph.nodes.flatMap((node) => {
        if (node.op !== 'uniform') return [];
        const { key } = node.attributes;
        return [{ name: drawName(key), key, shape: staticShape(node.outputs[0].type) }];
      }),
      outputs: graph.outputs.map((output) => output.name).filter((output) => !next.has(output)),
    };
  }

  /** Returns the states that may be overwritten too early. */
  #late(graph: Graph): ReadonlySet<string> {
    return new Set(inPlaceFaults(graph, this.#memory(graph)).map((fault) => fault.name));
  }

  /** Returns the graph of a part without the inputs that it does not read. */
  #graph(name: string): Graph {
    const outputs = [...this.#outputs].map(([name, value]): GraphOutput => ({ name, value, docs: '' }));
    const parts = { name, docs: '', inputs: [], outputs, facts: this.#build.facts, guards: [] };
    const whole = finish(parts, this.#build.nodes);
    const early = gatheredEarly(whole.nodes);
    const graph = { ...whole, nodes: this.#depthFirst ? forDepthFirst(early, this.#waiting) : early };
    const read = new Set(graph.nodes);
    return { ...graph, inputs: [...this.#inputs.values()].filter((input) => read.has(input.value.node)) };
  }

  /** Returns the states that a graph reads, separately or as part of a pack. */
  #stateOf({ inputs }: Graph): readonly StateTensor[] {
    const names = new Set(inputs.flatMap(({ name }) => [name, ...(this.#packed.get(name)?.parts ?? [])]));
    return [...names].flatMap((name) => this.#state.get(name) ?? []);
  }

  #packsOf({ inputs }: Graph): readonly PackedState[] {
    return inputs.flatMap(({ name }) => this.#packed.get(name) ?? []);
  }

  /** Returns the pieces of memory that are written. A read of a pack's part is also a read of the pack's memory. */
  #memory(graph: Graph) {
    const single = this.#stateOf(graph).filter(({ pack }) => pack === undefined);
    return [...single, ...this.#packsOf(graph)];
  }

  /**
   * Delays the new values of some states until all results of a batch are computed. It is for states whose old values
   * may be read late, for example by a loss that the gradients do not need, or by a buffer. The new values are
   * multiplied by a 1 that depends on every reader, so that the update runs last.
   */
  #delay(names: ReadonlySet<string>): void {
    const build = this.#build;
    const gradients = [...this.#outputs].flatMap(([name, value]) =>
      name.startsWith(nextName(stateName('gradient', ''))) ? [{ path: '', gradient: value }] : [],
    );
    const norm = this.#norm ?? globalNorm(build, gradients);
    build.origin = { span: undefined, path: '', label: 'wait' };
    const axesOf = (value: Value) => value.type.shape.map((_, axis) => axis);
    const sums = [...this.#buffers.values()].map((value) =>
      value.type.shape.length === 0 ? value : build.sum(value, axesOf(value)),
    );
    const all = [norm, this.#outputs.get(stepNames.loss), ...sums];
    const sum = all.filter((value) => value !== undefined).reduce((sum, value) => build.add(sum, value));
    // State that a skipped step keeps must not become NaN by this number.
    const behind = this.#scaled ? build.select(allFinite(build, [sum]), sum, build.full(1, 'f32', [])) : sum;
    const one = oneBehind(build, behind);
    for (const name of names) {
      const value = this.#outputs.get(nextName(name))!;
      this.#outputs.set(nextName(name), build.mul(value, one));
    }
  }

  #scalar(name: string, dtype: 'f32' | 'i32'): Value {
    const value = this.#build.input(name, { dtype, shape: [] });
    this.#inputs.set(name, { name, value, docs: '' });
    return value;
  }

  #hold(kind: StateKind, { path, shape }: Held, input: GraphInput): void {
    this.#inputs.set(input.name, input);
    this.#state.set(input.name, { name: input.name, next: undefined, kind, path, shape, ...this.#packOf(kind, path) });
  }

  #packOf(kind: StateKind, path: string): { pack?: string } {
    if (kind === 'buffer' || kind === 'scaler') return {};
    const isIn = ({ weights }: Together) => weights.some((weight) => weight.path === path);
    const pack = this.#packs.find(isIn);
    // Accumulators are together by groups.
    const together = kind === 'gradient' ? pack?.groups.find((group) => isIn(group) && group.weights.length > 1) : pack;
    return together ? { pack: packName(kind, together.id) } : {};
  }

  /** Returns the value of a state before the step: an input that is created at the first call. */
  #stateInput(kind: StateKind, weight: Held): Value {
    const name = stateName(kind, weight.path);
    const known = this.#inputs.get(name);
    if (known) return known.value;
    const value = this.#build.input(name, { dtype: 'f32', shape: weight.shape.map(constant) });
    this.#hold(kind, weight, { name, value, docs: '' });
    return value;
  }

  #next(kind: StateKind, weight: Held, value: Value): void {
    this.#stateInput(kind, weight);
    const name = stateName(kind, weight.path);
    this.#state.set(name, { ...this.#state.get(name)!, next: nextName(name) });
    this.#outputs.set(nextName(name), value);
  }
}

function learningWeights({ training, learning }: Differentiated): readonly TrainedWeight[] {
  const paths = new Set(learning);
  return training.weights.filter(({ path }) => paths.has(path));
}
