import type { Facts } from '../../dims/facts.ts';
import type { NodeOf, Value } from '../../ir/graph.ts';
import type { DType } from '../../ir/types.ts';
import { known } from './reshape-target.ts';

export type Sum = NodeOf<'sum' | 'mean'>;

/** One or more operators that reduce axes. */
export type Step =
  | { readonly kind: 'reduce'; readonly axes: readonly number[] }
  | { readonly kind: 'parts'; readonly axis: number; readonly count: number }
  | { readonly kind: 'rows'; readonly axis: number; readonly count: number; readonly windows: readonly number[] };

/**
 * The steps of a sum or mean over axes that are not all first or all last; undefined for others, and if an axis between
 * others has an unknown size or too large a prime factor. onnxruntime's CUDA provider reduces the first or the last axes
 * by its own kernels, and others by cudnnReduceTensor, which took 12 times as long as PyTorch's kernel
 * (microsoft/onnxruntime#9471). So last axes are reduced before others. An axis between others is added up if it is
 * short, or else is an average pooling of images with a row for each of its elements.
 */
export function stepsOf({ inputs, attributes }: Sum, facts: Facts): readonly Step[] | undefined {
  const { dtype, shape } = inputs[0].type;
  if (dtype === 'i32') return undefined;
  const sizes = shape.map((size) => known(facts, size));
  const axes = attributes.axes.filter((axis) => sizes[axis] !== 1).sort((a, b) => a - b);
  const long = [...sizes.keys()].filter((axis) => sizes[axis] !== 1);
  const [first, last] = [leading(axes, long), leading(axes.toReversed(), long.toReversed())];
  if (first === axes.length || last === axes.length) return undefined;
  const steps: Step[] = [];
  if (last > 0) steps.push({ kind: 'reduce', axes: axes.slice(axes.length - last) });
  for (const axis of axes.slice(first, axes.length - last)) {
    const step = between(axis, sizes[axis], dtype);
    if (step === undefined) return undefined;
    steps.push(step);
  }
  if (first > 0) steps.push({ kind: 'reduce', axes: axes.slice(0, first) });
  return steps;
}

/** The number of axes that are the first ones of all. */
function leading(axes: readonly number[], all: readonly number[]): number {
  const end = axes.findIndex((axis, i) => axis !== all[i]);
  return end < 0 ? axes.length : end;
}

/** The number of parts that onnxruntime's CUDA provider adds in one kernel (k_max_input_batch_size, 1.30). */
export const inOneKernel = 8;

/** The number of float32 numbers that can be added sequentially without a significant error. */
export const atOnce = 512;

function between(axis: number, count: number | undefined, dtype: DType): Step | undefined {
  if (count === undefined) return undefined;
  if (count <= inOneKernel) return { kind: 'parts', axis, count };
  // There is no kernel that pools bf16.
  if (dtype === 'bf16') return undefined;
  const windows: number[] = [];
  for (let left = count; left > 1; left /= windows.at(-1)!) {
    const window = largestDivisor(left, atOnce);
    if (window === 1) return undefined;
    windows.push(window);
  }
  return { kind: 'rows', axis, count, windows };
}

/** Returns the largest divisor of `n` up to `most`. */
export function largestDivisor(n: number, most: number): number {
  for (let d = Math.min(most, n); d > 1; d--) if (n % d === 0) return d;
  return 1;
}

/** A sum over a short axis between others, which is added to another value of its shape. */
export interface AddedParts {
  readonly x: Value;
  readonly axis: number;
  readonly count: number;
  readonly other: Value;
}

/** Reads one of two operands as a sum over parts that one kernel adds together with the other operand. */
export function addedParts(sum: Value, other: Value, facts: Facts): AddedParts | undefined {
  const { node } = sum;
  const [step, ...more] = node.op === 'sum' ? (stepsOf(node, facts) ?? []) : [];
  if (step?.kind !== 'parts' || more.length > 0 || step.count >= inOneKernel) return undefined;
  return { x: node.inputs[0]!, axis: step.axis, count: step.count, other };
}
