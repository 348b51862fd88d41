import { type Dim, substitute } from '../dims/dim.ts';
import { type Clause, Facts } from '../dims/facts.ts';
import { mapDims } from '../ir/attributes.ts';
import type { Graph, Guard, Value } from '../ir/graph.ts';
import { guardClause } from '../ir/guard-clause.ts';
import { mapped, pairs } from '../lists.ts';
import { Builder } from './builder.ts';
import { finish } from './rebuild.ts';

/** Returns the graph with dim variables replaced in types, attributes, facts and guards, for example by H = 480. */
export function bindDims(graph: Graph, bindings: ReadonlyMap<string, Dim>): Graph {
  if (bindings.size === 0) return graph;
  const bound = new Map<string, Dim>();
  const bind = (dim: Dim): Dim => {
    let result = bound.get(dim.key);
    if (result === undefined) {
      result = substitute(dim, bindings);
      bound.set(dim.key, result);
    }
    return result;
  };
  const facts = graph.facts.clauses
    .map((clause) => bindClause(clause, bind))
    .filter((clause) => !isTrue(clause))
    .reduce((known, clause) => known.assume(clause), Facts.none);

  const build = new Builder(facts);
  const now = new Map<Value, Value>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => now.get(input)!);
    const types = mapped(node.outputs, ({ type }) => ({ dtype: type.dtype, shape: type.shape.map(bind) }));
    build.origin = node.origin;
    const results = build.append(node.op, inputs, mapDims(node.op, node.attributes, bind), types);
    for (const [output, result] of pairs(node.outputs, results)) now.set(output, result);
  }
  const parts = {
    ...graph,
    facts,
    guards: graph.guards
      .map((guard): Guard => ({ ...guard, left: bind(guard.left), right: bind(guard.right) }))
      .filter((guard) => !isTrue(guardClause(guard))),
    inputs: graph.inputs.map((input) => ({ ...input, value: now.get(input.value)! })),
    outputs: graph.outputs.map((output) => ({ ...output, value: now.get(output.value)! })),
  };
  return finish(parts, build.nodes);
}

function bindClause(clause: Clause, bind: (dim: Dim) => Dim): Clause {
  return clause.kind === 'mod'
    ? { ...clause, value: bind(clause.value) }
    : { ...clause, left: bind(clause.left), right: bind(clause.right) };
}

/** Whether a clause holds without any facts, as one between two numbers can. */
function isTrue(clause: Clause | undefined): boolean {
  return clause !== undefined && Facts.none.holds(clause).answer === 'proved';
}
