import { evaluate } from '../dims/dim.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';
import type { DType, TensorType } from '../ir/types.ts';
import { rowOf } from '../ops/table.ts';

export const bytesPerElement: { readonly [D in DType]: number } = {
  f32: 4,
  i32: 4,
  bool: 1,
  i64: 8,
  u8: 1,
  f16: 2,
  bf16: 2,
};

/**
 * Returns, for each node, the values that are dead after it: results of the node that nothing reads, and inputs of
 * which it is the last reader. Outputs of the graph never die.
 */
export function lastUses(graph: Graph): Map<Node, Value[]> {
  const outputs = new Set(graph.outputs.map((output) => output.value));
  const last = new Map<Value, Node>();
  for (const node of graph.nodes) {
    for (const output of node.outputs) last.set(output, node);
    for (const input of node.inputs) last.set(input, node);
  }
  const dying = new Map<Node, Value[]>();
  for (const [value, node] of last) {
    if (outputs.has(value)) continue;
    const values = dying.get(node);
    if (values === undefined) dying.set(node, [value]);
    else values.push(value);
  }
  return dying;
}

/** Whether an operator is a source whose elements live as long as the model. */
export function isStored(op: Node['op']): boolean {
  return op === 'weight' || op === 'constant';
}

/** Whether the result of a node shares its input's storage, as it does in every supported runtime. */
export function isView(node: Node): boolean {
  const row = rowOf(node);
  return row?.memory === 'same' && row.free === true;
}

export interface Memory {
  /** Weights and constants, which live throughout. */
  readonly weightBytes: number;
  /** The largest number of bytes that inputs, activations and outputs occupy at any time. */
  readonly peakBytes: number;
  /** The node that is running at that point. */
  readonly peakAt: Node | undefined;
}

/** The sizes of free dims. */
export type Bindings = Pick<ReadonlyMap<string, number>, 'get'>;

/**
 * Computes the memory use for given sizes of all free dims, if nodes run in order and each tensor is freed after its
 * last use.
 */
export function memory(graph: Graph, bindings: Bindings): Memory {
  const storage = new Map<Value, Value>();
  const owner = (value: Value): Value => storage.get(value) ?? value;
  const holders = new Map<Value, number>();
  const dying = lastUses(graph);
  let weightBytes = 0;
  let held = 0;
  let peakBytes = 0;
  let peakAt: Node | undefined;
  for (const node of graph.nodes) {
    if (isStored(node.op)) {
      for (const output of node.outputs) weightBytes += bytesOf(output.type, bindings);
    } else {
      const [first] = node.inputs;
      const viewed = first !== undefined && isView(node) ? owner(first) : undefined;
      for (const output of node.outputs) {
        const own = viewed ?? output;
        storage.set(output, own);
        if (isPermanent(own)) continue;
        if (own === output) held += bytesOf(output.type, bindings);
        holders.set(own, (holders.get(own) ?? 0) + 1);
      }
    }
    if (held > peakBytes) {
      peakBytes = held;
      peakAt = node;
    }
    for (const value of dying.get(node) ?? []) {
      const own = owner(value);
      if (isPermanent(own)) continue;
      const left = holders.get(own)! - 1;
      holders.set(own, left);
      if (left === 0) held -= bytesOf(own.type, bindings);
    }
  }
  return { weightBytes, peakBytes, peakAt };
}

function isPermanent(value: Value): boolean {
  return isStored(value.node.op);
}

function bytesOf(type: TensorType, bindings: Bindings): number {
  const size = (name: string): number => {
    const bound = bindings.get(name);
    if (bound === undefined) throw new Error(`bug in crobc: memory at an unbound dim ${name}`);
    return bound;
  };
  return type.shape.reduce((bytes, dim) => bytes * evaluate(dim, size), bytesPerElement[type.dtype]);
}
