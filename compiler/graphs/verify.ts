import { asConstant } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';
import type { OpName } from '../ir/names.ts';
import { numberValues, printNode, printType } from '../ir/print.ts';
import { sameDim } from '../ir/shapes.ts';
import { elementCount } from '../ir/tensor-data.ts';
import type { TensorType } from '../ir/types.ts';
import type { OpRow } from '../ops/row.ts';
import { ops } from '../ops/table.ts';

interface Invariant {
  readonly name: string;
  /** Yields one line for each violation. */
  check(graph: Graph): Iterable<string>;
}

/** Invariants that every pass may rely on and must preserve. */
const invariants: readonly Invariant[] = [
  {
    name: 'nodes come once, and after the nodes whose results they read',
    *check({ nodes }) {
      const before = new Set<Node>();
      for (const node of nodes) {
        if (before.has(node)) yield describe(node, nodes);
        if (node.inputs.some((input) => !before.has(input.node))) yield describe(node, nodes);
        before.add(node);
      }
    },
  },
  {
    name: "a value knows its node and its place among the node's results",
    *check({ nodes }) {
      for (const node of nodes)
        if (node.outputs.some((output, i) => output.node !== node || output.index !== i)) yield describe(node, nodes);
    },
  },
  {
    name: 'ids are unique',
    *check({ nodes }) {
      const ids = nodes.flatMap((node) => [node.id, ...node.outputs.map((output) => output.id)]);
      yield* duplicates(ids.map(String));
    },
  },
  {
    name: 'inputs and outputs of the graph are values of its nodes',
    *check({ nodes, inputs, outputs }) {
      const known = new Set(nodes);
      for (const { name, value } of [...inputs, ...outputs]) if (!known.has(value.node)) yield name;
    },
  },
  {
    name: "the graph's inputs are its input nodes, by the same names",
    *check({ nodes, inputs }) {
      const listed = new Map(inputs.map(({ name, value }) => [value.node, name]));
      for (const node of nodes)
        if (node.op === 'input' && listed.get(node) !== node.attributes.name) yield node.attributes.name;
      for (const { name, value } of inputs) if (value.node.op !== 'input') yield name;
    },
  },
  {
    name: 'names of inputs are unique',
    check: ({ inputs }) => duplicates(inputs.map((input) => input.name)),
  },
  {
    name: 'names of outputs are unique',
    check: ({ outputs }) => duplicates(outputs.map((output) => output.name)),
  },
  {
    name: 'paths of weights are unique',
    check: ({ nodes }) => duplicates(nodes.flatMap((node) => (node.op === 'weight' ? [node.attributes.path] : []))),
  },
  {
    name: 'keys of random draws are unique',
    check: ({ nodes }) => duplicates(nodes.flatMap((node) => (node.op === 'uniform' ? [node.attributes.key] : []))),
  },
  {
    name: 'every node but an input is needed by an output',
    *check({ nodes, outputs }) {
      const needed = new Set<Node>(outputs.map((output) => output.value.node));
      for (const node of [...nodes].reverse()) {
        if (needed.has(node)) for (const input of node.inputs) needed.add(input.node);
        else if (node.op !== 'input') yield describe(node, nodes);
      }
    },
  },
  {
    name: "types are what the operator's shape rule says",
    *check({ nodes, facts }) {
      for (const node of nodes) {
        if (node.op === 'input' || node.op === 'weight') continue;
        const row = ops[node.op] as OpRow<OpName>;
        const inferred = row.infer(
          node.inputs.map((input) => input.type),
          node.attributes,
          facts,
        );
        if ('fault' in inferred) yield `${describe(node, nodes)}: ${inferred.fault.constraint}`;
        else if (!sameTypes(facts, node.outputs, inferred.types))
          yield `${describe(node, nodes)}: wanted ${inferred.types.map(printType).join(', ')}`;
      }
    },
  },
  {
    name: 'weights have static shapes',
    *check({ nodes }) {
      for (const node of nodes)
        if (node.op === 'weight' && node.outputs[0].type.shape.some((dim) => asConstant(dim) === undefined))
          yield node.attributes.path;
    },
  },
  {
    name: 'a constant has as many elements as its shape says',
    *check({ nodes }) {
      for (const node of nodes)
        if (node.op === 'constant' && node.attributes.tensor.data.length !== elementCount(node.attributes.tensor.shape))
          yield describe(node, nodes);
    },
  },
];

/** Returns a line for every violated invariant, with the invariant and the node; empty for a valid graph. */
export function verify(graph: Graph): string[] {
  return invariants.flatMap(({ name, check }) => [...check(graph)].map((where) => `${name}: ${where}`));
}

function sameTypes(facts: Facts, values: readonly Value[], types: readonly TensorType[]): boolean {
  return (
    values.length === types.length &&
    values.every(({ type }, i) => {
      const wanted = types[i]!;
      return (
        type.dtype === wanted.dtype &&
        type.shape.length === wanted.shape.length &&
        type.shape.every(
          (dim, axis) =>
            sameDim(facts, dim, wanted.shape[axis]!) || facts.equal(dim, wanted.shape[axis]!).answer === 'proved',
        )
      );
    })
  );
}

function describe(node: Node, nodes: readonly Node[]): string {
  const known = nodes.includes(node) ? nodes : [...nodes, node];
  return printNode(node, numberValues(known));
}

function* duplicates(names: readonly string[]): Iterable<string> {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) yield name;
    seen.add(name);
  }
}
