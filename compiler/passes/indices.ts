import { type Dim, one, product } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import type { Builder } from '../graphs/builder.ts';
import { planContraction } from '../graphs/contraction.ts';
import type { NodeOf, Value } from '../ir/graph.ts';
import { sameDim } from '../ir/shapes.ts';
import { groupAxes } from './axes.ts';
import { isOne } from './match.ts';

/** What one or several axes of the factors of a product run over. */
export interface Index {
  readonly name: string;
  readonly size: Dim;
}

/** The indices of each axis of a tensor, several where axes are merged, none where an axis has size 1. */
export type Axes = readonly (readonly Index[])[];

/** A tensor in a product over indices, as in `einsum`. */
export interface Factor {
  readonly value: Value;
  readonly axes: Axes;
}

/**
 * The indices of a product while it is read. Where a view merges two axes of a factor into one that has an index already,
 * that index turns out to be two.
 */
export class Indices {
  readonly #facts: Facts;
  readonly #parts = new Map<Index, readonly Index[]>();
  #count = 0;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  /** An index of its own for each axis. */
  of(shape: readonly Dim[]): Axes {
    return shape.map((size) => this.#axis(size));
  }

  /** In place of those that turned out to be several. */
  settled(axes: Axes): Axes {
    if (this.#parts.size === 0) return axes;
    return axes.map((axis) => axis.flatMap((index) => this.#leaves(index)));
  }

  /** Both operands of a matrix product, by the indices of its result. */
  operands({ inputs }: NodeOf<'matmul'>, result: Axes): readonly [Factor, Factor] {
    const [a, b] = [inputs[0]!, inputs[1]!];
    const inner = this.#axis(a.type.shape.at(-1)!);
    const batch = result.slice(0, -2);
    const [rows, columns] = [result.at(-2)!, result.at(-1)!];
    return [
      { value: a, axes: this.broadcast(a.type.shape, [...batch, rows, inner]) },
      { value: b, axes: this.broadcast(b.type.shape, [...batch, inner, columns]) },
    ];
  }

  /** The indices of an operand that is broadcast to a result, by trailing alignment. */
  broadcast(shape: readonly Dim[], result: Axes): Axes {
    return result.slice(result.length - shape.length).map((axis, i) => (isOne(this.#facts, shape[i]!) ? [] : axis));
  }

  /** The indices of what a view with these was made of; undefined where axes are regrouped across each other. */
  beneath(view: NodeOf<'reshape'> | NodeOf<'transpose'>, axes: Axes): Axes | undefined {
    const before = view.inputs[0]!.type.shape;
    if (view.op === 'transpose') return before.map((_, axis) => axes[view.attributes.perm.indexOf(axis)]!);
    const groups = groupAxes(this.#facts, before, view.attributes.shape);
    if (groups === undefined) return undefined;
    const found: (readonly Index[])[] = before.map(() => []);
    for (const group of groups) {
      const held = this.settled(group.after.map((axis) => axes[axis]!)).flat();
      const runs = this.#split(
        held,
        group.before.map((axis) => before[axis]!),
      );
      if (runs === undefined) return undefined;
      for (const [i, axis] of group.before.entries()) found[axis] = runs[i]!;
    }
    return found;
  }

  /** Some indices in runs of these sizes. */
  #split(held: readonly Index[], sizes: readonly Dim[]): readonly (readonly Index[])[] | undefined {
    if (sizes.length === 1) return [held];
    const [single] = held;
    if (single !== undefined && held.length === 1) {
      const parts = sizes.map((size) => this.#index(size));
      this.#parts.set(single, parts);
      return parts.map((part) => [part]);
    }
    if (held.length !== sizes.length) return undefined;
    return held.every(({ size }, i) => sameDim(this.#facts, size, sizes[i]!))
      ? held.map((index) => [index])
      : undefined;
  }

  #axis(size: Dim): readonly Index[] {
    return isOne(this.#facts, size) ? [] : [this.#index(size)];
  }

  #index(size: Dim): Index {
    return { name: String(this.#count++), size };
  }

  #leaves(index: Index): readonly Index[] {
    return this.#parts.get(index)?.flatMap((part) => this.#leaves(part)) ?? [index];
  }
}

export function indicesOf({ axes }: Factor): readonly Index[] {
  return axes.flat();
}

/**
 * The product of two factors, summed over the indices that both have and `keep` does not: an axis for each index, in the order
 * `wanted` where that is given. Undefined where nothing is summed over, or what only one of them has is not kept.
 */
export function contracted(
  build: Builder,
  a: Factor,
  b: Factor,
  keep: ReadonlySet<Index>,
  wanted?: readonly Index[],
): Factor | undefined {
  const [ofA, ofB] = [indicesOf(a), indicesOf(b)];
  const summed = ofA.filter((index) => ofB.includes(index) && !keep.has(index));
  const all = [...ofA, ...ofB.filter((index) => !ofA.includes(index))];
  if (summed.length === 0 || all.some((index) => !keep.has(index) && !summed.includes(index))) return undefined;
  const byName = new Map(all.map((index) => [index.name, index]));
  const named = (names: readonly string[]) => names.map((name) => byName.get(name)!);
  const names = (indices: readonly Index[]) => indices.map(({ name }) => name);
  const kept = new Set(names([...keep]));
  const plan = planContraction(names(ofA), names(ofB), kept, wanted && names(wanted.filter((i) => all.includes(i))));
  if (plan.kind === 'product') {
    const order = named(plan.order);
    const terms = build.mul(aligned(build, a, order), aligned(build, b, order));
    const axes = order.flatMap((index, axis) => (summed.includes(index) ? [axis] : []));
    return inOrder(
      build,
      build.sum(terms, axes),
      order.filter((index) => !summed.includes(index)),
      wanted,
    );
  }
  const [batch, rows, inner, columns] = [plan.batch, plan.rows, plan.inner, plan.columns].map(named) as [
    Index[],
    Index[],
    Index[],
    Index[],
  ];
  const [x, y] = plan.left === 0 ? [a, b] : [b, a];
  const matrix = (factor: Factor, first: readonly Index[], second: readonly Index[]): Value => {
    const own = indicesOf(factor);
    const lead = withoutFront(batch.map((index) => (own.includes(index) ? index.size : undefined)));
    const order = [...batch.filter((index) => own.includes(index)), ...first, ...second];
    return regrouped(build, factor, order, [...lead, sizeOf(first), sizeOf(second)]);
  };
  const value = build.matmul(matrix(x, rows, inner), matrix(y, inner, columns));
  return inOrder(build, value, [...batch, ...rows, ...columns], wanted);
}

function inOrder(build: Builder, value: Value, order: readonly Index[], wanted: readonly Index[] | undefined): Factor {
  const result = wanted?.filter((index) => order.includes(index)) ?? order;
  const apart = {
    value: build.reshape(
      value,
      order.map(({ size }) => size),
    ),
    axes: order.map((index) => [index]),
  };
  return {
    value: regrouped(
      build,
      apart,
      result,
      result.map(({ size }) => size),
    ),
    axes: result.map((index) => [index]),
  };
}

/** A factor with an axis for each index of `order`, 1 where it lacks one; axes in front that it lacks are left out. */
export function aligned(build: Builder, factor: Factor, order: readonly Index[]): Value {
  const own = indicesOf(factor);
  const sizes = order.map((index) => (own.includes(index) ? index.size : undefined));
  return regrouped(
    build,
    factor,
    order.filter((index) => own.includes(index)),
    withoutFront(sizes),
  );
}

/** A factor with its indices in this order, in a shape that holds them: reshape, transpose, reshape. */
export function regrouped(build: Builder, factor: Factor, order: readonly Index[], shape: readonly Dim[]): Value {
  const from = indicesOf(factor);
  if (from.every((index, i) => index === order[i])) return build.reshape(factor.value, shape);
  const apart = build.reshape(
    factor.value,
    from.map(({ size }) => size),
  );
  const perm = order.map((index) => from.indexOf(index));
  return build.reshape(build.transpose(apart, perm), shape);
}

function sizeOf(indices: readonly Index[]): Dim {
  return product(indices.map(({ size }) => size));
}

/** 1 for what is missing, except in front, where broadcasting adds it. */
function withoutFront(sizes: readonly (Dim | undefined)[]): Dim[] {
  const first = sizes.findIndex((size) => size !== undefined);
  return first < 0 ? [] : sizes.slice(first).map((size) => size ?? one);
}
