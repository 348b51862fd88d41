import type { GradientAt } from '../gradients/rule.ts';
import { gradientRowOf, hasGradient } from '../gradients/table.ts';
import type { Builder } from '../graphs/builder.ts';
import type { Node, Value } from '../ir/graph.ts';
import type { OpName } from '../ir/names.ts';
import { isOperator } from '../ops/table.ts';
import { isFloat } from '../ops/typing.ts';
import { Recomputation } from './rematerialise.ts';

export interface GradientOptions {
  /**
   * Returns the region of a module path if its activations should be recomputed in the backward pass instead of kept.
   * Values that the region reads from elsewhere are kept.
   */
  readonly rematerialise?: (path: string) => string | undefined;
  /** The gradient of the loss itself, f32[]: a factor of all gradients; 1 by default. */
  readonly seed?: Value;
}

/**
 * Reverse-mode differentiation. Appends to `build`, which holds the forward nodes, the gradients of `loss` (f32[]) in
 * `wanted`; each has its value's type. The result has no entry for values that the loss does not depend on. Nodes that
 * do not depend on a wanted value get no gradient. The label of a backward node names its forward node.
 */
export function gradients(
  build: Builder,
  loss: Value,
  wanted: readonly Value[],
  options: GradientOptions = {},
): ReadonlyMap<Value, Value> {
  if (loss.type.dtype !== 'f32' || loss.type.shape.length > 0)
    throw new Error(`bug in crobc: a loss is f32[], not ${loss.type.dtype} of ${loss.type.shape.length} axes`);
  const forward = [...build.nodes];
  const fed = fedBy(forward, wanted);
  const recomputed = new Recomputation(build, new Set(wanted), options.rematerialise);
  const gradients = new Map<Value, Value>();
  const outer = build.origin;
  if (fed.has(loss)) {
    build.origin = backward(loss.node);
    gradients.set(loss, options.seed ?? build.full(1, 'f32', []));
  }
  for (const node of forward.reverse()) {
    const dys = node.outputs.map((output) => gradients.get(output));
    const signal = dys.find((dy) => dy !== undefined);
    if (signal === undefined || !isOperator(node)) continue;
    const { gradient } = gradientRowOf(node.op);
    const wanted = node.inputs.map((input) => fed.has(input));
    if (gradient === 'none' || !wanted.includes(true)) continue;
    build.origin = backward(node);
    const { inputs, outputs } = recomputed.around(node, signal);
    const at: GradientAt<OpName> = { build, inputs, outputs, dys, attributes: node.attributes, wanted };
    for (const [i, dx] of gradient(at).entries()) {
      if (dx === undefined) continue;
      const input = node.inputs[i]!;
      const others = gradients.get(input);
      gradients.set(input, others === undefined ? dx : build.add(others, dx));
    }
  }
  build.origin = outer;
  return new Map(wanted.flatMap((value) => (gradients.has(value) ? [[value, gradients.get(value)!]] : [])));
}

/** Returns the float values that depend on the wanted values through operators with gradients. */
function fedBy(nodes: readonly Node[], wanted: readonly Value[]): Set<Value> {
  const fed = new Set<Value>(wanted);
  for (const node of nodes) {
    if (!hasGradient(node)) continue;
    if (!node.inputs.some((input) => fed.has(input))) continue;
    for (const output of node.outputs) if (isFloat(output.type.dtype)) fed.add(output);
  }
  return fed;
}

function backward({ op, origin }: Node): Node['origin'] {
  return { ...origin, label: `gradient of ${origin.label === '' ? op : origin.label}` };
}
