import type { Builder } from '../graphs/builder.ts';
import type { Node, Value } from '../ir/graph.ts';

/** Nodes that were made to see what they cost, and the value that they compute. */
export interface Trial {
  readonly nodes: readonly Node[];
  readonly value: Value;
}

/** What was made on trial, in the graph: rules see its nodes one by one. */
export function replayed(build: Builder, { nodes, value }: Trial): Value {
  const now = new Map<Value, Value>();
  for (const node of nodes) {
    const results = build.copy(
      node,
      node.inputs.map((input) => now.get(input) ?? input),
    );
    for (const [i, output] of node.outputs.entries()) now.set(output, results[i]!);
  }
  return now.get(value) ?? value;
}
