import { extname } from 'node:path';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { UsageError } from '../files/usage-error.ts';
import { loadSharp } from '../images/load-sharp.ts';
import { writeLine } from '../process/status-line.ts';
import { surroundings } from '../process/surroundings.ts';
import type { Drawing, Mark } from './drawing.ts';
import { type Fonts, loadFonts } from './fonts.ts';
import { pdf } from './pdf.ts';
import { svg } from './svg.ts';

const formats = ['.svg', '.pdf', '.png'] as const;
type Format = (typeof formats)[number];

/** Pixels of a PNG for each unit of the drawing. */
const SCALE = 2;
/** The resolution at which sharp reads an SVG as drawn. */
const DRAWN = 72;

/** Returns the format of a picture by the ending of its name; undefined if it has another. */
export function pictureFormat(file: string): Format | undefined {
  const ending = extname(file).toLowerCase();
  return formats.find((format) => format === ending);
}

/** Throws a UsageError for a file whose name does not end in that of a format of pictures. */
export function checkPictureName(option: string, file: string): void {
  if (pictureFormat(file) === undefined)
    throw new UsageError(`${option} ${file}: the name of a picture ends in .svg, .pdf or .png`);
}

/** Writes a drawing as SVG, PDF or PNG, by the ending of its name. */
export async function writePicture(file: string, drawing: Drawing): Promise<void> {
  await writeFileAtomic(file, await pictureBytes(file, drawing));
}

/** Returns what is in the file of a picture; prints a note about letters that its font does not have. */
export async function pictureBytes(file: string, drawing: Drawing): Promise<Buffer | string> {
  const format = pictureFormat(file);
  switch (format) {
    case '.svg':
      return svg(drawing);
    case '.pdf': {
      const fonts = await loadFonts();
      const missing = missingLetters(drawing, fonts);
      if (missing.length > 0)
        writeLine(
          `note: ${file}: its font has no ${missing.join(' ')}, which are boxes; in an SVG or PNG they are in a font of the machine`,
          surroundings().stderr,
        );
      return pdf(drawing, fonts);
    }
    case '.png': {
      const sharp = await loadSharp();
      const outlined = svg(drawing, { kind: 'outlines', fonts: await loadFonts() });
      const drawn = sharp(Buffer.from(outlined), { density: DRAWN * SCALE });
      return drawn.flatten({ background: '#ffffff' }).png({ compressionLevel: 9 }).toBuffer();
    }
    case undefined:
      throw new Error(`bug in crobc: ${file} is no picture`);
  }
}

/** Returns some of the characters that a font does not have. */
function missingLetters({ marks }: Drawing, fonts: Fonts): readonly string[] {
  const found = new Set<string>();
  const search = (mark: Mark): void => {
    if (mark.kind === 'group') for (const one of mark.marks) search(one);
    if (mark.kind === 'text') for (const letter of fonts.missing(mark.line)) found.add(letter);
  };
  for (const mark of marks) search(mark);
  return [...found].slice(0, 10);
}
