import { asConstant, constant, type Dim, isOverflow, variables } from '../../compiler/dims/dim.ts';
import { inlineWithLossOutputs } from '../../compiler/elaborate/models/inline.ts';
import type { ModelGraph } from '../../compiler/elaborate/models/model.ts';
import { outline } from '../../compiler/elaborate/models/outline.ts';
import { costByModule, type ModuleCost } from '../../compiler/graphs/cost.ts';
import { memory } from '../../compiler/graphs/liveness.ts';
import type { Graph, GraphInput, GraphOutput } from '../../compiler/ir/graph.ts';
import { type PortDType, portDType, type TensorType } from '../../compiler/ir/types.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { type GraphWeight, weightsOf } from '../weights/graph-weights.ts';
import { beyondExact } from './exact-sizes.ts';
import type { CompiledFile } from './source-model.ts';

/** A number if all dims are bound, else a polynomial as text. */
export type Quantity = number | string;

export interface Quantities {
  readonly parameters: number;
  readonly flops: Quantity;
  /** Bytes of all results, each counted once. */
  readonly activationBytes: Quantity;
  /** Bytes that the operators read and write, including weights. */
  readonly trafficBytes: Quantity;
}

/** An input or an output; its type is in crob syntax: `f32[B, 3, H, W]`. */
export interface SummaryPort {
  readonly name: string;
  readonly type: string;
}

export interface SummaryModule extends Quantities {
  readonly path: string;
  readonly module: string;
  /** Types of its results. */
  readonly outputs: readonly string[];
}

export interface SummaryWeight {
  readonly path: string;
  readonly dtype: PortDType;
  readonly shape: readonly number[];
  readonly role: 'param' | 'buffer';
}

/** Inputs, outputs, modules, weights and costs of a model. */
export interface ModelSummary extends Quantities {
  readonly model: string;
  readonly docs: string;
  /** Peak of one run; undefined if a dim is open. */
  readonly peakActivationBytes: number | undefined;
  /** Dims without a size, in the order of the inputs. */
  readonly openDims: readonly string[];
  readonly inputs: readonly SummaryPort[];
  readonly outputs: readonly SummaryPort[];
  readonly modules: readonly SummaryModule[];
  readonly weights: readonly SummaryWeight[];
  /** Parts that only `output(train)` depends on. */
  readonly training: {
    readonly outputs: readonly SummaryPort[];
    readonly modules: readonly SummaryModule[];
    readonly weights: readonly SummaryWeight[];
  };
}

/** Throws a UserError if a number exceeds 2^53, since it would not be exact. */
export function summarise(compiled: Pick<CompiledFile, 'graph' | 'model' | 'dims'>): ModelSummary {
  const { dims } = compiled;
  const bound = new Map<string, Dim>([...dims].map(([name, n]) => [name, constant(n)]));
  const graph = runPipeline(compiled.graph);
  const costs = costByModule(graph);
  const whole = costs.get('');
  if (!whole) throw new Error('bug in crobc: a graph without a cost');
  if (Object.values(whole).some((cost) => typeof cost === 'object' && isOverflow(cost)))
    throw beyondExact({ model: graph.name, dims });
  const entries = outline(compiled.model, bound);
  const modulesOf = (of: Graph, costs: ReadonlyMap<string, ModuleCost>): SummaryModule[] =>
    [...costs].flatMap(([path, cost]) => {
      if (path === '') return [];
      const entry = entries.get(path);
      const outputs = (entry?.outputs ?? []).map((type) => shown(type, of));
      return [{ path, module: entry?.module ?? '', outputs, ...quantities(cost, of) }];
    });
  const port = ({ name, value }: GraphInput | GraphOutput): SummaryPort => ({ name, type: shown(value.type, graph) });
  const losses = compiled.model.lossOutputs.length === 0 ? undefined : forLosses(compiled.model, bound, graph);
  const further = losses ? [...costByModule(losses.graph)].filter(([path]) => !costs.has(path)) : [];
  const open = openDims(graph);
  return {
    model: graph.name,
    docs: graph.docs ?? '',
    ...quantities(whole, graph),
    peakActivationBytes: open.length > 0 ? undefined : memory(graph, new Map()).peakBytes,
    openDims: open,
    inputs: graph.inputs.map(port),
    outputs: graph.outputs.map(port),
    modules: modulesOf(graph, costs),
    weights: weightsOf(graph).map(listed),
    training: {
      outputs: (losses?.outputs ?? []).map(port),
      modules: losses ? modulesOf(losses.graph, new Map(further)) : [],
      weights: (losses?.weights ?? []).map(listed),
    },
  };
}

/** The graph including `output(train)`, and the outputs and weights that inference does not have. */
interface LossParts {
  readonly graph: Graph;
  readonly outputs: readonly GraphOutput[];
  readonly weights: readonly GraphWeight[];
}

/** Compiles the model with the outputs that only losses read. */
function forLosses(model: ModelGraph, bound: ReadonlyMap<string, Dim>, inference: Graph): LossParts {
  const graph = runPipeline(inlineWithLossOutputs(model, bound));
  const held = new Set(weightsOf(inference).map(({ path }) => path));
  return {
    graph,
    outputs: graph.outputs.slice(model.outputs.length),
    weights: weightsOf(graph).filter(({ path }) => !held.has(path)),
  };
}

function listed({ path, dtype, shape, role }: GraphWeight): SummaryWeight {
  return { path, dtype: portDType(dtype), shape, role };
}

function shown(type: TensorType, graph: Graph): string {
  return `${type.dtype}[${type.shape.map((d) => graph.facts.show(d)).join(', ')}]`;
}

function quantities(cost: ModuleCost, graph: Graph): Quantities {
  const value = (d: Dim): Quantity => asConstant(d) ?? graph.facts.show(d);
  return {
    parameters: asConstant(cost.parameters) ?? 0,
    flops: value(cost.flops),
    activationBytes: value(cost.activationBytes),
    trafficBytes: value(cost.bytes),
  };
}

/** Dims without a size, in the order of the inputs. */
function openDims(graph: Graph): string[] {
  return [...new Set(graph.inputs.flatMap(({ value }) => value.type.shape.flatMap((d) => [...variables(d)])))];
}
