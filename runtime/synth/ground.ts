import type { Surface } from './categories/category.ts';
import { type Placement, type Polygon, rectangle, scan } from './geometry.ts';
import { shape } from './svg.ts';

/** Width and height of a scene in its own units, independent of the image size and of the metres that it shows. */
export const WORLD = 1000;
/** Number of cells along each side of the maps of surfaces and of occupied places. */
export const CELLS = 100;

export const surfaces: readonly Surface[] = [
  'grass',
  'crop',
  'soil',
  'paved',
  'road',
  'water',
  'sand',
  'roof',
  'canopy',
];

/** An area of one surface; later areas cover earlier ones. */
export interface Area {
  readonly surface: Surface;
  readonly polygon: Polygon;
}

/** The ground drawn so far, with a map of its surfaces. */
export class Ground {
  readonly #cells = new Uint8Array(CELLS * CELLS);
  readonly #areas: Area[] = [];
  #svg = '';

  get svg(): string {
    return this.#svg;
  }

  get areas(): readonly Area[] {
    return this.#areas;
  }

  /** Covers a polygon with a surface, and draws it in a colour. */
  cover(surface: Surface, polygon: Polygon, fill: string, more = ''): this {
    this.#svg += shape([polygon], fill, more);
    return this.declare(surface, polygon);
  }

  /** Covers a polygon with a surface that is drawn otherwise. */
  declare(surface: Surface, polygon: Polygon): this {
    this.#areas.push({ surface, polygon });
    const mark = surfaces.indexOf(surface);
    scan(polygon, CELLS, CELLS, CELLS / WORLD, (y, from, to) => {
      this.#cells.fill(mark, y * CELLS + from, y * CELLS + to);
    });
    return this;
  }

  /** Draws details that do not change the surface: furrows, joints, markings. */
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
}

export const whole: Polygon = rectangle(-200, -200, WORLD + 400, WORLD + 400);

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
   * Occupies the cells of polygons and those within `margin` of them. If one of these cells is already occupied,
   * changes nothing and returns false.
   */
  take(polygons: readonly Polygon[], margin = 0): boolean {
    if (!atCorners(polygons, (cell) => this.#taken[cell] === 0)) return false;
    const near = Math.ceil((margin * CELLS) / WORLD);
    const wanted = new Uint8Array(CELLS * CELLS);
    let any = false;
    const free = polygons.every((polygon) =>
      scan(polygon, CELLS, CELLS, CELLS / WORLD, (y, from, to) => {
        any = true;
        const [left, right] = [Math.max(0, from - near), Math.min(CELLS, to + near)];
        for (let row = Math.max(0, y - near); row <= Math.min(CELLS - 1, y + near); row++) {
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

/** An object whose place the ground determines, such as a bridge over its river. `length` is in scene units. */
export interface Fixture {
  readonly category: string;
  readonly at: Placement;
}

/** A place for objects of some categories: a stand, a berth, a lane, a parking space. */
export interface Site {
  readonly categories: readonly string[];
  readonly x: number;
  readonly y: number;
  readonly angle: number;
  /** Greatest length of an object here, in scene units. */
  readonly room: number;
  /** Whether objects may also face the other way. */
  readonly turns?: true;
}

/** Something that is there once and that phrases may mention, but that is no object: a terminal, a car park. */
export interface Landmark {
  readonly noun: string;
  readonly polygons: readonly Polygon[];
  /** Whether objects may be in it: in the car park, on the road. */
  readonly holds?: 'in' | 'on';
}
