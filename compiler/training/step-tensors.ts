import type { Graph, Node, Value } from '../ir/graph.ts';
import { ops } from '../ops/table.ts';
import type { StateTensor } from './step-graph.ts';

/** State, by the names of the input and, if it is updated, of the output. */
export type Standing = Pick<StateTensor, 'name'> & Partial<Pick<StateTensor, 'next'>>;

/** The point of a step at which it holds most, and what it holds besides the state, in bytes. */
export interface Peak {
  readonly bytes: number;
  /** Undefined for a step without tensors of its own. */
  readonly at: Node | undefined;
}

/** Whether the result shares the memory of the first input. */
export function isSame(node: Node): boolean {
  return node.op !== 'input' && node.op !== 'weight' && ops[node.op].memory === 'same';
}

/** Returns the old and new state, which has memory of its own, and the constants. */
export function standingValues(graph: Graph, state: readonly Standing[]): ReadonlySet<Value> {
  const names = new Set(state.flatMap(({ name, next }) => [name, next]));
  const ports = [...graph.inputs, ...graph.outputs].filter(({ name }) => names.has(name)).map(({ value }) => value);
  const constants = graph.nodes.flatMap((node) => (node.op === 'constant' || node.op === 'full' ? node.outputs : []));
  return new Set([...ports, ...constants]);
}
