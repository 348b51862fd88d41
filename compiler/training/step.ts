import { constant } from '../dims/dim.ts';
import { Builder } from '../ir/builder.ts';
import type { Graph, GraphInput, GraphOutput, Value } from '../ir/graph.ts';
import { finish, rewrite } from '../ir/rebuild.ts';
import { staticShape } from '../ir/shapes.ts';
import { gradients } from '../passes/differentiate.ts';
import { runPipeline } from '../passes/pipeline.ts';
import { clipScale, globalNorm } from './clip.ts';
import type { Forward, TrainedWeight, Training } from './compile-training.ts';
import { inPlaceFaults } from './in-place.ts';
import { stateKinds, updateRule } from './optimizer.ts';

/** What a tensor that outlives a step is. `gradient` is an accumulator of micro-batches. */
export type StateKind = 'weight' | 'buffer' | 'moment' | 'variance' | 'average' | 'gradient';

/**
 * A tensor that outlives a step, f32. Weights and buffers start as their initialisers say, averages as their weights,
 * everything else at zero; accumulators go back to zero after each update, which is the host's to do.
 */
export interface StateTensor {
  /** The graph input: `weight:backbone.norm.bias`. */
  readonly name: string;
  /** The graph output with its new value, which may be written over the old one; undefined where the graph only reads it. */
  readonly next: string | undefined;
  readonly kind: StateKind;
  /** Of the weight or buffer. */
  readonly path: string;
  readonly shape: readonly number[];
}

export interface StepGraph {
  /** Optimised, ready to emit, without `weight` nodes. */
  readonly graph: Graph;
  readonly state: readonly StateTensor[];
  /** Inputs of the emitted model that the host fills with numbers in [0, 1), anew for each run. */
  readonly draws: readonly { readonly name: string; readonly key: string; readonly shape: readonly number[] }[];
  /** Outputs that are no state: `loss`, `term:<name>`, `gradient_norm`. */
  readonly outputs: readonly string[];
}

export interface StepOptions {
  /** Module paths whose activations are computed again for the gradients instead of kept. */
  readonly rematerialise?: readonly string[];
  /**
   * `whole` is a step on one batch. With accumulation it comes apart: `accumulate` adds the gradients of a micro-batch,
   * each divided by the number of micro-batches, and `update` does what is done with their sum.
   */
  readonly part?: 'whole' | 'accumulate' | 'update';
}

/** One training step: loss, gradients, clipping by the global norm, optimizer, buffers, moving average. */
export function trainingStep(training: Training, options: StepOptions = {}): StepGraph {
  const part = options.part ?? 'whole';
  const step =
    part === 'update' ? new StepBuilder(training) : new StepBuilder(training, forwardGraph(training.forward));
  if (part === 'update') step.update(step.accumulated(learningPaths(training)));
  else {
    const found = step.differentiate(options.rematerialise ?? []);
    learning.set(training, [...found.keys()]);
    if (part === 'accumulate') step.accumulate(found);
    else step.update(found);
    step.buffers();
  }
  return step.finish(`${training.inference.name}_${part === 'whole' ? 'step' : part}`);
}

const learning = new WeakMap<Training, readonly string[]>();

/** The weights that the loss depends on and the recipe does not fix: the others are left alone, also by weight decay. */
export function learningPaths(training: Training): readonly string[] {
  let known = learning.get(training);
  if (!known) {
    known = [...new StepBuilder(training, forwardGraph(training.forward)).differentiate([]).keys()];
    learning.set(training, known);
  }
  return known;
}

const loss = 'loss';
const term = (name: string) => `term:${name}`;
const stateName = (kind: StateKind, path: string) => `${kind}:${path}`;
const nextName = (name: string) => `next:${name}`;

/** The forward half with its weights as inputs, optimised: what has a closed-form gradient is recognised. */
function forwardGraph({ build, inputs, terms, loss: total, updates }: Forward): Graph {
  const output = (name: string, value: Value): GraphOutput => ({ name, value, docs: '' });
  const graph = finish(
    {
      name: '',
      docs: '',
      inputs: inputs.filter(({ value }) => value.node.op === 'input'),
      outputs: [
        output(loss, total),
        ...[...terms].map(([name, value]) => output(term(name), value)),
        ...[...updates].map(([path, value]) => output(nextName(stateName('buffer', path)), value)),
      ],
      facts: build.facts,
      guards: [],
    },
    build.nodes,
  );
  return runPipeline(weightsAsInputs(graph));
}

