import { Builder } from '../graphs/builder.ts';
import { finish } from '../graphs/rebuild.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';
import type { HalfType } from '../ir/types.ts';
import { rowOf } from '../ops/table.ts';
import { isHalf } from '../ops/typing.ts';

/**
 * Computes a graph of half precision in f32 and rounds each result to half precision, for devices without kernels of
 * this type. The numbers are those that a device of half precision has which sums products in f32, except where it rounds
 * inside an operator. Inputs and outputs must not be in half precision.
 */
export function emulateHalf(graph: Graph): Graph {
  const build = new Builder(graph.facts);
  const now = new Map<Value, Value>();
  for (const node of graph.nodes) {
    build.origin = node.origin;
    const results = emulated(build, node, (input) => now.get(input)!);
    for (const [i, output] of node.outputs.entries()) now.set(output, results[i]!);
  }
  const inputs = graph.inputs.map((input) => ({ ...input, value: now.get(input.value)! }));
  const outputs = graph.outputs.map((output) => ({ ...output, value: now.get(output.value)! }));
  return finish({ ...graph, inputs, outputs }, build.nodes);
}

function emulated(build: Builder, node: Node, now: (value: Value) => Value): readonly Value[] {
  const [output] = node.outputs;
  const { dtype } = output.type;
  if (node.op === 'input') {
    if (isHalf(dtype)) throw new Error(`bug in crobc: an input of an emulated graph is ${dtype}`);
    return build.copy(node, []);
  }
  if (node.op === 'weight')
    return isHalf(dtype)
      ? [rounded(build, build.weight(node.attributes, { ...output.type, dtype: 'f32' }), dtype)]
      : build.copy(node, []);
  const inputs = node.inputs.map(now);
  if (node.op === 'cast') {
    const from = node.inputs[0].type.dtype;
    if (isHalf(from) && dtype === 'f32') return [inputs[0]!];
    if (isHalf(dtype)) return [rounded(build, inputs[0]!, dtype)];
  }
  if (!isHalf(dtype)) return build.copy(node, inputs);
  if (node.op === 'full')
    return [rounded(build, build.full(node.attributes.value, 'f32', node.attributes.shape), dtype)];
  if (node.op === 'constant')
    return [rounded(build, build.constant({ ...node.attributes.tensor, dtype: 'f32' }), dtype)];
  const results = build.copy(node, inputs);
  return isExact(node) ? results : results.map((result) => rounded(build, result, dtype));
}

function rounded(build: Builder, value: Value, type: HalfType): Value {
  return build.cast(build.cast(value, type), 'f32');
}

/** Whether each element of the result is an element of an operand, or one with another sign. */
function isExact(node: Node): boolean {
  switch (node.op) {
    case 'neg':
    case 'abs':
    case 'relu':
    case 'max':
    case 'min':
    case 'select':
    case 'gather':
    case 'barrier':
      return true;
    default:
      return rowOf(node)?.elements === 'moved' || rowOf(node)?.memory === 'same';
  }
}
