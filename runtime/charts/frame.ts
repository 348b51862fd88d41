import { line, type Mark, text, textSize } from '../drawing/drawing.ts';
import type { Fonts } from '../drawing/fonts.ts';
import { axisColour, gridColour } from './palette.ts';
import type { Scale } from './scale.ts';

export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Axis {
  readonly scale: Scale;
  readonly name?: string;
}

/** Where a plot is, and its axes; the vertical one goes up. */
export interface Plot {
  readonly area: Area;
  readonly title?: string;
  readonly x: Axis;
  readonly y: Axis;
  /** The axis whose ticks have lines across the plot. */
  readonly grid: 'x' | 'y';
}

export const titleSize = 16;
export const nameSize = 13;

/** Room that a frame needs below its area. */
export const frameFoot = 48;

/** Returns the place of a value on the horizontal axis. */
export function xOf({ area, x }: Plot, value: number): number {
  return area.x + x.scale.share(value) * area.width;
}

/** Returns the place of a value on the vertical axis. */
export function yOf({ area, y }: Plot, value: number): number {
  return area.y + (1 - y.scale.share(value)) * area.height;
}

/** Returns the room that a vertical axis needs on the left of the area. */
export function axisWidth({ scale, name }: Axis, fonts: Fonts): number {
  return labelsWidth(scale, fonts) + 8 + (name === undefined ? 0 : nameSize + 10);
}

/** Draws what is around and behind the values of a plot: lines, ticks, names of the axes, and the title. */
export function frame(plot: Plot, fonts: Fonts): Mark[] {
  const { area, title, x, y, grid } = plot;
  const [right, bottom] = [area.x + area.width, area.y + area.height];
  const marks: Mark[] = [];
  const isFirst = (place: number, start: number) => Math.abs(place - start) < 0.01;
  for (const { at, label } of y.scale.ticks) {
    const place = yOf(plot, at);
    if (grid === 'y' && !isFirst(place, bottom)) marks.push(line(area.x, place, right, place, { stroke: gridColour }));
    // Where the values go to the right, these are names.
    marks.push(text(label, area.x - 8, place + 4, { anchor: 'end', ...(grid === 'y' ? { fill: axisColour } : {}) }));
  }
  for (const { at, label } of x.scale.ticks) {
    const place = xOf(plot, at);
    if (grid === 'x' && !isFirst(place, area.x)) marks.push(line(place, area.y, place, bottom, { stroke: gridColour }));
    if (grid === 'y') marks.push(line(place, bottom, place, bottom + 4, { stroke: axisColour }));
    marks.push(text(label, place, bottom + 18, { anchor: 'middle', fill: axisColour }));
  }
  marks.push(
    grid === 'y'
      ? line(area.x, bottom, right, bottom, { stroke: axisColour })
      : line(area.x, area.y, area.x, bottom, { stroke: axisColour }),
  );
  if (title !== undefined) marks.push(text(title, area.x, area.y - 16, { size: titleSize, weight: 'bold' }));
  if (x.name !== undefined)
    marks.push(text(x.name, area.x + area.width / 2, bottom + 40, { size: nameSize, anchor: 'middle' }));
  if (y.name !== undefined) {
    const left = area.x - 8 - labelsWidth(y.scale, fonts) - 10;
    marks.push(text(y.name, left, area.y + area.height / 2, { size: nameSize, anchor: 'middle', upright: true }));
  }
  return marks;
}

/** Places a note above a plot; `below` is where the plot begins. */
export function placedNote(
  note: string | undefined,
  x: number,
  y: number,
): { readonly marks: readonly Mark[]; readonly below: number } {
  return note === undefined
    ? { marks: [], below: y }
    : { marks: [text(note, x, y + 4, { fill: axisColour })], below: y + 18 };
}

function labelsWidth({ ticks }: Scale, fonts: Fonts): number {
  return Math.max(0, ...ticks.map(({ label }) => fonts.width(label, textSize)));
}
