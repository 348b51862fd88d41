import type { Graph, GraphInput, GraphOutput, Node, Value } from '../ir/graph.ts';
import { rowOf } from '../ops/table.ts';
import { Builder } from './builder.ts';
import { finish } from './rebuild.ts';

/** Some nodes of a graph as a graph of their own. */
export interface Piece {
  readonly graph: Graph;
  /** What its inputs stand for in the whole, in their order. */
  readonly reads: readonly Value[];
  /** Values of the whole that it computes, or reads, as they are called here. */
  readonly here: ReadonlyMap<Value, Value>;
}

/** Every piece that reads the result of such an operator has its own. */
export function isFree(node: Node): boolean {
  return rowOf(node)?.free === true;
}

/** The nodes of a graph that compute something, which pieces share out; in order. */
export function computingNodes({ nodes }: Graph): readonly Node[] {
  return nodes.filter((node) => !isFree(node) && node.op !== 'input' && node.op !== 'weight');
}

/** What a value's elements come from: the value itself, or what is behind the free operators that made it. */
export function madeFrom(value: Value): Value {
  let at = value;
  while (isFree(at.node) && at.node.inputs[0] !== undefined) at = at.node.inputs[0];
  return at;
}

/** The piece of these nodes, computing nodes in order, that gives these of their values. */
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
