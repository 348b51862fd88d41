import { type Dim, one, product } from '../../dims/dim.ts';
import {
  type ContractionPlan,
  contractionKey,
  type MatmulPlan,
  type ProductPlan,
  planContraction,
} from '../../graphs/contraction.ts';
import type { Value } from '../../ir/graph.ts';
import { pairs } from '../../lists.ts';
import { einsumOf, emit, type PatternContext, stored } from './context.ts';
import { isRefused, type PatternResult, type Refused, refuse, refuseNames } from './fault.ts';
import type { Side } from './pattern.ts';
import { inOrder, regroup, sizesOf } from './regroup.ts';
import {
  type Axis,
  checkGiven,
  elementary,
  type Measured,
  mergedShape,
  namesOn,
  type OpenSide,
  open,
  resolve,
  restCount,
  type Sizes,
} from './sizes.ts';

/** A tensor with its elementary axes; in its actual shape they may still be grouped. */
interface Named {
  readonly value: Value;
  readonly axes: readonly Axis[];
}

/**
 * Computes sums of products over named axes: `einsum("b h n d, b h m d -> b h n m", q, k)`. A name that occurs in
 * several operands is one axis; axes missing on the right side are summed over. More than two operands are
 * contracted from left to right. `...` is the same leading axes everywhere.
 */
export function einsum(cx: PatternContext, pattern: string, operands: readonly Value[], given: Sizes): PatternResult {
  const read = einsumOf(cx, pattern);
  if (isRefused(read)) return read;
  const { operands: sides, result } = read;
  if (sides.length !== operands.length) {
    const message = `the pattern has ${count(sides.length)}, the call has ${count(operands.length)}`;
    return refuse({ kind: 'rank', message });
  }
  const opened = checkGiven(cx.facts, [...sides, result], given, pattern) ?? openAll(pairs(sides, operands), result);
  if (isRefused(opened)) return opened;
  const { measured, right } = opened;
  const sizes = resolve(cx.facts, measured, given);
  if (isRefused(sizes)) return sizes;
  const wrong = checkResult(sides, result);
  if (wrong) return wrong;
  const [first, ...others] = measured.map(({ value, side }): Named => ({ value, axes: elementary(side, sizes) }));
  if (first === undefined) throw new Error('bug in crobc: an einsum without operands');
  const order = namesOn(right);
  let joined: PatternResult<Named> = first;
  for (const [i, next] of others.entries()) {
    if (isRefused(joined)) return joined;
    const rest = others.slice(i + 1).flatMap((later) => namesIn(later));
    joined = contract(cx, joined, next, new Set([...order, ...rest]), i === others.length - 1 ? order : undefined);
  }
  const summed = isRefused(joined) ? joined : sumOut(cx, joined, new Set(order));
  return isRefused(summed) ? summed : regroup(cx, summed.value, summed.axes, order, mergedShape(right, sizes));
}

function count(n: number): string {
  return n === 1 ? '1 operand' : `${n} operands`;
}

interface MeasuredValue extends Measured {
  readonly value: Value;
}

function openAll(
  operands: readonly (readonly [Side, Value])[],
  result: Side,
): PatternResult<{ readonly measured: readonly MeasuredValue[]; readonly right: OpenSide }> {
  let rest: number | undefined;
  const measured: MeasuredValue[] = [];
  for (const [i, [side, value]] of operands.entries()) {
    const { shape } = value.type;
    const own = restCount(side, shape.length, `operand ${i + 1}`);
    if (isRefused(own)) return own;
    if (side.hasRest && rest !== undefined && rest !== own) {
      return refuse({
        kind: 'rank',
        message: `\`...\` stands for ${own} axes in operand ${i + 1}, for ${rest} before`,
      });
    }
    if (side.hasRest) rest = own;
    measured.push({ value, side: open(side, own), shape });
  }
  if (result.hasRest && rest === undefined) return refuseNames('`...` is in no operand', result);
  if (!result.hasRest && rest !== undefined) return refuseNames('`...` is not in the result', result);
  return { measured, right: open(result, rest ?? 0) };
}

