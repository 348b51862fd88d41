/** A closed line of corners of pixels, as x and y in turn; the first point is not repeated. */
export type Ring = Int32Array;

/** A connected area of a mask: its outline, and the outlines of the holes in it. */
export interface Polygon {
  readonly outline: Ring;
  readonly holes: readonly Ring[];
  /** Number of pixels. */
  readonly area: number;
}

/** Corners for which there is room: 20 bytes each. */
export const mostCorners = 16_000_000;

/**
 * Finds the areas of a mask whose pixels touch at their sides, as GDAL's polygonize does by default. Rows are added
 * from the top; memory grows with the number of corners alone.
 */
export class PolygonTracer {
  readonly #width: number;
  readonly #most: number;
  #above: Uint8Array;
  #row = 0;
  /** For each column, the corner at the top of the side that is open at its left edge; -1 for none. */
  readonly #open: Int32Array;
  #x = new Int32Array(1024);
  #y = new Int32Array(1024);
  /** The other corner of the horizontal and of the vertical side at a corner. */
  #across = new Int32Array(1024);
  #along = new Int32Array(1024);
  /**
   * For a corner at which a right side begins, the corner at the top of the left side of the same run of pixels; -1 for
   * one at which a left side begins.
   */
  #left = new Int32Array(1024);
  #count = 0;

  constructor(width: number, most = mostCorners) {
    this.#width = width;
    this.#most = most;
    this.#above = new Uint8Array(width);
    this.#open = new Int32Array(width + 1).fill(-1);
  }

  /** Adds a row of pixels, which are in the mask if they are not 0. Returns false if there are too many corners. */
  add(row: Uint8Array): boolean {
    this.#edges(row);
    return this.#count <= this.#most;
  }

  /** The areas, in the order of their topmost rows. Call it after the last row. */
  *polygons(): Generator<Polygon, void, undefined> {
    this.#edges(new Uint8Array(this.#width));
    const { rings, ringOf } = this.#rings();
    const parents = new Int32Array(rings.length);
    // To the left of a hole is a side of its area: of the outline, or of a hole of the same area that begins before it.
    for (const [i, { start, isHole }] of rings.entries())
      parents[i] = isHole ? parents[ringOf[this.#left[start]!]!]! : i;
    const holes = new Map<number, number[]>();
    for (const [i, parent] of parents.entries()) {
      if (parent === i) continue;
      const known = holes.get(parent);
      if (known) known.push(i);
      else holes.set(parent, [i]);
    }
    for (const [i, ring] of rings.entries()) {
      if (ring.isHole) continue;
      const inside = (holes.get(i) ?? []).map((hole) => rings[hole]!);
      const area = inside.reduce((left, hole) => left - hole.area, ring.area);
      yield { outline: this.#points(ring.start), holes: inside.map(({ start }) => this.#points(start)), area };
    }
  }

  /** Finds the corners between the row before and this one. */
  #edges(row: Uint8Array): void {
    const [above, open] = [this.#above, this.#open];
    const y = this.#row++;
    let horizontal = -1;
    /** Top of the left side of the run of pixels of this row that is being passed. */
    let side = -1;
    for (let x = 0; x <= this.#width; x++) {
      const [nw, ne] = [x > 0 && above[x - 1] !== 0, x < this.#width && above[x] !== 0];
      const [sw, se] = [x > 0 && row[x - 1] !== 0, x < this.#width && row[x] !== 0];
      const [up, down] = [nw !== ne, sw !== se];
      const [west, east] = [nw !== sw, ne !== se];
      if (up && down && west && east) {
        // Two corners at one point: pixels that touch at it alone are apart. Each has the upper or the lower side, and
        // that of its own pixel to the west or the east.
        const [first, second] = [this.#corner(x, y), this.#corner(x, y)];
        this.#join(this.#along, first, open[x]!);
        open[x] = second;
        if (nw) {
          this.#join(this.#across, first, horizontal);
          horizontal = second;
        } else {
          this.#join(this.#across, second, horizontal);
          horizontal = first;
        }
        this.#left[second] = sw ? side : -1;
      } else if (up !== down) {
        const corner = this.#corner(x, y);
        if (up) {
          this.#join(this.#along, corner, open[x]!);
          open[x] = -1;
        } else {
          open[x] = corner;
          this.#left[corner] = sw ? side : -1;
        }
        if (west) {
          this.#join(this.#across, corner, horizontal);
          horizontal = -1;
        } else horizontal = corner;
      }
      if (down && se) side = open[x]!;
    }
    this.#above = row.slice();
  }

  #corner(x: number, y: number): number {
    if (this.#count === this.#x.length) {
      const grown = (old: Int32Array) => {
        const larger = new Int32Array(2 * old.length);
        larger.set(old);
        return larger;
      };
      [this.#x, this.#y, this.#left] = [grown(this.#x), grown(this.#y), grown(this.#left)];
      [this.#across, this.#along] = [grown(this.#across), grown(this.#along)];
    }
    const corner = this.#count++;
    this.#x[corner] = x;
    this.#y[corner] = y;
    return corner;
  }

  #join(sides: Int32Array, a: number, b: number): void {
    sides[a] = b;
    sides[b] = a;
  }

  #rings() {
    interface Traced {
      readonly start: number;
      readonly area: number;
      readonly isHole: boolean;
    }
    const rings: Traced[] = [];
    const ringOf = new Int32Array(this.#count).fill(-1);
    for (let start = 0; start < this.#count; start++) {
      if (ringOf[start] !== -1) continue;
      let area = 0;
      let corner = start;
      do {
        // The first corner of a ring is its topmost and leftmost: the way goes along the top to the right.
        const next = this.#across[corner]!;
        ringOf[corner] = rings.length;
        ringOf[next] = rings.length;
        area += this.#y[corner]! * (this.#x[corner]! - this.#x[next]!);
        corner = this.#along[next]!;
      } while (corner !== start);
      // Above the top of a hole are pixels; so a run of them is to the left of the side that begins at its first corner.
      rings.push({ start, area: Math.abs(area), isHole: this.#left[start] !== -1 });
    }
    return { rings, ringOf };
  }

  #points(start: number): Ring {
    const points: number[] = [];
    let corner = start;
    do {
      const next = this.#across[corner]!;
      points.push(this.#x[corner]!, this.#y[corner]!, this.#x[next]!, this.#y[next]!);
      corner = this.#along[next]!;
    } while (corner !== start);
    return Int32Array.from(points);
  }
}
