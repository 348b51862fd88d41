import { asVariable, evaluate } from '../../compiler/dims/dim.ts';
import { indexInputs } from '../../compiler/graphs/index-check.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { UserError } from '../files/user-error.ts';
import type { Feeds } from './session.ts';

/**
 * Returns a check of the inputs that are row numbers of a table, to be called before each run. It throws a UserError at
 * the first element out of range. A graph emitted with `indexInputs` as its `hostChecks` requires this check.
 */
export function rowNumberCheck(graph: Graph): (feeds: Feeds) => void {
  const looks = indexInputs(graph);
  return (feeds) => {
    for (const { name, rows } of looks) {
      const given = feeds[name];
      if (given === undefined) continue;
      const count = evaluate(rows, (variable) => sizeOf(graph, feeds, variable));
      // An index loop, because iterating over a BigInt64Array allocates.
      for (let i = 0; i < given.data.length; i++) {
        const row = given.data[i] ?? 0;
        if (row >= 0 && row < count) continue;
        throw new UserError(`${name} is ${row} at [${placeOf(i, given.shape)}]: must lie in 0..${count - 1}`);
      }
    }
  };
}

/** Returns the multi-dimensional index of the i-th element. */
function placeOf(i: number, shape: readonly number[]): string {
  const place: number[] = [];
  let rest = i;
  for (const size of [...shape].reverse()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return place.join(', ');
}

function sizeOf({ inputs }: Graph, feeds: Feeds, variable: string): number {
  for (const { name, value } of inputs) {
    const axis = value.type.shape.findIndex((dim) => asVariable(dim) === variable);
    const size = axis < 0 ? undefined : feeds[name]?.shape[axis];
    if (size !== undefined) return size;
  }
  throw new Error(`bug in crobc: no input has the dim ${variable} as its size`);
}
