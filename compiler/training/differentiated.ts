import { constant } from '../dims/dim.ts';
import { Builder } from '../graphs/builder.ts';
import { finish, rewrite } from '../graphs/rebuild.ts';
import type { Graph, GraphInput, GraphOutput, Value } from '../ir/graph.ts';
import { gradients } from '../passes/differentiate.ts';
import { type PassObserver, runPipeline } from '../passes/pipeline.ts';
import type { Forward, Training } from './compile-training.ts';
import { type HalfStep, inHalf, resultName } from './half-step.ts';
import { scalerNumber } from './loss-scale.ts';
import { nextName, slopeName, stateName, stepNames, termName } from './step-graph.ts';

/** A training together with the gradients of its loss. */
export interface Differentiated {
  readonly training: Training;
  /** The loss, its terms, the new buffers and the gradients of the trained weights, optimised. */
  readonly graph: Graph;
  /**
   * Paths of the weights that the loss depends on and the recipe does not fix. Other weights never change, not even by
   * weight decay.
   */
  readonly learning: readonly string[];
  /** Whether the gradients are those of the scaled loss. */
  readonly scaled: boolean;
}

const scalerType = { dtype: 'f32', shape: [constant(1)] } as const;

/**
 * Differentiates a training. The forward half is first optimised by the rules that keep gradients, so that operators
 * whose gradient has a closed form are recognised. `rematerialise` selects modules whose activations are recomputed for
 * the gradients instead of kept: paths in which `*` matches any one name. With `half`, products run in half precision, and
 * with f16, the loss is scaled.
 */
export function differentiate(
  training: Training,
  rematerialise: readonly string[] = [],
  observer: PassObserver = {},
  half?: HalfStep,
): Differentiated {
  const whole = forwardGraph(training.forward, half !== undefined);
  const forward = runPipeline(whole, { ...observer, keeping: 'gradients' });
  const build = new Builder(forward.facts);
  build.nodes.push(...forward.nodes);
  const inputs = new Map(forward.inputs.map(({ name, value }) => [name, value]));
  const outputs = new Map(forward.outputs.map(({ name, value }) => [name, value]));
  const wanted = new Map<string, Value>();
  for (const { path, role, frozen } of training.weights) {
    const value = inputs.get(stateName('weight', path));
    if (role === 'param' && !frozen && value) wanted.set(path, value);
  }
  const scale = half?.type === 'f16' ? build.input(stateName('scaler', 'scale'), scalerType) : undefined;
  const options = {
    ...(rematerialise.length > 0 ? { rematerialise: (path: string) => moduleWithin(path, rematerialise) } : {}),
    ...(scale ? { seed: scalerNumber(build, scale) } : {}),
  };
  const found = gradients(build, outputs.get(stepNames.loss)!, [...wanted.values()], options);
  const learning: string[] = [];
  for (const [path, value] of wanted) {
    const gradient = found.get(value);
    if (gradient === undefined) continue;
    learning.push(path);
    outputs.set(slopeName(path), gradient);
  }
  const parts = {
    ...forward,
    inputs: [...forward.inputs, ...(scale ? [{ name: stateName('scaler', 'scale'), value: scale, docs: '' }] : [])],
    outputs: [...outputs].map(([name, value]) => ({ name, value: withoutStops(value), docs: '' })),
  };
  const graph = finish(parts, build.nodes);
  observer.after?.('differentiate', graph);
  const optimised = runPipeline(graph, observer);
  const scaled = scale !== undefined;
  if (!half) return { training, graph: optimised, learning, scaled };
  const losses = new Set([stepNames.loss, ...[...training.forward.terms.keys()].map(termName)]);
  const mixed = inHalf(optimised, training.forward, losses, half);
  observer.after?.('half', mixed);
  return { training, graph: mixed, learning, scaled };
}

/**
 * Returns the module at or around `path` that matches a pattern: `layers.3` for path `layers.3.attn` and pattern
 * `layers.*`.
 */
export function moduleWithin(path: string, patterns: readonly string[]): string | undefined {
  const names = path.split('.');
  for (const pattern of patterns) {
    const wanted = pattern.split('.');
    const meant = wanted.length <= names.length && wanted.every((name, i) => name === '*' || name === names[i]);
    if (meant) return names.slice(0, wanted.length).join('.');
  }
  return undefined;
}

/** Skips `stop_gradient` nodes, which have no effect once the gradients exist. */
function withoutStops(value: Value): Value {
  return value.node.op === 'stop_gradient' ? withoutStops(value.node.inputs[0]) : value;
}

/** Returns the forward half as a graph with its weights as inputs; if `named`, with the outputs of the model too. */
export function forwardGraph({ build, inputs, terms, loss, updates, outputs: results }: Forward, named = false): Graph {
  const output = (name: string, value: Value): GraphOutput => ({ name, value, docs: '' });
  const outputs = [
    output(stepNames.loss, loss),
    ...[...terms].map(([name, value]) => output(termName(name), value)),
    ...[...updates].map(([path, value]) => output(nextName(stateName('buffer', path)), value)),
    ...(named ? results.map(({ name, value }) => output(resultName(name), value)) : []),
  ];
  const parts = { name: '', docs: '', inputs, outputs, facts: build.facts, guards: [] };
  return weightsAsInputs(finish(parts, build.nodes));
}

function weightsAsInputs(graph: Graph): Graph {
  const added: GraphInput[] = [];
  const result = rewrite(graph, (node, _inputs, build) => {
    if (node.op !== 'weight') return undefined;
    const { path, role } = node.attributes;
    const name = stateName(role === 'buffer' ? 'buffer' : 'weight', path);
    const value = build.input(name, node.outputs[0].type);
    added.push({ name, value, docs: '' });
    return [value];
  });
  return { ...result, inputs: [...result.inputs, ...added] };
}
