import { once } from 'node:events';
import type { Drawing, Mark, Paint, TextMark, Weight } from './drawing.ts';
import { ink } from './drawing.ts';
import type { Fonts } from './fonts.ts';
import { anchorOffset } from './svg.ts';

/** Points of a page in a unit of a drawing, which is 1/96 inch. */
const POINTS = 0.75;

type Document = PDFKit.PDFDocument;

/**
 * Writes a drawing as a PDF of one page of its size, without a background. Texts are text, in subsets of the fonts,
 * which are embedded. The same drawing gives the same bytes: a date is in none.
 */
export async function pdf(drawing: Drawing, fonts: Fonts): Promise<Buffer> {
  const { default: PDFDocument } = await import('pdfkit');
  /** Without a copy of the title in XML, in which it is not escaped, and with it a date. */
  class Picture extends PDFDocument {
    override endMetadata(): void {}
  }
  const info = { Title: drawing.title, Creator: 'crobc', Producer: 'crobc', CreationDate: new Date(0) };
  const document = new Picture({
    size: [drawing.width * POINTS, drawing.height * POINTS],
    margin: 0,
    // Without one of the standard fonts, which readers have to have.
    font: '',
    pdfVersion: '1.5',
    info,
  });
  // It was only needed for the identity of the file.
  delete document.info.CreationDate;
  const parts: Buffer[] = [];
  document.on('data', (part: Buffer) => parts.push(part));
  const end = once(document, 'end');
  for (const weight of ['regular', 'bold'] satisfies Weight[]) document.registerFont(weight, fonts.files[weight]);
  document.scale(POINTS);
  for (const mark of drawing.marks) draw(document, mark, fonts);
  document.end();
  await end;
  return Buffer.concat(parts);
}

function draw(document: Document, mark: Mark, fonts: Fonts): void {
  switch (mark.kind) {
    case 'rectangle': {
      const { x, y, width, height, round = 0 } = mark;
      if (round === 0) document.rect(x, y, width, height);
      else document.roundedRect(x, y, width, height, Math.min(round, width / 2, height / 2));
      paint(document, mark.paint);
      return;
    }
    case 'path':
      // pdfkit has other commands too, but draws Q as another curve.
      if (/[^MLCZ\d\s.-]/.test(mark.d)) throw new Error(`bug in crobc: a path with other commands: ${mark.d}`);
      document.path(mark.d);
      paint(document, mark.paint);
      return;
    case 'circle':
      document.circle(mark.x, mark.y, mark.radius);
      paint(document, mark.paint);
      return;
    case 'text':
      write(document, mark, fonts);
      return;
    case 'group':
      document.save().translate(mark.x, mark.y);
      for (const one of mark.marks) draw(document, one, fonts);
      document.restore();
      return;
  }
}

/** Fills and strokes the path that was just made. */
function paint(document: Document, { fill, opacity = 1, stroke, strokeWidth = 1, dash }: Paint): void {
  if (stroke !== undefined) {
    document.lineWidth(strokeWidth);
    if (dash === undefined) document.undash();
    else document.dash(dash[0] ?? 0, { space: dash[1] ?? dash[0] ?? 0 });
  }
  document.fillOpacity(opacity);
  if (fill !== undefined && stroke !== undefined) document.fillAndStroke(fill, stroke);
  else if (fill !== undefined) document.fill(fill);
  else if (stroke !== undefined) document.stroke(stroke);
  // A path that is not painted would be a part of the next.
  else document.addContent('n');
}

function write(document: Document, mark: TextMark, fonts: Fonts): void {
  const { line, x, y, size, weight = 'regular', fill = ink, upright = false, halo = false } = mark;
  document.save();
  document.translate(x, y);
  if (upright) document.rotate(-90);
  document.translate(-anchorOffset(mark, fonts), 0);
  if (halo) {
    // As outlines, since a reader that copies texts would find it twice.
    document.path(fonts.outline(line, size, weight));
    document.lineWidth(3).lineJoin('round').undash().stroke('#ffffff');
  }
  document.font(weight).fontSize(size).fillOpacity(1).fillColor(fill);
  document.text(line, 0, 0, { lineBreak: false, baseline: 'alphabetic' });
  document.restore();
}
