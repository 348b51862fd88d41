import type { IndexInput } from '../../graphs/index-check.ts';
import type { Graph, Node, Origin } from '../../ir/graph.ts';
import type { OpName } from '../../ir/names.ts';
import { Emission } from './emission.ts';
import { withHalfNorms } from './fused/half-norms.ts';
import { lowerFused } from './fused/lower.ts';
import type { Lowering } from './lowering.ts';
import { lowerings } from './lowerings.ts';
import { contribDomain, type OnnxModel, type OnnxNode, type ValueInfo } from './model.ts';
import { formsOf, type Profile } from './profile.ts';
import { valueInfo } from './value-info.ts';

export const defaultOpset = 20;

export interface EmitOptions {
  readonly producerVersion: string;
  /** 18 to 23; default: 20. */
  readonly opset?: number;
  /** What the model is emitted for; default: any implementation of ONNX. */
  readonly profile?: Profile;
  /**
   * The number of elements up to which an operator runs on one thread in the session that will run the model, so that
   * its order of operations is fixed; Infinity if the session has only one thread.
   */
  readonly serialScatter?: number;
  /**
   * Inputs that the host checks before each run, as returned by `indexInputs`, so that the graph need not check them;
   * default: none.
   */
  readonly hostChecks?: readonly IndexInput[];
  /** Formats a place in the source for a node's documentation: `crobim.crob:41`. */
  readonly place?: (origin: Origin) => string;
  /** Written as `metadata_props` of the model, in order; default: none. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The first IR version that supports each opset (onnx/helper.py). */
const irVersions: Readonly<Record<number, number>> = { 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11 };

/**
 * Operators that move data and compute nothing. They are emitted when their result is requested, because the reader may
 * not need it: it may take a scalar for a full tensor, or one Split for several slices.
 */
const onDemand = new Set<Node['op']>([
  'input',
  'weight',
  'constant',
  'full',
  'iota',
  'dim',
  'stop_gradient',
  'reshape',
  'transpose',
  'broadcast',
  'slice',
  'cast',
]);

/**
 * Returns a graph as an ONNX model, as plain data. It uses only the default operator domain, unless it is emitted for a
 * device. Known sizes become constants. Each unknown size is computed once, and only if 0 and -1 in a Reshape cannot express it.
 */
export function emitOnnx(given: Graph, options: EmitOptions): OnnxModel {
  const { profile = 'portable' } = options;
  const graph = formsOf[profile].halfNorms ? withHalfNorms(given) : given;
  const opset = options.opset ?? defaultOpset;
  const irVersion = irVersions[opset];
  if (irVersion === undefined) throw new Error(`bug in crobc: no lowerings for ONNX opset ${opset}`);
  const emission = new Emission(
    graph,
    {
      opset,
      profile,
      place: options.place,
      serialScatter: options.serialScatter ?? 0,
      hostChecks: options.hostChecks ?? [],
    },
    lower,
  );
  for (const node of graph.nodes) if (!onDemand.has(node.op) && !emission.plan.absorbed.has(node)) emission.lower(node);
  const { nodes, outputs } = finished(graph, emission);
  return {
    irVersion,
    opsets: [
      { domain: '', version: opset },
      ...(nodes.some(({ domain }) => domain !== undefined) ? [{ domain: contribDomain, version: 1 }] : []),
    ],
    producerName: 'crobc',
    producerVersion: options.producerVersion,
    docs: graph.docs,
    metadata: Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value })),
    graph: {
      name: graph.name,
      nodes,
      initialisers: emission.initialisers,
      inputs: [
        ...graph.inputs.map(({ name, value, docs }) => valueInfo(graph.facts, name, value.type, docs)),
        ...emission.draws.map(({ name, type }) => valueInfo(graph.facts, name, type, 'numbers in [0, 1)')),
      ],
      outputs,
      // The outputs have types of their own.
      values: emission.typesOf(nodes, new Set(outputs.map(({ name }) => name))),
      draws: emission.draws.map(({ name, key }) => ({ name, key })),
    },
  };
}

function lower(node: Node, emission: Emission): readonly (string | undefined)[] {
  if (node.op === 'input' || node.op === 'weight') throw new Error(`bug in crobc: a stray ${node.op} in a graph`);
  const fused = lowerFused(node, emission);
  if (fused !== undefined) return fused;
  const lowering = lowerings[node.op] as Lowering<OpName>;
  return lowering(node as Parameters<typeof lowering>[0], emission);
}

/**
 * Returns the nodes with their results renamed to the graph's outputs; an output whose value already has another fixed
 * name becomes an Identity.
 */
function finished(graph: Graph, emission: Emission): { nodes: OnnxNode[]; outputs: ValueInfo[] } {
  const renamed = new Map<string, string>();
  const outputs: ValueInfo[] = [];
  const computed = new Set<string>();
  const sources = graph.outputs.map(({ value }) => emission.use(value));
  for (const node of emission.nodes) for (const output of node.outputs) computed.add(output);
  for (const [i, { name, value, docs }] of graph.outputs.entries()) {
    const source = sources[i]!;
    outputs.push(valueInfo(graph.facts, name, value.type, docs));
    if (computed.has(source) && !renamed.has(source)) renamed.set(source, name);
    else emission.alias(source, name);
  }
  const rename = (name: string) => renamed.get(name) ?? name;
  const nodes = emission.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
  }));
  return { nodes, outputs };
}
