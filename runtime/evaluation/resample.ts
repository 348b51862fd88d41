/** [height, width] in pixels. */
export type Size = readonly [height: number, width: number];

/** The weights of a one-dimensional resampling: output `i` reads `taps` inputs from `first[i]` on. */
interface Axis {
  readonly taps: number;
  readonly first: Int32Array;
  readonly weights: Float64Array;
}

/**
 * Bilinear resizing with aligned corners, in float64: `torch.nn.functional.interpolate(mode='bilinear',
 * align_corners=True)`.
 */
export function resizeAligned(plane: Float32Array | Float64Array, from: Size, to: Size): Float64Array {
  const axis = (length: number, wanted: number): Axis => {
    const first = new Int32Array(wanted);
    const weights = new Float64Array(wanted * 2);
    const step = wanted === 1 ? 0 : (length - 1) / (wanted - 1);
    for (let i = 0; i < wanted; i++) {
      // Guards against rounding beyond the last pixel.
      const at = Math.min(i * step, length - 1);
      first[i] = Math.floor(at);
      const fraction = at - Math.floor(at);
      weights.set([1 - fraction, fraction], i * 2);
    }
    return { taps: 2, first, weights };
  };
  return separable(plane, from, to, axis(from[0], to[0]), axis(from[1], to[1]));
}

/** OpenCV's coefficient of cubic interpolation, and its number of subpixel positions (OpenCV 4, which CRIS used). */
const CUBIC = -0.75;
const STEPS = 32;

/**
 * Bicubic resizing that samples output pixel i at i × from/to, with zeros outside: `cv2.warpAffine(…, INTER_CUBIC,
 * borderValue=0)` with a scaling matrix, by which CRIS maps a prediction back to the image.
 */
export function warpCubic(plane: Float32Array | Float64Array, from: Size, to: Size): Float64Array {
  const axis = (length: number, wanted: number): Axis => {
    const first = new Int32Array(wanted);
    const weights = new Float64Array(wanted * 4);
    for (let i = 0; i < wanted; i++) {
      const at = Math.round((i * length * STEPS) / wanted) / STEPS;
      first[i] = Math.floor(at) - 1;
      weights.set(cubic(at - Math.floor(at)), i * 4);
    }
    return { taps: 4, first, weights };
  };
  return separable(plane, from, to, axis(from[0], to[0]), axis(from[1], to[1]));
}

/** Returns the weights of the pixels at -1, 0, 1 and 2 for a point at `x` (0…1). */
function cubic(x: number): number[] {
  const near = (d: number) => ((CUBIC + 2) * d - (CUBIC + 3)) * d * d + 1;
  const far = (d: number) => ((CUBIC * d - 5 * CUBIC) * d + 8 * CUBIC) * d - 4 * CUBIC;
  return [far(1 + x), near(x), near(1 - x), far(2 - x)];
}

/** Resamples rows, then columns. Pixels outside the plane are 0. */
function separable(
  plane: Float32Array | Float64Array,
  [height, width]: Size,
  [toHeight, toWidth]: Size,
  rows: Axis,
  columns: Axis,
): Float64Array {
  const wide = new Float64Array(height * toWidth);
  for (let x = 0; x < toWidth; x++) {
    for (let k = 0; k < columns.taps; k++) {
      const from = columns.first[x]! + k;
      const weight = columns.weights[x * columns.taps + k]!;
      if (weight === 0 || from < 0 || from >= width) continue;
      for (let y = 0; y < height; y++) wide[y * toWidth + x]! += weight * plane[y * width + from]!;
    }
  }
  const out = new Float64Array(toHeight * toWidth);
  for (let y = 0; y < toHeight; y++) {
    for (let k = 0; k < rows.taps; k++) {
      const from = rows.first[y]! + k;
      const weight = rows.weights[y * rows.taps + k]!;
      if (weight === 0 || from < 0 || from >= height) continue;
      for (let x = 0; x < toWidth; x++) out[y * toWidth + x]! += weight * wide[from * toWidth + x]!;
    }
  }
  return out;
}
