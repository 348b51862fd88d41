import { asConstant } from '../../compiler/dims/dim.ts';
import type { Graph, NodeOf } from '../../compiler/ir/graph.ts';
import type { DType } from '../../compiler/ir/types.ts';
import { byteSize } from '../files/byte-size.ts';
import { UserError } from '../files/user-error.ts';

/** A weight of a graph. Its shape is always constant; elaboration ensures this. */
export interface GraphWeight {
  readonly path: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly role: 'param' | 'buffer';
  readonly init: NodeOf<'weight'>['attributes']['init'];
}

/** Returns the weights of a graph in the order of its nodes. */
export function weightsOf(graph: Graph): GraphWeight[] {
  const found: GraphWeight[] = [];
  for (const node of graph.nodes) {
    if (node.op !== 'weight') continue;
    const { type } = node.outputs[0];
    const { path, role, init } = node.attributes;
    found.push({ path, role, init, dtype: type.dtype, shape: type.shape.map((d) => asConstant(d)!) });
  }
  return found;
}

/** Maximum bytes of one weight: each is hashed and written in a single buffer. */
const largestWeight = 2 ** 31 - 1;

/** Throws a UserError that names a weight that is too large, before memory is allocated. */
export function checkWeightSizes(weights: Iterable<Pick<GraphWeight, 'path' | 'shape'>>): void {
  for (const { path, shape } of weights) {
    const bytes = shape.reduce((product, size) => product * size, 4);
    if (bytes > largestWeight)
      throw new UserError(
        `the weight ${path} is f32[${shape.join(', ')}], ${byteSize(bytes)}: one weight has less than 2 GiB`,
      );
  }
}
