import { byteSize } from '../../files/byte-size.ts';
import { numberOf, numbersOf, type TiffDirectory, TiffFault, textOf } from './directory.ts';

export type SampleType = 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'float32' | 'float64';

/** How the values of a block are packed. */
export type Compression = 'none' | 'lzw' | 'deflate' | 'packbits' | 'jpeg' | 'zstd';

/** What the bands mean: TIFF's PhotometricInterpretation. */
export type Photometric = 'white-is-zero' | 'black-is-zero' | 'rgb' | 'palette' | 'ycbcr' | 'other';

/** The layout of a TIFF's first picture: sizes, type of samples, and where its blocks (tiles or strips) lie. */
export interface TiffLayout {
  readonly width: number;
  readonly height: number;
  readonly bands: number;
  readonly samples: SampleType;
  readonly bytesPerSample: number;
  readonly photometric: Photometric;
  /** Number of bands after those of the colours that are alpha. */
  readonly alphas: number;
  /** Whether each band has blocks of its own (PlanarConfiguration 2). */
  readonly planar: boolean;
  /** The EXIF orientation; 1 is upright. */
  readonly orientation: number;
  readonly compression: Compression;
  /** 1 none, 2 horizontal differences, 3 differences of floats. */
  readonly predictor: 1 | 2 | 3;
  /** Tables that the JPEG streams of all blocks share. */
  readonly jpegTables: Uint8Array | undefined;
  readonly blocks: Blocks;
  /** The value of pixels without data (GDAL_NODATA). */
  readonly nodata: number | undefined;
}

export interface Blocks {
  readonly width: number;
  readonly height: number;
  readonly tiled: boolean;
  readonly across: number;
  readonly down: number;
  /** By block in row-major order and, if `planar`, by band before that. A block of 0 bytes has no data. */
  readonly offsets: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
}

const compressions: Readonly<Record<number, Compression>> = {
  1: 'none',
  5: 'lzw',
  7: 'jpeg',
  8: 'deflate',
  32773: 'packbits',
  32946: 'deflate',
  50000: 'zstd',
};

/** Names of schemes that crobc does not read, for messages. */
const otherSchemes: Readonly<Record<number, string>> = {
  2: 'CCITT',
  3: 'CCITT',
  4: 'CCITT',
  6: 'old JPEG',
  34712: 'JPEG 2000',
  34887: 'LERC',
  34925: 'LZMA',
  50001: 'WebP',
  50002: 'JPEG XL',
};

const photometrics: Readonly<Record<number, Photometric>> = {
  0: 'white-is-zero',
  1: 'black-is-zero',
  2: 'rgb',
  3: 'palette',
  6: 'ycbcr',
};

const types: Readonly<Record<string, SampleType>> = {
  '8 1': 'uint8',
  '8 2': 'int8',
  '16 1': 'uint16',
  '16 2': 'int16',
  '32 1': 'uint32',
  '32 2': 'int32',
  '32 3': 'float32',
  '64 3': 'float64',
};

const formatNames: Readonly<Record<number, string>> = {
  1: 'unsigned',
  2: 'signed',
  3: 'float',
  5: 'complex',
  6: 'complex',
};

/** Maximum number of bytes of a decoded block. */
export const mostBlockBytes = 2 ** 28;
/** Bytes of the parts into which uncompressed strips are divided. */
const partBytes = 2 ** 20;
const mostParts = 2 ** 24;
const mostBands = 4096;

/**
 * Returns the layout of a directory. Throws a TiffFault for a file that contradicts itself, or that needs more memory
 * for a block than crobc takes.
 */
export function layoutOf(directory: TiffDirectory, fileSize: number): TiffLayout {
  const [width, height] = [whole(directory, 256), whole(directory, 257)];
  const bands = whole(directory, 277, 1);
  if (bands > mostBands) throw new TiffFault(`it has ${bands.toLocaleString('en')} bands`);
  const { samples, bits } = sampleType(directory, bands);
  const scheme = whole(directory, 259, 1);
  const compression = compressions[scheme];
  if (compression === undefined) {
    const name = otherSchemes[scheme] ?? `scheme ${scheme}`;
    throw new TiffFault(`it is compressed as ${name}: write it with deflate (gdal_translate -co COMPRESS=DEFLATE)`);
  }
  const predictor = hasPredictor(compression) ? whole(directory, 317, 1) : 1;
  if (predictor !== 1 && predictor !== 2 && predictor !== 3) throw new TiffFault(`it has the predictor ${predictor}`);
  const planar = whole(directory, 284, 1) === 2;
  const extra = numbersOf(directory, 338);
  const base = {
    width,
    height,
    bands,
    samples,
    bytesPerSample: bits / 8,
    photometric: photometrics[numberOf(directory, 262) ?? 1] ?? ('other' as const),
    alphas: extra === undefined ? 0 : Array.from(extra).filter((kind) => kind === 1 || kind === 2).length,
    planar,
    orientation: numberOf(directory, 274) ?? 1,
    compression,
    predictor,
    jpegTables: tablesOf(directory),
    nodata: nodataOf(directory),
  } as const;
  return { ...base, blocks: blocksOf(directory, base, fileSize) };
}

