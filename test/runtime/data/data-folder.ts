import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';

/** RGB of the whole picture, or of each pixel. */
export type Paint = readonly [number, number, number] | ((x: number, y: number) => readonly [number, number, number]);

export async function picture(path: string, width: number, height: number, paint: Paint): Promise<void> {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set(typeof paint === 'function' ? paint(x, y) : paint, (y * width + x) * 3);
  }
  await save(path, sharp(data, { raw: { width, height, channels: 3 } }));
}

/** A grey picture; `value` of each pixel. */
export async function mask(
  path: string,
  width: number,
  height: number,
  value: (x: number, y: number) => number,
): Promise<void> {
  const data = Uint8Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width)));
  await save(path, sharp(data, { raw: { width, height, channels: 1 } }).toColourspace('b-w'));
}

async function save(path: string, image: Sharp): Promise<void> {
  const bytes = /\.tiff?$/.test(path) ? image.tiff({ compression: 'lzw' }) : image.png();
  await writeFile(path, await bytes.toBuffer());
}

/** A data set in RISBench's layout: `names` get an 8 × 8 picture and a mask of its left half, and a phrase of train. */
export async function dataFolder(dir: string, names: readonly string[]): Promise<string> {
  await mkdir(join(dir, 'img_rgb'), { recursive: true });
  await mkdir(join(dir, 'mask'));
  for (const [i, name] of names.entries()) {
    await picture(join(dir, 'img_rgb', name), 8, 8, [i, 2 * i, 255 - i]);
    await mask(join(dir, 'mask', name), 8, 8, (x) => (x < 4 ? 255 : 0));
  }
  await writePhrases(
    dir,
    names.map((name, i) => `${name} ship number ${i}`),
  );
  return dir;
}

export async function writePhrases(dir: string, lines: readonly string[], split = 'train'): Promise<string> {
  const file = join(dir, `output_phrase_${split}.txt`);
  await writeFile(file, `${lines.join('\n')}\n`);
  return file;
}
