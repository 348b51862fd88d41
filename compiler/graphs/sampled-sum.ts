import { constant, type Dim } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { Node, NodeOf, Value } from '../ir/graph.ts';
import { sameShape } from '../ir/shapes.ts';

/**
 * A weighted sum over samples of an image, as in deformable attention: y[b, c, q] = Σ_p weights[b, 0, p, q] ·
 * sampled[b, c, p·queries + q]. Nothing else reads a part of it.
 */
export interface SampledSum {
  readonly sampled: NodeOf<'grid_sample'>;
  /** The samples as [batch, channels, taps, queries]. */
  readonly samples: NodeOf<'reshape'>;
  /** Of samples and weights. */
  readonly product: NodeOf<'mul'>;
  /** [batch, 1, taps, queries] */
  readonly weights: Value;
}

/** Reads a sum as one over samples; undefined for others. */
export function sampledSum(node: Node, facts: Facts, uses: (value: Value) => number): SampledSum | undefined {
  if (node.op !== 'sum' || node.attributes.axes.join() !== '2') return undefined;
  const [sum] = node.inputs;
  const product = sum.node;
  if (product.op !== 'mul' || uses(sum) !== 1) return undefined;
  const [a, b] = [product.inputs[0]!, product.inputs[1]!];
  for (const [taps, weights] of [
    [a, b],
    [b, a],
  ] as const) {
    const samples = taps.node;
    if (samples.op !== 'reshape' || uses(taps) !== 1) continue;
    const sampled = samples.inputs[0].node;
    if (sampled.op !== 'grid_sample' || uses(sampled.outputs[0]) !== 1) continue;
    if (isWeighed(taps, samples.inputs[0], weights, facts)) return { sampled, samples, product, weights };
  }
  return undefined;
}

function isWeighed({ type: { shape } }: Value, sampled: Value, weights: Value, facts: Facts): boolean {
  const [batch, channels, taps, queries] = shape as [Dim, Dim, Dim, Dim];
  return (
    shape.length === 4 &&
    sameShape(facts, sampled.type.shape.slice(0, 2), [batch, channels]) &&
    sameShape(facts, weights.type.shape, [batch, constant(1), taps, queries])
  );
}
