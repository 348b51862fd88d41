import type { Builder } from '../../../graphs/builder.ts';
import { rewrite } from '../../../graphs/rebuild.ts';
import type { Graph, Node, Value } from '../../../ir/graph.ts';
import type { HalfType } from '../../../ir/types.ts';

/**
 * Removes the casts around norms and softmax that take numbers in half precision and whose results are only read in half
 * precision, perhaps through views. This is for kernels that compute in float32 inside, whatever type their operands have;
 * then the results differ by the rounding of a norm's scale and shift alone. Returns the graph itself if there is none.
 */
export function withHalfNorms(graph: Graph): Graph {
  const halves = halfValues(graph);
  if (halves.size === 0) return graph;
  const weights = new Map<Value, Value>();
  return rewrite(graph, (node, inputs, build) => {
    const [from] = inputs;
    if (node.op === 'cast') return from!.type.dtype === node.attributes.dtype ? [from!] : undefined;
    const type = node.outputs.length === 1 ? halves.get(node.outputs[0]!) : undefined;
    if (type === undefined || !isNorm(node)) return undefined;
    const operand = from!.type.dtype === type ? from! : from!.node.inputs[0]!;
    const others = inputs.slice(1).map((one) => {
      const known = weights.get(one) ?? given(one, type, build);
      weights.set(one, known);
      return known;
    });
    return build.copy(node, [operand, ...others]);
  });
}

function isNorm({ op }: Node): boolean {
  return op === 'layer_norm' || op === 'softmax';
}

function isView(node: Node): boolean {
  switch (node.op) {
    case 'reshape':
    case 'transpose':
    case 'slice':
    case 'concat':
      return true;
    case 'pad':
      return node.attributes.value === 0;
    default:
      return false;
  }
}

/** The f32 results of norms, and views of them, that can be in half precision. */
function halfValues(graph: Graph): Map<Value, HalfType> {
  const halves = new Map<Value, HalfType>();
  for (const node of graph.nodes) {
    const type = isNorm(node) || isView(node) ? typeOf(node, halves) : undefined;
    if (type !== undefined) halves.set(node.outputs[0]!, type);
  }
  const readers = new Map<Value, Node[]>();
  for (const node of graph.nodes)
    for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node]);
  const results = new Set(graph.outputs.map(({ value }) => value));
  // A value that has to stay f32 makes what it is a view of, and the views that it is joined with, stay so.
  for (let size = -1; size !== halves.size; ) {
    size = halves.size;
    for (const node of graph.nodes.toReversed()) {
      const value = node.outputs[0]!;
      const type = halves.get(value);
      if (type === undefined) continue;
      const isReadAsHalf = (reader: Node) =>
        reader.op === 'cast' ? reader.attributes.dtype === type : halves.has(reader.outputs[0]!);
      if (results.has(value) || !(readers.get(value) ?? []).every(isReadAsHalf) || typeOf(node, halves) !== type)
        halves.delete(value);
    }
  }
  return halves;
}

/** The half precision in which a norm or view could compute: that of its operands. */
function typeOf(node: Node, halves: ReadonlyMap<Value, HalfType>): HalfType | undefined {
  if (node.outputs[0]!.type.dtype !== 'f32') return undefined;
  const of = (value: Value) => halves.get(value) ?? (isNorm(node) ? castFrom(value) : undefined);
  const [type, ...more] = (isNorm(node) ? node.inputs.slice(0, 1) : node.inputs).map(of);
  if (isNorm(node) && !node.inputs.slice(1).every(canRound)) return undefined;
  return more.every((one) => one === type) ? type : undefined;
}

function castFrom({ node }: Value): HalfType | undefined {
  const dtype = node.op === 'cast' ? node.inputs[0].type.dtype : undefined;
  return dtype === 'f16' || dtype === 'bf16' ? dtype : undefined;
}

/** Whether a scale or shift may be stored in half precision. */
function canRound({ node }: Value): boolean {
  return node.op === 'weight' ? !node.attributes.keepF32 : node.op === 'full' || node.op === 'constant';
}

function given({ node, type: { shape } }: Value, dtype: HalfType, build: Builder): Value {
  switch (node.op) {
    case 'weight':
      return build.weight(node.attributes, { dtype, shape });
    case 'full':
      return build.full(node.attributes.value, dtype, node.attributes.shape);
    case 'constant':
      return build.constant({ ...node.attributes.tensor, dtype });
    default:
      throw new Error(`bug in crobc: ${node.op} as the scale of a norm`);
  }
}
