/** A linear inequality: the sum of `of` times the unknowns is at most `most`. */
export interface Row {
  readonly of: readonly number[];
  readonly most: number;
}

export interface LinearProgram {
  readonly rows: readonly Row[];
  /** `most` minus the sum of `of` times the unknowns must be greater than -1. */
  readonly goal: Row;
}

/** The remaining pivots, shared by the programs of one question. */
export interface Pivots {
  pivots: number;
}

/** The unknowns: the i-th is times[i] / by. */
export interface Solution {
  readonly by: number;
  readonly times: readonly number[];
}

/**
 * Finds nonnegative unknowns that satisfy the rows and the goal, by the simplex algorithm with Bland's rule, which
 * prevents cycling. Undefined if there are none, if the pivots are exhausted, or if a number exceeds 2^53.
 */
export function solve({ rows, goal }: LinearProgram, pivots: Pivots): Solution | undefined {
  const columns = goal.of.length;
  // The last column is an artificial variable in every row, which makes the start feasible; the first phase reduces
  // it to 0.
  const slack = columns;
  const t: Tableau = {
    entries: [...rows.map((r) => [...r.of, -1, r.most]), [...goal.of, 0, goal.most]],
    by: 1,
    basic: rows.map((_, i) => columns + 1 + i),
    free: Array.from({ length: columns + 1 }, (_, j) => j),
    closed: undefined,
  };
  const worst = rows.reduce((w, r, i) => (r.most < (rows[w]?.most ?? 0) ? i : w), -1);
  if (worst >= 0) {
    t.entries.push([...goal.of.map(() => 0), 1, 0]);
    if (!pivot(t, worst, slack, pivots)) return undefined;
    const w = t.entries.length - 1;
    while (t.basic.includes(slack)) {
      if (improve(t, w, rows.length, slack, pivots) === 'improved') continue;
      if (t.entries[w]!.at(-1) !== 0 || !release(t, slack, pivots)) return undefined;
      break;
    }
    t.entries.pop();
  }
  t.closed = t.free.indexOf(slack);
  for (;;) {
    if (t.entries[rows.length]!.at(-1)! > -t.by) return read(t, columns);
    if (improve(t, rows.length, rows.length, slack, pivots) !== 'improved') return undefined;
  }
}

/**
 * Row i states: basic[i] + the sum of entries[i][j] / by times free[j] is entries[i][last] / by. The entries are
 * integers over one denominator and stay integers, since each is a minor of the initial tableau.
 */
interface Tableau {
  entries: number[][];
  by: number;
  basic: number[];
  free: number[];
  /** The column that may no longer enter the basis. */
  closed: number | undefined;
}

/** Removes the artificial variable, which is already 0, from the basis, unless its row is zero. */
function release(t: Tableau, slack: number, pivots: Pivots): boolean {
  const row = t.basic.indexOf(slack);
  const column = t.free.findIndex((_, j) => t.entries[row]![j] !== 0);
  return column < 0 || pivot(t, row, column, pivots);
}

function improve(t: Tableau, goal: number, rows: number, slack: number, pivots: Pivots): 'improved' | 'stuck' {
  let column = -1;
  for (let j = 0; j < t.free.length; j++) {
    if (j === t.closed || t.entries[goal]![j]! >= 0) continue;
    if (column < 0 || t.free[j]! < t.free[column]!) column = j;
  }
  if (column < 0) return 'stuck';
  let row = -1;
  for (let i = 0; i < rows; i++) {
    const entry = t.entries[i]![column]!;
    if (entry <= 0) continue;
    if (row < 0) {
      row = i;
      continue;
    }
    const here = t.entries[i]!.at(-1)! * t.entries[row]![column]!;
    const best = t.entries[row]!.at(-1)! * entry;
    if (!Number.isSafeInteger(here) || !Number.isSafeInteger(best)) return 'stuck';
    if (here > best) continue;
    // The artificial variable leaves as soon as possible.
    if (here < best || t.basic[i] === slack || (t.basic[row] !== slack && t.basic[i]! < t.basic[row]!)) row = i;
  }
  // Without a limiting row the program is unbounded: the facts are contradictory, which is detected elsewhere.
  return row >= 0 && pivot(t, row, column, pivots) ? 'improved' : 'stuck';
}

function pivot(t: Tableau, row: number, column: number, pivots: Pivots): boolean {
  if (pivots.pivots-- <= 0) return false;
  const { entries, by } = t;
  const source = entries[row]!;
  const p = source[column]!;
  const sign = p < 0 ? -1 : 1;
  for (let i = 0; i < entries.length; i++) {
    if (i === row) continue;
    const target = entries[i]!;
    const times = target[column]!;
    for (let j = 0; j < target.length; j++) {
      if (j === column) continue;
      const kept = target[j]! * p;
      const taken = times * source[j]!;
      if (!Number.isSafeInteger(kept) || !Number.isSafeInteger(taken) || !Number.isSafeInteger(kept - taken))
        return false;
      target[j] = (sign * (kept - taken)) / by;
    }
    target[column] = -sign * times;
  }
  for (let j = 0; j < source.length; j++) source[j]! *= sign;
  source[column] = sign * by;
  t.by = sign * p;
  [t.basic[row], t.free[column]] = [t.free[column]!, t.basic[row]!];
  return true;
}

function read(t: Tableau, columns: number): Solution {
  const times = Array.from({ length: columns }, () => 0);
  t.basic.forEach((unknown, i) => {
    if (unknown < columns) times[unknown] = t.entries[i]!.at(-1)!;
  });
  return { by: t.by, times };
}
