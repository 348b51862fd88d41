import type { OnnxGraph, OnnxNode } from './model.ts';

/** A shape as far as it is known; the rank always is. */
export type PartialShape = readonly (number | undefined)[];

/**
 * Returns what onnxruntime would infer of the shapes of values by name if the results of Reshapes had known ranks and
 * unknown sizes. Behind other operators that are not followed, sizes are unknown as well. All sizes of `graph.inputs`
 * and `graph.values` must be numbers.
 */
export function inferredShapes(graph: OnnxGraph): ReadonlyMap<string, PartialShape> {
  const real = new Map(graph.values.map(({ name, shape }) => [name, shape]));
  const shapes = new Map<string, PartialShape>(graph.initialisers.map(({ name, dims }) => [name, dims]));
  const stored = new Map(
    graph.initialisers.flatMap(({ name, dtype, source }) =>
      dtype === 'i64' && source.kind === 'data' ? [[name, Array.from(source.tensor.data, Number)]] : [],
    ),
  );
  for (const { name, shape } of graph.inputs) shapes.set(name, shape.map(sizeOf));
  for (const node of graph.nodes) {
    const given = node.inputs.map((name) => shapes.get(name) ?? []);
    for (const [i, name] of node.outputs.entries()) {
      const shape = real.get(name);
      if (shape === undefined) continue;
      const known = knownAxes(node, given, i, stored);
      shapes.set(
        name,
        known.length === shape.length
          ? shape.map((size, axis) => (known[axis] ? sizeOf(size) : undefined))
          : none(shape),
      );
    }
  }
  return shapes;
}

/** For each axis of a result, whether its size is known; empty where it is not followed. */
function knownAxes(
  { op, inputs, attributes }: OnnxNode,
  given: readonly PartialShape[],
  index: number,
  stored: ReadonlyMap<string, readonly number[]>,
): boolean[] {
  const [first = [], second = []] = given;
  if (elementwise.has(op)) return broadcast(given);
  if (unary.has(op)) return index === 0 ? first.map(isKnown) : [];
  const at = attributes.axis?.kind === 'int' ? attributes.axis.value : 0;
  const axis = at < 0 ? at + first.length : at;
  switch (op) {
    case 'MatMul':
      if (first.length < 2 || second.length < 2) return [];
      return [...broadcast([first.slice(0, -2), second.slice(0, -2)]), isKnown(first.at(-2)), isKnown(second.at(-1))];
    case 'Transpose':
      return attributes.perm?.kind === 'ints' ? attributes.perm.value.map((from) => isKnown(first[from])) : [];
    case 'Concat':
      return first.map((_, i) => (i === axis ? given.every((x) => isKnown(x[i])) : given.some((x) => isKnown(x[i]))));
    case 'Split':
      return first.map(isKnown);
    case 'Gather':
      return first.flatMap((size, i) => (i === axis ? second.map(isKnown) : [isKnown(size)]));
    case 'Expand': {
      const target = stored.get(inputs[1] ?? '');
      return target === undefined ? [] : broadcast([first, target]);
    }
    case 'Conv':
    case 'ConvTranspose':
    case 'Pad':
    case 'Slice':
      return first.every(isKnown) && second.every(isKnown) ? first.map(() => true) : [];
    case 'ReduceMax':
    case 'ReduceMean':
    case 'ReduceSum': {
      const kept = attributes.keepdims?.kind !== 'int' || attributes.keepdims.value !== 0;
      const axes = stored.get(inputs[1] ?? '')?.map((i) => (i < 0 ? i + first.length : i));
      if (axes === undefined) return [];
      return first.flatMap((size, i) => (!axes.includes(i) ? [isKnown(size)] : kept ? [true] : []));
    }
    default:
      return [];
  }
}

/** An unknown size and one that is not 1 give the latter, because the operands fit. */
function broadcast(shapes: readonly PartialShape[]): boolean[] {
  const rank = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = shapes.flatMap((shape) => (i < rank - shape.length ? [] : [shape[i - rank + shape.length]]));
    return sizes.every(isKnown) || sizes.some((size) => size !== undefined && size !== 1);
  });
}

const isKnown = (size: number | undefined): boolean => size !== undefined;

const none = (shape: readonly unknown[]): PartialShape => shape.map(() => undefined);

function sizeOf(size: number | string | undefined): number {
  if (typeof size !== 'number') throw new Error(`bug in crobc: the size ${size} is not known`);
  return size;
}

const elementwise = new Set('Add Sub Mul Div Pow Max Min Sum Where Less LessOrEqual Equal'.split(' '));
const unary = new Set(
  'Abs Cast Cos Erf Exp Floor Gelu Identity LayerNormalization LogSoftmax Neg Relu Sigmoid Sin Softmax Softplus Sqrt Tanh'.split(
    ' ',
  ),
);
