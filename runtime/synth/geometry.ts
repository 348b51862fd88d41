/** x increases to the right, y downwards. */
export type Point = readonly [x: number, y: number];
/** A closed polygon; the first point is not repeated at the end. */
export type Polygon = readonly Point[];

/** A placement of artwork in the scene: centre, clockwise rotation in degrees, and length of the artwork's unit. */
export interface Placement {
  readonly x: number;
  readonly y: number;
  readonly angle: number;
  readonly length: number;
}

/** Transforms points of the artwork to the scene. `scale` enlarges the shape about its centre. */
export function placed(polygon: Polygon, { x, y, angle, length }: Placement, scale = 1): Polygon {
  const cos = Math.cos((angle * Math.PI) / 180) * length * scale;
  const sin = Math.sin((angle * Math.PI) / 180) * length * scale;
  return polygon.map(([u, v]): Point => [x + u * cos - v * sin, y + u * sin + v * cos]);
}

/** Completes a shape that is symmetric about x = 0 from its right half, given from front to rear. */
export function mirrored(right: Polygon): Polygon {
  return [...right, ...right.map(([x, y]): Point => [-x, y]).reverse()];
}

export function rectangle(left: number, top: number, width: number, height: number): Polygon {
  return [
    [left, top],
    [left + width, top],
    [left + width, top + height],
    [left, top + height],
  ];
}

export function ellipse(x: number, y: number, rx: number, ry = rx, points = 40): Polygon {
  return Array.from({ length: points }, (_, i): Point => {
    const t = (2 * Math.PI * i) / points;
    return [x + rx * Math.cos(t), y + ry * Math.sin(t)];
  });
}

/** Returns a rectangle centred at the origin with rounded corners. */
export function rounded(width: number, height: number, radius: number, points = 6): Polygon {
  const corners = [
    [1, 1, 0],
    [-1, 1, 90],
    [-1, -1, 180],
    [1, -1, 270],
  ] as const;
  return corners.flatMap(([sx, sy, from]) =>
    Array.from({ length: points + 1 }, (_, i): Point => {
      const t = ((from + (90 * i) / points) * Math.PI) / 180;
      return [sx * (width / 2 - radius) + radius * Math.cos(t), sy * (height / 2 - radius) + radius * Math.sin(t)];
    }),
  );
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export function bounds(polygons: readonly Polygon[]): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const polygon of polygons) {
    for (const [x, y] of polygon) {
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return { left, top, right, bottom };
}

/**
 * Calls `paint` for each run of pixels [from, to) of row `y` whose centres are inside the polygon (even-odd rule),
 * without antialiasing, as masks require. `scale` is the number of pixels per unit. Returns false and stops if `paint`
 * returns false.
 */
export function scan(
  polygon: Polygon,
  width: number,
  height: number,
  scale: number,
  // biome-ignore lint/suspicious/noConfusingVoidType: most callers only paint and return nothing.
  paint: (y: number, from: number, to: number) => boolean | void,
): boolean {
  const { first, crossings } = rowCrossings(polygon, height, scale);
  for (const [row, at] of crossings.entries()) {
    at.sort((a, b) => a - b);
    for (let i = 0; i + 1 < at.length; i += 2) {
      const from = Math.max(0, Math.ceil(at[i]! - 0.5));
      const to = Math.min(width, Math.ceil(at[i + 1]! - 0.5));
      if (from < to && paint(first + row, from, to) === false) return false;
    }
  }
  return true;
}

/** Returns for each row from `first` on where edges of the polygon cross the row's middle, in pixels from the left. */
function rowCrossings(polygon: Polygon, height: number, scale: number): { first: number; crossings: number[][] } {
  const { top, bottom } = bounds([polygon]);
  const row = (y: number) => Math.max(0, Math.min(height, Math.ceil(y * scale - 0.5)));
  const first = row(top);
  const crossings = Array.from({ length: row(bottom) - first }, (): number[] => []);
  let [x0, y0] = polygon.at(-1)!;
  for (const [x1, y1] of polygon) {
    // An edge includes its upper end but not its lower one, so that a corner on the middle of a row counts once.
    for (let y = row(Math.min(y0, y1)); y < row(Math.max(y0, y1)); y++) {
      crossings[y - first]!.push((x0 + (((y + 0.5) / scale - y0) / (y1 - y0)) * (x1 - x0)) * scale);
    }
    x0 = x1;
    y0 = y1;
  }
  return { first, crossings };
}

/** Returns the part of a polygon that is in the square from 0 to `side`; undefined if nothing is. */
export function clipped(polygon: Polygon, side: number): Polygon | undefined {
  let points: Polygon = polygon;
  for (const axis of [0, 1] as const) {
    for (const [bound, sign] of [
      [0, 1],
      [side, -1],
    ] as const) {
      const past = (point: Point) => (point[axis] - bound) * sign;
      points = points.flatMap((point, i): Point[] => {
        const before = points.at(i - 1)!;
        const [from, to] = [past(before), past(point)];
        const kept = to >= 0 ? [point] : [];
        if (from >= 0 === to >= 0) return kept;
        const t = from / (from - to);
        return [[before[0] + t * (point[0] - before[0]), before[1] + t * (point[1] - before[1])], ...kept];
      });
    }
  }
  return points.length >= 3 ? points : undefined;
}

/** Returns the convex hull of points. */
export function hull(points: readonly Point[]): Polygon {
  const sorted = [...points].sort(([ax, ay], [bx, by]) => ax - bx || ay - by);
  const chain = (from: readonly Point[]): Point[] => {
    const out: Point[] = [];
    for (const point of from) {
      while (out.length >= 2 && turn(out.at(-2)!, out.at(-1)!, point) <= 0) out.pop();
      out.push(point);
    }
    return out.slice(0, -1);
  };
  return [...chain(sorted), ...chain(sorted.reverse())];
}

/** Positive if the way from a over b to c turns clockwise in the image. */
function turn([ax, ay]: Point, [bx, by]: Point, [cx, cy]: Point): number {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
}

/** Rotates a polygon clockwise about the origin by `angle` degrees, then translates it. */
export function turned(polygon: Polygon, angle: number, dx = 0, dy = 0): Polygon {
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  return polygon.map(([x, y]): Point => [dx + x * cos - y * sin, dy + x * sin + y * cos]);
}

/** Distance of a point from a polygon's edges; 0 inside of it. */
export function distanceTo(polygon: Polygon, [x, y]: Point): number {
  let inside = false;
  let least = Infinity;
  let [ax, ay] = polygon.at(-1)!;
  for (const [bx, by] of polygon) {
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    const square = (bx - ax) ** 2 + (by - ay) ** 2;
    const t = square === 0 ? 0 : Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / square));
    least = Math.min(least, Math.hypot(ax + t * (bx - ax) - x, ay + t * (by - ay) - y));
    [ax, ay] = [bx, by];
  }
  return inside ? 0 : least;
}
