import { numbersOf, type TagValue, type TiffDirectory } from './directory.ts';

/** Where a raster lies: the tags that say it, as they are in the file, and what they mean. */
export interface Georeference {
  readonly tags: ReadonlyMap<number, TagValue>;
  /** Code of the coordinate reference system in the register of EPSG; undefined for one that the file defines itself. */
  readonly epsg: number | undefined;
  /** Coordinates of a point (column, row) of the raster: x = a*column + b*row + c, y = d*column + e*row + f. */
  readonly transform: Affine | undefined;
}

export interface Affine {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
  readonly f: number;
}

const scale = 33550;
const tiepoints = 33922;
const matrix = 34264;
const keys = 34735;
/** ModelPixelScale, ModelTiepoint, ModelTransformation, RPCs, GeoKeyDirectory, GeoDoubleParams, GeoAsciiParams. */
const copied = [scale, tiepoints, matrix, 50844, keys, 34736, 34737] as const;

const projected = 3072;
const geodetic = 2048;
const rasterType = 1025;
const userDefined = 32767;

/** Returns the georeference of a GeoTIFF (OGC 19-008r4); undefined if the file has none. */
export function georeferenceOf(directory: TiffDirectory): Georeference | undefined {
  const tags = new Map<number, TagValue>();
  for (const tag of copied) {
    const value = directory.get(tag);
    if (value !== undefined) tags.set(tag, value);
  }
  if (tags.size === 0) return undefined;
  return { tags, epsg: epsgOf(directory), transform: transformOf(directory) };
}

function keyOf(directory: TiffDirectory, wanted: number): number | undefined {
  const held = numbersOf(directory, keys);
  if (held === undefined) return undefined;
  const count = held[3] ?? 0;
  for (let i = 1; i <= count && 4 * i + 3 < held.length; i++)
    // A key whose value is in the directory itself has location 0.
    if (held[4 * i] === wanted && held[4 * i + 1] === 0) return held[4 * i + 3];
  return undefined;
}

function epsgOf(directory: TiffDirectory): number | undefined {
  const code = keyOf(directory, projected) ?? keyOf(directory, geodetic);
  return code === undefined || code === 0 || code === userDefined ? undefined : code;
}

function transformOf(directory: TiffDirectory): Affine | undefined {
  // Where a pixel is a point, the tags speak of its centre.
  const shift = keyOf(directory, rasterType) === 2 ? 0.5 : 0;
  const at = (a: number, b: number, c: number, d: number, e: number, f: number): Affine => ({
    ...{ a, b, d, e },
    c: c - shift * (a + b),
    f: f - shift * (d + e),
  });
  const m = numbersOf(directory, matrix);
  if (m !== undefined && m.length >= 8) return at(m[0]!, m[1]!, m[3]!, m[4]!, m[5]!, m[7]!);
  const [s, t] = [numbersOf(directory, scale), numbersOf(directory, tiepoints)];
  // More than one tiepoint is a grid of control points, which no affine map has.
  if (s === undefined || t === undefined || s.length < 2 || t.length !== 6) return undefined;
  const [width, height] = [s[0]!, -s[1]!];
  return at(width, 0, t[3]! - width * t[0]!, 0, height, t[4]! - height * t[1]!);
}
