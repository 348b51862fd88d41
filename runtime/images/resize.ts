import { type Filter, FRACTION_BITS, fixedPoint, triangle } from './resample/filter.ts';

/** An image in memory: rows of interleaved pixels with `channels` bytes each. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/**
 * Bilinear resizing with antialiasing, bit-exact with Pillow's `resize(…, BILINEAR)` before version 13, and so with
 * torchvision for PIL images. Rounds to bytes after the horizontal pass and again after the vertical one, as Pillow does;
 * Pillow 13 begins with the vertical pass for some sizes, such as those of high and narrow images.
 */
export function resizeBilinear(image: Pixels, width: number, height: number): Pixels {
  const wide = width === image.width ? image : alongRows(image, width);
  return height === image.height ? wide : alongColumns(wide, height);
}

/*
 * Sums stay below 2^31: 255 times weights with a sum of about 2^22, plus a half for rounding. `Math.imul` and `| 0`
 * let V8 use 32-bit integers; ordinary products take more than twice as long.
 */
const HALF = 1 << (FRACTION_BITS - 1);

function alongRows(image: Pixels, width: number): Pixels {
  const { height, channels, data } = image;
  const filter = fixedPoint(triangle(image.width, width));
  const out = new Uint8Array(width * height * channels);
  const stride = image.width * channels;
  for (let y = 0; y < height; y++) {
    const from = data.subarray(y * stride, (y + 1) * stride);
    const to = out.subarray(y * width * channels, (y + 1) * width * channels);
    if (channels === 3) filterRgbRow(from, to, filter);
    else for (let c = 0; c < channels; c++) filterRow(from, to, filter, channels, c);
  }
  return { width, height, channels, data: out };
}

/** Filters one channel of a row. */
function filterRow(
  from: Uint8Array,
  to: Uint8Array,
  { taps, first, count, weights }: Filter<Int32Array>,
  channels: number,
  channel: number,
): void {
  for (let x = 0; x < first.length; x++) {
    let at = first[x]! * channels + channel;
    let sum = HALF;
    for (let k = x * taps; k < x * taps + count[x]!; k++) {
      sum = (sum + Math.imul(from[at]!, weights[k]!)) | 0;
      at += channels;
    }
    to[x * channels + channel] = sum >> FRACTION_BITS;
  }
}

/** Filters all three channels at once, which takes half the time of three calls of `filterRow`. */
function filterRgbRow(from: Uint8Array, to: Uint8Array, { taps, first, count, weights }: Filter<Int32Array>): void {
  for (let x = 0; x < first.length; x++) {
    let at = (first[x]! * 3) | 0;
    let [red, green, blue] = [HALF, HALF, HALF];
    const begin = (x * taps) | 0;
    const end = (begin + count[x]!) | 0;
    for (let k = begin; k < end; k++) {
      const weight = weights[k]!;
      red = (red + Math.imul(from[at]!, weight)) | 0;
      green = (green + Math.imul(from[at + 1]!, weight)) | 0;
      blue = (blue + Math.imul(from[at + 2]!, weight)) | 0;
      at = (at + 3) | 0;
    }
    to[x * 3] = red >> FRACTION_BITS;
    to[x * 3 + 1] = green >> FRACTION_BITS;
    to[x * 3 + 2] = blue >> FRACTION_BITS;
  }
}

function alongColumns(image: Pixels, height: number): Pixels {
  const { width, channels, data } = image;
  const { taps, first, count, weights } = fixedPoint(triangle(image.height, height));
  const stride = width * channels;
  const out = new Uint8Array(stride * height);
  const sums = new Int32Array(stride);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    for (let k = 0; k < count[y]!; k++) {
      const weight = weights[y * taps + k]!;
      const from = (first[y]! + k) * stride;
      for (let i = 0; i < stride; i++) sums[i]! += Math.imul(data[from + i]!, weight);
    }
    for (let i = 0; i < stride; i++) out[y * stride + i] = sums[i]! >> FRACTION_BITS;
  }
  return { width, height, channels, data: out };
}

/** Nearest-neighbour resizing for masks, bit-exact with Pillow's `resize(…, NEAREST)`. */
export function resizeNearest(image: Pixels, width: number, height: number): Pixels {
  const { channels, data } = image;
  const columns = nearest(image.width, width);
  const rows = nearest(image.height, height);
  const out = new Uint8Array(width * height * channels);
  let at = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (rows[y]! * image.width + columns[x]!) * channels;
      for (let c = 0; c < channels; c++) out[at++] = data[from + c]!;
    }
  }
  return { width, height, channels, data: out };
}

/** The index of the nearest of `from` samples for each of `to`. Adds the scale repeatedly as Pillow does (ImagingScaleAffine): on exact ties, its rounding decides. */
export function nearest(from: number, to: number): Int32Array {
  const scale = from / to;
  const index = new Int32Array(to);
  let at = scale * 0.5;
  for (let i = 0; i < to; i++) {
    index[i] = Math.min(from - 1, Math.trunc(at));
    at += scale;
  }
  return index;
}

/**
 * Resizes a float plane [height, width] to [toHeight, toWidth], bilinear without antialiasing:
 * `torch.nn.functional.interpolate(mode='bilinear', align_corners=False)`.
 */
export function resizePlane(
  plane: Float32Array,
  [height, width]: readonly [number, number],
  [toHeight, toWidth]: readonly [number, number],
): Float32Array {
  if (height === toHeight && width === toWidth) return plane.slice();
  const rows = interpolation(height, toHeight);
  const columns = interpolation(width, toWidth);
  const out = new Float32Array(toHeight * toWidth);
  for (let y = 0; y < toHeight; y++) {
    const upper = rows.low[y]! * width;
    const lower = rows.high[y]! * width;
    const fy = rows.fraction[y]!;
    for (let x = 0; x < toWidth; x++) {
      const left = columns.low[x]!;
      const right = columns.high[x]!;
      const fx = columns.fraction[x]!;
      const top = plane[upper + left]! * (1 - fx) + plane[upper + right]! * fx;
      const bottom = plane[lower + left]! * (1 - fx) + plane[lower + right]! * fx;
      out[y * toWidth + x] = top * (1 - fy) + bottom * fy;
    }
  }
  return out;
}

function interpolation(from: number, to: number) {
  const low = new Int32Array(to);
  const high = new Int32Array(to);
  const fraction = new Float64Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    low[i] = Math.min(from - 1, Math.trunc(at));
    high[i] = Math.min(from - 1, low[i]! + 1);
    fraction[i] = at - low[i]!;
  }
  return { low, high, fraction };
}