function weightsAsInputs(graph: Graph): Graph {
  const added: GraphInput[] = [];
  const result = rewrite(graph, (node, _inputs, build) => {
    if (node.op !== 'weight') return undefined;
    const { path, role } = node.attributes;
    const name = stateName(role === 'buffer' ? 'buffer' : 'weight', path);
    const value = build.input(name, node.outputs[0]!.type);
    added.push({ name, value, docs: '' });
    return [value];
  });
  return { ...result, inputs: [...result.inputs, ...added] };
}

/** Puts the parts of a step behind one another in one graph. */
class StepBuilder {
  readonly #training: Training;
  readonly #build: Builder;
  readonly #inputs = new Map<string, GraphInput>();
  readonly #outputs: GraphOutput[] = [];
  readonly #state = new Map<string, StateTensor>();
  /** Values of the forward half by output name. */
  readonly #forward = new Map<string, Value>();
  readonly #weights: ReadonlyMap<string, TrainedWeight>;

  constructor(training: Training, forward?: Graph) {
    this.#training = training;
    this.#weights = new Map(training.weights.map((weight) => [weight.path, weight]));
    this.#build = new Builder(training.forward.build.facts);
    if (!forward) return;
    this.#build.nodes.push(...forward.nodes);
    for (const input of forward.inputs) {
      const [, kind, path] = /^(weight|buffer):(.*)$/s.exec(input.name) ?? [];
      const weight = path === undefined ? undefined : this.#weights.get(path);
      if (weight) this.#hold(kind as 'weight' | 'buffer', weight, input);
      else this.#inputs.set(input.name, input);
    }
    for (const { name, value } of forward.outputs) this.#forward.set(name, value);
    for (const name of [loss, ...training.recipe.terms.map(term)]) this.#give(name, this.#forward.get(name)!);
  }

