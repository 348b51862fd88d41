import { asVariable, constant, evaluate } from '../dims/dim.ts';
import { mapDims } from '../ir/attributes.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';
import type { OpAttributes, OpName } from '../ir/names.ts';
import type { TensorData } from '../ir/types.ts';
import type { OpRow } from '../ops/row.ts';
import { ops } from '../ops/table.ts';
import { lastUses } from './liveness.ts';

/**
 * Runs a graph on the reference kernels: in float64, simple rather than fast.
 * `feeds` are keyed by input name, results by output name. A dim is read from the feeds if some input has it as a bare
 * variable, and from `bindings` otherwise. Throws if a feed is missing or its shape is not the input's.
 */
export function interpret(
  graph: Graph,
  feeds: ReadonlyMap<string, TensorData>,
  weights: (path: string, shape: readonly number[]) => TensorData,
  bindings: ReadonlyMap<string, number> = new Map(),
): Map<string, TensorData> {
  const dims = bindFromFeeds(graph, feeds, bindings);
  const at = sizeIn(dims);
  const values = new Map<Value, TensorData>();
  const run = (node: Node): readonly TensorData[] => {
    if (node.op === 'input') return [feed(feeds, node.attributes.name)];
    if (node.op === 'weight') {
      const { dtype, shape } = node.outputs[0].type;
      const tensor = weights(
        node.attributes.path,
        shape.map((dim) => evaluate(dim, at)),
      );
      return [{ ...tensor, dtype }];
    }
    const inputs = node.inputs.map((input) => values.get(input)!);
    return runNode(
      node.op,
      inputs,
      mapDims(node.op, node.attributes, (dim) => constant(evaluate(dim, at))),
    );
  };
  const dying = lastUses(graph);
  for (const node of graph.nodes) {
    for (const [i, result] of run(node).entries()) values.set(node.outputs[i]!, result);
    for (const value of dying.get(node) ?? []) values.delete(value);
  }
  return new Map(graph.outputs.map(({ name, value }) => [name, values.get(value)!]));
}

/** Runs one operator on its reference kernel; dims in `attributes` must be constants. */
export function runNode(
  op: OpName,
  inputs: readonly TensorData[],
  attributes: OpAttributes[OpName],
): readonly TensorData[] {
  return (ops[op] as OpRow<OpName>).reference(inputs, attributes);
}

function bindFromFeeds(
  graph: Graph,
  feeds: ReadonlyMap<string, TensorData>,
  bindings: ReadonlyMap<string, number>,
): Map<string, number> {
  const dims = new Map(bindings);
  for (const { name, value } of graph.inputs) {
    const { shape } = feed(feeds, name);
    if (shape.length !== value.type.shape.length)
      throw new Error(`input ${name} is [${shape.join(', ')}], wanted ${value.type.shape.length} axes`);
    for (const [axis, dim] of value.type.shape.entries()) {
      const variable = asVariable(dim);
      if (variable !== undefined && !dims.has(variable)) dims.set(variable, shape[axis]!);
    }
  }
  for (const { name, value } of graph.inputs) {
    const { shape } = feed(feeds, name);
    const wanted = value.type.shape.map((dim) => evaluate(dim, sizeIn(dims)));
    if (wanted.some((size, axis) => size !== shape[axis]))
      throw new Error(`input ${name} is [${shape.join(', ')}], wanted [${wanted.join(', ')}]`);
  }
  return dims;
}

function sizeIn(dims: ReadonlyMap<string, number>): (name: string) => number {
  return (name) => {
    const size = dims.get(name);
    if (size === undefined) throw new Error(`the dim ${name} is known neither from the feeds nor from the bindings`);
    return size;
  };
}

function feed(feeds: ReadonlyMap<string, TensorData>, name: string): TensorData {
  const tensor = feeds.get(name);
  if (tensor === undefined) throw new Error(`input ${name} is not fed`);
  return tensor;
}