function checkResult(sides: readonly Side[], result: Side): Refused | undefined {
  const known = new Set(sides.flatMap((side) => side.names.map(({ name }) => name)));
  const axis = result.names.find(({ name }) => !known.has(name));
  return axis && refuseNames(`\`${axis.name}\` is in no operand`, axis);
}

function namesIn({ axes }: Named): string[] {
  return axes.map(({ name }) => name);
}

/** Sums over the axes that are not in `keep`. */
function sumOut(cx: PatternContext, x: Named, keep: ReadonlySet<string>): PatternResult<Named> {
  const axes = x.axes.flatMap(({ name }, axis) => (keep.has(name) ? [] : [axis]));
  if (axes.length === 0) return x;
  const split = emit(cx, 'reshape', [x.value], { shape: sizesOf(x.axes) });
  const value = emit(cx, 'sum', [split], { axes, keep: false });
  return isRefused(value) ? value : { value, axes: x.axes.filter(({ name }) => keep.has(name)) };
}

function contract(
  cx: PatternContext,
  first: Named,
  second: Named,
  keep: ReadonlySet<string>,
  wanted: readonly string[] | undefined,
): PatternResult<Named> {
  // An axis that only one operand has and that is not kept is summed over before the product.
  const a = sumOut(cx, first, new Set([...keep, ...namesIn(second)]));
  if (isRefused(a)) return a;
  const b = sumOut(cx, second, new Set([...keep, ...namesIn(first)]));
  if (isRefused(b)) return b;
  const here = new Set([...namesIn(a), ...namesIn(b)]);
  const ordered = wanted?.filter((name) => here.has(name));
  const plan = planOf(cx, namesIn(a), namesIn(b), keep, ordered);
  return plan.kind === 'product' ? multiply(cx, a, b, plan) : multiplyMatrices(cx, a, b, plan);
}

function planOf({ store }: PatternContext, ...names: Parameters<typeof planContraction>): ContractionPlan {
  return stored(store.contractions, contractionKey(...names), () => planContraction(...names));
}

function multiply(cx: PatternContext, a: Named, b: Named, { order, summed }: ProductPlan): PatternResult<Named> {
  const aligned = (x: Named): PatternResult => {
    const own = order.filter((name) => has(x, name));
    return regroup(cx, x.value, x.axes, own, withoutFront(order.map((name) => sizeIn(x, name))));
  };
  const value = emit(cx, 'mul', [aligned(a), aligned(b)], {});
  if (isRefused(value)) return value;
  const product = { value, axes: inOrder(union(a, b), order) };
  return sumOut(cx, product, new Set(order.filter((name) => !summed.includes(name))));
}

function multiplyMatrices(cx: PatternContext, a: Named, b: Named, plan: MatmulPlan): PatternResult<Named> {
  const { batch, rows, inner, columns } = plan;
  const [x, y] = plan.left === 0 ? [a, b] : [b, a];
  const matrix = (operand: Named, first: readonly string[], second: readonly string[]): PatternResult => {
    const merged = [first, second].map((names) => product(sizesOf(inOrder(operand.axes, names))));
    const lead = batch.map((name) => sizeIn(operand, name));
    const order = [...batch.filter((name) => has(operand, name)), ...first, ...second];
    return regroup(cx, operand.value, operand.axes, order, [...withoutFront(lead), ...merged]);
  };
  const value = emit(cx, 'matmul', [matrix(x, rows, inner), matrix(y, inner, columns)], {});
  return isRefused(value) ? value : { value, axes: inOrder(union(x, y), [...batch, ...rows, ...columns]) };
}

function union(a: Named, b: Named): Axis[] {
  return [...a.axes, ...b.axes.filter(({ name }) => !has(a, name))];
}

function has(x: Named, name: string): boolean {
  return sizeIn(x, name) !== undefined;
}

function sizeIn({ axes }: Named, name: string): Dim | undefined {
  return axes.find((axis) => axis.name === name)?.size;
}

/** Fills in 1 for missing sizes, except for leading ones, which broadcasting adds. */
function withoutFront(sizes: readonly (Dim | undefined)[]): Dim[] {
  const first = sizes.findIndex((size) => size !== undefined);
  return first < 0 ? [] : sizes.slice(first).map((size) => size ?? one);
}
