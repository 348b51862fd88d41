import { type Drawing, line, type Mark, text, textSize } from '../drawing/drawing.ts';
import type { Fonts } from '../drawing/fonts.ts';
import { type Area, axisWidth, frame, frameFoot, type Plot, placedNote, xOf, yOf } from './frame.ts';
import type { Point } from './line-chart.ts';
import { marker } from './marker.ts';
import { lookOf } from './palette.ts';
import { linearScale, logarithmicScale, type Range, rangeOf } from './scale.ts';

export interface LabelledPoint {
  readonly label: string;
  readonly at: Point;
  /** The lowest and the highest value. */
  readonly spread?: readonly [low: number, high: number] | undefined;
}

export interface ScatterChart {
  readonly title: string;
  /** What the values are, above the plot. */
  readonly note?: string | undefined;
  readonly x: { readonly name: string; readonly logarithmic: boolean; readonly label: (value: number) => string };
  readonly y: string;
  readonly points: readonly LabelledPoint[];
}

const width = 860;
const [top, right, height] = [20, 30, 300];
const radius = 5;

/** Draws points with their labels beside them, and with vertical lines for their spreads. */
export function scatterChart({ title, note: above, x, y, points }: ScatterChart, fonts: Fonts): Drawing {
  const range = rangeOf(points.map(({ at }) => at[0]));
  const scale = x.logarithmic
    ? logarithmicScale(powersOf(widened([Math.log10(range[0]), Math.log10(range[1])])), x.label)
    : linearScale(widened(range), { exact: true, label: x.label, steps: 6 });
  const yAxis = { name: y, scale: linearScale(rangeOf(points.flatMap(({ at, spread = [] }) => [at[1], ...spread]))) };
  const left = 14 + axisWidth(yAxis, fonts);
  const note = placedNote(above, left, top);
  const area = { x: left, y: note.below, width: width - left - right, height };
  const plot: Plot = { area, x: { scale, name: x.name }, y: yAxis, grid: 'y' };
  const places = points.map(({ at, spread }): Area => {
    const [px, py] = [xOf(plot, at[0]), yOf(plot, at[1])];
    const [low, high] = spread === undefined ? [py, py] : [yOf(plot, spread[0]), yOf(plot, spread[1])];
    return around(px, Math.min(high, py - radius), Math.max(low, py + radius));
  });
  const taken = [...places];
  const marks = points.flatMap(({ label, at, spread }, i): Mark[] => {
    const [px, py] = [xOf(plot, at[0]), yOf(plot, at[1])];
    const { colour, shape } = lookOf(i);
    const free = labelPlace({ x: px, y: py }, fonts.width(label, textSize), area, [...taken]);
    taken.push(free);
    const lines = spread
      ? [line(px, yOf(plot, spread[0]), px, yOf(plot, spread[1]), { stroke: colour, strokeWidth: 2 })]
      : [];
    return [
      ...lines,
      marker(shape, px, py, radius, { fill: colour, stroke: '#ffffff' }),
      text(label, free.x, free.y + free.height - 4, { halo: true }),
    ];
  });
  return {
    title,
    width,
    height: note.below + height + frameFoot + 6,
    marks: [...note.marks, ...frame(plot, fonts), ...marks],
  };
}

/** Leaves room beside the outermost points, which do not touch the frame. */
function widened([low, high]: Range): Range {
  return [low - 0.06 * (high - low), high + 0.06 * (high - low)];
}

function powersOf([low, high]: Range): Range {
  return [10 ** low, 10 ** high];
}

function around(x: number, upper: number, lower: number): Area {
  return { x: x - radius, y: upper, width: 2 * radius, height: lower - upper };
}

const lineHeight = textSize + 4;

/** Returns a place for a label near its point, where it covers as little as possible of what is drawn. */
function labelPlace(
  { x, y }: { readonly x: number; readonly y: number },
  wide: number,
  within: Area,
  taken: readonly Area[],
): Area {
  const beside = radius + 4;
  const choices = [0, -1, 1, -2, 2, -3, 3].flatMap((row) => {
    const middle = y + row * (lineHeight / 2 + 2) - lineHeight / 2;
    const choice = (left: number): Area => ({ x: left, y: middle, width: wide, height: lineHeight });
    // Above and below, it may be in front of the point's own line.
    const centred = Math.abs(row) >= 2 ? [choice(x - wide / 2)] : [];
    return [choice(x + beside), choice(x - beside - wide), ...centred];
  });
  const cost = (place: Area) =>
    taken.reduce((sum, other) => sum + overlap(place, other), 0) +
    10 * (place.width * place.height - overlap(place, within));
  return choices.reduce((best, place) => (cost(place) < cost(best) ? place : best));
}

function overlap(a: Area, b: Area): number {
  const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(0, wide) * Math.max(0, high);
}
