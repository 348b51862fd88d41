import { Builder } from '../graphs/builder.ts';
import { finish } from '../graphs/rebuild.ts';
import type { Graph, Node, Value, WeightAttributes } from '../ir/graph.ts';
import type { DType } from '../ir/types.ts';
import { rowOf } from '../ops/table.ts';
import { castRules } from './casts.ts';
import { applyRules } from './rule.ts';

const largest = 65504;
/** The smallest normal number of half precision; smaller numbers lose bits. */
const smallest = 2 ** -14;

/**
 * Converts a graph to half precision: matrix products and convolutions run in f16, and so does what is computed between
 * them from their results. Normalisations, softmax, reductions and positions stay f32, and so do inputs, outputs and
 * weights marked `keepF32`.
 */
export function toHalf(graph: Graph): Graph {
  const build = new Builder(graph.facts);
  const precise = findPrecise(graph);
  const readers = readersOf(graph);
  const now = new Map<Value, Value>();
  const casts = new Map<Value, Value>();
  // Values that may exceed the range of half precision, such as a mask of -1e9, and values computed from them. They
  // stay f32 up to a softmax or another operator with bounded results.
  const large = new Set<Value>();
  // Weights marked `keepF32`, and values made from them and constants alone; nodes that read them compute in f32.
  const kept = new Set<Value>();

  const as = (value: Value, dtype: DType): Value => {
    if (!isFloat(value.type.dtype) || value.type.dtype === dtype) return value;
    let cast = casts.get(value);
    if (cast === undefined) {
      cast = converted(build, value, dtype);
      casts.set(value, cast);
    }
    return cast;
  };

  for (const node of graph.nodes) {
    build.origin = node.origin;
    if (node.op === 'input') {
      build.copy(node, []);
      now.set(node.outputs[0], node.outputs[0]);
      continue;
    }
    if (node.op === 'weight') {
      const weight = weightIn(build, node.attributes, node.outputs[0], readers.get(node.outputs[0]) ?? []);
      now.set(node.outputs[0], weight);
      if (node.attributes.keepF32) kept.add(weight);
      continue;
    }
    const inputs = node.inputs.map((input) => now.get(input)!);
    const isWide = inputs.some((input) => kept.has(input) || large.has(input) || isBeyond(input, 'large'));
    const dtype = isWide ? 'f32' : precisionOf(node, inputs, precise);
    const results = build.copy(
      node,
      inputs.map((input) => as(input, dtype)),
    );
    const isKept =
      inputs.some((input) => kept.has(input)) && inputs.every((input) => kept.has(input) || isConstant(input));
    const isLarge = !rowOf(node)?.bounded && inputs.some((input) => large.has(input) || isBeyond(input, 'large'));
    for (const [i, output] of node.outputs.entries()) {
      now.set(output, results[i]!);
      if (isLarge && isFloat(output.type.dtype)) large.add(results[i]!);
      if (isKept) kept.add(results[i]!);
    }
  }
  const outputs = graph.outputs.map((output) => {
    build.origin = output.value.node.origin;
    return { ...output, value: as(now.get(output.value)!, output.value.type.dtype) };
  });
  const inputs = graph.inputs.map((input) => ({ ...input, value: now.get(input.value)! }));
  return applyRules(finish({ ...graph, inputs, outputs }, build.nodes), castRules);
}

function isFloat(dtype: DType): boolean {
  return dtype === 'f32' || dtype === 'f16';
}

/** Converts a value: constants are rewritten in the other precision, other values are cast. */
function converted(build: Builder, value: Value, dtype: DType): Value {
  const { node } = value;
  if (node.op === 'full') return build.full(node.attributes.value, dtype, node.attributes.shape);
  if (node.op === 'constant') return build.constant({ ...node.attributes.tensor, dtype });
  return build.cast(value, dtype);
}

/** Emits a weight as f16 unless it is marked `keepF32` or only f32 operators read it. */
function weightIn(build: Builder, attributes: WeightAttributes, value: Value, readers: readonly Node[]): Value {
  const stays =
    attributes.keepF32 || value.type.dtype !== 'f32' || readers.every((reader) => rowOf(reader)?.half === 'f32');
  return build.weight(attributes, stays ? value.type : { ...value.type, dtype: 'f16' });
}

/** Returns the precision of a node's float operands. */
function precisionOf(node: Node, inputs: readonly Value[], precise: ReadonlySet<Value>): DType {
  const own = rowOf(node)?.half;
  if (own === 'f16') return 'f16';
  if (own === 'f32' || node.outputs.some((output) => precise.has(output))) return 'f32';
  if (inputs.some((input) => isBeyond(input, 'small'))) return 'f32';
  // Constants do not count: they take the precision of the other operands.
  const computed = inputs.filter((input) => isFloat(input.type.dtype) && !isConstant(input));
  return computed.some((input) => input.type.dtype === 'f16') ? 'f16' : 'f32';
}

function isConstant({ node }: Value): boolean {
  return node.op === 'full' || node.op === 'constant';
}

/**
 * Whether a value is a constant that half precision cannot hold: as large as a mask of -1e9, or as small as an epsilon
 * of 1e-6.
 */
function isBeyond({ node }: Value, side: 'large' | 'small'): boolean {
  if (node.op === 'full') return isFloat(node.attributes.dtype) && isLost(node.attributes.value, side);
  if (node.op !== 'constant' || !isFloat(node.attributes.tensor.dtype)) return false;
  const { data } = node.attributes.tensor;
  for (let i = 0; i < data.length; i++) if (isLost(data[i]!, side)) return true;
  return false;
}

function isLost(x: number, side: 'large' | 'small'): boolean {
  const size = Math.abs(x);
  return side === 'large' ? size > largest && size !== Number.POSITIVE_INFINITY : size < smallest && size > 0;
}

/**
 * Returns the positions: values that sampling points and integers are computed from, back to the last product or
 * reduction.
 */
function findPrecise(graph: Graph): Set<Value> {
  const precise = new Set<Value>();
  for (const node of [...graph.nodes].reverse()) {
    if (node.op === 'grid_sample') precise.add(node.inputs[1]!);
    else if (node.op === 'cast' && !isFloat(node.attributes.dtype)) precise.add(node.inputs[0]!);
    else if (node.op !== 'input' && node.op !== 'weight' && carriesPrecision(node))
      if (node.outputs.some((output) => precise.has(output))) for (const input of node.inputs) precise.add(input);
  }
  return precise;
}

function carriesPrecision(node: Node): boolean {
  const elements = rowOf(node)?.elements;
  return elements === 'own' || elements === 'moved';
}

function readersOf(graph: Graph): Map<Value, Node[]> {
  const readers = new Map<Value, Node[]>();
  for (const node of graph.nodes)
    for (const input of node.inputs) {
      const known = readers.get(input);
      if (known === undefined) readers.set(input, [node]);
      else known.push(node);
    }
  return readers;
}
