/**
 * Masks as COCO stores them: run lengths along columns, plain or compressed to a text, and polygons. The results are
 * those of pycocotools 2.0.11, to the pixel.
 */

/** A part of a mask. Run lengths alternate between 0 and 1, begin with 0, and go down the columns from the left. */
export type MaskPart =
  | { readonly kind: 'runs'; readonly counts: readonly number[] }
  | { readonly kind: 'compressed'; readonly counts: string }
  /** x and y of each corner in pixels, alternating. */
  | { readonly kind: 'polygon'; readonly corners: readonly number[] };

/** A reason why a part is none of a mask of this size, as a phrase. */
export class MaskPartFault extends Error {}

/** Adds 1 to every pixel of a part; `plane` is [height, width] in rows, and saturates at 255. */
export function addPart(plane: Uint8Array, part: MaskPart, height: number, width: number): void {
  switch (part.kind) {
    case 'runs':
      addRuns(plane, part.counts, height, width);
      break;
    case 'compressed':
      addRuns(plane, decompressed(part.counts), height, width);
      break;
    case 'polygon':
      addPolygon(plane, part.corners, height, width);
  }
}

function addRuns(plane: Uint8Array, counts: readonly number[], height: number, width: number): void {
  const area = height * width;
  let total = 0;
  for (const count of counts) {
    if (!Number.isSafeInteger(count) || count < 0) throw new MaskPartFault(`a run of ${count} pixels`);
    total += count;
  }
  if (total !== area) throw new MaskPartFault(`its runs have ${total} pixels, and ${height} × ${width} are ${area}`);
  let at = 0;
  for (const [i, count] of counts.entries()) {
    if (i % 2 === 1) for (let k = at; k < at + count; k++) addPixel(plane, k, height, width);
    at += count;
  }
}

/** Adds 1 at an index that goes down the columns. */
function addPixel(plane: Uint8Array, index: number, height: number, width: number): void {
  const x = Math.floor(index / height);
  const at = (index - x * height) * width + x;
  plane[at] = Math.min(255, (plane[at] ?? 0) + 1);
}

/** Characters from `0` on: five bits of a number each, the lowest first, and a sixth that says that more follow. */
const FIRST_CHARACTER = 48;
/** Characters of the longest number: 7 × 5 bits hold every 32-bit difference. */
const MOST_CHARACTERS = 7;

/** The run lengths of a compressed text. From the fourth on, each is stored as the difference from the second before. */
export function decompressed(text: string): number[] {
  const counts: number[] = [];
  for (let at = 0; at < text.length; ) {
    let value = 0;
    let place = 1;
    for (let more = true; more; at++) {
      const bits = text.charCodeAt(at) - FIRST_CHARACTER;
      if (!(bits >= 0 && bits < 64))
        throw new MaskPartFault(
          at < text.length
            ? `the character ${at + 1} of its runs is no part of a number`
            : 'its runs end within a number',
        );
      if (place >= 32 ** MOST_CHARACTERS) throw new MaskPartFault(`the number before character ${at + 1} is too long`);
      value += (bits & 31) * place;
      place *= 32;
      more = (bits & 32) !== 0;
      // The highest bit of the last character is the sign.
      if (!more && (bits & 16) !== 0) value -= place;
    }
    counts.push(counts.length > 2 ? value + (counts.at(-2) ?? 0) : value);
  }
  return counts;
}

/** Boundaries are followed in steps of a fifth of a pixel. */
const FINE = 5;
/** Most steps of a boundary. A polygon in a 100-megapixel image that takes more is damaged. */
const MOST_STEPS = 50_000_000;

/**
 * Adds a polygon. Its boundary is drawn on a grid that is five times finer; wherever the line moves to another column of
 * this grid at the middle of a pixel column, the pixels below the crossing change between in and out.
 */
function addPolygon(plane: Uint8Array, corners: readonly number[], height: number, width: number): void {
  const fine = corners.map((v) => Math.trunc(FINE * v + 0.5));
  if (fine.length < 6 || fine.length % 2 !== 0)
    throw new MaskPartFault(`a polygon of ${fine.length} numbers; three corners are 6`);
  if (!fine.every(Number.isSafeInteger)) throw new MaskPartFault('a corner of a polygon that is no point');
  const count = fine.length / 2;
  const corner = (i: number): Point => [fine[(2 * i) % fine.length] ?? 0, fine[(2 * i + 1) % fine.length] ?? 0];
  let steps = 0;
  for (let i = 0; i < count; i++) steps += lineSteps(corner(i), corner(i + 1)) + 1;
  if (steps > MOST_STEPS)
    throw new MaskPartFault(`a polygon whose boundary is ${Math.round(steps / FINE)} pixels long`);
  /** Whether in and out change at this pixel, counted down the columns. */
  const changes = new Uint8Array(height * width + 1);
  let last: Point | undefined;
  const visit = (point: Point) => {
    if (last !== undefined && point[0] !== last[0]) change(changes, last, point, height, width);
    last = point;
  };
  for (let i = 0; i < count; i++) drawLine(corner(i), corner(i + 1), visit);
  let inside = 0;
  for (let at = 0; at < height * width; at++) {
    inside ^= changes[at] ?? 0;
    if (inside === 1) addPixel(plane, at, height, width);
  }
}

type Point = readonly [x: number, y: number];

function lineSteps(from: Point, to: Point): number {
  return Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]));
}

/** Visits the points of a line, rounded as if it were always drawn towards larger coordinates. */
function drawLine(from: Point, to: Point, visit: (point: Point) => void): void {
  const steps = lineSteps(from, to);
  if (steps === 0) {
    visit(from);
    return;
  }
  const flat = Math.abs(to[0] - from[0]) >= Math.abs(to[1] - from[1]);
  const along = flat ? 0 : 1;
  const across = flat ? 1 : 0;
  const turned = from[along] > to[along];
  const [start, end] = turned ? [to, from] : [from, to];
  const slope = (end[across] - start[across]) / steps;
  for (let step = 0; step <= steps; step++) {
    const t = turned ? steps - step : step;
    const [a, b] = [start[along] + t, Math.trunc(start[across] + slope * t + 0.5)];
    visit(flat ? [a, b] : [b, a]);
  }
}

/** Marks the crossing between two neighbouring points, if it lies in the middle of a pixel column of the image. */
function change(changes: Uint8Array, a: Point, b: Point, height: number, width: number): void {
  const column = ((b[0] < a[0] ? b[0] : b[0] - 1) + 0.5) / FINE - 0.5;
  if (!Number.isInteger(column) || column < 0 || column > width - 1) return;
  const y = (Math.min(a[1], b[1]) + 0.5) / FINE - 0.5;
  const row = Math.ceil(Math.max(0, Math.min(height, y)));
  const at = column * height + row;
  changes[at] = (changes[at] ?? 0) ^ 1;
}
