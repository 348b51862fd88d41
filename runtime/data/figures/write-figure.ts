import { extname } from 'node:path';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { UsageError } from '../../files/usage-error.ts';
import { loadSharp } from '../../images/load-sharp.ts';

/** Pixels of a PNG for each unit of the drawing. */
const SCALE = 2;
/** The resolution at which sharp reads an SVG as drawn. */
const DRAWN = 72;

/** Throws a UsageError for a file that is neither SVG nor PNG. */
export function checkFigureName(option: string, file: string): void {
  const extension = extname(file).toLowerCase();
  if (extension === '.svg' || extension === '.png') return;
  if (extension === '.pdf')
    throw new UsageError(
      `${option} ${file}: figures are written as .svg and .png; "rsvg-convert -f pdf" and Inkscape make a PDF of the SVG, with its fonts embedded`,
    );
  throw new UsageError(`${option} ${file}: the name must end in .svg or .png`);
}

/** Writes a drawing as SVG, or as PNG with twice as many pixels as it has units. */
export async function writeFigure(file: string, svg: string): Promise<void> {
  if (extname(file).toLowerCase() === '.svg') return writeFileAtomic(file, svg);
  const sharp = await loadSharp();
  const drawn = sharp(Buffer.from(svg), { density: DRAWN * SCALE });
  await writeFileAtomic(file, await drawn.flatten({ background: '#fff' }).png({ compressionLevel: 9 }).toBuffer());
}
