import { UserError } from '../files/user-error.ts';
import { type ColourChoice, chosenBands, darkNote, type PictureNote, stretched } from './colours.ts';
import { ByteMap, type Levels, ValueCounts } from './levels.ts';
import type { Pixels } from './resize.ts';
import type { SampleType, TiffLayout } from './tiff/layout.ts';
import type { TiffReader, Window } from './tiff/tiff-reader.ts';

/** The values that are black and white where the samples say so. */
const fullRange: Partial<Readonly<Record<SampleType, Levels>>> = {
  uint8: { low: 0, high: 255 },
  uint16: { low: 0, high: 65_535 },
};

const counted: ReadonlySet<SampleType> = new Set(['uint8', 'int8', 'uint16', 'int16']);

/** Pixels of the windows in which a whole picture is read. */
const windowPixels = 2 ** 20;
const windowWidth = 2048;
/** Windows that are looked at for whether a picture is nearly black. */
const lookedAt = 64;

/** Interleaved 8-bit RGB. */
type Rgb = Pixels & { readonly channels: 3 };

/** A TIFF whose bands are measurements, of any size: windows of it are read as colours. */
export class TiffPicture {
  readonly width: number;
  readonly height: number;
  readonly notes: readonly PictureNote[];
  readonly reader: TiffReader;
  readonly #bands: readonly number[];
  readonly #map: ByteMap;

  private constructor(reader: TiffReader, bands: readonly number[], map: ByteMap, notes: readonly PictureNote[]) {
    this.width = reader.layout.width;
    this.height = reader.layout.height;
    this.reader = reader;
    this.notes = notes;
    this.#bands = bands;
    this.#map = map;
  }

  /**
   * Chooses bands and levels; a stretch reads all pixels. `onRead` is called with the share of them that was read.
   * Throws a UserError for what cannot be read as colours, with the option that helps.
   */
  static async open(
    reader: TiffReader,
    { bands: wanted, stretch }: ColourChoice,
    onRead: (share: number) => void = () => undefined,
  ): Promise<TiffPicture> {
    const { layout, name } = reader;
    const refuse = (why: string) => new UserError(`cannot read ${name}: ${why}`);
    const { bands, note } = wanted
      ? { bands: chosenBands(wanted, layout.bands, name), note: undefined }
      : assumedBands(layout, refuse);
    const notes = note === undefined ? [] : [note];
    if (layout.orientation !== 1)
      throw refuse(`its orientation is ${layout.orientation}, and only 1 (upright) is read: write it upright`);
    if (stretch !== undefined && stretch !== 'none') {
      const counts = bands.map(() => new ValueCounts(counted.has(layout.samples), layout.nodata));
      await eachWindow(reader, bands, Number.POSITIVE_INFINITY, onRead, (values) => {
        for (const [channel, count] of counts.entries()) count.add(values, channel, bands.length);
      });
      if (counts.some((count) => count.isEmpty)) throw refuse('it has no data');
      const map = new ByteMap(stretched(counts, stretch), isWhole(layout.samples), layout.nodata);
      return new TiffPicture(reader, bands, map, notes);
    }
    const range = fullRange[layout.samples];
    if (range === undefined)
      throw refuse(
        `its samples are of type ${layout.samples}, which has no black and white of its own: --stretch 2,98 takes them from its values`,
      );
    const isInverted = layout.photometric === 'white-is-zero';
    const level = isInverted ? { low: range.high, high: range.low } : range;
    const map = new ByteMap(
      bands.map(() => level),
      isWhole(layout.samples),
    );
    if (layout.samples === 'uint16' && stretch === undefined) {
      const counts = new ValueCounts(true);
      await eachWindow(reader, bands, lookedAt, onRead, (values) => counts.add(map.bytes(values), 0, 1));
      const dark = darkNote(counts);
      if (dark) notes.push(dark);
    }
    return new TiffPicture(reader, bands, map, notes);
  }

