import { asConstant, type Dim, isOverflow, product } from '../dims/dim.ts';
import type { Node } from './graph.ts';

/** The largest size of an axis: runtimes index axes in int32, and graphs compute with sizes in int32. */
export const longestAxis = 2 ** 31 - 1;

/**
 * Whether the number of elements is exact, that is below 2^53. For open sizes: whether the coefficients of the product
 * are.
 */
export function isCountable(shape: readonly Dim[]): boolean {
  // Most shapes are far below the limit, so a bound on the product is computed before the product itself.
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

/** A node that no runtime can run: `size` is the size of the axis, or undefined if a number exceeds 2^53. */
export interface TooLarge {
  readonly node: Node;
  readonly size: number | undefined;
}

/**
 * Returns the first node that has a tensor with too many elements to count, or has an axis or computes a size beyond
 * `longestAxis`. Returns undefined if there is none.
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
