import { asConstant, constant, type Dim } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { Builder } from '../graphs/builder.ts';
import { runNode } from '../graphs/interpret.ts';
import { rewrite } from '../graphs/rebuild.ts';
import { attributesOf, mapDims } from '../ir/attributes.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';
import type { OpName } from '../ir/names.ts';
import { uniformValue } from '../ir/tensor-data.ts';
import type { DType, TensorData } from '../ir/types.ts';
import { rowNumbersOf } from '../ops/table.ts';
import { representable } from '../ops/typing.ts';

/** Larger results are computed at run time: they cost more to store and load than to compute. */
const mostElements = 2 ** 24;

/**
 * Computes values that depend only on constants, on the reference kernels. `full`, `iota` and `broadcast` stay if a
 * non-constant node reads them, and a tensor whose elements are all one number becomes `full`. Nodes with an index out
 * of range stay, so that the run reports them; so do nodes whose results the dtype cannot hold.
 */
export function foldConstants(graph: Graph): Graph {
  const outOfRange = new Set<Node>();
  for (;;) {
    const before = outOfRange.size;
    const folded = foldWithout(graph, outOfRange);
    if (outOfRange.size === before) return folded;
  }
}

/** Adds nodes that it could not compute to `outOfRange`; the result may only be used if it adds none. */
function foldWithout(graph: Graph, outOfRange: Set<Node>): Graph {
  const foldable = findFoldable(graph, outOfRange);
  const wanted = findWanted(graph, foldable);
  const left = outOfRange.size;
  const evaluate = evaluator(graph.facts, foldable, wanted, outOfRange);
  return rewrite(graph, (node, inputs, build) => {
    if (!foldable.has(node)) return undefined;
    const read = node.outputs.some((output) => wanted.asNode.has(output));
    const data = evaluate(node);
    if (!read || outOfRange.size > left) return node.outputs;
    if (isGenerator(node)) return node.op === 'dim' ? [staticDim(node, build)] : undefined;
    return node.outputs.map((output, i) => asNode(node, inputs, output, data?.[i], build));
  });
}

function staticDim(node: Node & { readonly op: 'dim' }, build: Builder): Value {
  return build.full(asConstant(build.facts.normalize(node.attributes.value))!, 'i32', []);
}

function asNode(
  node: Node,
  inputs: readonly Value[],
  output: Value,
  data: TensorData | undefined,
  build: Builder,
): Value {
  if (data === undefined) throw new Error(`bug in crobc: ${node.op} was not folded`);
  const number = uniformValue(data);
  if (number !== undefined) return build.full(asStored(number, data.dtype), data.dtype, output.type.shape);
  return node.op === 'constant' ? build.copy(node, inputs)[0] : build.constant(data);
}

/**
 * Rounds a number that was folded in float64: a number beyond the range of float32 becomes infinite, as at run time.
 */
function asStored(number: number, dtype: DType): number {
  return dtype === 'f32' && !representable(number, dtype) ? Math.fround(number) : number;
}

/** Operators whose results are cheaper to compute than to store. */
function isGenerator(node: Node): boolean {
  return node.op === 'full' || node.op === 'iota' || node.op === 'dim' || node.op === 'broadcast';
}

/** Returns the nodes that depend only on constants and have known sizes. */
function findFoldable(graph: Graph, outOfRange: ReadonlySet<Node>): Set<Node> {
  const foldable = new Set<Node>();
  const isStatic = (dim: Dim): boolean => size(graph.facts, dim) !== undefined;
  for (const node of graph.nodes) {
    if (node.op === 'input' || node.op === 'weight' || node.op === 'uniform' || outOfRange.has(node)) continue;
    if (!node.inputs.every((input) => foldable.has(input.node))) continue;
    if (
      !node.outputs.every(({ type }) => type.shape.every(isStatic) && elements(graph.facts, type.shape) <= mostElements)
    )
      continue;
    if (node.op === 'dim' && !representable(size(graph.facts, node.attributes.value) ?? 0, 'i32')) continue;
    const dims = attributesOf(node.op, node.attributes).flatMap(({ kind, value }) =>
      kind === 'dim' ? [value] : kind === 'dims' ? value : [],
    );
    if (dims.every(isStatic)) foldable.add(node);
  }
  return foldable;
}