  /** Gradients of the weights that are trained, by path, in the order of the weights. */
  differentiate(rematerialise: readonly string[]): Map<string, Value> {
    const values = new Map<string, Value>();
    for (const { path, role, frozen } of this.#training.weights) {
      const input = this.#inputs.get(stateName('weight', path));
      if (role === 'param' && !frozen && input) values.set(path, input.value);
    }
    const region = (path: string) => rematerialise.find((root) => path === root || path.startsWith(`${root}.`));
    const total = this.#forward.get(loss)!;
    const options = rematerialise.length > 0 ? { rematerialise: region } : {};
    const found = gradients(this.#build, total, [...values.values()], options);
    const byPath = new Map<string, Value>();
    for (const [path, value] of values) if (found.has(value)) byPath.set(path, found.get(value)!);
    return byPath;
  }

  /** The accumulators of these weights as their gradients. */
  accumulated(paths: readonly string[]): Map<string, Value> {
    return new Map(paths.map((path) => [path, this.#stateInput('gradient', this.#weights.get(path)!)]));
  }

  accumulate(found: ReadonlyMap<string, Value>): void {
    const build = this.#build;
    build.origin = { span: undefined, path: '', label: 'accumulate' };
    const share = build.full(1 / this.#training.recipe.accumulate, 'f32', []);
    for (const [path, gradient] of found) {
      const weight = this.#weights.get(path)!;
      const sum = build.add(this.#stateInput('gradient', weight), build.mul(gradient, share));
      this.#next('gradient', weight, sum);
    }
  }

  /** Clipping, the optimizer and the moving average. */
  update(found: ReadonlyMap<string, Value>): void {
    const { optimizer, clip, ema } = this.#training.recipe;
    const build = this.#build;
    build.origin = { span: undefined, path: '', label: 'clip' };
    const norm = globalNorm(build, [...found.values()]);
    this.#give('gradient_norm', norm);
    const scale = clipScale(build, norm, clip);
    const learningRate = this.#input('learning_rate', build.input('learning_rate', { dtype: 'f32', shape: [] }));
    const step = this.#input('step', build.input('step', { dtype: 'i32', shape: [] }));
    build.origin = { span: undefined, path: '', label: optimizer.kind };
    const rule = updateRule(optimizer, { build, learningRate, step, scale });
    const kinds = stateKinds(optimizer);
    const averaging =
      ema === undefined ? undefined : ([build.full(ema, 'f32', []), build.full(1 - ema, 'f32', [])] as const);
    for (const [path, gradient] of found) {
      const weight = this.#weights.get(path)!;
      build.origin = { span: undefined, path, label: optimizer.kind };
      const held = Object.fromEntries(kinds.map((kind) => [kind, this.#stateInput(kind, weight)]));
      const updated = rule(weight, this.#stateInput('weight', weight), gradient, held);
      for (const kind of kinds) this.#next(kind, weight, updated[kind]!);
      this.#next('weight', weight, updated.weight);
      if (!averaging) continue;
      const average = this.#stateInput('average', weight);
      const [keep, take] = averaging;
      this.#next('average', weight, build.add(build.mul(average, keep), build.mul(updated.weight, take)));
    }
  }

  /** New values of the buffers that the forward half updates. */
  buffers(): void {
    for (const path of this.#training.forward.updates.keys()) {
      let value = this.#forward.get(nextName(stateName('buffer', path)))!;
      // The gradients are made: what stopped them has no use left, and would be a view.
      while (value.node.op === 'stop_gradient') value = value.node.inputs[0]!;
      this.#next('buffer', this.#weights.get(path)!, value);
    }
  }

  finish(name: string): StepGraph {
    const { facts } = this.#build;
    const parts = { name, docs: '', inputs: [...this.#inputs.values()], outputs: this.#outputs, facts, guards: [] };
    const graph = runPipeline(finish(parts, this.#build.nodes));
    const read = new Set(graph.nodes.flatMap((node) => node.inputs));
    // Data that nothing in this part reads is not asked for; state that is written is.
    const inputs = graph.inputs.filter((input) => read.has(input.value) || this.#state.has(input.name));
    const kept = new Set(inputs.map((input) => input.value.node));
    const nodes = graph.nodes.filter((node) => node.op !== 'input' || kept.has(node));
    const state = [...this.#state.values()].filter(({ name: of }) => inputs.some((input) => input.name === of));
    const lean = { ...graph, inputs, nodes };
    const faults = inPlaceFaults(lean, state);
    if (faults.length > 0)
      throw new Error(`bug in crobc: state cannot be updated in place: ${faults.slice(0, 3).join('; ')}`);
    const next = new Set(state.map((one) => one.next));
    return {
      graph: lean,
      state,
      draws: nodes.flatMap((node) =>
        node.op === 'uniform'
          ? [
              {
                name: `uniform/${node.attributes.key}`,
                key: node.attributes.key,
                shape: staticShape(node.outputs[0]!.type),
              },
            ]
          : [],
      ),
      outputs: graph.outputs.map((output) => output.name).filter((output) => !next.has(output)),
    };
  }

  #input(name: string, value: Value): Value {
    this.#inputs.set(name, { name, value, docs: '' });
    return value;
  }

  #give(name: string, value: Value): void {
    this.#outputs.push({ name, value, docs: '' });
  }

  #hold(kind: StateKind, { path, shape }: TrainedWeight, input: GraphInput): void {
    this.#inputs.set(input.name, input);
    this.#state.set(input.name, { name: input.name, next: undefined, kind, path, shape });
  }

  /** The value of a state before the step, an input that is made when first asked for. */
  #stateInput(kind: StateKind, weight: TrainedWeight): Value {
    const name = stateName(kind, weight.path);
    const known = this.#inputs.get(name);
    if (known) return known.value;
    const value = this.#build.input(name, { dtype: 'f32', shape: weight.shape.map(constant) });
    this.#hold(kind, weight, { name, value, docs: '' });
    return value;
  }

  #next(kind: StateKind, weight: TrainedWeight, value: Value): void {
    this.#stateInput(kind, weight);
    const name = stateName(kind, weight.path);
    this.#state.set(name, { ...this.#state.get(name)!, next: nextName(name) });
    this.#give(nextName(name), value);
  }
}
