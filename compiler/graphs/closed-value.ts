import { asConstant, constant, type Dim } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import { mapDims } from '../ir/attributes.ts';
import type { Value } from '../ir/graph.ts';
import type { OpName } from '../ir/names.ts';
import type { TensorData } from '../ir/types.ts';
import { rowOf } from '../ops/table.ts';
import { runNode } from './interpret.ts';

/** Values with more elements, or computed by more operators, are not worth the time. */
const mostElements = 2 ** 14;
const mostNodes = 256;

/**
 * Returns the elements of a value of known sizes that depends on no input, weight or random number; undefined for any
 * other value, and for one that is too costly to compute.
 */
export function closedValue(value: Value, facts: Facts): TensorData | undefined {
  const done = new Map<Value, TensorData | undefined>();
  const size = (dim: Dim): number | undefined => asConstant(dim) ?? asConstant(facts.normalize(dim));
  const find = (one: Value): TensorData | undefined => {
    if (done.has(one)) return done.get(one);
    done.set(one, undefined);
    if (done.size > mostNodes) return undefined;
    const found = compute(one);
    done.set(one, found);
    return found;
  };
  const compute = ({ node, index, type }: Value): TensorData | undefined => {
    if (node.op === 'input' || node.op === 'weight' || node.op === 'uniform') return undefined;
    // Skipped because row numbers may be out of range.
    if (rowOf(node)?.rowNumbers !== undefined) return undefined;
    const sizes = type.shape.map(size);
    if (sizes.some((n) => n === undefined) || sizes.reduce<number>((a, b) => a * (b ?? 0), 1) > mostElements)
      return undefined;
    if (node.op === 'constant') return node.attributes.tensor;
    const inputs = node.inputs.flatMap((input) => find(input) ?? []);
    if (inputs.length < node.inputs.length) return undefined;
    let isKnown = true;
    const attributes = mapDims(node.op, node.attributes, (dim) => {
      const n = size(dim);
      if (n === undefined) isKnown = false;
      return constant(n ?? 1);
    });
    return isKnown ? runNode(node.op as OpName, inputs, attributes)[index] : undefined;
  };
  return find(value);
}
