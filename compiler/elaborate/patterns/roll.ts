import { constant, type Dim, negate, one, sub, zero } from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { type NamedAmount, namedAxes, sliceAxis, staticDim } from './axes.ts';
import { emit, type PatternContext } from './context.ts';
import { isRefused, type PatternResult, proveAtMost } from './fault.ts';

/**
 * Shifts elements cyclically along named axes; a positive shift moves towards higher indices, as in `torch.roll`. If
 * the shift or the axis is not static, the shift must be proved smaller than the axis.
 */
export function roll(cx: PatternContext, x: Value, pattern: string, shifts: ReadonlyMap<string, Dim>): PatternResult {
  const axes = namedAxes(cx, x, pattern, shifts);
  if (isRefused(axes)) return axes;
  return axes.reduce<PatternResult>((result, axis) => (isRefused(result) ? result : rollAxis(cx, result, axis)), x);
}

function rollAxis(cx: PatternContext, x: Value, { name, axis, size, amount }: NamedAmount<Dim>): PatternResult {
  const { facts } = cx;
  const by = staticDim(facts, amount);
  const extent = staticDim(facts, size);
  const shift = by !== undefined && extent !== undefined ? constant(((by % extent) + extent) % extent) : amount;
  if (staticDim(facts, shift) === 0) return x;
  const left = facts.lessEqual(shift, zero).answer === 'proved';
  const steps = left ? negate(shift) : shift;
  // A shift of unknown sign is refused here, since it may be negative.
  const of = { input: 0, axis };
  const refused =
    proveAtMost(facts, one, steps, `the shift of the axis \`${name}\` must be at least 1`, of) ??
    proveAtMost(facts, steps, sub(size, one), `the shift of the axis \`${name}\` must be smaller than it`, of);
  if (refused) return refused;
  const cut = left ? steps : sub(size, steps);
  const parts = [sliceAxis(cx, x, axis, cut, size), sliceAxis(cx, x, axis, zero, cut)];
  return emit(cx, 'concat', parts, { axis });
}
