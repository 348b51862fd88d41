import { finish } from '../../../compiler/graphs/rebuild.ts';
import type { Graph, GraphOutput, Node, Value } from '../../../compiler/ir/graph.ts';
import type { TensorData } from '../../../compiler/ir/types.ts';
import type { Forward } from '../../../compiler/training/compile-training.ts';
import type { Numbers, PyTorch } from '../pytorch/python.ts';
import { type Asked, requestOf } from '../pytorch/request.ts';
import type { Checks } from './checks.ts';
import { allowed, differences, float32 } from './close.ts';
import type { Lanes } from './lanes.ts';

/** How far PyTorch's float64 may be from the interpreter's: a part of what float32 may be off. */
const offOf =
  ({ spread, unclear }: Lanes) =>
  (name: string): number =>
    unclear === undefined ? 2 ** -16 * (spread.get(name) ?? 0) + 1e-10 : Number.POSITIVE_INFINITY;
const part = 1e-9;

/** What a graph computes, by PyTorch's operators. Returns what is wrong. */
export async function comparePyTorch(
  kind: string,
  graph: Graph,
  given: {
    readonly feeds: ReadonlyMap<string, TensorData>;
    weight(path: string): TensorData;
    size(name: string): number;
  },
  lanes: Lanes,
  pytorch: PyTorch,
  checks: Checks,
): Promise<string | undefined> {
  const { nodes, outputs } = graph;
  const found = await asked(kind, pytorch, checks, {
    nodes,
    outputs: outputs.map(({ value }) => value),
    loss: undefined,
    given: (node) => (node.op === 'input' ? given.feeds.get(node.attributes.name)! : given.weight(pathOf(node))),
    learns: () => false,
    size: given.size,
  });
  if (!found) return undefined;
  const results = new Map(outputs.map(({ name }, i) => [name, found[i]!]));
  return differences(results, lanes.results, offOf(lanes), part);
}

/**
 * The terms of a loss, and its gradients by torch.autograd, element by element. The graph is the one that crobc differentiates,
 * before any pass; `gradients` are those of the training step.
 */
export async function compareAutograd(
  forward: Forward,
  given: { readonly feeds: ReadonlyMap<string, TensorData>; weight(path: string): TensorData },
  lanes: Lanes,
  gradients: ReadonlyMap<string, Numbers>,
  off: (path: string) => number,
  pytorch: PyTorch,
  checks: Checks,
): Promise<string | undefined> {
  const output = (name: string, value: Value): GraphOutput => ({ name, value, docs: '' });
  const terms = [...forward.terms].map(([name, value]) => output(`term:${name}`, value));
  const parts = { name: '', docs: '', inputs: [], facts: forward.build.facts, guards: [] };
  const { nodes } = finish({ ...parts, outputs: [...terms, output('', forward.loss)] }, forward.build.nodes);
  const learns = (node: Node) => node.op === 'weight' && gradients.has(node.attributes.path);
  const found = await asked('PyTorch: gradients', pytorch, checks, {
    nodes,
    outputs: terms.map(({ value }) => value),
    loss: forward.loss,
    given: (node) => (node.op === 'input' ? given.feeds.get(node.attributes.name)! : given.weight(pathOf(node))),
    learns,
    size: (name) => {
      throw new Error(`a training step has a free dim ${name}`);
    },
  });
  if (!found) return undefined;
  const results = new Map(terms.map(({ name }, i) => [name, found[i]!]));
  const wanted = new Map(terms.map(({ name }) => [name, lanes.results.get(name)!]));
  const byPath = new Map<string, Numbers>();
  for (const [i, node] of nodes.filter(learns).entries()) {
    const [path, gradient] = [pathOf(node), found[terms.length + i]!];
    const known = byPath.get(path);
    byPath.set(path, known ? { ...gradient, data: gradient.data.map((g, at) => g + known.data[at]!) } : gradient);
  }
  // The passes have rounded constants of the step to float32, and what they fold to 0 PyTorch may find to be nearly 0.
  const off32 = allowed(lanes);
  return (
    differences(results, wanted, (name) => off32(name) + 1e-10, float32) ??
    differences(byPath, gradients, (path) => 24 * off(path) + 1e-10, float32)
  );
}

async function asked(
  kind: string,
  pytorch: PyTorch,
  checks: Checks,
  what: Asked,
): Promise<readonly Numbers[] | undefined> {
  const found = await checks.sound(`crash in ${kind}`, () => pytorch.evaluate(requestOf(what)));
  switch (found.kind) {
    case 'unclear':
      checks.count(`${kind}: unclear: ${found.why}`);
      return undefined;
    case 'results':
      checks.count(kind);
      return found.tensors;
  }
}

function pathOf(node: Node): string {
  if (node.op !== 'weight') throw new Error(`${node.op} is not a weight`);
  return node.attributes.path;
}
