import { rewrite } from '../graphs/rebuild.ts';
import type { Graph } from '../ir/graph.ts';

/** Rounds float constants, which are folded in float64, to the float32 numbers that runtimes get. */
export function roundConstants(graph: Graph): Graph {
  return rewrite(graph, (node, _inputs, build) => {
    if (node.op === 'full' && node.attributes.dtype === 'f32') {
      const { value, dtype, shape } = node.attributes;
      const rounded = Math.fround(value);
      return Object.is(rounded, value) ? undefined : [build.full(rounded, dtype, shape)];
    }
    if (node.op !== 'constant') return undefined;
    const { tensor } = node.attributes;
    if (tensor.dtype !== 'f32' || tensor.data instanceof Float32Array) return undefined;
    return [build.constant({ ...tensor, data: Float32Array.from(tensor.data) })];
  });
}
