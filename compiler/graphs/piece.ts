import type { Graph, GraphInput, GraphOutput, Node, Value } from '../ir/graph.ts';
import { rowOf } from '../ops/table.ts';
import { Builder } from './builder.ts';
import { finish } from './rebuild.ts';

/** A part of a graph as a graph of its own. */
export interface Piece {
  readonly graph: Graph;
  /** The values of the whole graph that its inputs correspond to, in order. */
  readonly reads: readonly Value[];
  /** Maps values of the whole graph that it computes or reads to its own values. */
  readonly here: ReadonlyMap<Value, Value>;
}

/** Whether the operator is free. Each piece that reads the result of a free operator has its own copy of it. */
export function isFree(node: Node): boolean {
  return rowOf(node)?.free === true;
}

/** Returns the nodes of a graph that compute something, in order. Each of them belongs to a piece. */
export function computingNodes({ nodes }: Graph): readonly Node[] {
  return nodes.filter((node) => !isFree(node) && node.op !== 'input' && node.op !== 'weight');
}

/** Returns the value that a value's elements come from: follows the first inputs of free operators. */
export function madeFrom(value: Value): Value {
  let at = value;
  while (isFree(at.node) && at.node.inputs[0] !== undefined) at = at.node.inputs[0];
  return at;
}

/**
 * Returns the piece that consists of these computing nodes, given in order, and whose outputs are the values in
 * `gives`.
 */
export function pieceOf(whole: Graph, nodes: readonly Node[], gives: readonly Value[]): Piece {
  const build = new Builder(whole.facts);
  const here = new Map<Value, Value>();
  const reads: Value[] = [];
  const inputs: GraphInput[] = [];
  const copy = (node: Node): void => {
    const results = build.copy(node, node.inputs.map(find));
    for (const [i, output] of node.outputs.entries()) here.set(output, results[i]!);
  };
  const find = (value: Value): Value => {
    const known = here.get(value);
    if (known) return known;
    if (isFree(value.node)) copy(value.node);
    else {
      const name = `read ${reads.length}`;
      const input = build.input(name, value.type);
      reads.push(value);
      inputs.push({ name, value: input, docs: '' });
      here.set(value, input);
    }
    return here.get(value)!;
  };
  for (const node of nodes) copy(node);
  const outputs = gives.map((value, i): GraphOutput => ({ name: `give ${i}`, value: find(value), docs: '' }));
  const parts = { name: whole.name, docs: '', inputs, outputs, facts: whole.facts, guards: [] };
  return { graph: finish(parts, build.nodes), reads, here };
}
