import { join } from 'node:path';
import type { Counts } from '../data/statistics.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { loadSharp } from '../images/load-sharp.ts';
import { lettering, PITCH, ROWS, textWidth } from './lettering.ts';
import { box, n } from './svg.ts';
import type { Written } from './write-data-set.ts';

const INK = '#22303c';
const BAR = '#3f7fbf';
const [WIDTH, HEIGHT] = [1240, 900];

/** Counts names; the most frequent first. */
export function tally(names: Iterable<string>): Counts {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
}

/** Draws phrase lengths, categories, mask areas and frequent words of all splits, as in the paper's figures 3 and 4. */
export async function writeStatisticsPicture(dir: string, written: readonly Written[]): Promise<void> {
  const sharp = await loadSharp();
  const svg = statisticsSvg(written);
  await writeFileAtomic(join(dir, 'statistics.svg'), svg);
  await writeFileAtomic(join(dir, 'statistics.png'), await sharp(Buffer.from(svg)).png().toBuffer());
}

export function statisticsSvg(written: readonly Written[]): string {
  const words = written.map(({ phrase }) => phrase.text.split(' '));
  const most = Math.max(...words.map((all) => all.length));
  const lengths = Array.from({ length: most }, (_, i): readonly [string, number] => {
    return [String(i + 1), words.filter((all) => all.length === i + 1).length];
  });
  const shares = Array.from({ length: 16 }, (_, i): readonly [string, number] => {
    const inBin = ({ area }: Written) => Math.min(15, Math.floor(area * 100)) === i;
    return [i === 15 ? '15+' : String(i), written.filter(inBin).length];
  });
  const parts = [
    columns('words of a phrase', lengths, 40, 40),
    columns('mask area, % of the image', shares, 40, 470),
    bars('categories', tally(written.map(({ category }) => category)), 460, 40),
    cloud('frequent words', tally(words.flat().map((word) => word.replace(',', ''))).slice(0, 50), 860, 40),
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">` +
    `<title>Statistics of the data set</title>${box(0, 0, WIDTH, HEIGHT, '#fff')}${parts.join('')}</svg>\n`
  );
}

function columns(title: string, counts: Counts, left: number, top: number): string {
  const [width, height] = [360, 320];
  const most = Math.max(1, ...counts.map(([, count]) => count));
  const step = width / counts.length;
  let out = lettering(title, left, top, 2, INK);
  for (const [i, [name, count]] of counts.entries()) {
    const tall = (height * count) / most;
    const x = left + i * step;
    out += box(x + 1, top + 40 + height - tall, step - 2, tall, BAR);
    out += lettering(name, x + (step - textWidth(name, 1)) / 2, top + height + 46, 1, INK);
    if (count > 0) {
      const text = String(count);
      out += lettering(text, x + (step - textWidth(text, 0.8)) / 2, top + 32 + height - tall, 0.8, INK);
    }
  }
  return out;
}

function bars(title: string, counts: Counts, left: number, top: number): string {
  const most = Math.max(1, ...counts.map(([, count]) => count));
  let out = lettering(title, left, top, 2, INK);
  for (const [i, [name, count]] of counts.entries()) {
    const y = top + 44 + i * 30;
    const long = (130 * count) / most;
    out += lettering(name, left, y, 1.2, INK) + box(left + 150, y - 5, long, 18, BAR);
    out += lettering(String(count), left + 156 + long, y, 1.2, INK);
  }
  return out;
}

/** Draws words in rows; frequent words are larger. */
function cloud(title: string, counts: Counts, left: number, top: number): string {
  const width = WIDTH - left - 30;
  const most = counts[0]?.[1] ?? 1;
  const colours = [INK, BAR, '#8a4f2d', '#3d7a4c'];
  let out = lettering(title, left, top, 2, INK);
  let [x, y, tallest] = [0, top + 50, 0];
  for (const [i, [word, count]] of counts.entries()) {
    const dot = Number(n(1.4 + 4.2 * Math.sqrt(count / most)));
    const wide = textWidth(word, dot);
    if (x > 0 && x + wide > width) {
      y += tallest + 12;
      [x, tallest] = [0, 0];
    }
    tallest = Math.max(tallest, ROWS * dot);
    out += lettering(word, left + x, y, dot, colours[i % colours.length]!);
    x += wide + PITCH * dot;
  }
  return out;
}
