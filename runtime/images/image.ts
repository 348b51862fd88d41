import type { Metadata, Sharp } from 'sharp';
import { readBytes } from '../files/read-file.ts';
import { UserError } from '../files/user-error.ts';
import { loadSharp } from './load-sharp.ts';
import { type Pixels, resizeBilinear } from './resize.ts';

/** Interleaved 8-bit RGB, row by row. */
export interface RgbImage extends Pixels {
  readonly channels: 3;
}

/** Maximum number of pixels, checked before decoding: 100 million are 300 MB of RGB. */
export const MAX_PIXELS = 100_000_000;
/** Maximum side in pixels, as in JPEG; this refuses extremely long and narrow images. */
const MAX_SIDE = 65_535;

const formats: readonly string[] = ['png', 'jpeg', 'tiff', 'webp'];

/**
 * Reads a PNG, JPEG, TIFF or WebP file as RGB, rotated by its EXIF orientation. Drops alpha and ignores colour
 * profiles, as `PIL.Image.convert('RGB')` does, which is how the data sets are usually read; repeats grey in all
 * channels; scales 16 bits to 8. Throws a UserError of one line.
 */
export async function readImage(path: string, maxPixels = MAX_PIXELS): Promise<RgbImage> {
  return decodeImage(await readBytes(path, 'image'), path, maxPixels);
}

/** Like `readImage`, for a file in memory; `name` is its name in messages. */
export async function decodeImage(bytes: Uint8Array, name: string, maxPixels = MAX_PIXELS): Promise<RgbImage> {
  return (await decodeTurned(bytes, name, maxPixels)).image;
}

/** An image as it is shown, with the EXIF orientation by which it was turned: 1 if it was not. */
export interface TurnedImage {
  readonly image: RgbImage;
  readonly orientation: number;
}

/** Like `readImage`, for callers that compare the orientation with that of a mask. */
export async function readTurnedImage(path: string): Promise<TurnedImage> {
  return decodeTurned(await readBytes(path, 'image'), path, MAX_PIXELS);
}

async function decodeTurned(bytes: Uint8Array, name: string, maxPixels: number): Promise<TurnedImage> {
  const metadata = await readMetadata(bytes, name, maxPixels);
  const { depth, space, channels } = metadata;
  const refuse = (why: string) => new UserError(`cannot read ${name}: ${why}`);
  if (depth !== 'uchar' && depth !== 'ushort') {
    throw refuse(`its samples are of type ${depth}; save it with 8 or 16 bits a sample`);
  }
  if (channels > 4 || space === 'multiband')
    throw refuse(`it has ${channels} bands; save the three to be shown as RGB`);
  const sharp = await loadSharp();
  const pipeline = sharp(bytes, { ...decoding, ignoreIcc: space !== 'cmyk' }).autoOrient();
  try {
    const image = await (depth === 'ushort' ? sixteenBit(pipeline) : eightBit(pipeline));
    return { image, orientation: metadata.orientation ?? 1 };
  } catch (error) {
    throw refuse(decodingFault(error));
  }
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
  const { format, width, height } = metadata;
  if (!formats.includes(format)) throw refuse(`it is ${format}, and images are PNG, JPEG, TIFF or WebP`);
  if (width * height > maxPixels) throw refuse(`${width} × ${height} pixels are over the limit of ${maxPixels}`);
  if (Math.max(width, height) > MAX_SIDE)
    throw refuse(`${width} × ${height} pixels: a side has ${MAX_SIDE.toLocaleString('en')} at most`);
  return metadata;
}

async function eightBit(pipeline: Sharp): Promise<RgbImage> {
  const { data, info } = await pipeline.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  return toRgb(data, info.width, info.height, info.channels);
}

/** Divides by 257, which maps 0…65535 to 0…255. libvips would drop the lower byte instead, so that 255 becomes 0. */
async function sixteenBit(pipeline: Sharp): Promise<RgbImage> {
  const { data, info } = await pipeline
    .removeAlpha()
    .toColourspace('rgb16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true });
  const wide = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
  const bytes = Uint8Array.from(wide, (v) => Math.round(v / 257));
  return toRgb(bytes, info.width, info.height, info.channels);
}

function toRgb(data: Uint8Array, width: number, height: number, channels: number): RgbImage {
  if (channels === 3)
    return { width, height, channels: 3, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
  if (channels !== 1) throw new Error(`bug in crobc: ${channels} channels after conversion to RGB`);
  const out = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) out.fill(data[i]!, i * 3, i * 3 + 3);
  return { width, height, channels: 3, data: out };
}

export function decodingFault(error: unknown): string {
  if (!(error instanceof Error)) throw error;
  if (error.message.startsWith('bug in crobc')) throw error;
  const [first = ''] = error.message.split('\n');
  if (first.includes('unsupported image format')) return 'it is not a PNG, JPEG, TIFF or WebP image';
  const detail = first.replace(/^Input (buffer|file) has corrupt header:?\s*/, '').trim();
  return `the image is truncated or damaged${detail === '' ? '' : ` (${detail})`}`;
}

/** Mean and standard deviation of ImageNet for values in 0…1. */
export const IMAGENET_MEAN = [0.485, 0.456, 0.406] as const;
export const IMAGENET_STD = [0.229, 0.224, 0.225] as const;

/** Returns (v/255 - mean) / std as [3, H, W], with the rounding of torchvision's float32 steps. */
export function normalise(image: RgbImage): Float32Array {
  const count = image.width * image.height;
  const out = new Float32Array(3 * count);
  for (let c = 0; c < 3; c++) {
    const mean = Math.fround(IMAGENET_MEAN[c]!);
    const std = Math.fround(IMAGENET_STD[c]!);
    const table = Float32Array.from({ length: 256 }, (_, v) => Math.fround(Math.fround(v / 255) - mean) / std);
    const plane = out.subarray(c * count, (c + 1) * count);
    for (let i = 0; i < count; i++) plane[i] = table[image.data[i * 3 + c]!]!;
  }
  return out;
}

/**
 * Returns the input tensor of a model: resized to [height, width] with antialiasing and normalised, [3, height, width].
 */
export function imageTensor(image: RgbImage, height: number, width: number): Float32Array {
  return normalise(resizeBilinear(image, width, height) as RgbImage);
}
