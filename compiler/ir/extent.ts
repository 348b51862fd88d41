import { asConstant, type Dim, product } from '../dims/dim.ts';
import type { Node } from './graph.ts';

/** int32: runtimes count along an axis with it, and graphs compute with sizes in it. */
export const longestAxis = 2 ** 31 - 1;

/**
 * The first node with an axis, or a size that it computes with, beyond `longestAxis`. Throws DimOverflow where the elements
 * of a tensor are more than can be counted exactly.
 */
export function beyondLongestAxis(nodes: Iterable<Node>): { readonly node: Node; readonly size: number } | undefined {
  for (const node of nodes) {
    const sizes: Dim[] = node.op === 'dim' ? [node.attributes.value] : [];
    for (const { type } of node.outputs) {
      product(type.shape);
      sizes.push(...type.shape);
    }
    for (const dim of sizes) {
      const size = asConstant(dim);
      if (size !== undefined && size > longestAxis) return { node, size };
    }
  }
  return undefined;
}
