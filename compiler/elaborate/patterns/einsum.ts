import { type Dim, one, product } from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { type MatmulPlan, type ProductPlan, planContraction } from './contraction.ts';
import { attempt, emit, type PatternContext, type PatternResult, refuse, refuseNames } from './fault.ts';
import { parseEinsum, type Side } from './pattern.ts';
import { inOrder, regroup, sizesOf } from './regroup.ts';
import {
  type Axis,
  checkGiven,
  elementary,
  mergedShape,
  type OpenSide,
  open,
  resolve,
  restCount,
  type Sizes,
} from './sizes.ts';

/** A tensor whose elementary axes are known; its own shape may still have them grouped. */
interface Named {
  readonly value: Value;
  readonly axes: readonly Axis[];
}

/**
 * Sums of products over named axes: `einsum("b h n d, b h m d -> b h n m", q, k)`. A name in several
 * operands is one axis; what the right side leaves out is summed over. Several operands are contracted
 * from left to right. `...` stands for the same leading axes everywhere.
 */
export function einsum(cx: PatternContext, pattern: string, operands: readonly Value[], given: Sizes): PatternResult {
  return attempt(() => {
    const { operands: sides, result } = parseEinsum(pattern);
    if (sides.length !== operands.length) {
      refuse({
        kind: 'rank',
        message: `the pattern has ${count(sides.length)}, the call has ${count(operands.length)}`,
      });
    }
    checkGiven(cx.facts, [...sides, result], given, pattern);
    const [opened, right] = openAll(sides, result, operands);
    const sizes = resolve(
      cx.facts,
      opened,
      operands.map((operand) => operand.type.shape),
      given,
    );
    checkResult(sides, result);
    const named = opened.map((side, i): Named => ({ value: operands[i]!, axes: elementary(side, sizes) }));
    const order = right.axes.flat();
    let joined = named[0]!;
    for (let i = 1; i < named.length; i++) {
      const rest = named.slice(i + 1).flatMap((later) => namesIn(later));
      const last = i === named.length - 1;
      joined = contract(cx, joined, named[i]!, new Set([...order, ...rest]), last ? order : undefined);
    }
    const summed = sumOut(cx, joined, new Set(order));
    return regroup(cx, summed.value, summed.axes, order, mergedShape(right, sizes));
  });
}

function count(n: number): string {
  return n === 1 ? '1 operand' : `${n} operands`;
}

function openAll(sides: readonly Side[], result: Side, operands: readonly Value[]): [OpenSide[], OpenSide] {
  let rest: number | undefined;
  const opened = sides.map((side, i) => {
    const own = restCount(side, operands[i]!.type.shape.length, `operand ${i + 1}`);
    if (!side.hasRest) return open(side, 0);
    if (rest !== undefined && rest !== own) {
      refuse({ kind: 'rank', message: `\`...\` stands for ${own} axes in operand ${i + 1}, for ${rest} before` });
    }
    rest = own;
    return open(side, own);
  });
  if (result.hasRest && rest === undefined) refuseNames('`...` is in no operand', result);
  if (!result.hasRest && rest !== undefined) refuseNames('`...` is not in the result', result);
  return [opened, open(result, rest ?? 0)];
}

function checkResult(sides: readonly Side[], result: Side): void {
  const known = new Set(sides.flatMap((side) => side.names.map(({ name }) => name)));
  for (const axis of result.names) {
    if (!known.has(axis.name)) refuseNames(`\`${axis.name}\` is in no operand`, axis);
  }
}

function namesIn({ axes }: Named): string[] {
  return axes.map(({ name }) => name);
}

/** Sums over the axes that are not kept. */
function sumOut(cx: PatternContext, x: Named, keep: ReadonlySet<string>): Named {
  const axes = x.axes.flatMap(({ name }, axis) => (keep.has(name) ? [] : [axis]));
  if (axes.length === 0) return x;
  const split = emit(cx, 'reshape', [x.value], { shape: sizesOf(x.axes) });
  return { value: emit(cx, 'sum', [split], { axes, keep: false }), axes: x.axes.filter(({ name }) => keep.has(name)) };
}

function contract(
  cx: PatternContext,
  first: Named,
  second: Named,
  keep: ReadonlySet<string>,
  wanted: readonly string[] | undefined,
): Named {
  // An axis that only one operand has and that is not kept is summed over before the product.
  const a = sumOut(cx, first, new Set([...keep, ...namesIn(second)]));
  const b = sumOut(cx, second, new Set([...keep, ...namesIn(first)]));
  const here = new Set([...namesIn(a), ...namesIn(b)]);
  const plan = planContraction(
    namesIn(a),
    namesIn(b),
    keep,
    wanted?.filter((name) => here.has(name)),
  );
  return plan.kind === 'product' ? multiply(cx, a, b, plan) : multiplyMatrices(cx, a, b, plan);
}

function multiply(cx: PatternContext, a: Named, b: Named, { order, summed }: ProductPlan): Named {
  const all = inOrder(union(a, b), order);
  const aligned = (x: Named): Value => {
    const own = namesIn(x);
    return regroup(
      cx,
      x.value,
      x.axes,
      order.filter((name) => own.includes(name)),
      withoutFront(order.map((name) => (own.includes(name) ? sizeIn(x, name) : undefined))),
    );
  };
  const product = { value: emit(cx, 'mul', [aligned(a), aligned(b)], {}), axes: all };
  return sumOut(cx, product, new Set(order.filter((name) => !summed.includes(name))));
}

function multiplyMatrices(cx: PatternContext, a: Named, b: Named, plan: MatmulPlan): Named {
  const { batch, rows, inner, columns } = plan;
  const [x, y] = plan.left === 0 ? [a, b] : [b, a];
  const matrix = (operand: Named, first: readonly string[], second: readonly string[]): Value => {
    const own = namesIn(operand);
    const merged = [first, second].map((names) => product(names.map((name) => sizeIn(operand, name))));
    const lead = batch.map((name) => (own.includes(name) ? sizeIn(operand, name) : undefined));
    return regroup(
      cx,
      operand.value,
      operand.axes,
      [...batch.filter((name) => own.includes(name)), ...first, ...second],
      [...withoutFront(lead), ...merged],
    );
  };
  const value = emit(cx, 'matmul', [matrix(x, rows, inner), matrix(y, inner, columns)], {});
  return { value, axes: inOrder(union(x, y), [...batch, ...rows, ...columns]) };
}

function union(a: Named, b: Named): Axis[] {
  const own = new Set(namesIn(a));
  return [...a.axes, ...b.axes.filter(({ name }) => !own.has(name))];
}

function sizeIn(x: Named, name: string): Dim {
  return x.axes.find((axis) => axis.name === name)!.size;
}

/** 1 for what is missing, except in front, where broadcasting adds it. */
function withoutFront(sizes: readonly (Dim | undefined)[]): Dim[] {
  const first = sizes.findIndex((size) => size !== undefined);
  return first < 0 ? [] : sizes.slice(first).map((size) => size ?? one);
}
