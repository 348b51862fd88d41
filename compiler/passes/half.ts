import { asConstant, product } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import { Builder } from '../graphs/builder.ts';
import { finish } from '../graphs/rebuild.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';
import type { HalfType } from '../ir/types.ts';
import { computesInF32 } from '../ops/row.ts';
import { rowOf } from '../ops/table.ts';
import { isFloat } from '../ops/typing.ts';
import { castRules } from './casts.ts';
import { applyRules } from './rule.ts';

const largest = 65504;
/** The smallest normal number of f16; smaller numbers lose bits. */
const smallest = 2 ** -14;

/** How a graph is converted to half precision. */
export interface Halving {
  readonly type: HalfType;
  /**
   * Undefined for inference: weights are stored in half precision, and what is computed from a value in half precision
   * and one in f32 is in half precision.
   */
  readonly training?: MixedPrecision;
}

/**
 * The rules of training, which are those of PyTorch's autocast: what is computed from a value in half precision and one
 * in f32 is f32, as in a sum of a product and a residual. Weights, and what views and arithmetic make of them alone, take
 * the precision of the other operands.
 */
export interface MixedPrecision {
  /** Inputs that are weights, which stay f32 and are cast where they are read, once in a graph. */
  readonly weights: ReadonlySet<Value>;
  /** Weights that are read in f32. */
  readonly kept: ReadonlySet<Value>;
  /** Nodes that compute in f32. */
  readonly precise: ReadonlySet<Node>;
}

/**
 * Converts a graph to half precision: matrix products and convolutions run in f16 or bf16, and so does what is computed
 * between them from their results. Normalisations, softmax, reductions and positions are computed in f32, and inputs,
 * outputs and weights marked `keepF32` stay f32.
 */
export function toHalf(graph: Graph, halving: Halving): Graph {
  const build = new Builder(graph.facts);
  const outputsOf = converter(graph, build, halving);
  const inputs: Graph['inputs'][number][] = [];
  const now = new Map<Value, Value>();
  for (const node of graph.nodes) {
    build.origin = node.origin;
    const results = outputsOf.node(node, (input) => now.get(input)!);
    for (const [i, output] of node.outputs.entries()) now.set(output, results[i]!);
  }
  const outputs = graph.outputs.map((output) => {
    build.origin = output.value.node.origin;
    return { ...output, value: outputsOf.as(now.get(output.value)!, output.value.type.dtype) };
  });
  for (const input of graph.inputs) inputs.push({ ...input, value: now.get(input.value)! });
  return applyRules(finish({ ...graph, inputs, outputs }, build.nodes), castRules);
}

type FloatType = 'f32' | HalfType;

