import { readBytes } from '../files/read-file.ts';
import { UserError } from '../files/user-error.ts';
import { decoding, decodingFault, readMetadata } from '../images/image.ts';
import { loadSharp } from '../images/load-sharp.ts';
import { paletteIndices } from '../images/palette-index.ts';
import type { MaskValues } from './mask-values.ts';

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
export async function readMaskFile(path: string, above: number): Promise<MaskValues> {
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
    // Numbers of more bytes may only begin at a multiple of their size, so that a copy is needed elsewhere.
    const aligned = data.byteOffset % type.BYTES_PER_ELEMENT === 0 ? data : Uint8Array.from(data);
    const values = new type(aligned.buffer, aligned.byteOffset, aligned.byteLength / type.BYTES_PER_ELEMENT);
    if (values.length !== width * height * info.channels)
      throw new Error(`bug in crobc: ${values.length} values of a mask of ${width} × ${height} × ${info.channels}`);
    const limit = depth === 'uchar' && indices === undefined ? above : 0;
    return { width, height, channels: info.channels, values, limit, orientation };
  } catch (error) {
    throw refuse(decodingFault(error));
  }
}
