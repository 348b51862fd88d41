import type { Polygon, Ring } from './polygons.ts';
import type { Affine, Georeference } from './tiff/georeference.ts';

/** WGS 84, in which GeoJSON is by RFC 7946. */
const wgs84 = 4326;

const pixels: Affine = { a: 1, b: 0, c: 0, d: 0, e: 1, f: 0 };

/**
 * Writes polygons as a FeatureCollection, part by part. Coordinates are in the reference system of the raster, which the
 * member `crs` names unless it is WGS 84 (the form of GeoJSON 2008, which GDAL and QGIS read); without a georeference,
 * they are pixels. Outlines go counter-clockwise, holes clockwise.
 */
export function* geoJson(
  polygons: Iterable<Polygon>,
  georeference: Georeference | undefined,
  properties: Readonly<Record<string, string | null>>,
): Generator<string, void, undefined> {
  const transform = georeference?.transform ?? pixels;
  const epsg = georeference?.transform && georeference.epsg;
  const crs =
    epsg === undefined || epsg === wgs84
      ? ''
      : `"crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::${epsg}"}},\n`;
  yield `{"type":"FeatureCollection",\n${crs}"features":[`;
  const digits = decimals(transform);
  let first = true;
  for (const { outline, holes, area } of polygons) {
    const rings = [
      ringOf(outline, transform, digits, true),
      ...holes.map((hole) => ringOf(hole, transform, digits, false)),
    ];
    const feature = {
      type: 'Feature',
      properties: { ...properties, pixels: area },
      geometry: { type: 'Polygon', coordinates: rings },
    };
    yield `${first ? '' : ','}\n${JSON.stringify(feature)}`;
    first = false;
  }
  yield '\n]}\n';
}

/** Decimals of a thousandth of a pixel. */
function decimals({ a, b, d, e }: Affine): number {
  const pixel = Math.min(Math.hypot(a, d), Math.hypot(b, e));
  return pixel > 0 ? Math.min(15, Math.max(0, Math.ceil(3 - Math.log10(pixel)))) : 6;
}

function ringOf(ring: Ring, { a, b, c, d, e, f }: Affine, digits: number, counterClockwise: boolean): number[][] {
  const points: (readonly [number, number])[] = [];
  for (let i = 0; i < ring.length; i += 2) {
    const [x, y] = [ring[i]!, ring[i + 1]!];
    points.push([a * x + b * y + c, d * x + e * y + f]);
  }
  let area = 0;
  for (const [i, [x, y]] of points.entries()) {
    const [nextX, nextY] = points[(i + 1) % points.length]!;
    area += (x - points[0]![0]) * (nextY - y) - (y - points[0]![1]) * (nextX - x);
  }
  const ordered = area > 0 === counterClockwise ? points : points.toReversed();
  return [...ordered, ordered[0]!].map((point) => point.map((v) => Number(v.toFixed(digits))));
}
