import type { RgbImage } from '../../images/image.ts';
import { loadSharp } from '../../images/load-sharp.ts';
import { heatColours } from './heat.ts';
import type { Region } from './read-attention.ts';

/** A picture of a sheet with the line of text below it. */
export interface Cell {
  readonly picture: RgbImage;
  readonly caption: string;
  /** Outlined and numbered; in pixels of the picture. */
  readonly regions: readonly Region[];
}

/** Cells beside each other under a heading. */
export interface Block {
  readonly heading: string;
  /** What the pictures show, below the heading. */
  readonly note: string;
  readonly cells: readonly Cell[];
}

export interface Sheet {
  readonly title: string;
  readonly note: string;
  readonly blocks: readonly Block[];
  /** How many cells stand beside each other at most, of several blocks; a longer block has a row of its own. */
  readonly columns: number;
  /** What the colours mean. */
  readonly legend: string;
}

/** Sizes in pixels. */
const GAP = 10;
const BLOCK_GAP = 28;
const MARGIN = 20;
const HEAD = 80;
const HEADING = 42;
const CAPTION = 32;
const LEGEND = 36;
/** The least width, so that the title and the legend fit. */
const NARROWEST = 640;
/** Widths of a letter of a heading and of a note, estimated on the wide side. */
const HEADING_LETTER = 8.6;
const NOTE_LETTER = 6.6;

const font = "font-family=\"Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif\"";

type Picture = { input: Buffer; raw: { width: number; height: number; channels: 3 }; left: number; top: number };

/** Draws a sheet as PNG: a title, pictures with headings and captions, and the colours from low to high. */
export async function drawSheet({ title, note, blocks, columns, legend }: Sheet): Promise<Buffer> {
  const sharp = await loadSharp();
  const pictures: Picture[] = [];
  let texts = text(title, MARGIN, 38, { size: 22, weight: 600 }) + text(note, MARGIN, 60, { size: 13, colour: soft });
  let [top, width] = [HEAD, NARROWEST];
  for (const row of rowsOf(blocks, columns)) {
    let start = MARGIN;
    for (const { heading, note: remark, cells } of row) {
      texts += text(heading, start, top + 14, { size: 14, weight: 600 });
      texts += text(remark, start, top + 31, { size: 12, colour: soft });
      let left = start;
      for (const { picture, caption, regions } of cells) {
        const { width: w, height: h, data } = picture;
        const at = { left, top: top + HEADING };
        pictures.push({ input: Buffer.from(data), raw: { width: w, height: h, channels: 3 }, ...at });
        texts += regions.map((region, i) => outlined(region, i, at)).join('');
        texts += text(caption, left, at.top + h + 16, { size: 12, colour: soft });
        left += w + GAP;
      }
      start += widthOf({ heading, note: remark, cells }) + BLOCK_GAP;
    }
    width = Math.max(width, start - BLOCK_GAP + MARGIN);
    top += HEADING + Math.max(...row.flatMap(({ cells }) => cells.map(({ picture }) => picture.height))) + CAPTION;
  }
  const height = top + LEGEND;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${texts}${colours(legend, top + 4)}</svg>`;
  return sharp({ create: { width, height, channels: 3, background: '#fff' } })
    .composite([...pictures, { input: Buffer.from(svg), left: 0, top: 0 }])
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/** Distributes blocks over rows, in order. */
function rowsOf(blocks: readonly Block[], columns: number): readonly (readonly Block[])[] {
  const rows: Block[][] = [];
  let held = Infinity;
  for (const block of blocks) {
    held += block.cells.length;
    const last = rows.at(-1);
    if (last && held <= columns) last.push(block);
    else {
      rows.push([block]);
      held = block.cells.length;
    }
  }
  return rows;
}

function widthOf({ heading, note, cells }: Block): number {
  const drawn = cells.reduce((sum, { picture }) => sum + picture.width + GAP, -GAP);
  return Math.ceil(Math.max(drawn, heading.length * HEADING_LETTER, note.length * NOTE_LETTER));
}

/** Draws one picture with its regions as PNG. */
export async function drawCell({ picture, regions }: Pick<Cell, 'picture' | 'regions'>): Promise<Buffer> {
  const sharp = await loadSharp();
  const { width, height, data } = picture;
  const drawn = sharp(data, { raw: { width, height, channels: 3 } });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${regions.map((region, i) => outlined(region, i, { left: 0, top: 0 })).join('')}</svg>`;
  const outlines = regions.length === 0 ? drawn : drawn.composite([{ input: Buffer.from(svg), left: 0, top: 0 }]);
  return outlines.png({ compressionLevel: 9 }).toBuffer();
}

const soft = '#5c6470';

interface TextStyle {
  readonly size: number;
  readonly weight?: number;
  readonly colour?: string;
}

function text(line: string, x: number, y: number, { size, weight = 400, colour = '#1c2128' }: TextStyle): string {
  return `<text x="${x}" y="${y}" ${font} font-size="${size}" font-weight="${weight}" fill="${colour}">${escaped(line)}</text>`;
}

/** A region as a white frame on a dark one, with its number where there is room. */
function outlined(
  { left, top, right, bottom }: Region,
  i: number,
  { left: x, top: y }: { readonly left: number; readonly top: number },
): string {
  const [w, h] = [right - left, bottom - top];
  const rect = (colour: string, stroke: number) =>
    `<rect x="${x + left + 1}" y="${y + top + 1}" width="${Math.max(1, w - 2)}" height="${Math.max(1, h - 2)}" fill="none" stroke="${colour}" stroke-width="${stroke}"/>`;
  const label =
    Math.min(w, h) < 18
      ? ''
      : `<text x="${x + left + 5}" y="${y + top + 15}" ${font} font-size="12" font-weight="700" fill="#fff" stroke="#111" stroke-width="2.5" paint-order="stroke">${i + 1}</text>`;
  return rect('#111', 3) + rect('#fff', 1.5) + label;
}

function colours(legend: string, y: number): string {
  const stops = heatColours
    .map(([r, g, b], i) => `<stop offset="${i / (heatColours.length - 1)}" stop-color="rgb(${r},${g},${b})"/>`)
    .join('');
  const bar = `<linearGradient id="heat">${stops}</linearGradient><rect x="${MARGIN}" y="${y}" width="160" height="10" fill="url(#heat)"/>`;
  return bar + text(legend, MARGIN + 172, y + 10, { size: 12, colour: soft });
}

function escaped(line: string): string {
  return line.replace(/[&<>]/g, (c) => (c === '&' ? '&amp;' : c === '<' ? '&lt;' : '&gt;'));
}
