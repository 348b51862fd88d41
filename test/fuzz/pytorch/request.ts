import { constant, type Dim, evaluate } from '../../../compiler/dims/dim.ts';
import { runNode } from '../../../compiler/graphs/interpret.ts';
import { attributesOf } from '../../../compiler/ir/attributes.ts';
import type { Node, Value } from '../../../compiler/ir/graph.ts';
import type { TensorData, TensorType } from '../../../compiler/ir/types.ts';

/** What `evaluate.py` is sent. */
export interface Request {
  readonly text: string;
  readonly data: Uint8Array;
}

export interface Asked {
  /** In topological order, with everything that the values below need. */
  readonly nodes: readonly Node[];
  readonly outputs: readonly Value[];
  /** Of which gradients are asked for: f32[]. */
  readonly loss: Value | undefined;
  /** Elements of inputs and weights. */
  given(node: Node): TensorData;
  /** Whether the gradient of an input or weight is asked for. */
  learns(node: Node): boolean;
  size(name: string): number;
}

/** Gradients come in the order of the nodes that learn. */
export function requestOf({ nodes, outputs, loss, given, learns, size }: Asked): Request {
  const numbers = new Map<Value, number>();
  const parts: Float64Array[] = [];
  let from = 0;
  const sizes = (shape: readonly Dim[]) => shape.map((dim) => evaluate(dim, size));
  const typeOf = ({ dtype, shape }: TensorType) => ({ dtype, shape: sizes(shape) });
  const described = nodes.map((node) => {
    const held = elementsOf(node, given, sizes);
    const attributes = held ? {} : Object.fromEntries(attributesOf(node.op, node.attributes).map(plain(sizes)));
    const inputs = node.inputs.map((input) => numbers.get(input));
    for (const output of node.outputs) numbers.set(output, numbers.size);
    const types = node.outputs.map(({ type }) => typeOf(type));
    const one = { op: node.op, attributes, inputs, types };
    if (!held) return one;
    parts.push(Float64Array.from(held.data));
    from += held.data.length;
    return { ...one, from: from - held.data.length, learns: learns(node) };
  });
  const data = new Float64Array(from);
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  const text = JSON.stringify({
    nodes: described,
    outputs: outputs.map((output) => numbers.get(output)),
    loss: loss === undefined ? null : numbers.get(loss),
  });
  return { text, data: new Uint8Array(data.buffer) };
}

/** What is given and not computed; draws are those of the reference kernel. */
function elementsOf(
  node: Node,
  given: Asked['given'],
  sizes: (shape: readonly Dim[]) => readonly number[],
): TensorData | undefined {
  if (node.op === 'input' || node.op === 'weight') return given(node);
  if (node.op === 'constant') return node.attributes.tensor;
  if (node.op === 'uniform')
    return runNode('uniform', [], { ...node.attributes, shape: sizes(node.attributes.shape).map(constant) })[0];
  return undefined;
}

/** An attribute as JSON: dims are numbers, and numbers that JSON does not have are texts. */
const plain =
  (sizes: (shape: readonly Dim[]) => readonly number[]) =>
  ({ name, kind, value }: ReturnType<typeof attributesOf>[number]): readonly [string, unknown] => {
    switch (kind) {
      case 'dim':
        return [name, sizes([value])[0]];
      case 'dims':
        return [name, sizes(value)];
      case 'number':
        return [name, Number.isFinite(value) && !Object.is(value, -0) ? value : exactly(value)];
      case 'numbers':
      case 'boolean':
      case 'text':
      case 'dtype':
        return [name, value];
      case 'tensor':
      case 'init':
        throw new Error(`${name} is given as elements`);
    }
  };

const exactly = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));
