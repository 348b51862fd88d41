import { readStartSync } from '../files/read-file.ts';
import { UserError } from '../files/user-error.ts';
import type { PictureNote } from '../images/colours.ts';
import { MAX_PIXELS } from '../images/image.ts';
import { openBytes } from '../images/tiff/byte-source.ts';
import { isTiff, TiffFault } from '../images/tiff/directory.ts';
import { TiffReader } from '../images/tiff/tiff-reader.ts';

/** How many times larger than the model's input an image may be before that is worth a note. */
const muchLarger = 4;

/**
 * Throws a UserError for a TIFF that is too large to be read at once, which `--tile` reads in parts. Reads its header
 * alone; other faults are found when the file is read.
 */
export async function refuseScene(path: string): Promise<void> {
  if (!isTiff(readStartSync(path, 'bytes', 4).bytes)) return;
  const source = await openBytes(path);
  try {
    const { width, height } = (await TiffReader.open(source)).layout;
    if (width * height > MAX_PIXELS)
      throw new UserError(
        `cannot read ${path} at once: it has ${width} × ${height} pixels, over the limit of ${MAX_PIXELS}; --tile predicts it in parts`,
      );
  } catch (error) {
    if (!(error instanceof TiffFault)) throw error;
  } finally {
    await source.close();
  }
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** The note on an image of which the model sees little. */
export function largeNote(
  image: Size,
  model: Size,
  advice = '; --tile predicts it in parts at full resolution',
): PictureNote | undefined {
  if (image.width <= muchLarger * model.width && image.height <= muchLarger * model.height) return undefined;
  const shown = ({ width, height }: Size) => `${width.toLocaleString('en')} × ${height.toLocaleString('en')}`;
  const text = `it has ${shown(image)} pixels, of which the model sees ${shown(model)}${advice}`;
  return { kind: 'large', text };
}