  /** Reads a window as RGB. Throws a UserError. */
  async read(window: Window): Promise<Rgb> {
    const values = await this.reader.read(window, this.#bands);
    const { width, height } = window;
    return { width, height, channels: 3, data: this.#map.bytes(values) };
  }

  /** Reads the whole picture, part by part. */
  async readAll(): Promise<Rgb> {
    const { width, height } = this;
    const data = new Uint8Array(width * height * 3);
    for (const window of windows(this.reader.layout)) {
      const part = await this.read(window);
      for (let y = 0; y < part.height; y++) {
        const row = part.data.subarray(y * part.width * 3, (y + 1) * part.width * 3);
        data.set(row, ((window.top + y) * width + window.left) * 3);
      }
    }
    return { width, height, channels: 3, data };
  }
}

/** Whether all values are looked up. */
function isWhole(samples: SampleType): boolean {
  return samples === 'uint8' || samples === 'uint16';
}

/** Whether the samples of a TIFF are values of bands, and not indexes of a palette or colours of another kind. */
export function isMeasurable({ photometric, compression }: TiffLayout): boolean {
  switch (photometric) {
    case 'rgb':
    case 'black-is-zero':
    case 'white-is-zero':
      return true;
    case 'ycbcr':
      // Decoding a JPEG gives RGB.
      return compression === 'jpeg';
    case 'palette':
    case 'other':
      return false;
  }
}

/** Whether sharp reads a TIFF as the colours that it has: 8 or 16 bits, grey or RGB by its own word, and alpha. */
export function isPlainPicture(layout: TiffLayout): boolean {
  const { samples, photometric, bands, alphas, planar } = layout;
  if (!isMeasurable(layout) || photometric === 'ycbcr') return true;
  if (samples !== 'uint8' && samples !== 'uint16') return false;
  const colours = photometric === 'rgb' ? 3 : 1;
  return (!planar || bands === 1) && bands - alphas === colours && alphas <= 1;
}

function assumedBands(
  { bands, alphas, photometric }: TiffLayout,
  refuse: (why: string) => UserError,
): { readonly bands: readonly number[]; readonly note: PictureNote | undefined } {
  const shown = bands - alphas;
  if (shown === 1) return { bands: [0, 0, 0], note: undefined };
  if (shown < 3)
    throw refuse(
      `it has ${bands} bands: --bands 1,2,1 shows the first as red and blue and the second as green, and --bands 1 the first as grey`,
    );
  const first = [0, 1, 2];
  if (shown > 3) {
    const text = `it has ${shown} bands, and the first three are taken as red, green and blue; --bands takes others, such as --bands 4,3,2`;
    return { bands: first, note: { kind: 'first-bands', text } };
  }
  if (photometric === 'rgb' || photometric === 'ycbcr') return { bands: first, note: undefined };
  const text =
    'it does not say what its 3 bands are, and they are taken as red, green and blue; --bands 3,2,1 turns them round';
  return { bands: first, note: { kind: 'unnamed-bands', text } };
}

/** Divides a picture into windows along its blocks, of about a million pixels each. */
export function windows({ width, height, blocks }: TiffLayout): Window[] {
  const columns = blocks.tiled ? Math.max(1, Math.floor(windowWidth / blocks.width)) * blocks.width : width;
  const wide = Math.min(width, columns);
  const rows = Math.max(1, Math.floor(windowPixels / wide));
  const high = rows > blocks.height ? rows - (rows % blocks.height) : rows;
  const all: Window[] = [];
  for (let top = 0; top < height; top += high)
    for (let left = 0; left < width; left += wide)
      all.push({ left, top, width: Math.min(wide, width - left), height: Math.min(high, height - top) });
  return all;
}

/** Reads windows one after the other; if there are more than `most`, some that are spread over the picture. */
async function eachWindow(
  reader: TiffReader,
  bands: readonly number[],
  most: number,
  onRead: (share: number) => void,
  use: (values: Float32Array) => void,
): Promise<void> {
  const all = windows(reader.layout);
  const count = Math.min(most, all.length);
  for (let i = 0; i < count; i++) {
    use(await reader.read(all[Math.floor((i * all.length) / count)]!, bands));
    onRead((i + 1) / count);
  }
}
