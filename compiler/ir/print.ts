import { type Dim, print as printDim } from '../dims/dim.ts';
import type { Clause } from '../dims/facts.ts';
import { type Attribute, attributesOf } from './attributes.ts';
import { encodeBase64 } from './base64.ts';
import type { Graph, Guard, Node, Origin, Value } from './graph.ts';
import { encodeElements } from './tensor-data.ts';
import type { TensorData, TensorType } from './types.ts';

/** Constants with more elements are written as the base64 of their bytes. */
const inlineElements = 16;

/**
 * Returns a graph as text, one node per line: `%2 = matmul %0, %1 : f32[B, 8]  // path: label`. The text depends only
 * on the structure of the graph, and `read` returns the same graph, without spans. If `placeOf` is given, each line
 * ends with the node's place in the source, for human readers.
 */
export function print(graph: Graph, placeOf?: (origin: Origin) => string | undefined): string {
  const names = numberValues(graph.nodes);
  const lines = [
    `graph ${JSON.stringify(graph.name)} ${JSON.stringify(graph.docs)}`,
    ...graph.facts.clauses.map((clause) => `fact ${printClause(clause)}`),
    ...graph.guards.map((guard) => `guard ${JSON.stringify(guard.text)} ${printGuard(guard)}`),
    ...graph.nodes.map((node) => printNode(node, names) + printOrigin(node.origin, placeOf?.(node.origin))),
    ...graph.inputs.map(
      ({ name, value, docs }) => `input ${JSON.stringify(name)} = ${names.get(value)} ${JSON.stringify(docs)}`,
    ),
    ...graph.outputs.map(
      ({ name, value, docs }) => `output ${JSON.stringify(name)} = ${names.get(value)} ${JSON.stringify(docs)}`,
    ),
  ];
  return lines.join('\n') + '\n';
}

/** Returns the part of `print` that says what is computed, with nodes in the order in which the outputs reach them. */
export function printCanonical(graph: Graph): string {
  const nodes = depthFirst(graph);
  const names = numberValues(nodes);
  const lines = [
    ...graph.facts.clauses.map((clause) => `fact ${printClause(clause)}`).sort(),
    ...graph.guards.map((guard) => `guard ${printGuard(guard)}`).sort(),
    ...nodes.map((node) => printNode(node, names)),
    ...graph.inputs.map(({ name, value }) => `input ${JSON.stringify(name)} = ${names.get(value)}`),
    ...graph.outputs.map(({ name, value }) => `output ${JSON.stringify(name)} = ${names.get(value)}`),
  ];
  return lines.join('\n') + '\n';
}

export function printType(type: TensorType): string {
  return `${type.dtype}[${type.shape.map(printDim).join(', ')}]`;
}

/** Prints a node as one line without its origin. `names` must contain every value of the graph. */
export function printNode(node: Node, names: ReadonlyMap<Value, string>): string {
  const results = node.outputs.map((output) => names.get(output)).join(', ');
  const inputs = node.inputs.map((input) => names.get(input)).join(', ');
  const attributes = attributesOf(node.op, node.attributes).map(
    ({ name, ...rest }) => `${name}=${printAttribute(rest)}`,
  );
  const types = node.outputs.map((output) => printType(output.type)).join(', ');
  return [results, '=', node.op, inputs, ...attributes, ':', types].filter((part) => part !== '').join(' ');
}

export function numberValues(nodes: readonly Node[]): Map<Value, string> {
  const names = new Map<Value, string>();
  for (const node of nodes) for (const output of node.outputs) names.set(output, `%${names.size}`);
  return names;
}

function printClause(clause: Clause): string {
  switch (clause.kind) {
    case 'eq':
      return `${printDim(clause.left)} == ${printDim(clause.right)}`;
    case 'le':
      return `${printDim(clause.left)} <= ${printDim(clause.right)}`;
    case 'lt':
      return `${printDim(clause.left)} < ${printDim(clause.right)}`;
    case 'mod':
      return `${printDim(clause.value)} mod ${clause.modulus} == ${clause.remainder}`;
  }
}

function printGuard({ left, relation, right, remainder }: Guard): string {
  if (relation === '%') return `${printDim(left)} mod ${printDim(right)} == ${remainder ?? 0}`;
  return `${printDim(left)} ${relation} ${printDim(right)}`;
}

/** `read` needs the colon before a label; a human reader does not. */
function printOrigin({ path, label }: Origin, place: string | undefined): string {
  const name = label === '' ? path : path === '' && place !== undefined ? label : `${path}: ${label}`;
  const parts = [name, place ?? ''].filter((part) => part !== '');
  return parts.length === 0 ? '' : `  // ${parts.join('  ')}`;
}

function printAttribute(attribute: Omit<Attribute, 'name'>): string {
  const { kind, value } = attribute as Attribute;
  switch (kind) {
    case 'dim':
      return printDim(value);
    case 'dims':
      return printDims(value);
    case 'number':
      return printNumber(value);
    case 'numbers':
      return `[${value.map(printNumber).join(', ')}]`;
    case 'boolean':
      return String(value);
    case 'text':
      return JSON.stringify(value);
    case 'dtype':
      return value;
    case 'tensor':
      return printTensor(value);
    case 'init':
      return `${value.name}(${Object.entries(value.args)
        .map(
          ([name, arg]) =>
            `${name}=${typeof arg === 'number' ? printNumber(arg) : `[${arg.map(printNumber).join(', ')}]`}`,
        )
        .join(', ')})`;
  }
}

function printDims(dims: readonly Dim[]): string {
  return `[${dims.map(printDim).join(', ')}]`;
}

function printTensor(tensor: TensorData): string {
  const head = `${tensor.dtype}[${tensor.shape.join(', ')}]`;
  if (tensor.data.length <= inlineElements) return `${head}(${Array.from(tensor.data, printNumber).join(', ')})`;
  const { encoding, bytes } = encodeElements(tensor);
  return `${head}(${encoding} "${encodeBase64(bytes)}")`;
}

function printNumber(x: number): string {
  if (Object.is(x, -0)) return '-0';
  if (x === Number.POSITIVE_INFINITY) return 'inf';
  if (x === Number.NEGATIVE_INFINITY) return '-inf';
  return Number.isNaN(x) ? 'nan' : String(x);
}

/** The nodes in post-order from the outputs, followed by the inputs that no output needs. */
function depthFirst(graph: Graph): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack: { readonly node: Node; next: number }[] = [];
  const visit = (root: Node): void => {
    if (seen.has(root)) return;
    seen.add(root);
    stack.push({ node: root, next: 0 });
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const input = top.node.inputs[top.next++];
      if (input === undefined) {
        order.push(top.node);
        stack.pop();
      } else if (!seen.has(input.node)) {
        seen.add(input.node);
        stack.push({ node: input.node, next: 0 });
      }
    }
  };
  for (const output of graph.outputs) visit(output.value.node);
  for (const input of graph.inputs) visit(input.value.node);
  return order;
}
