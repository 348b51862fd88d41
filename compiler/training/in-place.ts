import type { Graph, Node, Value } from '../ir/graph.ts';

/** Operators whose result may be the very memory of their input, in one runtime or another. */
const views = new Set<Node['op']>(['reshape', 'transpose', 'broadcast', 'slice', 'cast', 'stop_gradient', 'concat']);

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
 * so every node that reads a state must come, by what depends on what, before the node that computes its next value, or
 * be that node. What does not is a fault; without any, the graph is proved.
 */
export function inPlaceFaults(graph: Graph, state: readonly WrittenState[]): readonly InPlaceFault[] {
  const faults: InPlaceFault[] = [];
  const inputs = new Map(graph.inputs.map(({ name, value }) => [name, value]));
  const outputs = new Map(graph.outputs.map(({ name, value }) => [name, value]));
  const readers = readersOf(graph);
  const comesBefore = ancestry(readers);
  const shown = shownByOutputs(graph);
  for (const { name, next, parts = [] } of state) {
    const written = next === undefined ? undefined : outputs.get(next);
    if (!written) continue;
    const writer = computedBy(written);
    for (const part of [name, ...parts]) {
      const old = inputs.get(part);
      if (!old || written === old) continue;
      if (writer.op === 'input') faults.push({ name, reason: `${next} shows an input` });
      for (const reader of throughViews(old, readers))
        if (reader !== writer && !comesBefore(writer, reader))
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

/** The node that computes what a value shows. */
function computedBy({ node }: Value): Node {
  return views.has(node.op) && node.inputs.length === 1 ? computedBy(node.inputs[0]!) : node;
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

/** Everything that reads a value, or reads a view of it. */
function throughViews(value: Value, readers: ReadonlyMap<Value, readonly Node[]>): Set<Node> {
  const found = new Set<Node>();
  const visit = (at: Value): void => {
    for (const node of readers.get(at) ?? []) {
      if (found.has(node)) continue;
      found.add(node);
      if (views.has(node.op)) node.outputs.forEach(visit);
    }
  };
  visit(value);
  return found;
}

/** The outputs that may be the memory of an input, by input. */
function shownByOutputs(graph: Graph): Map<Value, string[]> {
  const found = new Map<Value, string[]>();
  for (const { name, value } of graph.outputs) {
    const shown = new Set([value]);
    for (const at of shown) {
      if (views.has(at.node.op)) for (const input of at.node.inputs) shown.add(input);
      if (at.node.op !== 'input') continue;
      const known = found.get(at);
      if (known) known.push(name);
      else found.set(at, [name]);
    }
  }
  return found;
}

/** Nodes with so many readers are gates: what comes before each of them is found once. */
const readersOfGate = 32;

/** Whether one node comes before another, by what depends on what. */
function ancestry(readers: ReadonlyMap<Value, readonly Node[]>): (node: Node, of: Node) => boolean {
  const behindGates = new Map<Node, ReadonlySet<Node>>();
  const isGate = (node: Node) => node.outputs.some((output) => (readers.get(output)?.length ?? 0) >= readersOfGate);
  const behind = (gate: Node): ReadonlySet<Node> => {
    let known = behindGates.get(gate);
    if (!known) {
      known = walk([gate], () => true);
      behindGates.set(gate, known);
    }
    return known;
  };
  let last: { readonly node: Node; before(of: Node): boolean } | undefined;
  return (node, of) => {
    if (last?.node !== node) {
      const gates: ReadonlySet<Node>[] = [];
      const own = walk([node], (at) => {
        if (gates.some((gate) => gate.has(at))) return false;
        if (!isGate(at)) return true;
        gates.push(behind(at));
        return false;
      });
      last = { node, before: (one) => own.has(one) || gates.some((gate) => gate.has(one)) };
    }
    return last.before(of);
  };
}

/** Everything that `from` depends on, breadth first; what is behind a node is left out where `goOn` says no. */
function walk(from: readonly Node[], goOn: (node: Node) => boolean): Set<Node> {
  const found = new Set<Node>();
  const queue = [...from];
  for (let i = 0; i < queue.length; i++)
    for (const { node } of queue[i]!.inputs)
      if (!found.has(node)) {
        found.add(node);
        if (goOn(node)) queue.push(node);
      }
  return found;
}
