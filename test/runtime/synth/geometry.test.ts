import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  clipped,
  distanceTo,
  ellipse,
  hull,
  type Point,
  placed,
  rectangle,
  scan,
  turned,
} from '../../../runtime/synth/geometry.ts';
import { holds } from '../../property.ts';

function pixels(polygon: readonly Point[], width: number, height: number, scale: number): Set<number> {
  const found = new Set<number>();
  if (polygon.length === 0) return found;
  scan(polygon, width, height, scale, (y, from, to) => {
    for (let x = from; x < to; x++) found.add(y * width + x);
  });
  return found;
}

/** Even-odd by a ray to the right of the point. */
function isInside(polygon: readonly Point[], x: number, y: number): boolean {
  let inside = false;
  for (const [i, [ax, ay]] of polygon.entries()) {
    const [bx, by] = polygon[(i + 1) % polygon.length]!;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

describe('scan', () => {
  test('paints the pixels whose centres are inside, of any polygon', () => {
    const coordinate = fc.integer({ min: -6000, max: 26000 }).map((v) => v / 1000 + 1 / 7919);
    holds(
      fc.property(fc.array(fc.tuple(coordinate, coordinate), { minLength: 3, maxLength: 9 }), (polygon) => {
        const found = pixels(polygon, 20, 15, 1);
        const wanted = Array.from({ length: 300 }, (_, i) => i).filter((i) =>
          isInside(polygon, (i % 20) + 0.5, Math.floor(i / 20) + 0.5),
        );
        expect([...found].sort((a, b) => a - b)).toEqual(wanted);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  test('shapes that share an edge share no pixel and leave none out', () => {
    const [left, right] = [rectangle(0, 0, 4.5, 10), rectangle(4.5, 0, 5.5, 10)];
    const [a, b] = [pixels(left, 10, 10, 1), pixels(right, 10, 10, 1)];
    expect(a.size + b.size).toBe(100);
    expect([...a].some((at) => b.has(at))).toBe(false);
  });

  test('area of a turned and scaled ellipse', () => {
    const polygon = placed(ellipse(0, 0, 0.3, 0.5, 200), { x: 100, y: 90, angle: 33, length: 120 });
    expect(pixels(polygon, 200, 200, 1).size / (Math.PI * 36 * 60)).toBeCloseTo(1, 2);
  });

  test('ends where the painter says so', () => {
    let rows = 0;
    const whole = scan(rectangle(0, 0, 5, 5), 5, 5, 1, () => ++rows < 2);
    expect([whole, rows]).toEqual([false, 2]);
  });
});

describe('a hull', () => {
  const points = fc.array(fc.tuple(fc.integer({ min: -20, max: 20 }), fc.integer({ min: -20, max: 20 })), {
    minLength: 3,
    maxLength: 12,
  });

  test('has all points inside of it or on its edges, and corners that are some of them', () => {
    holds(
      fc.property(points, (given) => {
        const around = hull(given);
        const names = new Set(given.map(String));
        expect(around.every((corner) => names.has(String(corner)))).toBe(true);
        if (around.length < 3) return;
        for (const point of given) expect(distanceTo(around, point)).toBeLessThan(1e-9);
      }),
      { seed: 5, numRuns: 300 },
    );
  });
});

describe('a clipped polygon', () => {
  test('has the pixels of the whole one that are in the square', () => {
    const corner = fc.tuple(fc.integer({ min: -15, max: 25 }), fc.integer({ min: -15, max: 25 }));
    holds(
      fc.property(fc.array(corner, { minLength: 3, maxLength: 8 }), (given) => {
        const polygon = given.map(([x, y]): Point => [x + 1 / 7919, y + 1 / 6007]);
        const part = clipped(polygon, 10);
        expect(part === undefined ? new Set() : pixels(part, 10, 10, 1)).toEqual(pixels(polygon, 10, 10, 1));
      }),
      { seed: 6, numRuns: 300 },
    );
  });
});

describe('a distance', () => {
  test('is that to the nearest edge, and 0 inside', () => {
    const square = rectangle(0, 0, 10, 10);
    expect(distanceTo(square, [5, 5])).toBe(0);
    expect(distanceTo(square, [13, 5])).toBeCloseTo(3, 9);
    expect(distanceTo(square, [13, 14])).toBeCloseTo(5, 9);
    expect(distanceTo(turned(square, 90), [3, 5])).toBeCloseTo(3, 9);
  });
});
