import { asConstant, type Dim } from '../../dims/dim.ts';

/** Returns the axis that is swapped with this one, if any: equality of their sizes is then not what was meant. */
export function swappedWith(actual: readonly Dim[], wanted: readonly Dim[], axis: number): number | undefined {
  const at = (shape: readonly Dim[], i: number) => shape[i]?.key;
  if (actual.length !== wanted.length || actual[axis] === undefined || asConstant(actual[axis]) !== undefined)
    return undefined;
  const other = actual.findIndex(
    (_, i) => i !== axis && at(actual, i) === at(wanted, axis) && at(wanted, i) === at(actual, axis),
  );
  return other === -1 ? undefined : other;
}

/** The help for swapped axes. */
export function swapHelp(actual: readonly Dim[], wanted: readonly Dim[], axis: number): string | undefined {
  const other = swappedWith(actual, wanted, axis);
  if (other === undefined) return undefined;
  const [first, second] = [axis, other].sort((a, b) => a - b);
  return `axes ${first} and ${second} are swapped: give them in the other order`;
}
