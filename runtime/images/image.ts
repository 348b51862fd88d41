import type { Metadata, Sharp } from 'sharp';
import { readBytes } from '../files/read-file.ts';
import { UserError } from '../files/user-error.ts';
import { type ColourChoice, chosenBands, darkNote, type PictureNote, stretched } from './colours.ts';
import { ByteMap, ValueCounts } from './levels.ts';
import { loadSharp } from './load-sharp.ts';
import type { Pixels } from './resize.ts';
import { bytesInMemory } from './tiff/byte-source.ts';
import { isTiff, TiffFault } from './tiff/directory.ts';
import { TiffReader } from './tiff/tiff-reader.ts';
import { isMeasurable, isPlainPicture, TiffPicture } from './tiff-picture.ts';

/** Interleaved 8-bit RGB, row by row. */
export interface RgbImage extends Pixels {
  readonly channels: 3;
}

/** Maximum number of pixels, checked before decoding: 100 million are 300 MB of RGB. */
export const MAX_PIXELS = 100_000_000;
/** Maximum side in pixels, as in JPEG; this refuses extremely long and narrow images. */
const MAX_SIDE = 65_535;

const formats: readonly string[] = ['png', 'jpeg', 'tiff', 'webp'];

/** A picture as colours, and what was assumed to get them. */
export interface Picture {
  readonly image: RgbImage;
  /** The EXIF orientation by which it was turned: 1 if it was not. */
  readonly orientation: number;
  readonly notes: readonly PictureNote[];
}

/**
 * Reads a PNG, JPEG, TIFF or WebP file as RGB, rotated by its EXIF orientation. Drops alpha and ignores colour
 * profiles, as `PIL.Image.convert('RGB')` does, which is how the data sets are usually read; repeats grey in all
 * channels; scales 16 bits to 8. Bands of a TIFF that are not colours by its own word are read as `choice` says. Throws
 * a UserError of one line.
 */
export async function readPicture(path: string, choice: ColourChoice = {}, maxPixels = MAX_PIXELS): Promise<Picture> {
  return decodePicture(await readBytes(path, 'image'), path, choice, maxPixels);
}

/** Like `readPicture`, without the notes. */
export async function readImage(path: string, maxPixels = MAX_PIXELS, choice: ColourChoice = {}): Promise<RgbImage> {
  return (await readPicture(path, choice, maxPixels)).image;
}

/** Like `readImage`, for a file in memory; `name` is its name in messages. */
export async function decodeImage(bytes: Uint8Array, name: string, maxPixels = MAX_PIXELS): Promise<RgbImage> {
  return (await decodePicture(bytes, name, {}, maxPixels)).image;
}

/** Like `readPicture`, for a file in memory. */
export async function decodePicture(
  bytes: Uint8Array,
  name: string,
  choice: ColourChoice = {},
  maxPixels = MAX_PIXELS,
): Promise<Picture> {
  if (isTiff(bytes)) {
    const opened = await measuredTiff(bytes, name, choice);
    if (opened) {
      checkPixels(opened.layout, name, maxPixels);
      const picture = await TiffPicture.open(opened, choice);
      return { image: await picture.readAll(), orientation: 1, notes: picture.notes };
    }
  }
  return decodeByLibrary(bytes, name, choice, maxPixels);
}

/** A reader for a TIFF whose bands are not colours by its own word, or are to be read otherwise. */
async function measuredTiff(bytes: Uint8Array, name: string, choice: ColourChoice): Promise<TiffReader | undefined> {
  try {
    const reader = await TiffReader.open(bytesInMemory(bytes, name));
    const isChosen = choice.bands !== undefined || (choice.stretch !== undefined && choice.stretch !== 'none');
    const { layout } = reader;
    return isPlainPicture(layout) && !(isChosen && isMeasurable(layout)) ? undefined : reader;
  } catch (error) {
    // libvips reads kinds that crobc does not, such as one bit a pixel, and refuses what is damaged.
    if (error instanceof TiffFault) return undefined;
    throw error;
  }
}

function checkPixels(
  { width, height }: { readonly width: number; readonly height: number },
  name: string,
  maxPixels: number,
): void {
  const refuse = (why: string) => new UserError(`cannot read ${name}: ${why}`);
  if (width * height > maxPixels) throw refuse(`${width} × ${height} pixels are over the limit of ${maxPixels}`);
  if (Math.max(width, height) > MAX_SIDE)
    throw refuse(`${width} × ${height} pixels: a side has ${MAX_SIDE.toLocaleString('en')} at most`);
}

