import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { geoJson } from '../../../runtime/images/geojson.ts';
import { type Polygon, PolygonTracer, type Ring } from '../../../runtime/images/polygons.ts';
import { holds } from '../../property.ts';

function traced(rows: readonly string[]): Polygon[] {
  const tracer = new PolygonTracer(rows[0]!.length);
  for (const row of rows) expect(tracer.add(Uint8Array.from(row, (c) => (c === '#' ? 255 : 0)))).toBe(true);
  return [...tracer.polygons()];
}

/** Whether the middle of a pixel is inside a ring: a ray to the right crosses it an odd number of times. */
function inside(ring: Ring, x: number, y: number): boolean {
  let crossings = 0;
  for (let i = 0; i < ring.length; i += 2) {
    const [x0, y0] = [ring[i]!, ring[i + 1]!];
    const [x1, y1] = [ring[(i + 2) % ring.length]!, ring[(i + 3) % ring.length]!];
    if (x0 === x1 && x0 > x && Math.min(y0, y1) <= y && y < Math.max(y0, y1)) crossings++;
  }
  return crossings % 2 === 1;
}

/** The areas of pixels that touch at their sides, by filling from each: the sets of their pixels, as sorted texts. */
function filled(rows: readonly string[]): string[] {
  const seen = new Set<string>();
  const areas: string[] = [];
  for (const [y, row] of rows.entries()) {
    for (let x = 0; x < row.length; x++) {
      const area: string[] = [];
      const queue = [[x, y] as const];
      for (let next = queue.pop(); next; next = queue.pop()) {
        const [a, b] = next;
        const name = `${a},${b}`;
        if (rows[b]?.[a] !== '#' || seen.has(name)) continue;
        seen.add(name);
        area.push(name);
        queue.push([a + 1, b], [a - 1, b], [a, b + 1], [a, b - 1]);
      }
      if (area.length > 0) areas.push(area.sort().join(' '));
    }
  }
  return areas.sort();
}

function covered({ outline, holes }: Polygon, rows: readonly string[]): string {
  const pixels: string[] = [];
  for (const [y, row] of rows.entries())
    for (let x = 0; x < row.length; x++)
      if (inside(outline, x, y) && !holes.some((hole) => inside(hole, x, y))) pixels.push(`${x},${y}`);
  return pixels.sort().join(' ');
}

describe('polygons', () => {
  test('a square, with a hole, with an island', () => {
    const rows = ['#####.', '#...#.', '#.#.#.', '#...#.', '#####.', '......'];
    const [outer, island, ...rest] = traced(rows);
    expect(rest).toEqual([]);
    expect([...outer!.outline]).toEqual([0, 0, 5, 0, 5, 5, 0, 5]);
    expect(outer!.holes.map((hole) => [...hole])).toEqual([[1, 1, 4, 1, 4, 4, 1, 4]]);
    expect(outer!.area).toBe(16);
    expect([...island!.outline]).toEqual([2, 2, 3, 2, 3, 3, 2, 3]);
    expect(island).toMatchObject({ holes: [], area: 1 });
  });

  test('pixels that touch at a corner are apart, and holes that do are one', () => {
    expect(traced(['#.', '.#'])).toHaveLength(2);
    const [ring, ...rest] = traced(['####', '#.##', '##.#', '####']);
    expect(rest).toEqual([]);
    expect(ring!.area).toBe(14);
    expect(covered(ring!, ['####', '#.##', '##.#', '####']).split(' ')).toHaveLength(14);
  });

  test('nothing, and everything', () => {
    expect(traced(['...', '...'])).toEqual([]);
    expect(traced(['###', '###']).map(({ area }) => area)).toEqual([6]);
  });

  test('of any mask are the areas that filling finds', () => {
    const mask = fc.integer({ min: 1, max: 9 }).chain((width) =>
      fc.array(
        fc
          .array(fc.boolean(), { minLength: width, maxLength: width })
          .map((row) => row.map((v) => (v ? '#' : '.')).join('')),
        {
          minLength: 1,
          maxLength: 9,
        },
      ),
    );
    holds(
      fc.property(mask, (rows) => {
        const found = traced(rows);
        expect(found.map((polygon) => covered(polygon, rows)).sort()).toEqual(filled(rows));
        for (const polygon of found) expect(polygon.area).toBe(covered(polygon, rows).split(' ').length);
      }),
      { seed: 1128, numRuns: 500 },
    );
  });

  test('more corners than there is room for', () => {
    const tracer = new PolygonTracer(8, 20);
    expect(tracer.add(Uint8Array.of(1, 0, 1, 0, 1, 0, 1, 0))).toBe(true);
    expect(tracer.add(Uint8Array.of(0, 1, 0, 1, 0, 1, 0, 1))).toBe(false);
  });
});

describe('GeoJSON', () => {
  const written = (polygons: Polygon[], ...rest: [Parameters<typeof geoJson>[1], Parameters<typeof geoJson>[2]]) =>
    JSON.parse([...geoJson(polygons, ...rest)].join(''));
  const rows = ['####', '#..#', '####'];

  test('in the coordinates and the reference system of the raster; outlines go counter-clockwise', () => {
    const transform = { a: 0.5, b: 0, c: 500_000, d: 0, e: -0.5, f: 5_600_000 };
    const found = written(traced(rows), { tags: new Map(), epsg: 32_633, transform }, { text: 'the ship' });
    expect(found.crs).toEqual({ type: 'name', properties: { name: 'urn:ogc:def:crs:EPSG::32633' } });
    expect(found.features).toHaveLength(1);
    const [{ geometry, properties }] = found.features;
    expect(properties).toEqual({ text: 'the ship', pixels: 10 });
    const [outline, hole] = geometry.coordinates;
    const signed = (ring: number[][]) =>
      ring
        .slice(1)
        .reduce((sum, [x, y], i) => sum + (ring[i]![0]! - 5e5) * (y! - 56e5) - (x! - 5e5) * (ring[i]![1]! - 56e5), 0) /
      2;
    expect(signed(outline)).toBeCloseTo(3, 6);
    expect(signed(hole)).toBeCloseTo(-0.5, 6);
    expect(outline[0]).toEqual(outline.at(-1));
    expect(outline).toContainEqual([500_002, 5_600_000]);
    expect(outline).toContainEqual([500_000, 5_599_998.5]);
  });

  test('WGS 84 is not named, since it is what GeoJSON means; without a georeference, pixels', () => {
    const transform = { a: 1e-5, b: 0, c: 12, d: 0, e: -1e-5, f: 48 };
    const found = written(traced(rows), { tags: new Map(), epsg: 4326, transform }, {});
    expect(found.crs).toBe(undefined);
    expect(found.features[0].geometry.coordinates[0]).toContainEqual([12.00004, 48]);
    const plain = written(traced(rows), undefined, {});
    expect(plain.crs).toBe(undefined);
    expect(plain.features[0].geometry.coordinates[0]).toContainEqual([4, 3]);
    expect(written([], undefined, {})).toEqual({ type: 'FeatureCollection', features: [] });
  });
});
