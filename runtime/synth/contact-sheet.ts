import { join } from 'node:path';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { readImage } from '../images/image.ts';
import { loadSharp } from '../images/load-sharp.ts';
import { lettering, PITCH, ROWS, wrapped } from './lettering.ts';
import { drawSample, type Plan, type Written } from './write-data-set.ts';

const COLUMNS = 6;
const MOST = 30;
/** Sizes in pixels: a picture, the gap between pictures, a dot of a letter, a line of text. */
const CELL = 288;
const GAP = 12;
const DOT = 1.6;
const LINE = ROWS * DOT + 5;
const LINES = 4;

/**
 * Writes a picture of samples spread over the data set: each with its image, the outline of its mask, and its phrase.
 */
export async function writeContactSheet(dir: string, plan: Plan, written: readonly Written[]): Promise<void> {
  const sharp = await loadSharp();
  const count = Math.min(MOST, written.length);
  const chosen = Array.from({ length: count }, (_, i) => written[Math.floor((i * written.length) / count)]!);
  const rows = Math.ceil(count / COLUMNS);
  const width = Math.min(COLUMNS, count) * (CELL + GAP) + GAP;
  const rowHeight = CELL + LINES * LINE + GAP;
  const height = Math.ceil(rows * rowHeight + GAP);
  const pictures = [];
  let captions = '';
  for (const [i, sample] of chosen.entries()) {
    const left = GAP + (i % COLUMNS) * (CELL + GAP);
    const top = Math.round(GAP + Math.floor(i / COLUMNS) * rowHeight);
    const input = await outlined(dir, plan, sample);
    pictures.push({ input, raw: { width: CELL, height: CELL, channels: 3 as const }, left, top });
    const lines = wrapped(sample.phrase.text, Math.floor(CELL / (PITCH * DOT))).slice(0, LINES);
    for (const [k, line] of lines.entries()) captions += lettering(line, left, top + CELL + 6 + k * LINE, DOT, '#222');
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${captions}</svg>`;
  const png = await sharp({ create: { width, height, channels: 3, background: '#fff' } })
    .composite([...pictures, { input: Buffer.from(svg), left: 0, top: 0 }])
    .png({ compressionLevel: 9 })
    .toBuffer();
  await writeFileAtomic(join(dir, 'contact-sheet.png'), png);
}

/** Returns the image at cell size, [CELL, CELL, 3], with a line of two pixels along the inside of the mask's edge. */
async function outlined(dir: string, plan: Plan, { file, split, scene: index, phrase }: Written): Promise<Buffer> {
  const sharp = await loadSharp();
  const { size } = plan.form;
  const image = await readImage(join(dir, 'img_rgb', file));
  const data = await sharp(image.data, { raw: { width: size, height: size, channels: 3 } })
    .resize(CELL, CELL, { kernel: size < CELL ? 'nearest' : 'lanczos3' })
    .raw()
    .toBuffer();
  const { labels } = drawSample(plan, split, index).scene;
  const inside = (x: number, y: number) =>
    labels[Math.floor((y * size) / CELL) * size + Math.floor((x * size) / CELL)] === phrase.object + 1;
  for (let y = 2; y < CELL - 2; y++) {
    for (let x = 2; x < CELL - 2; x++) {
      if (!inside(x, y)) continue;
      const edge = !inside(x - 2, y) || !inside(x + 2, y) || !inside(x, y - 2) || !inside(x, y + 2);
      if (edge) data.set([255, 0, 140], (y * CELL + x) * 3);
    }
  }
  return data;
}