async function decodeByLibrary(
  bytes: Uint8Array,
  name: string,
  choice: ColourChoice,
  maxPixels: number,
): Promise<Picture> {
  const { depth, space, channels, orientation = 1 } = await readMetadata(bytes, name, maxPixels);
  const refuse = (why: string) => new UserError(`cannot read ${name}: ${why}`);
  if (depth !== 'uchar' && depth !== 'ushort') {
    throw refuse(`its samples are of type ${depth}; save it with 8 or 16 bits a sample`);
  }
  if (channels > 4 || space === 'multiband')
    throw refuse(`it has ${channels} bands; save the three to be shown as RGB`);
  const sharp = await loadSharp();
  const pipeline = sharp(bytes, { ...decoding, ignoreIcc: space !== 'cmyk' }).autoOrient();
  let values: Values;
  try {
    values = await (depth === 'ushort' ? sixteenBit(pipeline) : eightBit(pipeline));
  } catch (error) {
    throw refuse(decodingFault(error));
  }
  return { ...coloured(values, choice, name), orientation };
}

/** sharp's own limit is off: crobc checks it before decoding, and its message names the limit. */
export const decoding = { failOn: 'error', limitInputPixels: false } as const;

/** Reads the header of an image. Throws a UserError if it is none, or larger than crobc reads. */
export async function readMetadata(bytes: Uint8Array, name: string, maxPixels = MAX_PIXELS): Promise<Metadata> {
  const sharp = await loadSharp();
  const refuse = (why: string) => new UserError(`cannot read ${name}: ${why}`);
  if (bytes.length === 0) throw refuse('it is empty');
  let metadata: Metadata;
  try {
    metadata = await sharp(bytes, decoding).metadata();
  } catch (error) {
    throw refuse(decodingFault(error));
  }
  if (!formats.includes(metadata.format))
    throw refuse(`it is ${metadata.format}, and images are PNG, JPEG, TIFF or WebP`);
  checkPixels(metadata, name, maxPixels);
  return metadata;
}

/** Interleaved values of 1 or 3 channels. */
interface Values {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
}

async function eightBit(pipeline: Sharp): Promise<Values> {
  const { data, info } = await pipeline.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.length);
  return { width: info.width, height: info.height, channels: info.channels, data: bytes };
}

async function sixteenBit(pipeline: Sharp): Promise<Values> {
  const { data, info } = await pipeline
    .removeAlpha()
    .toColourspace('rgb16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true });
  const wide = new Uint16Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength / 2);
  return { width: info.width, height: info.height, channels: info.channels, data: wide };
}

/** Chooses bands and maps them to bytes; 16 bits are divided by 257. */
function coloured(
  { width, height, channels, data }: Values,
  choice: ColourChoice,
  name: string,
): Omit<Picture, 'orientation'> {
  if (channels !== 1 && channels !== 3) throw new Error(`bug in crobc: ${channels} channels after conversion to RGB`);
  const { bands, stretch } = choice;
  const picked = channels === 1 || bands ? picking(data, channels, chosenBands(bands ?? [1], channels, name)) : data;
  const image = (bytes: Uint8Array): RgbImage => ({ width, height, channels: 3, data: bytes });
  if (stretch !== undefined && stretch !== 'none') {
    const counts = [0, 1, 2].map((channel) => {
      const count = new ValueCounts(true);
      count.add(picked, channel, 3);
      return count;
    });
    return { image: image(new ByteMap(stretched(counts, stretch), false).bytes(picked)), notes: [] };
  }
  if (picked instanceof Uint8Array) return { image: image(picked), notes: [] };
  // libvips would drop the lower byte instead, so that 255 becomes 0.
  const bytes = Uint8Array.from(picked, (v) => Math.round(v / 257));
  if (stretch === 'none') return { image: image(bytes), notes: [] };
  const counts = new ValueCounts(true);
  counts.add(bytes, 0, 1);
  const dark = darkNote(counts);
  return { image: image(bytes), notes: dark ? [dark] : [] };
}

function picking(data: Values['data'], channels: number, bands: readonly number[]): Values['data'] {
  const count = (data.length / channels) * 3;
  const out = data instanceof Uint8Array ? new Uint8Array(count) : new Uint16Array(count);
  for (const [channel, band] of bands.entries())
    for (let from = band, to = channel; to < count; from += channels, to += 3) out[to] = data[from]!;
  return out;
}

export function decodingFault(error: unknown): string {
  if (!(error instanceof Error)) throw error;
  if (error.message.startsWith('bug in crobc')) throw error;
  const [first = ''] = error.message.split('\n');
  if (first.includes('unsupported image format')) return 'it is not a PNG, JPEG, TIFF or WebP image';
  const detail = first.replace(/^Input (buffer|file) has corrupt header:?\s*/, '').trim();
  return `the image is truncated or damaged${detail === '' ? '' : ` (${detail})`}`;
}
