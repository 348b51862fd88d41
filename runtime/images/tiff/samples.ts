import type { SampleType, TiffLayout } from './layout.ts';

/** Decoded samples of a block in rows of interleaved bands. */
export type Samples =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

const arrays = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const satisfies Record<SampleType, unknown>;

/** How the bytes of a block are to be read. */
export interface Packing extends Pick<TiffLayout, 'samples' | 'bytesPerSample' | 'predictor'> {
  readonly littleEndian: boolean;
  /** Interleaved samples of a row, and of a pixel. */
  readonly rowSamples: number;
  readonly pixelSamples: number;
}

/**
 * Undoes the predictor and the byte order of decompressed rows. `bytes` are of whole rows, and are overwritten.
 */
export function samplesOf(bytes: Uint8Array, packing: Packing): Samples {
  const { samples, bytesPerSample, predictor, littleEndian } = packing;
  const count = bytes.length / bytesPerSample;
  const aligned = bytes.byteOffset % bytesPerSample === 0 ? bytes : bytes.slice();
  if (predictor === 3) undoFloatPredictor(aligned, packing);
  else if (!littleEndian) reverse(aligned, bytesPerSample);
  const values = new arrays[samples](aligned.buffer as ArrayBuffer, aligned.byteOffset, count);
  if (predictor === 2) addDifferences(values, packing);
  return values;
}

function reverse(bytes: Uint8Array, size: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (size === 2) buffer.swap16();
  if (size === 4) buffer.swap32();
  if (size === 8) buffer.swap64();
}

/** Differences wrap around, as those of the typed arrays do. libtiff takes floats as integers of their size. */
function addDifferences(values: Samples, { rowSamples, pixelSamples }: Packing): void {
  const { buffer, byteOffset, length } = values;
  if (values instanceof Float64Array) {
    const numbers = new BigUint64Array(buffer, byteOffset, length);
    for (let i = 0; i < length; i++)
      if (i % rowSamples >= pixelSamples) numbers[i] = numbers[i]! + numbers[i - pixelSamples]!;
    return;
  }
  const numbers = values instanceof Float32Array ? new Uint32Array(buffer, byteOffset, length) : values;
  for (let row = 0; row < length; row += rowSamples) {
    const end = Math.min(length, row + rowSamples);
    for (let i = row + pixelSamples; i < end; i++) numbers[i] = numbers[i]! + numbers[i - pixelSamples]!;
  }
}

/**
 * The predictor of Adobe's Technical Note 3: each row has the highest bytes of all samples, then the next ones, and
 * differences of bytes run over the whole row.
 */
function undoFloatPredictor(bytes: Uint8Array, { bytesPerSample, rowSamples, pixelSamples }: Packing): void {
  const length = rowSamples * bytesPerSample;
  const row = new Uint8Array(length);
  for (let at = 0; at + length <= bytes.length; at += length) {
    row.set(bytes.subarray(at, at + length));
    for (let i = pixelSamples; i < length; i++) row[i] = row[i]! + row[i - pixelSamples]!;
    for (let sample = 0; sample < rowSamples; sample++)
      for (let byte = 0; byte < bytesPerSample; byte++)
        bytes[at + sample * bytesPerSample + byte] = row[(bytesPerSample - 1 - byte) * rowSamples + sample]!;
  }
}
