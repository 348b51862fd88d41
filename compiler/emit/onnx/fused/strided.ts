import { type Dim, mul, one, product, sum, zero } from '../../../dims/dim.ts';
import type { Facts } from '../../../dims/facts.ts';
import type { Node, Value } from '../../../ir/graph.ts';
import { sameDim } from '../../../ir/shapes.ts';
import { groupAxes } from '../../../passes/axes.ts';
import { known } from '../reshape-target.ts';

/** A view of another value's elements: element [i, j, …] is number offset + i·stride₀ + j·stride₁ + … of the root. */
export interface Strided {
  readonly root: Value;
  readonly offset: Dim;
  readonly axes: readonly { readonly size: Dim; readonly stride: Dim }[];
  /** The elements are multiplied by this number. */
  readonly scale: number;
  /** The nodes between the root and the view. */
  readonly passed: readonly Node[];
}

/** Reads a value as a view through reshapes, transposes, slices and products with numbers, as far as that goes. */
export function strided(value: Value, facts: Facts): Strided {
  const { node } = value;
  const inner = (from: Value): Strided => {
    const view = strided(from, facts);
    return { ...view, passed: [...view.passed, node] };
  };
  switch (node.op) {
    case 'transpose': {
      const view = inner(node.inputs[0]);
      return { ...view, axes: node.attributes.perm.map((axis) => view.axes[axis]!) };
    }
    case 'reshape': {
      const view = inner(node.inputs[0]);
      const axes = regrouped(view.axes, value.type.shape, facts);
      return axes === undefined ? whole(value) : { ...view, axes };
    }
    case 'slice': {
      const { start, step } = node.attributes;
      if (step.some((by) => by !== 1)) return whole(value);
      const view = inner(node.inputs[0]);
      const skipped = start.map((from, axis) => mul(from, view.axes[axis]!.stride));
      const axes = view.axes.map(({ stride }, axis) => ({ size: value.type.shape[axis]!, stride }));
      return { ...view, offset: sum([view.offset, ...skipped]), axes };
    }
    case 'mul':
    case 'div': {
      const factor = numberOf(node.inputs[1]);
      if (factor === undefined || node.inputs[0].type.shape.length !== value.type.shape.length) return whole(value);
      const view = inner(node.inputs[0]);
      return { ...view, scale: node.op === 'mul' ? view.scale * factor : view.scale / factor };
    }
    default:
      return columns(value, facts) ?? whole(value);
  }
}

/** A product w·xᵀ, perhaps with a bias, as a view of x·wᵀ: [..., length, width] with its last axes swapped. */
function columns(value: Value, facts: Facts): Strided | undefined {
  const { shape } = value.type;
  if (!isTransposedLinear(value, facts)) return undefined;
  const [width, length] = shape.slice(-2) as [Dim, Dim];
  const lead = shape.slice(0, -2);
  const leading = contiguous(lead, mul(width, length));
  return {
    ...whole(value),
    axes: [
      ...lead.map((size, axis) => ({ size, stride: leading[axis]! })),
      { size: width, stride: one },
      { size: length, stride: width },
    ],
  };
}

/** Whether a value is w·xᵀ or w·xᵀ + b, where w is a matrix and b a column. */
export function isTransposedLinear({ node, type }: Value, facts: Facts): boolean {
  if (node.op === 'matmul') {
    const [w, x] = node.inputs;
    const axes = x.type.shape.length;
    if (w.type.shape.length !== 2 || axes < 2 || x.node.op !== 'transpose') return false;
    const order = [...Array(axes - 2).keys(), axes - 1, axes - 2];
    return x.node.attributes.perm.every((axis, i) => axis === order[i]);
  }
  if (node.op !== 'add') return false;
  const [product, bias] = node.inputs;
  const [width, single, ...more] = bias.type.shape;
  if (width === undefined || single === undefined || more.length > 0 || product.node.op !== 'matmul') return false;
  const isColumn = known(facts, single) === 1 && sameDim(facts, width, type.shape.at(-2)!);
  return isColumn && type.shape.length === product.type.shape.length && isTransposedLinear(product, facts);
}

/** Returns the number that a scalar has in every run. */
export function numberOf({ node, type }: Value): number | undefined {
  if (type.shape.length !== 0) return undefined;
  if (node.op === 'full') return node.attributes.value;
  return node.op === 'constant' ? Number(node.attributes.tensor.data[0]) : undefined;
}

/** Whether the axes have these strides. The stride of an axis of size 1 does not matter. */
export function hasStrides({ axes }: Strided, strides: readonly Dim[], facts: Facts): boolean {
  return (
    axes.length === strides.length &&
    axes.every(({ size, stride }, i) => known(facts, size) === 1 || sameDim(facts, stride, strides[i]!))
  );
}

/** Returns the strides of a tensor whose elements lie one after another, `between` elements from one to the next. */
export function contiguous(shape: readonly Dim[], between: Dim = one): Dim[] {
  return shape.map((_, axis) => mul(between, product(shape.slice(axis + 1))));
}

function whole(value: Value): Strided {
  const strides = contiguous(value.type.shape);
  const axes = value.type.shape.map((size, axis) => ({ size, stride: strides[axis]! }));
  return { root: value, offset: zero, axes, scale: 1, passed: [] };
}

/** Returns the axes after a reshape; undefined if it would have to copy. */
function regrouped(axes: Strided['axes'], to: readonly Dim[], facts: Facts): Strided['axes'] | undefined {
  const from = axes.map(({ size }) => size);
  const groups = groupAxes(facts, from, to);
  if (groups === undefined) return undefined;
  const strides: Dim[] = to.map(() => zero);
  for (const { before, after } of groups) {
    for (const [i, axis] of before.slice(0, -1).entries()) {
      const next = axes[before[i + 1]!]!;
      if (!sameDim(facts, axes[axis]!.stride, mul(next.stride, next.size))) return undefined;
    }
    const inner = contiguous(
      after.map((axis) => to[axis]!),
      axes[before.at(-1)!]!.stride,
    );
    for (const [i, axis] of after.entries()) strides[axis] = inner[i]!;
  }
  return to.map((size, axis) => ({ size, stride: strides[axis]! }));
}
