import type { Graph, Node, Value } from '../ir/graph.ts';

/** Operators whose result may be the very memory of their input, in one runtime or another. */
const views = new Set<Node['op']>(['reshape', 'transpose', 'broadcast', 'slice', 'cast', 'stop_gradient', 'concat']);

/**
 * Whether the host may write each new value over the old one. A runtime runs nodes in any order that their inputs allow,
 * so every node that reads a state must come, by what depends on what, before the node that writes its next value, or be
 * that node. One line for each that does not: a proof that fails.
 */
export function inPlaceFaults(
  graph: Graph,
  state: readonly { readonly name: string; readonly next: string | undefined }[],
): string[] {
  const faults: string[] = [];
  const inputs = new Map(graph.inputs.map(({ name, value }) => [name, value]));
  const outputs = new Map(graph.outputs.map(({ name, value }) => [name, value]));
  const readers = readersOf(graph);
  const comesBefore = ancestry(readers);
  for (const { name, next } of state) {
    const old = inputs.get(name);
    const written = next === undefined ? undefined : outputs.get(next);
    if (!old || !written || written === old) continue;
    if (views.has(written.node.op)) faults.push(`${next} is a view, which may be written when what it shows is`);
    for (const reader of throughViews(old, readers))
      if (reader !== written.node && !comesBefore(written.node, reader))
        faults.push(
          `${reader.op} ${reader.origin.path} (${reader.origin.label}) may read ${name} after ${next} is written`,
        );
    for (const [other, value] of outputs)
      if (other !== next && shownBy(value).has(old)) faults.push(`${other} shows ${name}, which ${next} replaces`);
  }
  return faults;
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

/** What a value may be the memory of. */
function shownBy(value: Value): Set<Value> {
  const shown = new Set([value]);
  for (const at of shown) if (views.has(at.node.op)) for (const input of at.node.inputs) shown.add(input);
  return shown;
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
