import { line, type Mark, rectangle, text } from '../drawing/drawing.ts';
import { type Plot, xOf, yOf } from './frame.ts';
import { marker } from './marker.ts';
import { accent, first } from './palette.ts';

const numberSize = 11;

export interface Column {
  readonly from: number;
  readonly to: number;
  readonly value: number;
  /** Text above the column. */
  readonly label?: string;
}

/** Draws a histogram: columns from 0, each over its interval of the horizontal axis. */
export function columns(plot: Plot, all: readonly Column[]): Mark[] {
  return all.flatMap(({ from, to, value, label }) => {
    const [left, right] = [xOf(plot, from), xOf(plot, to)];
    const gap = Math.min(3, 0.08 * (right - left));
    const [top, bottom] = [yOf(plot, value), yOf(plot, 0)];
    const area = { x: left + gap / 2, y: top, width: right - left - gap, height: bottom - top };
    const above =
      label === undefined ? [] : [text(label, (left + right) / 2, top - 5, { size: numberSize, anchor: 'middle' })];
    return [rectangle(area, { fill: first }), ...above];
  });
}

/** Draws bars to the right, each in the middle of a row; rows are counted from 0 at the bottom of the vertical axis. */
export function bars(
  plot: Plot,
  all: readonly { readonly row: number; readonly value: number; readonly label: string }[],
): Mark[] {
  return all.flatMap(({ row, value, label }) => {
    const [start, end, middle] = [xOf(plot, 0), xOf(plot, value), yOf(plot, row + 0.5)];
    return [
      rectangle({ x: start, y: middle - 7, width: end - start, height: 14 }, { fill: first }),
      text(label, end + 5, middle + 4, { size: numberSize }),
    ];
  });
}

export interface SpreadOfRow {
  readonly row: number;
  readonly least: number;
  readonly median: number;
  readonly mean: number;
  readonly most: number;
}

/** Draws for each row a line from the least to the most, a bar at the median, and a circle at the mean. */
export function spreads(plot: Plot, all: readonly SpreadOfRow[]): Mark[] {
  return all.flatMap(({ row, least, median, mean, most }) => {
    const middle = yOf(plot, row + 0.5);
    return [
      line(xOf(plot, least), middle, xOf(plot, most), middle, { stroke: first, strokeWidth: 2 }),
      rectangle({ x: xOf(plot, median) - 2, y: middle - 7, width: 4, height: 14 }, { fill: first }),
      marker('circle', xOf(plot, mean), middle, 3.5, { fill: '#ffffff', stroke: accent, strokeWidth: 2 }),
    ];
  });
}

/** Draws what the marks of `spreads` mean, from the left at (x, y). */
export function spreadsKey(x: number, y: number, width: (line: string) => number): Mark[] {
  const marks: Mark[] = [];
  let left = x;
  const entry = (draw: (left: number) => Mark, wide: number, label: string) => {
    marks.push(draw(left), text(label, left + wide + 6, y + 4));
    left += wide + 6 + width(label) + 18;
  };
  entry((at) => line(at, y, at + 22, y, { stroke: first, strokeWidth: 2 }), 22, 'least to most');
  entry((at) => rectangle({ x: at, y: y - 7, width: 4, height: 14 }, { fill: first }), 4, 'median');
  entry((at) => marker('circle', at + 4, y, 3.5, { fill: '#ffffff', stroke: accent, strokeWidth: 2 }), 8, 'mean');
  return marks;
}

/** Draws a dashed line across the plot at a value of the horizontal axis, with a note beside its upper end. */
export function levelLine(plot: Plot, value: number, note: string): Mark[] {
  const { y, height, x: left, width } = plot.area;
  const x = xOf(plot, value);
  const isRight = x > left + width / 2;
  return [
    line(x, y, x, y + height, { stroke: accent, strokeWidth: 1.5, dash: [5, 4] }),
    text(note, x + (isRight ? -6 : 6), y + 12, { fill: accent, anchor: isRight ? 'end' : 'start', halo: true }),
  ];
}
