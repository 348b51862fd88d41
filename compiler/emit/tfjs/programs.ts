import { asConstant, constant, type Dim, variables } from '../../dims/dim.ts';
import { bindDims } from '../../graphs/bind.ts';
import type { Graph } from '../../ir/graph.ts';
import { graphHash } from '../../ir/hash.ts';
import { runPipeline } from '../../passes/pipeline.ts';
import type { StepGraph } from '../../training/step-graph.ts';
import { emitTfjs } from './emit.ts';
import type { TfjsProgram } from './program.ts';

/** The parts of a training step by function name: `step`, or `accumulate` and `update`. */
export type NamedSteps = Readonly<Record<string, StepGraph>>;

const docs: Readonly<Record<string, string>> = {
  step: 'One training step on one batch. Weights and optimizer state are in `state`, before and after.',
  accumulate: 'Adds the gradients of a micro-batch to the accumulators in `state`.',
  update: 'What is done with the sum of the gradients. The accumulators stay: put zeros there for the next step.',
};

/**
 * Returns the program of a model's training step. The state uses the names of the step graph:
 * `weight:backbone.norm.bias`.
 */
export function trainingProgram(model: string, steps: NamedSteps): TfjsProgram {
  const sources = Object.entries(steps).map(([name, { graph, state }]) => ({
    name,
    docs: docs[name] ?? '',
    graph,
    state: new Map(state.map((tensor) => [tensor.name, tensor.next])),
  }));
  const hash = sources.map(({ graph }) => graphHash(graph)).join(' ');
  return emitTfjs(model, `The training of ${model}`, hash, sources);
}

/**
 * Returns the program of a model's inference form. The state holds the weights by path. Every dim of the graph must be
 * in `dims` or known.
 */
export function inferenceProgram(graph: Graph, dims: ReadonlyMap<string, number>): TfjsProgram {
  const bound = new Map<string, Dim>(freeDims(graph).map((name) => [name, constant(sizeOf(name, dims))]));
  const known = runPipeline(bindDims(graph, bound));
  const source = { name: 'run', docs: 'Runs the model. Its weights are in `state`.', graph: known, state: new Map() };
  return emitTfjs(graph.name, graph.name, graphHash(graph), [source]);
}

/** Returns the dims of a graph's inputs that have no size yet. */
export function freeDims(graph: Graph): string[] {
  const names = new Set<string>();
  for (const { value } of graph.inputs)
    for (const dim of value.type.shape)
      if (asConstant(dim) === undefined) for (const name of variables(dim)) names.add(name);
  return [...names];
}

function sizeOf(name: string, dims: ReadonlyMap<string, number>): number {
  const size = dims.get(name);
  if (size === undefined) throw new Error(`bug in crobc: the dim ${name} has no size`);
  return size;
}
