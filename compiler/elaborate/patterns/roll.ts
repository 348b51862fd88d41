import { constant, type Dim, negate, one, sub, zero } from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { namedAxes, sliceAxis, staticDim } from './axes.ts';
import { attempt, emit, type PatternContext, type PatternResult, proveAtMost } from './fault.ts';

/**
 * Elements moved along named axes, those that leave at one end coming in at the other; a positive shift
 * moves towards higher indices, as `torch.roll` does. A shift that is not static, or along an axis that
 * is not, is proved to be smaller than the axis.
 */
export function roll(cx: PatternContext, x: Value, pattern: string, shifts: ReadonlyMap<string, Dim>): PatternResult {
  return attempt(() => {
    const axes = namedAxes(cx.facts, x, pattern, shifts.keys());
    let result = x;
    for (const [name, shift] of shifts) result = rollAxis(cx, result, axes.get(name)!, name, shift);
    return result;
  });
}

function rollAxis(cx: PatternContext, x: Value, axis: number, name: string, shift: Dim): Value {
  const { facts } = cx;
  const size = x.type.shape[axis]!;
  const by = staticDim(facts, shift);
  const extent = staticDim(facts, size);
  const turned = by !== undefined && extent !== undefined ? constant(((by % extent) + extent) % extent) : shift;
  if (staticDim(facts, turned) === 0) return x;
  const left = facts.lessEqual(turned, zero).answer === 'proved';
  const steps = left ? negate(turned) : turned;
  // A shift whose sign is unknown fails here: it may be negative.
  const of = { input: 0, axis };
  proveAtMost(facts, one, steps, `the shift of the axis \`${name}\` must be at least 1`, of);
  proveAtMost(facts, steps, sub(size, one), `the shift of the axis \`${name}\` must be smaller than it`, of);
  const cut = left ? steps : sub(size, steps);
  const parts = [sliceAxis(cx, x, axis, cut, size), sliceAxis(cx, x, axis, zero, cut)];
  return emit(cx, 'concat', parts, { axis });
}
