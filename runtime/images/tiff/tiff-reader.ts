import { UserError } from '../../files/user-error.ts';
import type { ByteSource } from './byte-source.ts';
import { decompress } from './decompress.ts';
import { numberOf, readDirectories, type TiffDirectory, TiffFault } from './directory.ts';
import { layoutOf, type TiffLayout } from './layout.ts';
import { type Samples, samplesOf } from './samples.ts';

/** A rectangle of pixels. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Default for the bytes of decoded blocks that are kept. */
export const cacheBytes = 2 ** 26;

/**
 * Reads windows of the first picture of a TIFF. Blocks are decoded as they are needed, and the latest are kept.
 */
export class TiffReader {
  readonly layout: TiffLayout;
  readonly directory: TiffDirectory;
  readonly #source: ByteSource;
  readonly #littleEndian: boolean;
  readonly #cache: BlockCache;

  private constructor(
    source: ByteSource,
    opened: { readonly layout: TiffLayout; readonly directory: TiffDirectory; readonly littleEndian: boolean },
    cache: number,
  ) {
    this.#source = source;
    this.layout = opened.layout;
    this.directory = opened.directory;
    this.#littleEndian = opened.littleEndian;
    this.#cache = new BlockCache(cache);
  }

  /** Reads the directories. Throws a TiffFault for what is no TIFF, or is not read by crobc. */
  static async open(source: ByteSource, cache = cacheBytes): Promise<TiffReader> {
    const { directories, littleEndian } = await readDirectories(source);
    // Bit 0 of NewSubfileType is for overviews, bit 2 for transparency masks.
    const directory = directories.find((each) => ((numberOf(each, 254) ?? 0) & 5) === 0);
    if (directory === undefined) throw new TiffFault('it has no picture');
    return new TiffReader(source, { directory, littleEndian, layout: layoutOf(directory, source.size) }, cache);
  }

  get name(): string {
    return this.#source.name;
  }

  /** Bytes of all blocks that a window of this size may touch. */
  bytesFor(width: number, height: number): number {
    const { blocks, bands, bytesPerSample } = this.layout;
    const touched = (length: number, block: number, count: number) =>
      Math.min(count, Math.ceil((length - 1) / block) + 1) * block;
    const pixels = touched(width, blocks.width, blocks.across) * touched(height, blocks.height, blocks.down);
    return pixels * bands * bytesPerSample;
  }

  /**
   * Reads a window as interleaved samples of the chosen bands (from 0), in 32-bit floats, which are exact for up to 24
   * bits. Throws a UserError that names the file.
   */
  async read(window: Window, bands: readonly number[]): Promise<Float32Array> {
    const out = new Float32Array(window.width * window.height * bands.length);
    const { blocks, planar } = this.layout;
    const [first, last] = [
      Math.floor(window.left / blocks.width),
      Math.floor((window.left + window.width - 1) / blocks.width),
    ];
    const [top, bottom] = [
      Math.floor(window.top / blocks.height),
      Math.floor((window.top + window.height - 1) / blocks.height),
    ];
    // Interleaved bands are in one block, others in one each; each copy is from a sample of a block to a channel.
    const parts = planar
      ? bands.map((band, channel) => ({ plane: band, pairs: [[0, channel] as const] }))
      : [{ plane: 0, pairs: bands.map((band, channel) => [band, channel] as const) }];
    const copies: Promise<void>[] = [];
    for (let row = top; row <= bottom; row++) {
      for (let column = first; column <= last; column++) {
        for (const { plane, pairs } of parts) {
          const block = this.#block(row, column, plane);
          copies.push(block.then((held) => this.#copy(held, { row, column }, window, out, pairs, bands.length)));
        }
      }
    }
    await Promise.all(copies);
    return out;
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  #copy(
    block: Samples | undefined,
    { row, column }: { readonly row: number; readonly column: number },
    window: Window,
    out: Float32Array,
    pairs: readonly (readonly [from: number, to: number])[],
    channels: number,
  ): void {
    const { blocks, bands, planar, nodata } = this.layout;
    const [x0, y0] = [column * blocks.width, row * blocks.height];
    const [left, right] = [Math.max(window.left, x0), Math.min(window.left + window.width, x0 + blocks.width)];
    const [top, bottom] = [Math.max(window.top, y0), Math.min(window.top + window.height, y0 + blocks.height)];
    const samples = planar ? 1 : bands;
    for (let y = top; y < bottom; y++) {
      for (const [from, to] of pairs) {
        let at = ((y - y0) * blocks.width + left - x0) * samples + from;
        let place = ((y - window.top) * window.width + left - window.left) * channels + to;
        for (let x = left; x < right; x++) {
          out[place] = block === undefined ? (nodata ?? 0) : block[at]!;
          at += samples;
          place += channels;
        }
      }
    }
  }

  /** A decoded block; undefined if the file has no data for it. */
  #block(row: number, column: number, plane: number): Promise<Samples | undefined> {
    const { blocks } = this.layout;
    const index = (plane * blocks.down + row) * blocks.across + column;
    return this.#cache.get(index, () => this.#decode(index, row));
  }

  async #decode(index: number, row: number): Promise<Samples | undefined> {
    const { layout } = this;
    const { blocks, planar, bands, bytesPerSample, height, predictor, samples } = layout;
    const [offset, count] = [blocks.offsets[index]!, blocks.counts[index]!];
    if (count === 0) return undefined;
    const pixelSamples = planar ? 1 : bands;
    const rowSamples = blocks.width * pixelSamples;
    const rowBytes = rowSamples * bytesPerSample;
    const size = { width: blocks.width, height: blocks.height, samples: pixelSamples, bytes: rowBytes * blocks.height };
    const rows = Math.min(blocks.height, height - row * blocks.height);
    try {
      const packed = await this.#source.read(offset, count);
      const bytes = await decompress(packed, layout, size);
      if (bytes.length < rows * rowBytes) throw new TiffFault('the image is truncated or damaged (a block is short)');
      // A copy of what is in the file, since decoding overwrites it.
      const own = bytes.buffer === packed.buffer ? bytes.slice(0, rows * rowBytes) : bytes.subarray(0, rows * rowBytes);
      const littleEndian = this.#littleEndian;
      return samplesOf(own, { samples, bytesPerSample, predictor, littleEndian, rowSamples, pixelSamples });
    } catch (error) {
      if (error instanceof TiffFault) throw new UserError(`cannot read ${this.#source.name}: ${error.message}`);
      throw error;
    }
  }
}

/** The latest decoded blocks, up to a number of bytes. */
class BlockCache {
  readonly #most: number;
  readonly #held = new Map<number, Promise<Samples | undefined>>();
  readonly #sizes = new Map<number, number>();
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get(index: number, decode: () => Promise<Samples | undefined>): Promise<Samples | undefined> {
    const known = this.#held.get(index);
    if (known !== undefined) {
      // The order of a map is that of insertion: the first is the one that was not used for longest.
      this.#held.delete(index);
      this.#held.set(index, known);
      return known;
    }
    const block = decode();
    this.#held.set(index, block);
    block.then(
      (samples) => this.#keep(index, samples?.byteLength ?? 0),
      () => this.#held.delete(index),
    );
    return block;
  }

  #keep(index: number, bytes: number): void {
    this.#sizes.set(index, bytes);
    this.#bytes += bytes;
    for (const old of this.#held.keys()) {
      if (this.#bytes <= this.#most || old === index) return;
      const size = this.#sizes.get(old);
      if (size === undefined) continue;
      this.#held.delete(old);
      this.#sizes.delete(old);
      this.#bytes -= size;
    }
  }
}
