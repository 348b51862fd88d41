import { fileError } from '../../files/file-error.ts';
import { readStartSync } from '../../files/read-file.ts';
import { UserError } from '../../files/user-error.ts';
import type { ColourChoice, PictureNote } from '../../images/colours.ts';
import { type RgbImage, readPicture } from '../../images/image.ts';
import { openBytes } from '../../images/tiff/byte-source.ts';
import { isTiff, TiffFault } from '../../images/tiff/directory.ts';
import { type Georeference, georeferenceOf } from '../../images/tiff/georeference.ts';
import { cacheBytes, TiffReader, type Window } from '../../images/tiff/tiff-reader.ts';
import { isMeasurable, TiffPicture, windows } from '../../images/tiff-picture.ts';
import { startProgress } from '../../process/progress.ts';

/** A picture of any size, of which windows are read. */
export interface SceneImage {
  readonly width: number;
  readonly height: number;
  readonly notes: readonly PictureNote[];
  readonly georeference: Georeference | undefined;
  /** Windows that cover the picture and do not share what has to be decoded for them. */
  readonly windows: readonly Window[];
  /** Bytes of memory for windows of a side. */
  memory(side: number): number;
  /** Reads a window that lies in the picture. Throws a UserError. */
  read(window: Window): Promise<RgbImage>;
  close(): Promise<void>;
}

/** Maximum number of pixels of a side, and of a scene: 64 thousand million. */
const mostSide = 2 ** 22;
const mostPixels = 2 ** 36;

/**
 * Opens a scene of which windows of `side` pixels will be read. A TIFF is read window by window, whatever its size;
 * other files are decoded whole. Throws a UserError.
 */
export async function openScene(path: string, choice: ColourChoice, side: number): Promise<SceneImage> {
  return isTiff(readStartSync(path, 'bytes', 4).bytes) ? openTiff(path, choice, side) : openWhole(path, choice);
}

async function openTiff(path: string, choice: ColourChoice, side: number): Promise<SceneImage> {
  const reader = await openReader(path, side);
  try {
    const { layout } = reader;
    const { width, height } = layout;
    if (Math.max(width, height) > mostSide || width * height > mostPixels)
      throw new UserError(`cannot read ${path}: ${width} × ${height} pixels are more than a scene has`);
    const progress = startProgress('reading the values of the bands', 100);
    let picture: TiffPicture;
    try {
      picture = await TiffPicture.open(reader, choice, (share) => progress.update(Math.floor(100 * share)));
    } finally {
      progress.finish();
    }
    return {
      width,
      height,
      notes: picture.notes,
      georeference: georeferenceOf(reader.directory),
      windows: windows(layout),
      memory: (most) => blockMemory(reader, most),
      read: (window) => picture.read(window),
      close: () => reader.close(),
    };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

async function openReader(path: string, side: number): Promise<TiffReader> {
  const source = await openBytes(path);
  try {
    // The blocks of a window are read together; those of one row of a striped file are as wide as the scene.
    const reader = await TiffReader.open(source, cacheBytes);
    if (!isMeasurable(reader.layout))
      throw new TiffFault(
        `its colours are of a kind that is read whole alone: write it as RGB (gdal_translate -expand rgb, or -co PHOTOMETRIC=RGB)`,
      );
    return blockMemory(reader, side) > cacheBytes ? await TiffReader.open(source, blockMemory(reader, side)) : reader;
  } catch (error) {
    await source.close();
    if (error instanceof TiffFault) throw new UserError(`cannot read ${path}: ${error.message}`);
    throw fileError('read', path, error);
  }
}

/** The decoded blocks of a window, and those that are about to be. */
function blockMemory(reader: TiffReader, side: number): number {
  const { width, height } = reader.layout;
  return Math.max(cacheBytes, Math.ceil(1.25 * reader.bytesFor(Math.min(side, width), Math.min(side, height))));
}

async function openWhole(path: string, choice: ColourChoice): Promise<SceneImage> {
  const { image, notes } = await readPicture(path, choice);
  return {
    width: image.width,
    height: image.height,
    notes,
    georeference: undefined,
    windows: [{ left: 0, top: 0, width: image.width, height: image.height }],
    memory: () => image.data.length,
    read: ({ left, top, width, height }) => {
      const data = new Uint8Array(width * height * 3);
      for (let y = 0; y < height; y++) {
        const at = ((top + y) * image.width + left) * 3;
        data.set(image.data.subarray(at, at + width * 3), y * width * 3);
      }
      return Promise.resolve({ width, height, channels: 3, data });
    },
    close: () => Promise.resolve(),
  };
}
