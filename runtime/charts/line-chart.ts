import { type Drawing, type Mark, path, throughPoints } from '../drawing/drawing.ts';
import type { Fonts } from '../drawing/fonts.ts';
import { axisWidth, frame, frameFoot, type Plot, placedNote, xOf, yOf } from './frame.ts';
import { bandPaint, type LegendEntry, legend, linePaint } from './legend.ts';
import { marker } from './marker.ts';
import { type Look, lookOf } from './palette.ts';
import { linearScale, type Range, rangeOf } from './scale.ts';

/** A point of a chart, in the units of its axes. */
export type Point = readonly [x: number, y: number];

export interface LineSeries {
  readonly label: string;
  /** Points in the order of x. */
  readonly line: readonly Point[];
  /** An area around the line: the lowest and the highest value at each x. */
  readonly band?: readonly (readonly [x: number, low: number, high: number])[];
  /** Whether each point has a mark; by default, if there are not many. */
  readonly marked?: boolean;
  /** A thin line, behind that of the next series, which has its colour. */
  readonly pale?: boolean;
}

export interface Panel {
  /** Name of the vertical axis. */
  readonly y: string;
  readonly series: readonly LineSeries[];
  /** The range of the vertical axis; by default that of the values. */
  readonly range?: Range;
}

export interface LineChart {
  readonly title: string;
  /** What the values are, above the panels. */
  readonly note?: string | undefined;
  readonly x: string;
  /** Panels above each other, with the same horizontal axis. */
  readonly panels: readonly Panel[];
}

const width = 860;
const [top, right] = [20, 30];
/** Heights of a single panel and of one of several, and the distance between panels. */
const heights = { single: 300, several: 190, gap: 26 };
const mostMarked = 60;

/** Draws lines with their bands, and a legend below. */
export function lineChart(chart: LineChart, fonts: Fonts): Drawing {
  const xs = chart.panels.flatMap(({ series }) => series.flatMap(({ line }) => line.map(([x]) => x)));
  const range = rangeOf(xs);
  // Steps are counted from 0, and a range that almost begins there does.
  const x = linearScale([range[0] >= 0 && range[0] < range[1] / 4 ? 0 : range[0], range[1]], {
    exact: true,
    leastStep: 1,
    steps: 8,
  });
  const scales = chart.panels.map((panel) => ({
    name: panel.y,
    scale: linearScale(panel.range ?? rangeOf(valuesOf(panel))),
  }));
  const left = 14 + Math.max(0, ...scales.map((axis) => axisWidth(axis, fonts)));
  const each = chart.panels.length > 1 ? heights.several : heights.single;
  const looks = looksOf(chart.panels);
  const note = placedNote(chart.note, left, top);
  const marks: Mark[] = [...note.marks];
  for (const [i, { series }] of chart.panels.entries()) {
    const isLast = i === chart.panels.length - 1;
    const y = scales[i];
    if (!y) throw new Error('bug in crobc: a panel without an axis');
    const ticks = isLast ? x.ticks : x.ticks.map(({ at }) => ({ at, label: '' }));
    const plot: Plot = {
      area: { x: left, y: note.below + i * (each + heights.gap), width: width - left - right, height: each },
      x: { scale: { ...x, ticks }, ...(isLast ? { name: chart.x } : {}) },
      y,
      grid: 'y',
    };
    marks.push(...frame(plot, fonts), ...series.flatMap((one) => drawn(plot, one, looks.get(one) ?? lookOf(0))));
  }
  const bottom = note.below + chart.panels.length * (each + heights.gap) - heights.gap + frameFoot;
  const entries = chart.panels.flatMap(({ series }) => series.map((one) => entryOf(one, looks.get(one) ?? lookOf(0))));
  const below = legend(entries, { x: left, y: bottom + 4, width: width - left - right }, fonts);
  return { title: chart.title, width, height: bottom + 4 + below.height + 12, marks: [...marks, ...below.marks] };
}

/** A pale series looks as the next one. */
function looksOf(panels: readonly Panel[]): ReadonlyMap<LineSeries, Look> {
  const looks = new Map<LineSeries, Look>();
  let next = 0;
  for (const series of panels.flatMap((panel) => panel.series)) {
    looks.set(series, lookOf(next));
    if (!series.pale) next++;
  }
  return looks;
}

function entryOf(series: LineSeries, look: Look): LegendEntry {
  const { label, pale = false, band } = series;
  return { label, look, pale, marked: isMarked(series), banded: band !== undefined };
}

function isMarked({ line, marked, pale = false }: LineSeries): boolean {
  return marked ?? (!pale && line.length <= mostMarked);
}

function drawn(plot: Plot, series: LineSeries, { colour, dash, shape }: Look): Mark[] {
  const { line, band = [], pale = false } = series;
  const at = (x: number, y: number) => [xOf(plot, x), yOf(plot, y)] as const;
  const marks: Mark[] = [];
  if (band.length > 1) {
    const around = [...band.map(([x, , high]) => at(x, high)), ...band.map(([x, low]) => at(x, low)).reverse()];
    marks.push(path(throughPoints(around, true), bandPaint(colour)));
  }
  if (line.length > 1)
    marks.push(path(throughPoints(line.map(([x, y]) => at(x, y))), linePaint({ colour, dash, pale })));
  if (isMarked(series) || line.length === 1)
    marks.push(...line.map(([x, y]) => marker(shape, ...at(x, y), 3.5, { fill: colour })));
  return marks;
}

function* valuesOf({ series }: Panel): Generator<number> {
  for (const { line, band = [] } of series) {
    for (const [, y] of line) yield y;
    for (const [, low, high] of band) yield* [low, high];
  }
}
