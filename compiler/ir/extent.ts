import { asConstant, type Dim, isOverflow, product } from '../dims/dim.ts';
import type { Node } from './graph.ts';

/** int32: runtimes count along an axis with it, and graphs compute with sizes in it. */
export const longestAxis = 2 ** 31 - 1;

/** Whether the number of elements is exact, below 2^53; of open sizes, whether the numbers in it are. */
export function isCountable(shape: readonly Dim[]): boolean {
  // Most are far below; their product is not made.
  let most = 1;
  for (let i = 0; i < shape.length; i++) {
    const { terms } = shape[i]!;
    let sum = 0;
    for (let j = 0; j < terms.length; j++) sum += Math.abs(terms[j]!.coefficient);
    if (sum > 1) most *= sum;
    else if (Number.isNaN(sum)) return false;
  }
  return most <= Number.MAX_SAFE_INTEGER || !isOverflow(product(shape));
}

/** A node that no runtime can run: the size of an axis, or `undefined` where numbers beyond 2^53 come up. */
export interface TooLarge {
  readonly node: Node;
  readonly size: number | undefined;
}

/**
 * The first node with a tensor whose elements cannot be counted, or with an axis, or a size that it computes with, beyond
 * `longestAxis`.
 */
export function tooLarge(nodes: Iterable<Node>): TooLarge | undefined {
  for (const node of nodes) {
    if (!node.outputs.every(({ type }) => isCountable(type.shape))) return { node, size: undefined };
    const sizes = node.outputs.flatMap(({ type }) => type.shape);
    if (node.op === 'dim') sizes.push(node.attributes.value);
    for (const dim of sizes) {
      if (isOverflow(dim)) return { node, size: undefined };
      const size = asConstant(dim);
      if (size !== undefined && size > longestAxis) return { node, size };
    }
  }
  return undefined;
}
