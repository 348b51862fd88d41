import type { Placement, Polygon } from './geometry.ts';

/** Formats a number briefly: rounded to tenths from 10 on, else to 1/10000. */
export function n(value: number): string {
  const parts = Math.abs(value) >= 10 ? 10 : 10_000;
  return String(Math.round(value * parts) / parts);
}

export function outlinePath(polygons: readonly Polygon[]): string {
  return polygons.map((points) => `M${points.map(([x, y]) => `${n(x)},${n(y)}`).join(' ')}Z`).join('');
}

/** `more` holds further attributes, such as `stroke="#fff" stroke-width="2"`. */
export function shape(polygons: readonly Polygon[], fill: string, more = ''): string {
  return `<path d="${outlinePath(polygons)}" fill="${fill}" ${more}/>`;
}

export function box(left: number, top: number, width: number, height: number, fill: string, more = ''): string {
  return `<rect x="${n(left)}" y="${n(top)}" width="${n(width)}" height="${n(height)}" fill="${fill}" ${more}/>`;
}

export function disc(x: number, y: number, r: number, fill: string, more = ''): string {
  return `<circle cx="${n(x)}" cy="${n(y)}" r="${n(r)}" fill="${fill}" ${more}/>`;
}

/** Draws an open line. */
export function line(points: Polygon, stroke: string, width: number, more = ''): string {
  const d = points.map(([x, y]) => `${n(x)},${n(y)}`).join(' ');
  return `<polyline points="${d}" fill="none" stroke="${stroke}" stroke-width="${n(width)}" ${more}/>`;
}

export function group(at: Placement, content: string): string {
  return `<g transform="translate(${n(at.x)},${n(at.y)}) rotate(${n(at.angle)}) scale(${n(at.length)})">${content}</g>`;
}
