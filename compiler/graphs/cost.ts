import { type Dim, product, sum, zero } from '../dims/dim.ts';
import type { Graph, Node } from '../ir/graph.ts';
import type { OpName } from '../ir/names.ts';
import type { TensorType } from '../ir/types.ts';
import { bytes } from '../ops/cost.ts';
import type { Cost, OpRow } from '../ops/row.ts';
import { ops } from '../ops/table.ts';
import { isStored, isView } from './liveness.ts';

export interface ModuleCost extends Cost {
  /** Elements of `param` weights. */
  readonly parameters: Dim;
  /** Bytes of all results that its operators compute in a run, whether or not they are alive at the same time. */
  readonly activationBytes: Dim;
  readonly nodes: number;
}

/** Returns the cost of a node; `sized` may replace dims by sizes first. */
export function nodeCost(node: Node, sized: (type: TensorType) => TensorType = (type) => type): Cost {
  if (node.op === 'input' || node.op === 'weight') return { flops: zero, bytes: zero };
  const inputs = node.inputs.map(({ type }) => sized(type));
  const outputs = node.outputs.map(({ type }) => sized(type));
  return (ops[node.op] as OpRow<OpName>).cost(inputs, outputs, node.attributes);
}

/**
 * Returns the cost of each module, including its submodules, by path; '' is the whole graph. Modules come in the order
 * in which the graph first uses them, each before its submodules.
 */
export function costByModule(graph: Graph): Map<string, ModuleCost> {
  const parts = new Map<string, ModuleCost[]>([['', []]]);
  // Values that depend on weights and constants alone are computed once, before any run.
  const fixed = new Set<Node>();
  for (const node of graph.nodes) {
    const { op, inputs } = node;
    if (isStored(op) || (inputs.length > 0 && inputs.every((input) => fixed.has(input.node)))) fixed.add(node);
    const isParameter = node.op === 'weight' && node.attributes.role === 'param';
    const parameters = isParameter ? product(node.outputs[0].type.shape) : zero;
    const isActivation = op !== 'input' && !isView(node) && !fixed.has(node);
    const activationBytes = isActivation ? sum(node.outputs.map(({ type }) => bytes(type))) : zero;
    partsOf(parts, node.origin.path).push({ ...nodeCost(node), parameters, activationBytes, nodes: 1 });
  }
  const totals = new Map<string, ModuleCost>();
  for (const [path, costs] of [...parts].reverse()) {
    const total = addUp(costs);
    totals.set(path, total);
    if (path !== '') parts.get(parentOf(path))!.push(total);
  }
  return new Map([...totals].reverse());
}

/** Returns the costs of a module, after adding entries for its parents. */
function partsOf(parts: Map<string, ModuleCost[]>, path: string): ModuleCost[] {
  let costs = parts.get(path);
  if (costs === undefined) {
    partsOf(parts, parentOf(path));
    costs = [];
    parts.set(path, costs);
  }
  return costs;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.')));
}

function addUp(costs: readonly ModuleCost[]): ModuleCost {
  return {
    flops: sum(costs.map((cost) => cost.flops)),
    bytes: sum(costs.map((cost) => cost.bytes)),
    parameters: sum(costs.map((cost) => cost.parameters)),
    activationBytes: sum(costs.map((cost) => cost.activationBytes)),
    nodes: costs.reduce((nodes, cost) => nodes + cost.nodes, 0),
  };
}
