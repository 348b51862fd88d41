import { sampledSumGradient } from '../gradients/grid-sample.ts';
import type { GradientAt } from '../gradients/rule.ts';
import { gradientRowOf, hasGradient } from '../gradients/table.ts';
import type { Builder } from '../graphs/builder.ts';
import { sampledSum } from '../graphs/sampled-sum.ts';
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
  const add = (input: Value, dx: Value): void => {
    const others = gradients.get(input);
    gradients.set(input, others === undefined ? dx : build.add(others, dx));
  };
  const uses = usesIn(forward);
  /** The gradients of what a sum over samples is of, if weights and points have one; the samples between get none. */
  const sampled = (node: Node, dy: Value): (readonly [Value, Value])[] | undefined => {
    const sum = sampledSum(node, build.facts, (value) => uses.get(value) ?? 0);
    if (sum === undefined || ![sum.weights, sum.sampled.inputs[1]].every((input) => fed.has(input))) return undefined;
    build.origin = backward(node);
    const [x, points] = recomputed.around(sum.sampled, dy).inputs as readonly [Value, Value];
    const weights = recomputed.around(sum.product, dy).inputs[sum.product.inputs.indexOf(sum.weights)]!;
    const parts = sampledSumGradient(build, { x, points, weights }, dy);
    const inputs = [
      [sum.sampled.inputs[0], parts.x],
      [sum.sampled.inputs[1], parts.points],
      [sum.weights, parts.weights],
    ] as const;
    return inputs.flatMap(([input, gradient]) => (fed.has(input) ? [[input, gradient()] as const] : []));
  };
  const outer = build.origin;
  if (fed.has(loss)) {
    build.origin = backward(loss.node);
    gradients.set(loss, options.seed ?? build.full(1, 'f32', []));
  }
  for (const node of forward.reverse()) {
    const dys = node.outputs.map((output) => gradients.get(output));
    const signal = dys.find((dy) => dy !== undefined);
    if (signal === undefined || !isOperator(node)) continue;
    const ofSamples = sampled(node, signal);
    if (ofSamples !== undefined) {
      for (const [input, dx] of ofSamples) add(input, dx);
      continue;
    }
    const { gradient } = gradientRowOf(node.op);
    const wanted = node.inputs.map((input) => fed.has(input));
    if (gradient === 'none' || !wanted.includes(true)) continue;
    build.origin = backward(node);
    const { inputs, outputs } = recomputed.around(node, signal);
    const at: GradientAt<OpName> = { build, inputs, outputs, dys, attributes: node.attributes, wanted };
    for (const [i, dx] of gradient(at).entries()) {
      if (dx !== undefined) add(node.inputs[i]!, dx);
    }
  }
  build.origin = outer;
  return new Map(wanted.flatMap((value) => (gradients.has(value) ? [[value, gradients.get(value)!]] : [])));
}

function usesIn(nodes: readonly Node[]): Map<Value, number> {
  const uses = new Map<Value, number>();
  for (const { inputs } of nodes) for (const input of inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
  return uses;
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
