import { rewrite } from '../graphs/rebuild.ts';
import { type Attribute, attributesOf } from '../ir/attributes.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';
import type { TensorData } from '../ir/types.ts';
import { rowOf } from '../ops/table.ts';

/** Merges equal nodes with equal operands into the first of them. */
export function mergeCommonSubexpressions(graph: Graph): Graph {
  const known = new Map<string, readonly Value[]>();
  const constants = new Map<string, Node[]>();
  return rewrite(graph, (node, inputs, build) => {
    if (node.op === 'input') return undefined;
    if (node.op === 'constant') {
      const print = fingerprint(node.attributes.tensor);
      const alike = constants.get(print) ?? [];
      constants.set(print, alike);
      const same = alike.find(
        (other) => other.op === 'constant' && sameTensor(other.attributes.tensor, node.attributes.tensor),
      );
      if (same !== undefined) return same.outputs;
      alike.push(node);
      return undefined;
    }
    const key = keyOf(node, inputs);
    const same = known.get(key);
    if (same !== undefined) return same;
    const results = build.copy(node, inputs);
    known.set(key, results);
    return results;
  });
}

function keyOf(node: Node, inputs: readonly Value[]): string {
  const ids = inputs.map((input) => input.id);
  if (rowOf(node)?.commutes) ids.sort((a, b) => a - b);
  let key = `${node.op} ${ids.join()}`;
  for (const attribute of attributesOf(node.op, node.attributes)) key += `|${attributeKey(attribute)}`;
  return key;
}

function attributeKey({ kind, value }: Attribute): string {
  switch (kind) {
    case 'dim':
      return value.key;
    case 'dims':
      return value.map((dim) => dim.key).join(',');
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'text':
    case 'boolean':
    case 'dtype':
    case 'numbers':
      return String(value);
    case 'init':
    case 'tensor':
      return JSON.stringify(value);
  }
}

/** A hash that is cheap to compute: FNV-1a over a sample of the elements. */
function fingerprint({ dtype, shape, data }: TensorData): string {
  let hash = 0x811c9dc5;
  const stride = Math.max(1, Math.floor(data.length / 64));
  for (let i = 0; i < data.length; i += stride) hash = Math.imul(hash ^ Math.fround(data[i]! * 1e3), 0x01000193);
  return `${dtype}[${shape.join(',')}]${hash}`;
}

function sameTensor(a: TensorData, b: TensorData): boolean {
  if (a === b) return true;
  if (a.dtype !== b.dtype || a.data.length !== b.data.length) return false;
  for (let i = 0; i < a.data.length; i++) if (!Object.is(a.data[i], b.data[i])) return false;
  return a.shape.every((size, axis) => size === b.shape[axis]);
}
