import { type Dim, one, product } from '../dims/dim.ts';
import type { Facts } from '../dims/facts.ts';
import { isOne } from './match.ts';

/** Runs of axes in two shapes of one tensor that hold the same elements; axes of size 1 belong to no run. */
export interface AxisGroup {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Returns how a reshape regroups axes, as finely as is known; undefined if the volumes cannot be matched. */
export function groupAxes(facts: Facts, before: readonly Dim[], after: readonly Dim[]): AxisGroup[] | undefined {
  const cuts = new Map<string, number>();
  const long = longAxes(facts, before);
  let volume: Dim = one;
  for (const [i, axis] of long.entries()) {
    volume = product([volume, before[axis]!]);
    cuts.set(facts.normalize(volume).key, i + 1);
  }
  const groups: AxisGroup[] = [];
  let [from, run]: [number, number[]] = [0, []];
  volume = one;
  for (const axis of longAxes(facts, after)) {
    volume = product([volume, after[axis]!]);
    run.push(axis);
    const to = cuts.get(facts.normalize(volume).key);
    if (to === undefined) continue;
    groups.push({ before: long.slice(from, to), after: run });
    [from, run] = [to, []];
  }
  return run.length === 0 && from === long.length ? groups : undefined;
}

/** Returns the axes that are not known to have size 1. */
export function longAxes(facts: Facts, shape: readonly Dim[]): number[] {
  return shape.flatMap((dim, axis) => (isOne(facts, dim) ? [] : [axis]));
}

/** A transpose with as few axes as possible: axes that stay together are merged, and axes of size 1 are dropped. */
export interface Permutation {
  /** The operand's shape. */
  readonly shape: readonly Dim[];
  readonly perm: readonly number[];
}

export function minimalPermutation(facts: Facts, shape: readonly Dim[], perm: readonly number[]): Permutation {
  const long = longAxes(facts, shape);
  const runs: number[][] = [];
  for (const axis of perm) {
    const place = long.indexOf(axis);
    if (place < 0) continue;
    const last = runs.at(-1);
    if (last !== undefined && place > 0 && last.at(-1) === long[place - 1]) last.push(axis);
    else runs.push([axis]);
  }
  const sorted = [...runs].sort((a, b) => a[0]! - b[0]!);
  return {
    shape: sorted.map((run) => product(run.map((axis) => shape[axis]!))),
    perm: runs.map((run) => sorted.indexOf(run)),
  };
}