function hasPredictor(compression: Compression): boolean {
  return compression === 'lzw' || compression === 'deflate' || compression === 'zstd';
}

function sampleType(directory: TiffDirectory, bands: number): { readonly samples: SampleType; readonly bits: number } {
  const one = (tag: number, fallback: number): number => {
    const all = Array.from(numbersOf(directory, tag) ?? [fallback]).slice(0, bands);
    const [first = fallback] = all;
    if (all.some((value) => value !== first)) throw new TiffFault('its bands have samples of different types');
    return first;
  };
  const [bits, format] = [one(258, 1), one(339, 1)];
  // 4 is "undefined", which readers take as unsigned.
  const samples = types[`${bits} ${format === 4 ? 1 : format}`];
  if (samples === undefined)
    throw new TiffFault(`its samples are ${formatNames[format] ?? ''} numbers of ${bits} bits`.replace('  ', ' '));
  return { samples, bits };
}

function blocksOf(directory: TiffDirectory, layout: Omit<TiffLayout, 'blocks'>, fileSize: number): Blocks {
  const { width, height, bands, planar, bytesPerSample, compression } = layout;
  const tiled = directory.has(322);
  const size = tiled
    ? { width: whole(directory, 322), height: whole(directory, 323) }
    : { width, height: Math.min(height, numberOf(directory, 278) ?? height) };
  if (size.height < 1) throw new TiffFault('the image is truncated or damaged');
  const planes = planar ? bands : 1;
  const rowBytes = size.width * (planar ? 1 : bands) * bytesPerSample;
  const [across, down] = [Math.ceil(width / size.width), Math.ceil(height / size.height)];
  const offsets = numbersOf(directory, tiled ? 324 : 273);
  const counts = numbersOf(directory, tiled ? 325 : 279);
  const wanted = across * down * planes;
  if (offsets === undefined || counts === undefined || offsets.length < wanted || counts.length < wanted)
    throw new TiffFault('the image is truncated or damaged (blocks are missing)');
  for (let i = 0; i < wanted; i++)
    if (offsets[i]! + counts[i]! > fileSize) throw new TiffFault('the image is truncated or damaged (a block is cut)');
  const blocks = { ...size, tiled, across, down, offsets, counts };
  if (!tiled && compression === 'none' && rowBytes * size.height > partBytes)
    return divided(blocks, { height, rowBytes, planes });
  if (rowBytes * size.height > mostBlockBytes) {
    throw new TiffFault(
      `its ${tiled ? 'tiles' : 'strips'} of ${size.width} × ${size.height} pixels take ${byteSize(rowBytes * size.height)} each, and ${byteSize(mostBlockBytes)} are the limit: write it in tiles (gdal_translate -co TILED=YES)`,
    );
  }
  return blocks;
}

/**
 * Divides uncompressed strips into parts of at most 1 MiB, so that a window reads no more than it needs. Parts do not
 * cross the borders of strips.
 */
function divided(
  blocks: Blocks,
  { height, rowBytes, planes }: { readonly height: number; readonly rowBytes: number; readonly planes: number },
): Blocks {
  if (rowBytes > mostBlockBytes) throw new TiffFault(`a row of it takes ${byteSize(rowBytes)}`);
  let rows = Math.max(1, Math.floor(partBytes / rowBytes));
  if (blocks.down > 1) while (blocks.height % rows !== 0) rows--;
  const down = Math.ceil(height / rows);
  if (down * planes > mostParts) throw new TiffFault(`it has ${height.toLocaleString('en')} rows in strips`);
  const offsets = new Float64Array(down * planes);
  const counts = new Float64Array(down * planes);
  for (let part = 0; part < offsets.length; part++) {
    const [plane, first] = [Math.floor(part / down), (part % down) * rows];
    const strip = plane * blocks.down + Math.floor(first / blocks.height);
    const before = (first % blocks.height) * rowBytes;
    const held = blocks.counts[strip]!;
    if (held === 0) continue;
    offsets[part] = blocks.offsets[strip]! + before;
    counts[part] = Math.max(0, Math.min(rows * rowBytes, held - before));
    if (counts[part] === 0) throw new TiffFault('the image is truncated or damaged (a strip is short)');
  }
  return { ...blocks, height: rows, down, offsets, counts };
}

function tablesOf(directory: TiffDirectory): Uint8Array | undefined {
  const tables = numbersOf(directory, 347);
  return tables && Uint8Array.from(tables);
}

function nodataOf(directory: TiffDirectory): number | undefined {
  const text = textOf(directory, 42113)?.trim();
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  return text.toLowerCase() !== 'nan' && Number.isNaN(value) ? undefined : value;
}

function whole(directory: TiffDirectory, tag: number, fallback?: number): number {
  const value = numberOf(directory, tag) ?? fallback;
  if (value === undefined || !Number.isSafeInteger(value) || value < 1)
    throw new TiffFault('the image is truncated or damaged');
  return value;
}
