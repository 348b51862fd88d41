import { type Metric, metrics } from '../runtime/evaluation/bootstrap.ts';
import type { Difference } from '../runtime/evaluation/compare.ts';
import { percent } from './units.ts';

/** A short name for what is compared: A, B, …, Z, 27, 28, … */
export function letter(index: number): string {
  return index < 26 ? String.fromCharCode(65 + index) : String(index + 1);
}

/** Two rows of a table: differences from the baseline, with a star where the bounds exclude 0, and the bounds. */
export function differenceRows(
  differences: Readonly<Record<Metric, Difference>> | undefined,
  index: number,
  baseline: number,
): string[][] {
  if (!differences) return [];
  return [
    [
      `${letter(index)} - ${letter(baseline)}`,
      ...metrics.map((m) => `${signed(differences[m].difference)}${isClear(differences[m]) ? '*' : ' '}`),
    ],
    ['', ...metrics.map((m) => `${signed(differences[m].low)} ${signed(differences[m].high)} `)],
  ];
}

/** A difference in percentage points with its sign. */
export function signed(v: number): string {
  return Number.isNaN(v) ? '-' : `${v < 0 ? '-' : '+'}${percent(Math.abs(v))}`;
}

/** Whether the bounds of a difference exclude 0. */
export function isClear({ low, high }: Difference): boolean {
  return low > 0 || high < 0;
}
