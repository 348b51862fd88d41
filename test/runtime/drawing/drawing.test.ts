import { create } from 'fontkit';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import {
  circle,
  type Drawing,
  group,
  line,
  path,
  quadratic,
  rectangle,
  text,
} from '../../../runtime/drawing/drawing.ts';
import { loadFonts } from '../../../runtime/drawing/fonts.ts';
import { pdf } from '../../../runtime/drawing/pdf.ts';
import { svg } from '../../../runtime/drawing/svg.ts';
import { pictureBytes } from '../../../runtime/drawing/write-picture.ts';
import { type Surroundings, surroundings, within } from '../../../runtime/process/surroundings.ts';
import { readPdf } from './read-pdf.ts';

const fonts = await loadFonts();

const drawing: Drawing = {
  title: 'Marks & <more>',
  width: 320,
  height: 160,
  marks: [
    rectangle({ x: 10, y: 10, width: 100, height: 40 }, { fill: '#0072b2', opacity: 0.5 }, { round: 8, role: 'part' }),
    line(0, 80, 320, 80, { stroke: '#d55e00', strokeWidth: 3, dash: [6, 3] }),
    path(`M120 60${quadratic({ x: 120, y: 60 }, { x: 150, y: 10 }, { x: 180, y: 60 })}C190 60 200 20 210 60Z`, {
      fill: '#009e73',
      stroke: '#000000',
    }),
    circle(260, 40, 15, { stroke: '#cc79a7', strokeWidth: 4 }),
    text('A first: "Vä ≤ fi" 12 %', 10, 110),
    text('bold', 310, 110, { weight: 'bold', anchor: 'end', size: 20, fill: '#8c6d31' }),
    text('up', 20, 150, { upright: true, anchor: 'middle' }),
    group(100, 100, [
      rectangle({ x: 0, y: 20, width: 30, height: 30 }, { fill: '#56b4e9' }),
      text('a\u0000b', 60, 40, { anchor: 'middle', halo: true }),
    ]),
  ],
};

const pixels = async (image: string | Buffer) => {
  const { data, info } = await sharp(Buffer.from(image)).flatten({ background: '#fff' }).greyscale().raw().toBuffer({
    resolveWithObject: true,
  });
  return { data, width: info.width, height: info.height };
};

describe('an SVG', () => {
  test('has the marks, with texts as texts', async () => {
    await expect(svg(drawing)).toMatchFileSnapshot('marks.svg');
    expect(await pixels(svg(drawing))).toMatchObject({ width: 320, height: 160 });
  });

  test('with outlines looks the same without any font', async () => {
    const outlined = svg(drawing, { kind: 'outlines', fonts });
    expect(outlined).not.toContain('<text');
    const { data, width } = await pixels(outlined);
    const ink = (x: number, y: number, w: number, h: number) => {
      let found = 0;
      for (let i = y; i < y + h; i++) for (let k = x; k < x + w; k++) if (data[i * width + k]! < 128) found++;
      return found;
    };
    // The letters are where the text is, and end where it ends.
    const wide = fonts.width('A first: "Vä ≤ fi" 12 %', 12);
    expect(ink(10, 100, Math.ceil(wide), 14)).toBeGreaterThan(100);
    expect(ink(10 + Math.ceil(wide), 100, 40, 14)).toBe(0);
    expect(ink(311, 90, 9, 25)).toBe(0);
    expect(ink(8, 140, 13, 20)).toBeGreaterThan(10);
  });
});

describe('the font', () => {
  // The widths of Helvetica, from Adobe's metrics of the standard fonts of PostScript, in thousandths.
  test.each([
    ['regular', 'i', 222],
    ['regular', 'm', 833],
    ['regular', 'W', 944],
    ['regular', '%', 889],
    ['regular', ' 0', 834],
    ['bold', 'i', 278],
    ['bold', 'm', 889],
    ['bold', 'W', 944],
  ] as const)('is as wide as Helvetica: %s %j', (weight, line, wide) => {
    expect(Math.abs(fonts.width(line, 1000, weight) - wide)).toBeLessThan(1);
  });

  test('shortens lines that are too wide', () => {
    expect(fonts.fitted('storage tank', 200, 12)).toBe('storage tank');
    const short = fonts.fitted('storage tank', 50, 12);
    expect(short).toMatch(/^stor.*…$/);
    expect(fonts.width(short, 12)).toBeLessThanOrEqual(50);
  });
});

