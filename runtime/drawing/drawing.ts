/** A picture as data: what it shows, in units of 1/96 inch from its upper left corner. `svg`, `png` and `pdf` write it. */
export interface Drawing {
  /** What the picture is about, for readers who do not see it. */
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly marks: readonly Mark[];
}

/** How an area and its outline are painted; without `fill` or `stroke`, it has none. Colours are as `#0072b2`. */
export interface Paint {
  readonly fill?: string;
  /** Opacity of the area, 0…1. */
  readonly opacity?: number;
  readonly stroke?: string;
  /** Width of the outline; by default 1. */
  readonly strokeWidth?: number;
  readonly dash?: readonly number[];
}

interface Painted {
  readonly paint: Paint;
  /** A name in SVG files, as a class, for style sheets and scripts. */
  readonly role?: string;
}

export interface RectangleMark extends Painted {
  readonly kind: 'rectangle';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Radius of the corners. */
  readonly round?: number;
}

export interface PathMark extends Painted {
  readonly kind: 'path';
  /** The commands M, L, C and Z of SVG, with absolute positions. */
  readonly d: string;
}

export interface CircleMark extends Painted {
  readonly kind: 'circle';
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

export interface TextStyle {
  /** Size of the font. */
  readonly size: number;
  readonly weight?: Weight;
  readonly fill?: string;
  readonly anchor?: Anchor;
  /** Turned by 90° to the left, for the name of a vertical axis. */
  readonly upright?: boolean;
  /** A white edge, for a line in front of others. */
  readonly halo?: boolean;
  /** Width that the line keeps also in viewers that show it in another font. */
  readonly fixedWidth?: number;
}

export type Weight = 'regular' | 'bold';
export type Anchor = 'start' | 'middle' | 'end';

/** A line of text; (x, y) is on its baseline. */
export interface TextMark extends TextStyle {
  readonly kind: 'text';
  readonly line: string;
  readonly x: number;
  readonly y: number;
}

/** Marks that are moved together, and in an HTML page lead to a link. */
export interface GroupMark {
  readonly kind: 'group';
  readonly x: number;
  readonly y: number;
  readonly marks: readonly Mark[];
  readonly link?: string;
}

export type Mark = RectangleMark | PathMark | CircleMark | TextMark | GroupMark;

/** Colour of texts without another one, and the size of the font of most of them. */
export const ink = '#24292f';
export const textSize = 12;

export function rectangle(
  { x, y, width, height }: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  paint: Paint,
  more: { readonly round?: number; readonly role?: string } = {},
): RectangleMark {
  return { kind: 'rectangle', x, y, width, height, paint, ...more };
}

export function path(d: string, paint: Paint, role?: string): PathMark {
  return { kind: 'path', d, paint, ...(role === undefined ? {} : { role }) };
}

export function circle(x: number, y: number, radius: number, paint: Paint): CircleMark {
  return { kind: 'circle', x, y, radius, paint };
}

/** A straight line. */
export function line(x1: number, y1: number, x2: number, y2: number, paint: Paint): PathMark {
  return path(`M${at(x1, y1)}L${at(x2, y2)}`, paint);
}

/** A line through points, or the outline of an area if it is closed. */
export function throughPoints(points: readonly (readonly [x: number, y: number])[], closed = false): string {
  return `M${points.map(([x, y]) => at(x, y)).join('L')}${closed ? 'Z' : ''}`;
}

/** Returns a line of text. Characters that files of pictures cannot have become boxes. */
export function text(line: string, x: number, y: number, style: Partial<TextStyle> = {}): TextMark {
  const printable = line.replace(/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/gu, '\u25a1');
  return { kind: 'text', line: printable, x, y, size: textSize, ...style };
}

/** Returns the commands of a quadratic curve from a point; PDF has only cubic ones. */
export function quadratic(from: Position, control: Position, to: Position): string {
  const towards = ({ x, y }: Position) => at(x + (2 / 3) * (control.x - x), y + (2 / 3) * (control.y - y));
  return `C${towards(from)} ${towards(to)} ${at(to.x, to.y)}`;
}

export interface Position {
  readonly x: number;
  readonly y: number;
}

export function group(x: number, y: number, marks: readonly Mark[], link?: string): GroupMark {
  return { kind: 'group', x, y, marks, ...(link === undefined ? {} : { link }) };
}

/** Formats a position in a path. */
export function at(x: number, y: number): string {
  return `${short(x)} ${short(y)}`;
}

/** Rounds to hundredths, so that files are small and the same everywhere. */
export function short(x: number): string {
  return String(Math.round(x * 100) / 100);
}
