import { asConstant, constant, type Dim, isOverflow, mul, substitute, sum, zero } from '../dims/dim.ts';
import { nodeCost } from '../graphs/cost.ts';
import { isView } from '../graphs/liveness.ts';
import type { Node, Value } from '../ir/graph.ts';
import type { TensorType } from '../ir/types.ts';
import type { Surroundings } from './patterns/pattern.ts';

/** A byte that is read or written takes about as long as so many operations, in processors and accelerators of today. */
const operationsPerByte = 8;
/** Starting an operator takes some microseconds: about as long as so many operations. */
const operationsPerStart = 1_000_000;

/**
 * What some nodes cost, as one polynomial, where open dims have the sizes that are expected of them. Views of weights cost
 * nothing, as they are made before any run; products of weights are counted, since not every runtime makes them before. Nor does
 * a transpose of the last two axes cost anything, which products of matrices take in.
 */
export function work(nodes: readonly Node[], { expected }: Pick<Surroundings, 'expected'>): Dim {
  const sizes = new Map<string, Dim>();
  const size = (dim: Dim): Dim => {
    const known = sizes.get(dim.key) ?? substitute(dim, expected);
    sizes.set(dim.key, known);
    return known;
  };
  const sized = ({ dtype, shape }: TensorType): TensorType => ({ dtype, shape: shape.map(size) });
  return sum(
    nodes.map((node) => {
      if (isFree(node)) return zero;
      const { flops, bytes } = nodeCost(node, sized);
      return sum([flops, mul(constant(operationsPerByte), bytes), constant(operationsPerStart)]);
    }),
  );
}

/** What an open dim without an expected size counts as where a look is enough. */
export const someSize = 192;

/** At most what some nodes cost, by the volumes of shapes: a quick estimate of `work`. */
export function mostWork(nodes: readonly Node[], volume: (shape: readonly Dim[]) => number): number {
  let total = 0;
  for (const node of nodes) {
    if (isFree(node)) continue;
    const result = volume(node.outputs[0].type.shape);
    const terms = node.op === 'matmul' ? 2 * volume(node.inputs[0]!.type.shape.slice(-1)) : 1;
    const moved = node.inputs.reduce((elements, { type }) => elements + volume(type.shape), result);
    total += terms * result + operationsPerByte * 4 * moved + operationsPerStart;
  }
  return total;
}

/** At least what two products of so many operations cost that read and write so many elements. */
export function leastWork(operations: number, elements: number): number {
  return operations + operationsPerByte * 4 * elements + 2 * operationsPerStart;
}

function isFree(node: Node): boolean {
  if (node.op === 'transpose') return swapsMatrix(node.attributes.perm) || isStored(node.inputs[0]!);
  return isView(node) || node.op === 'full' || node.op === 'constant';
}

/** A weight or constant, or a view of one, which is made before any run. */
export function isStored({ node }: Value): boolean {
  if (node.op === 'transpose' || node.op === 'reshape') return isStored(node.inputs[0]!);
  return node.op === 'weight' || node.op === 'constant' || node.op === 'full';
}

/** Whether a permutation swaps the last two axes alone. */
export function swapsMatrix(perm: readonly number[]): boolean {
  const last = perm.length - 1;
  return last >= 1 && perm.every((from, to) => from === (to < last - 1 ? to : 2 * last - 1 - to));
}

/**
 * Whether `a` is known to be less than `b`: for all sizes that the facts admit, those dims counting as a model's recipe sets them
 * that it sets.
 */
export function isLess(a: Dim, b: Dim, { facts, expected }: Pick<Surroundings, 'facts' | 'expected'>): boolean {
  const [left, right] = [substitute(a, expected), substitute(b, expected)];
  if (isOverflow(left) || isOverflow(right)) return false;
  const [known, other] = [asConstant(left), asConstant(right)];
  if (known !== undefined && other !== undefined) return known < other;
  return facts.proves({ kind: 'lt', left, right });
}
