import type { IndexInput } from '../../graphs/index-check.ts';
import type { Graph, Node, Origin } from '../../ir/graph.ts';
import type { OpName } from '../../ir/names.ts';
import { Emission } from './emission.ts';
import type { Lowering } from './lowering.ts';
import { lowerings } from './lowerings.ts';
import type { OnnxModel, OnnxNode, ValueInfo } from './model.ts';
import { valueInfo } from './value-info.ts';

export const defaultOpset = 20;

export interface EmitOptions {
  readonly producerVersion: string;
  /** 18 to 23; 20 where it is not given. */
  readonly opset?: number;
  /**
   * Up to so many elements an operator gets one thread in the session that will run the model, so that what it does in a row
   * stays in a row; Infinity where there is only one.
   */
  readonly serialScatter?: number;
  /** Inputs that the host looks at before each run, as `indexInputs` names them, so that the graph need not; none where they are not given. */
  readonly hostChecks?: readonly IndexInput[];
  /** How a place in source is shown in a node's documentation: `crobim.crob:41`. */
  readonly place?: (origin: Origin) => string;
}

/** The first IR version that knows an opset (onnx/helper.py); never more than is needed. */
const irVersions: Readonly<Record<number, number>> = { 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11 };

/**
 * Operators that move data and compute nothing: emitted when something asks for their result, since
 * what asks may do without (a scalar for a full tensor, one Split for several slices).
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
 * A graph as an ONNX model, as plain data. It uses the default operator domain only. Sizes that are
 * known are constants; sizes that are not are computed once each, and only where Reshape's 0 and -1
 * cannot say them.
 */
export function emitOnnx(graph: Graph, options: EmitOptions): OnnxModel {
  const opset = options.opset ?? defaultOpset;
  const irVersion = irVersions[opset];
  if (irVersion === undefined) throw new Error(`bug in crobc: no lowerings for ONNX opset ${opset}`);
  const emission = new Emission(
    graph,
    {
      opset,
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
    opsets: [{ domain: '', version: opset }],
    producerName: 'crobc',
    producerVersion: options.producerVersion,
    docs: graph.docs,
    metadata: [],
    graph: {
      name: graph.name,
      nodes,
      initialisers: emission.initialisers,
      inputs: [
        ...graph.inputs.map(({ name, value, docs }) => valueInfo(graph.facts, name, value.type, docs)),
        ...emission.draws.map(({ name, type }) => valueInfo(graph.facts, name, type, 'numbers in [0, 1)')),
      ],
      outputs,
      // Outputs are typed there.
      values: emission.typesOf(nodes, new Set(outputs.map(({ name }) => name))),
      draws: emission.draws.map(({ name, key }) => ({ name, key })),
    },
  };
}

function lower(node: Node, emission: Emission): readonly (string | undefined)[] {
  if (node.op === 'input' || node.op === 'weight') throw new Error(`bug in crobc: a stray ${node.op} in a graph`);
  const lowering = lowerings[node.op] as Lowering<OpName>;
  return lowering(node as Parameters<typeof lowering>[0], emission);
}

/** The nodes with the outputs' names in place; a name that something else has already is given by an Identity. */
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
