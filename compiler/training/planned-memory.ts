import { bytesPerElement, lastUses } from '../graphs/liveness.ts';
import { depthFirst } from '../graphs/node-order.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';
import { staticShape } from '../ir/shapes.ts';
import { isSame, type Peak, type Standing, standingValues } from './step-tensors.ts';

/** A graph with the names of the inputs and outputs that have memory of their own. */
export interface PlannedGraph {
  readonly graph: Graph;
  readonly state: readonly Standing[];
  readonly packs: readonly Standing[];
}

/**
 * Returns the most that onnxruntime holds besides the state while it runs a graph. Before a run, onnxruntime plans
 * which tensors share a buffer: a result takes one of exactly its shape whose tensor is dead, if there is one, and a
 * buffer is only freed after its last tensor (AllocationPlanner, 1.30), so it is also held between two of its tensors.
 * What overwrites an operand counts as a result of its own, because few kernels do. What onnxruntime's optimiser fuses
 * and what an operator's kernel or its several ONNX nodes take besides their results is not seen. Without `reuse`, it is for
 * a model whose shapes are unknown before a run (`withUnknownShapes`): there, no two tensors share a buffer.
 */
export function plannedPeak({ graph, state, packs }: PlannedGraph, reuse = true): Peak {
  const nodes = depthFirst(graph.nodes);
  const ran: Graph = { ...graph, nodes };
  const standing = standingValues(ran, [...state, ...packs]);
  const dying = lastUses(ran);
  const bufferOf = new Map<Value, Buffer>();
  const buffers: Buffer[] = [];
  const free = new Map<string, Buffer[]>();
  for (const [at, node] of nodes.entries()) {
    for (const output of node.outputs) {
      if (standing.has(output)) continue;
      const buffer = viewed(node, bufferOf) ?? free.get(sizeKey(output))?.pop() ?? newBuffer(output, at, buffers);
      buffer.tensors++;
      buffer.last = at;
      bufferOf.set(output, buffer);
    }
    for (const value of dying.get(node) ?? []) {
      const buffer = bufferOf.get(value);
      if (!buffer) continue;
      buffer.last = at;
      buffer.tensors--;
      if (buffer.tensors > 0 || !reuse) continue;
      const alike = free.get(buffer.key);
      if (alike) alike.push(buffer);
      else free.set(buffer.key, [buffer]);
    }
  }
  return peakOf(buffers, nodes);
}

interface Buffer {
  readonly key: string;
  readonly bytes: number;
  readonly first: number;
  last: number;
  /** The number of live tensors in it. */
  tensors: number;
}

/** Returns the buffer of the operand that a node only views. */
function viewed(node: Node, bufferOf: ReadonlyMap<Value, Buffer>): Buffer | undefined {
  const [first] = node.inputs;
  return first !== undefined && isSame(node) ? bufferOf.get(first) : undefined;
}

function newBuffer(value: Value, first: number, buffers: Buffer[]): Buffer {
  const bytes = staticShape(value.type).reduce((n, size) => n * size, bytesPerElement[value.type.dtype]);
  const buffer: Buffer = { key: sizeKey(value), bytes, first, last: first, tensors: 0 };
  buffers.push(buffer);
  return buffer;
}

function sizeKey({ type }: Value): string {
  return `${bytesPerElement[type.dtype]} ${staticShape(type).join()}`;
}

function peakOf(buffers: readonly Buffer[], nodes: readonly Node[]): Peak {
  const changes = new Float64Array(nodes.length + 1);
  for (const { first, last, bytes } of buffers) {
    changes[first] = changes[first]! + bytes;
    changes[last + 1] = changes[last + 1]! - bytes;
  }
  let held = 0;
  let peak: Peak = { bytes: 0, at: undefined };
  for (const [i, node] of nodes.entries()) {
    held += changes[i]!;
    if (held > peak.bytes) peak = { bytes: held, at: node };
  }
  return peak;
}