describe('a PDF', () => {
  test('has one page of the size, with subsets of the fonts and texts that can be copied', async () => {
    const bytes = await pdf(drawing, fonts);
    const found = readPdf(bytes);
    expect(found.size).toEqual([0, 0, 240, 120]);
    expect(found.info).toEqual({ Title: 'Marks & <more>', Creator: 'crobc', Producer: 'crobc' });
    // The text with a halo is there once.
    expect(found.texts).toEqual(['A first: "Vä ≤ fi" 12 %', 'bold', 'up', 'a□b']);
    expect(found.fonts.map(({ name }) => name)).toEqual([
      expect.stringMatching(/^[A-Z]{6}\+Arimo-Regular$/),
      expect.stringMatching(/^[A-Z]{6}\+Arimo-Bold$/),
    ]);
    for (const { file } of found.fonts) expect(file.length).toBeLessThan(10_000);
    expect(bytes.length).toBeLessThan(20_000);
  });

  test('has the letters of the font', async () => {
    const found = readPdf(await pdf(drawing, fonts));
    const bold = create(found.fonts[1]!.file);
    const whole = create(fonts.files.bold);
    if (!('getGlyph' in bold) || !('getGlyph' in whole)) throw new Error('not single fonts');
    // Glyph 0 is what other characters are; then come those of "bold".
    const outline = (font: typeof bold, id: number) => font.getGlyph(id).path.toSVG();
    for (const [i, letter] of [...'bold'].entries()) {
      const original = whole.glyphForCodePoint(letter.codePointAt(0)!).id;
      expect(outline(bold, i + 1)).toBe(outline(whole, original));
    }
  });

  test('paints lines, areas and opacity', async () => {
    const { content } = readPdf(await pdf(drawing, fonts));
    expect(content).toContain('[6 3] 0 d');
    expect(content).toMatch(/3 w/);
    expect(content).toMatch(/\/Gs\d+ gs/);
    // A quadratic curve as a cubic one, whose control points are two thirds of the way, and a cubic one, closed.
    expect(content).toContain('120 60 m\n140 26.67 160 26.67 180 60 c\n190 60 200 20 210 60 c\nh\n');
  });

  test('of the same drawing has the same bytes, and no date', async () => {
    const [first, second] = [await pdf(drawing, fonts), await pdf(drawing, fonts)];
    expect(first.equals(second)).toBe(true);
    expect(first.toString('latin1')).not.toMatch(/D:\d{4}|CreationDate|xmp:/);
  });

  test('without texts has no font', async () => {
    const found = readPdf(await pdf({ ...drawing, marks: drawing.marks.slice(0, 4) }, fonts));
    expect(found.fonts).toEqual([]);
  });
});

describe('letters that the font does not have', () => {
  const foreign: Drawing = { ...drawing, marks: [text('a 船 ship', 10, 20), text('plain', 10, 60)] };
  const noted = async (file: string) => {
    const lines: string[] = [];
    const stderr = { write: (part: string) => lines.push(part) > 0, isTTY: false } as unknown as Surroundings['stderr'];
    const bytes = await within({ ...surroundings(), stderr }, () => pictureBytes(file, foreign));
    return { bytes, notes: lines.join('') };
  };

  test('are noted for a PDF', async () => {
    expect((await noted('a.pdf')).notes).toMatch(/^note: a\.pdf: its font has no 船, which are boxes;/);
    expect((await noted('a.svg')).notes).toBe('');
  });

  test('are in fonts of the machine in a PNG, and the other texts in that of crobc', async () => {
    expect((await noted('a.png')).notes).toBe('');
    const outlined = svg(foreign, { kind: 'outlines', fonts });
    expect([...outlined.matchAll(/<text [^>]*>([^<]*)</g)].map(([, line]) => line)).toEqual(['a 船 ship']);
  });
});
