import type { Graph, Node, NodeOf, Value } from '../../ir/graph.ts';
import { numberOf } from '../../passes/match.ts';
import type { Forms } from './profile.ts';

/**
 * The standard deviations of rows that layer norms have computed anyway, and that values are divided by, as in the
 * gradient of a layer norm. LayerNormalization has their reciprocals as its third result.
 */
export interface Deviations {
  /** By layer norm. */
  readonly ofNorms: ReadonlyMap<Node, Value>;
  /** Divisions by these deviations. */
  readonly divisions: ReadonlySet<Node>;
  /** What computes the deviations without the norm. */
  readonly replaced: ReadonlySet<Node>;
}

/** With forms that keep rows as a matrix, a norm has its own result only. */
export function findDeviations({ nodes }: Graph, uses: ReadonlyMap<Value, number>, { rows }: Forms): Deviations {
  const ofNorms = new Map<Node, Value>();
  const divisions = new Set<Node>();
  const replaced = new Set<Node>();
  const norms = new Map<Value, NodeOf<'layer_norm'>[]>();
  const found = new Map<Value, { readonly norm: Node; readonly parts: readonly Node[]; readonly by: Node[] }>();
  for (const node of rows ? [] : nodes) {
    if (node.op === 'layer_norm') norms.set(node.inputs[0], [...(norms.get(node.inputs[0]) ?? []), node]);
    else if (node.op === 'sqrt') {
      const deviation = deviationOf(node);
      if (deviation === undefined) continue;
      const { x, eps, parts } = deviation;
      const norm = norms.get(x)?.findLast(({ attributes }) => sameFloat(attributes.eps, eps));
      if (norm !== undefined) found.set(node.outputs[0], { norm, parts, by: [] });
    } else if (node.op === 'div' && node.inputs[0] !== node.inputs[1]) found.get(node.inputs[1])?.by.push(node);
  }
  for (const [value, { norm, parts, by }] of found) {
    if (by.length !== uses.get(value) || ofNorms.has(norm)) continue;
    ofNorms.set(norm, value);
    for (const node of by) divisions.add(node);
    for (const node of parts) replaced.add(node);
  }
  return { ofNorms, divisions, replaced };
}

/** Reads a root as sqrt(mean((x - mean(x))²) + eps) along the last axis. */
function deviationOf(root: NodeOf<'sqrt'>) {
  const sum = root.inputs[0].node;
  if (sum.op !== 'add') return undefined;
  const [variance, eps] = [sum.inputs[0].node, numberOf(sum.inputs[1])];
  if (!isRowMean(variance) || eps === undefined) return undefined;
  const square = variance.inputs[0].node;
  if (square.op !== 'mul' || square.inputs[0] !== square.inputs[1]) return undefined;
  const centred = square.inputs[0].node;
  if (centred.op !== 'sub') return undefined;
  const [x, mean] = [centred.inputs[0], centred.inputs[1].node];
  if (!isRowMean(mean) || mean.inputs[0] !== x || x.type.dtype !== 'f32') return undefined;
  return { x, eps, parts: [root, sum, variance, square, centred, mean] };
}

function isRowMean(node: Node): node is NodeOf<'mean'> {
  if (node.op !== 'mean' || !node.attributes.keep) return false;
  const { axes } = node.attributes;
  return axes.length === 1 && axes[0] === node.inputs[0]!.type.shape.length - 1;
}

function sameFloat(a: number, b: number): boolean {
  return Math.fround(a) === Math.fround(b);
}
