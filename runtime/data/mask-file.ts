import { readBytes } from '../files/read-file.ts';
import { UserError } from '../files/user-error.ts';
import { decoding, decodingFault, readMetadata } from '../images/image.ts';
import { loadSharp } from '../images/load-sharp.ts';
import { paletteIndices } from '../images/palette-index.ts';
import type { Pixels } from '../images/resize.ts';

/** A mask of 0 and 1 in one channel, with the EXIF orientation by which it was turned: 1 if it was not. */
export interface TurnedMask {
  readonly mask: Pixels;
  readonly orientation: number;
}

/** The types of samples that libvips can have, by its names. */
const sampleTypes = {
  uchar: Uint8Array,
  char: Int8Array,
  ushort: Uint16Array,
  short: Int16Array,
  uint: Uint32Array,
  int: Int32Array,
  float: Float32Array,
  double: Float64Array,
} as const;

type SampleDepth = keyof typeof sampleTypes;

function isSampleDepth(depth: string): depth is SampleDepth {
  return Object.hasOwn(sampleTypes, depth);
}

/**
 * Reads a mask file. A mask is a map of labels and not a picture: each pixel counts by the value that is stored, in its
 * own depth, and one with a palette by its index, whatever its colours are. A pixel is on if a value is above 0 (with
 * several channels, in any of them; alpha does not count). `above` is another limit for grey and RGB of 8 bits. Throws
 * a UserError of one line.
 */
export async function readMaskFile(path: string, above: number): Promise<TurnedMask> {
  const file = await readBytes(path, 'image');
  const indices = paletteIndices(file);
  const bytes = indices ?? file;
  const { depth, space, channels, orientation = 1 } = await readMetadata(bytes, path);
  const refuse = (why: string) => new UserError(`cannot read ${path}: ${why}`);
  if (!isSampleDepth(depth)) throw refuse(`its samples are of type ${depth}, which no mask has`);
  if (channels > 4) throw refuse(`it has ${channels} bands, and a mask has one`);
  const sharp = await loadSharp();
  // Colours in print are converted; everything else keeps its values.
  const target = space === 'cmyk' ? 'srgb' : space;
  const pipeline = sharp(bytes, { ...decoding, ignoreIcc: space !== 'cmyk' })
    .autoOrient()
    .removeAlpha();
  try {
    const { data, info } = await pipeline.toColourspace(target).raw({ depth }).toBuffer({ resolveWithObject: true });
    const { width, height } = info;
    const type = sampleTypes[depth];
    // A copy, which begins where a number of any type may begin.
    const values = new type(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
    const limit = depth === 'uchar' && indices === undefined ? above : 0;
    return { mask: onAbove(values, limit, width, height, info.channels), orientation };
  } catch (error) {
    throw refuse(decodingFault(error));
  }
}

function onAbove(values: ArrayLike<number>, limit: number, width: number, height: number, channels: number): Pixels {
  if (values.length !== width * height * channels)
    throw new Error(`bug in crobc: ${values.length} values of a mask of ${width} × ${height} × ${channels}`);
  const data = new Uint8Array(width * height);
  for (let i = 0, at = 0; i < data.length; i++) {
    for (let c = 0; c < channels; c++, at++) if ((values[at] ?? 0) > limit) data[i] = 1;
  }
  return { width, height, channels: 1, data };
}
