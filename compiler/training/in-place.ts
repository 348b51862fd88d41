import { asConstant, product } from '../dims/dim.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';
import type { ResultMemory } from '../ops/row.ts';
import { ops } from '../ops/table.ts';

/** A state that a runtime may overwrite too early. */
export interface InPlaceFault {
  readonly name: string;
  readonly reason: string;
}

/** A state as the host keeps it; `parts` are the inputs that are pieces of its memory. */
export interface WrittenState {
  readonly name: string;
  readonly next: string | undefined;
  readonly parts?: readonly string[];
}

/**
 * Returns the states whose new value may not be written over the old one. A runtime runs nodes in any order that their
 * inputs allow, and may fuse neighbours into one kernel. So every read of the old value must be finished before the
 * writer begins, or must read the same element that is written next. A state is a fault unless this is proved.
 */
export function inPlaceFaults(graph: Graph, state: readonly WrittenState[]): readonly InPlaceFault[] {
  const faults: InPlaceFault[] = [];
  const inputs = new Map(graph.inputs.map(({ name, value }) => [name, value]));
  const outputs = new Map(graph.outputs.map(({ name, value }) => [name, value]));
  const readers = readersOf(graph);
  const settledBy = settling();
  const shown = shownByOutputs(graph);
  for (const { name, next, parts = [] } of state) {
    const written = next === undefined ? undefined : outputs.get(next);
    if (!written) continue;
    const writer = computedBy(written);
    const elements = elementsOf(written);
    let known: Before | undefined;
    const before = () => {
      known ??= settledBy(writer, elements);
      return known;
    };
    for (const part of [name, ...parts]) {
      const old = inputs.get(part);
      if (!old || written === old) continue;
      if (writer.op === 'input') faults.push({ name, reason: `${next} shows an input` });
      for (const reader of unproved(old, part === name, { writer, elements, readers, before }))
        faults.push({
          name,
          reason: `${reader.op} of ${reader.origin.path} (${reader.origin.label}) may read it too late`,
        });
      for (const other of shown.get(old) ?? [])
        if (other !== next) faults.push({ name, reason: `the output ${other} shows it` });
    }
  }
  return faults;
}

/**
 * The nodes before a writer: `settled` ones are finished before it begins; `pending` ones may be in the same kernel.
 */
interface Before {
  readonly settled: (node: Node) => boolean;
  readonly pending: ReadonlySet<Node>;
}

interface Writing {
  readonly writer: Node;
  /** The number of elements that are written. */
  readonly elements: number | undefined;
  readonly readers: ReadonlyMap<Value, readonly Node[]>;
  before(): Before;
}

/**
 * Returns the readers of an old value, or of a view of it, that are not proved to read in time. If `whole`, the value
 * is the whole memory that is written; otherwise it is a piece of it, whose elements have other indices there.
 */
function unproved(old: Value, whole: boolean, { writer, elements, readers, before }: Writing): Set<Node> {
  const found = new Set<Node>();
  const visited = new Set<string>();
  /** `inPlace`: element i of the value is element i of the memory, or computed from that and other values. */
  const visit = (value: Value, inPlace: boolean): void => {
    for (const node of readers.get(value) ?? []) {
      const key = `${node.id} ${value.node.id} ${value.index} ${inPlace}`;
      if (visited.has(key)) continue;
      visited.add(key);
      const memory = memoryOf(node, value);
      const sameCount = inPlace && node.outputs.every((output) => elementsOf(output) === elements);
      if (node === writer) {
        if (!sameCount || (memory !== 'element' && memory !== 'alone') || accumulates(node, before)) found.add(node);
        continue;
      }
      if (memory === 'same' || memory === 'moved') {
        for (const output of node.outputs) visit(output, memory === 'same' && sameCount);
      } else if (!before().settled(node)) {
        const isLink = before().pending.has(node) && memory === 'element' && sameCount && !accumulates(node, before);
        if (isLink) for (const output of node.outputs) visit(output, true);
        else found.add(node);
      }
    }
  };
  visit(old, whole && elementsOf(old) === elements);
  return found;
}

/** Returns how the memory of a node's result may overlap the memory of one of its inputs. */
function memoryOf(node: Node, input: Value): ResultMemory {
  if (node.op === 'input' || node.op === 'weight') return 'new';
  const { memory } = ops[node.op];
  return memory === 'same' && node.inputs[0] !== input ? 'new' : memory;
}

/**
 * Whether a runtime may fuse this operator with a product (or the like) that is one of its operands. Such a kernel may
 * accumulate its sums in the memory of the other operand, and so overwrite it before it has been read.
 */
function accumulates(node: Node, before: () => Before): boolean {
  return node.inputs.some((input) => {
    const by = computedBy(input);
    const [first] = by.inputs;
    return first !== undefined && memoryOf(by, first) === 'new' && !before().settled(by);
  });
}

/** Returns the node that computes the elements of a value, looking through views. */
function computedBy({ node }: Value): Node {
  const [input] = node.inputs;
  return input && memoryOf(node, input) === 'same' ? computedBy(input) : node;
}

function elementsOf({ type }: Value): number | undefined {
  return asConstant(product(type.shape));
}

function readersOf(graph: Graph): Map<Value, Node[]> {
  const readers = new Map<Value, Node[]>();
  for (const node of graph.nodes)
    for (const input of new Set(node.inputs)) {
      const known = readers.get(input);
      if (known) known.push(node);
      else readers.set(input, [node]);
    }
  return readers;
}

/** Returns, for each input, the outputs that may share its memory. */
function shownByOutputs(graph: Graph): Map<Value, string[]> {
  const found = new Map<Value, string[]>();
  for (const { name, value } of graph.outputs) {
    const shown = new Set([value]);
    for (const at of shown) {
      for (const input of at.node.inputs) {
        const memory = memoryOf(at.node, input);
        if (memory === 'same' || memory === 'moved') shown.add(input);
      }
      if (at.node.op !== 'input') continue;
      const known = found.get(at);
      if (known) known.push(name);
      else found.set(at, [name]);
    }
  }
  return found;
}

/**
 * Returns a function that finds the nodes before a writer. If the writer needs a scalar and writes more than one
 * element, the scalar and everything that it depends on are computed before the first write. If it writes a single
 * element, nothing is settled, since a fused kernel could begin with the write.
 */
function settling(): (writer: Node, elements: number | undefined) => Before {
  const behindNumbers = new Map<Node, ReadonlySet<Node>>();
  const ancestors = (node: Node): ReadonlySet<Node> => {
    let known = behindNumbers.get(node);
    if (!known) {
      known = walk(node, () => true).add(node);
      behindNumbers.set(node, known);
    }
    return known;
  };
  return (writer, elements) => {
    const over: ReadonlySet<Node>[] = [];
    const settled = (node: Node) => over.some((set) => set.has(node));
    const pending = walk(writer, (input) => {
      if (elements === undefined || elements === 1 || elementsOf(input) !== 1) return !settled(input.node);
      if (!settled(input.node)) over.push(ancestors(input.node));
      return false;
    });
    return { settled, pending };
  };
}

/** Returns the nodes that a node depends on, breadth first, except inputs that `goOn` rejects and their ancestors. */
function walk(from: Node, goOn: (input: Value) => boolean): Set<Node> {
  const found = new Set<Node>();
  const queue = [from];
  for (let i = 0; i < queue.length; i++)
    for (const input of queue[i]!.inputs)
      if (!found.has(input.node) && goOn(input)) {
        found.add(input.node);
        queue.push(input.node);
      }
  return found;
}