function size(facts: Facts, dim: Dim): number | undefined {
  return asConstant(dim) ?? asConstant(facts.normalize(dim));
}

function elements(facts: Facts, shape: readonly Dim[]): number {
  return shape.reduce((product, dim) => product * size(facts, dim)!, 1);
}

interface Wanted {
  /** Foldable values that stay as nodes because a non-foldable node reads them. */
  readonly asNode: ReadonlySet<Value>;
  /** The number of readers that need the elements of a foldable node. */
  readonly asData: ReadonlyMap<Node, number>;
}

function findWanted(graph: Graph, foldable: ReadonlySet<Node>): Wanted {
  const asNode = new Set<Value>();
  const asData = new Map<Node, number>();
  const keep = (value: Value): void => {
    if (foldable.has(value.node)) asNode.add(value);
  };
  for (const output of graph.outputs) keep(output.value);
  for (const node of [...graph.nodes].reverse()) {
    if (!foldable.has(node)) {
      node.inputs.forEach(keep);
      continue;
    }
    const kept = node.outputs.some((output) => asNode.has(output));
    if (kept && node.op === 'broadcast') node.inputs.forEach(keep);
    const computed = asData.has(node) || (kept && !isGenerator(node));
    if (computed) for (const { node: from } of node.inputs) asData.set(from, (asData.get(from) ?? 0) + 1);
    if (kept && !isGenerator(node)) asData.set(node, (asData.get(node) ?? 0) + 1);
  }
  return { asNode, asData };
}

/** Evaluates nodes in topological order and frees results after their last reader. */
function evaluator(facts: Facts, foldable: ReadonlySet<Node>, wanted: Wanted, outOfRange: Set<Node>) {
  const results = new Map<Node, readonly TensorData[]>();
  const readers = new Map(wanted.asData);
  const release = (node: Node): void => {
    const left = readers.get(node)! - 1;
    readers.set(node, left);
    if (left === 0) results.delete(node);
  };
  const known = (dim: Dim): Dim => constant(size(facts, dim)!);
  return (node: Node): readonly TensorData[] | undefined => {
    if (!wanted.asData.has(node)) return undefined;
    const inputs = node.inputs.flatMap((input) => results.get(input.node)?.[input.index] ?? []);
    if (inputs.length < node.inputs.length) return undefined;
    if (hasIndexOutOfRange(node, inputs, facts)) {
      outOfRange.add(node);
      return undefined;
    }
    const data =
      node.op === 'constant'
        ? [node.attributes.tensor]
        : runNode(node.op as OpName, inputs, mapDims(node.op as OpName, node.attributes as never, known));
    if (!data.every(isHeld)) {
      outOfRange.add(node);
      return undefined;
    }
    results.set(node, data);
    for (const input of node.inputs) if (foldable.has(input.node)) release(input.node);
    return data;
  };
}

/**
 * i64 is computed in float64, so a result that float64 does not hold exactly, such as a cast of a large float, is
 * unknown.
 */
function isHeld({ dtype, data }: TensorData): boolean {
  return dtype !== 'i64' || data.every((x) => representable(x, dtype));
}

function hasIndexOutOfRange(node: Node, inputs: readonly TensorData[], facts: Facts): boolean {
  const numbers = rowNumbersOf(node);
  if (numbers === undefined) return false;
  const index = inputs[numbers.input];
  const rows = size(facts, numbers.rows);
  return rows === undefined || index === undefined || !index.data.every((row) => row >= 0 && row < rows);
}
