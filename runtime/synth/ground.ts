import type { Surface } from './categories/category.ts';
import { type Placement, type Point, type Polygon, rectangle, scan } from './geometry.ts';
import { line, shape } from './svg.ts';

/** Width and height of a scene in its own units, independent of the image size. */
export const WORLD = 1000;
/** Number of cells along each side of the maps of surfaces and of occupied places. */
export const CELLS = 100;

const surfaces: readonly Surface[] = ['grass', 'soil', 'paved', 'road', 'water', 'sand'];

/** The ground drawn so far, with a map of its surfaces. */
export class Ground {
  readonly #cells = new Uint8Array(CELLS * CELLS);
  #svg = '';

  get svg(): string {
    return this.#svg;
  }

  /** Covers a polygon with a surface. `fill` is a colour or a pattern. */
  cover(surface: Surface, polygon: Polygon, fill: string, more = ''): this {
    this.#svg += shape([polygon], fill, more);
    const mark = surfaces.indexOf(surface);
    scan(polygon, CELLS, CELLS, CELLS / WORLD, (y, from, to) => {
      this.#cells.fill(mark, y * CELLS + from, y * CELLS + to);
    });
    return this;
  }

  /** Draws details that do not change the surface: ploughing, joints, markings. */
  mark(svg: string): this {
    this.#svg += svg;
    return this;
  }

  /** Whether the polygons, inside the scene, lie completely on the given surfaces. */
  isAll(polygons: readonly Polygon[], on: readonly Surface[]): boolean {
    const allowed = surfaces.map((surface) => on.includes(surface));
    return (
      atCorners(polygons, (cell) => allowed[this.#cells[cell]!]!) &&
      polygons.every((polygon) =>
        scan(polygon, CELLS, CELLS, CELLS / WORLD, (y, from, to) => {
          for (let x = from; x < to; x++) if (!allowed[this.#cells[y * CELLS + x]!]) return false;
          return true;
        }),
      )
    );
  }

  /** Draws a road along `points` with kerbs and a dashed centre line. */
  road(points: Polygon, width: number, fill = '#68696b'): this {
    for (let i = 0; i + 1 < points.length; i++) {
      const strip = stripAlong(points[i]!, points[i + 1]!, width);
      this.cover('road', strip, fill);
    }
    return this.mark(
      line(points, '#b9b6aa', width, 'stroke-linejoin="round"') +
        line(points, fill, width * 0.88, 'stroke-linejoin="round"') +
        line(points, '#e8e3c6', width * 0.05, `stroke-dasharray="${width * 0.4} ${width * 0.35}"`),
    );
  }
}

/** Returns the rectangle of a given width around the line between two points. */
export function stripAlong([x0, y0]: Point, [x1, y1]: Point, width: number): Polygon {
  const length = Math.hypot(x1 - x0, y1 - y0);
  const [nx, ny] = [(-(y1 - y0) / length) * (width / 2), ((x1 - x0) / length) * (width / 2)];
  return [
    [x0 + nx, y0 + ny],
    [x1 + nx, y1 + ny],
    [x1 - nx, y1 - ny],
    [x0 - nx, y0 - ny],
  ];
}

export const whole: Polygon = rectangle(-200, -200, WORLD + 400, WORLD + 400);

/** Rotates a polygon clockwise about the centre of the scene by `angle` degrees, then translates it. */
export function aboutCentre(polygon: Polygon, angle: number, dx = 0, dy = 0): Polygon {
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  const middle = WORLD / 2;
  return polygon.map(([x, y]): Point => {
    const [u, v] = [x - middle, y - middle];
    return [middle + dx + u * cos - v * sin, middle + dy + u * sin + v * cos];
  });
}

/**
 * Whether a condition holds in the cells of all corners. Checked first, because
 * it rules out most unsuitable places quickly.
 */
function atCorners(polygons: readonly Polygon[], holds: (cell: number) => boolean): boolean {
  const index = (at: number) => Math.max(0, Math.min(CELLS - 1, Math.floor((at * CELLS) / WORLD)));
  return polygons.every((polygon) => polygon.every(([x, y]) => holds(index(y) * CELLS + index(x))));
}

/** The cells of the scene that objects occupy, including margins and shadows. */
export class Occupancy {
  readonly #taken = new Uint8Array(CELLS * CELLS);

  /**
   * Occupies the cells of polygons, those within `margin` of them, and `fall` more to the right and below for the
   * shadow. If one of these cells is already occupied, changes nothing and returns false.
   */
  take(polygons: readonly Polygon[], margin = 0, fall = 0): boolean {
    if (!atCorners(polygons, (cell) => this.#taken[cell] === 0)) return false;
    const near = Math.ceil((margin * CELLS) / WORLD);
    const far = near + Math.ceil((fall * CELLS) / WORLD);
    const wanted = new Uint8Array(CELLS * CELLS);
    let any = false;
    const free = polygons.every((polygon) =>
      scan(polygon, CELLS, CELLS, CELLS / WORLD, (y, from, to) => {
        any = true;
        const [left, right] = [Math.max(0, from - near), Math.min(CELLS, to + far)];
        for (let row = Math.max(0, y - near); row <= Math.min(CELLS - 1, y + far); row++) {
          for (let at = row * CELLS + left; at < row * CELLS + right; at++) if (this.#taken[at] !== 0) return false;
          wanted.fill(1, row * CELLS + left, row * CELLS + right);
        }
        return true;
      }),
    );
    if (!free || !any) return false;
    for (let at = 0; at < wanted.length; at++) if (wanted[at] === 1) this.#taken[at] = 1;
    return true;
  }
}

/** An object whose place the ground determines, such as a bridge over its river. Lengths are in scene units. */
export interface Fixture {
  readonly category: string;
  readonly at: Placement;
}
