import { asConstant, product } from '../dims/dim.ts';
import type { Graph, Node, Value } from '../ir/graph.ts';
import type { ResultMemory } from '../ops/row.ts';
import { ops } from '../ops/table.ts';

/** A state that a runtime may write too early. */
export interface InPlaceFault {
  readonly name: string;
  readonly reason: string;
}

/** State as the host keeps it: `parts` are inputs that are pieces of its memory. */
export interface WrittenState {
  readonly name: string;
  readonly next: string | undefined;
  readonly parts?: readonly string[];
}

/**
 * Whether the host may write each new value over the old one. A runtime runs nodes in any order that their inputs allow,
 * and may make one kernel of neighbours: so every reading of the old value must be over before the writer begins, or be of
 * the same element that is written next. What is not proved is a fault.
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

/** What comes before a writer: `settled` is over before it begins, `pending` may be part of one kernel with it. */
interface Before {
  readonly settled: (node: Node) => boolean;
  readonly pending: ReadonlySet<Node>;
}

interface Writing {
  readonly writer: Node;
  /** How many are written. */
  readonly elements: number | undefined;
  readonly readers: ReadonlyMap<Value, readonly Node[]>;
  before(): Before;
}

/**
 * What reads an old value, or a view of it, and is not proved to be in time. `whole` says that the value is all of the
 * memory that is written, and not a piece of it, whose elements have other numbers there.
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

/** How a node's result lies to one of its inputs. */
function memoryOf(node: Node, input: Value): ResultMemory {
  if (node.op === 'input' || node.op === 'weight') return 'new';
  const { memory } = ops[node.op];
  return memory === 'same' && node.inputs[0] !== input ? 'new' : memory;
}

/**
 * Whether a runtime may make one kernel of this operator and a product, or the like, that is one of its operands: such a
 * kernel can take the other operand for the start of its sums, and write over it before it has been read.
 */
function accumulates(node: Node, before: () => Before): boolean {
  return node.inputs.some((input) => {
    const by = computedBy(input);
    const [first] = by.inputs;
    return first !== undefined && memoryOf(by, first) === 'new' && !before().settled(by);
  });
}

/** The node that computes what a value shows. */
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

/** The outputs that may be the memory of an input, by input. */
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
 * Finds what comes before a writer. A single number that the writer needs is there before it writes more than one
 * element: with it, everything that the number depends on is over. Where a single element is written, nothing is:
 * then a kernel of both could begin with the writing.
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

/** What a node depends on, breadth first; an input that `goOn` refuses is left out, and what is behind it. */
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