function converter(graph: Graph, build: Builder, { type, training }: Halving) {
  const positions = findPositions(graph);
  const readers = readersOf(graph);
  const casts = new Map<Value, Value>();
  // Values that may exceed the range of f16, such as a mask of -1e9, and values computed from them. They stay f32 up to
  // a softmax or another operator with bounded results. bf16 has the range of f32.
  const large = new Set<Value>();
  // Weights marked `keepF32`, and values made from them and constants alone; nodes that read them compute in f32.
  const kept = new Set<Value>();
  // In training, weights and values made from them and constants alone.
  const ofWeights = new Set<Value>();
  const isLarge = (value: Value) => large.has(value) || (type === 'f16' && isBeyond(value, 'large'));

  const as = (value: Value, dtype: Value['type']['dtype']): Value => {
    if (!isFloat(value.type.dtype) || !isFloat(dtype) || value.type.dtype === dtype) return value;
    let cast = casts.get(value);
    if (cast === undefined) {
      cast = converted(value, dtype);
      casts.set(value, cast);
    }
    return cast;
  };

  /** Constants are rewritten in the other precision, other values are cast; views of a weight are made of its cast. */
  const converted = (value: Value, dtype: FloatType): Value => {
    const { node } = value;
    if (node.op === 'full') return build.full(node.attributes.value, dtype, node.attributes.shape);
    if (node.op === 'constant') return build.constant({ ...node.attributes.tensor, dtype });
    if (ofWeights.has(value) && (node.op === 'reshape' || node.op === 'transpose'))
      return build.copy(node, [as(node.inputs[0], dtype)])[0];
    // Rows that are taken several times are cast before, which gives the same numbers.
    if (dtype === 'f32' && node.op === 'gather' && isLess(build.facts, node.inputs[0], value))
      return build.copy(node, [as(node.inputs[0], dtype), node.inputs[1]])[0];
    return build.cast(value, dtype);
  };

  const weight = (node: Extract<Node, { op: 'weight' }>): readonly Value[] => {
    const { attributes, outputs } = node;
    const isPrecise = (reader: Node) => computesInF32(rowOf(reader));
    const stays =
      attributes.keepF32 || outputs[0].type.dtype !== 'f32' || (readers.get(outputs[0]) ?? []).every(isPrecise);
    const value = build.weight(attributes, stays ? outputs[0].type : { ...outputs[0].type, dtype: type });
    if (attributes.keepF32) kept.add(value);
    return [value];
  };

  /** Returns the precision of a node's float operands. */
  const precisionOf = (node: Node, inputs: readonly Value[]): FloatType => {
    const row = rowOf(node);
    if (inputs.some((input) => kept.has(input) || isLarge(input))) return 'f32';
    if (training?.precise.has(node) || (type === 'bf16' && row?.bf16 === 'f32')) return 'f32';
    if (computesInF32(row)) return 'f32';
    if (row?.half === 'half') return type;
    if (node.outputs.some((output) => positions.has(output))) return 'f32';
    if (inputs.some((input) => isBeyond(input, 'small'))) return 'f32';
    // Constants do not count: they take the precision of the other operands. Neither does what a barrier waits for.
    const operands = node.op === 'barrier' ? inputs.slice(0, 1) : inputs;
    const computed = operands.filter(
      (input) => isFloat(input.type.dtype) && !isConstant(input) && !ofWeights.has(input),
    );
    const isHalf = ({ type: { dtype } }: Value) => dtype === type;
    const half = training ? computed.length > 0 && computed.every(isHalf) : computed.some(isHalf);
    return half ? type : 'f32';
  };

  /** Whether the results of a node that computes in f32 are in half precision. */
  const isRounded = (node: Node, inputs: readonly Value[]): boolean =>
    rowOf(node)?.half === 'f32 inside' &&
    training === undefined &&
    inputs[0]?.type.dtype === type &&
    !inputs.some((input) => kept.has(input)) &&
    !node.outputs.some((output) => positions.has(output));

  const node = (node: Node, now: (value: Value) => Value): readonly Value[] => {
    if (node.op === 'input') {
      build.copy(node, []);
      const [value] = node.outputs;
      if (training?.weights.has(value)) ofWeights.add(value);
      if (training?.kept.has(value)) kept.add(value);
      return [value];
    }
    if (node.op === 'weight') return weight(node);
    const inputs = node.inputs.map(now);
    const dtype = precisionOf(node, inputs);
    const [, signal] = inputs;
    const operands = inputs.map((input) => (node.op === 'barrier' && input === signal ? input : as(input, dtype)));
    const results = build.copy(node, operands).map((result) => {
      if (!isRounded(node, inputs)) return result;
      const rounded = as(result, type);
      // What computes in f32 reads the result itself.
      casts.set(rounded, result);
      return rounded;
    });
    const madeOf = (values: ReadonlySet<Value>) =>
      inputs.some((input) => values.has(input)) && inputs.every((input) => values.has(input) || isConstant(input));
    const staysLarge = !rowOf(node)?.bounded && inputs.some(isLarge);
    const staysKept = madeOf(kept);
    const staysOfWeights = node.op !== 'gather' && rowOf(node)?.elements !== 'new' && madeOf(ofWeights);
    for (const result of results) {
      if (staysLarge && isFloat(result.type.dtype)) large.add(result);
      if (staysKept) kept.add(result);
      if (staysOfWeights) ofWeights.add(result);
    }
    return results;
  };

  return { node, as };
}

function isConstant({ node }: Value): boolean {
  return node.op === 'full' || node.op === 'constant';
}

/**
 * Whether a value is a constant that f16 cannot hold: as large as a mask of -1e9, or as small as an epsilon of 1e-6,
 * which bf16 can hold, but not add to a number near 1.
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
function findPositions(graph: Graph): Set<Value> {
  const found = new Set<Value>();
  for (const node of [...graph.nodes].reverse()) {
    if (node.op === 'grid_sample') found.add(node.inputs[1]!);
    else if (node.op === 'cast' && !isFloat(node.attributes.dtype)) found.add(node.inputs[0]!);
    else if (node.op !== 'input' && node.op !== 'weight' && carriesPrecision(node))
      if (node.outputs.some((output) => found.has(output))) for (const input of node.inputs) found.add(input);
  }
  return found;
}

function carriesPrecision(node: Node): boolean {
  const elements = rowOf(node)?.elements;
  return elements === 'own' || elements === 'moved';
}

/** Whether a value is known to have fewer elements than another. */
function isLess(facts: Facts, value: Value, other: Value): boolean {
  const [a, b] = [value, other].map(({ type }) => asConstant(facts.normalize(product(type.shape))));
  return a !== undefined && b !== undefined && a < b;
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
