import { line, type Mark, rectangle, text, textSize } from '../drawing/drawing.ts';
import type { Fonts } from '../drawing/fonts.ts';
import { marker } from './marker.ts';
import type { Look } from './palette.ts';

export interface LegendEntry {
  readonly label: string;
  readonly look: Look;
  /** Whether the line is pale, and whether it has marks and a band. */
  readonly pale: boolean;
  readonly marked: boolean;
  readonly banded: boolean;
}

const rowHeight = 20;
const sample = 26;
const gap = 30;

/** Draws what series look like, in as many rows as it takes; `y` is the top. */
export function legend(
  entries: readonly LegendEntry[],
  { x, y, width }: { readonly x: number; readonly y: number; readonly width: number },
  fonts: Fonts,
): { readonly marks: readonly Mark[]; readonly height: number } {
  const marks: Mark[] = [];
  let [left, row] = [x, 0];
  for (const { label, look, pale, marked, banded } of entries) {
    const room = sample + 8 + fonts.width(label, textSize);
    if (left > x && left + room > x + width) [left, row] = [x, row + 1];
    const middle = y + row * rowHeight + rowHeight / 2;
    const { colour, dash, shape } = look;
    if (banded) marks.push(rectangle({ x: left, y: middle - 6, width: sample, height: 12 }, bandPaint(colour)));
    marks.push(line(left, middle, left + sample, middle, linePaint({ colour, dash, pale })));
    if (marked) marks.push(marker(shape, left + sample / 2, middle, 3.5, { fill: colour }));
    marks.push(text(label, left + sample + 8, middle + 4));
    left += room + gap;
  }
  return { marks, height: entries.length === 0 ? 0 : (row + 1) * rowHeight };
}

export function linePaint({ colour, dash, pale }: Pick<Look, 'colour' | 'dash'> & { readonly pale: boolean }) {
  // Pale lines are in a light colour, not transparent, since some programs for print know no transparency.
  return {
    stroke: pale ? lighter(colour) : colour,
    strokeWidth: pale ? 1 : 2,
    ...(dash === undefined ? {} : { dash }),
  };
}

export function bandPaint(colour: string) {
  return { fill: colour, opacity: 0.15 };
}

/** Mixes a colour with white. */
function lighter(colour: string): string {
  const parts = [1, 3, 5].map((i) => Number.parseInt(colour.slice(i, i + 2), 16));
  return `#${parts
    .map((part) =>
      Math.round(255 - 0.45 * (255 - part))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}
