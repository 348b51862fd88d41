import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { statisticsFigure } from '../../../runtime/data/figures/statistics-figure.ts';
import { cloudWords, placeWords, wordCloud } from '../../../runtime/data/figures/word-cloud.ts';
import type { SplitStatistics } from '../../../runtime/data/statistics.ts';
import { loadFonts } from '../../../runtime/drawing/fonts.ts';
import { svg as written } from '../../../runtime/drawing/svg.ts';

const fonts = await loadFonts();

const spread = { least: 0.002, median: 0.01, mean: 0.02, most: 0.1 };
const statistics: SplitStatistics = {
  split: 'train',
  phrases: 60,
  images: 30,
  distinctPhrases: 50,
  distinctWords: 40,
  wordsPerPhrase: { least: 3, median: 4, mean: 4.5, most: 7 },
  phraseLengths: [
    [3, 10],
    [4, 30],
    [7, 20],
  ],
  words: [],
  categories: [
    ['ship', 40],
    ['"storage" <tank> & more', 20],
  ],
  attributes: {},
  sizes: [],
  maskArea: spread,
  maskAreas: [
    [0.001, 0],
    [0.003, 5],
    [0.01, 25],
    [0.03, 20],
    [0.1, 10],
    [0.3, 0],
    [1, 0],
  ],
  areasByCategory: [
    ['ship', spread],
    ['"storage" <tank> & more', { ...spread, least: 0 }],
  ],
  emptyMasks: 0,
  withoutTarget: 0,
  unreadable: 0,
};

interface Bar {
  readonly x: number;
  readonly width: number;
  readonly height: number;
}

const bars = (svg: string): Bar[] =>
  [...svg.matchAll(/<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="([\d.]+)" fill="#0072b2"\/>/g)].map(
    ([, x, width, height]) => ({ x: Number(x), width: Number(width), height: Number(height) }),
  );
const lines = (svg: string): string[] => [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, line]) => line!);

describe('the figure of statistics', () => {
  const svg = written(statisticsFigure(statistics, fonts));

  test('has bars as high as their numbers', () => {
    const all = bars(svg);
    const [lengths, areas, rest] = [all.slice(0, 3), all.slice(3, 10), all.slice(10)];
    expect(lengths.map(({ height }) => height / lengths[0]!.height)).toEqual([
      expect.closeTo(1, 2),
      expect.closeTo(3, 2),
      expect.closeTo(2, 2),
    ]);
    // Lengths 5 and 6 have no phrases, and a place of their own.
    const steps = lengths.slice(1).map(({ x }, i) => x - lengths[i]!.x);
    expect(steps[1]! / steps[0]!).toBeCloseTo(3, 1);
    const tallest = Math.max(...areas.map(({ height }) => height));
    expect(areas.map(({ height }) => Math.round((25 * height) / tallest))).toEqual([0, 5, 25, 20, 10, 0, 0]);
    const counts = rest.filter(({ height, width }) => height === 14 && width !== 4);
    expect(counts[0]!.width / counts[1]!.width).toBeCloseTo(2, 2);
  });

  test('names its axes and their units, and escapes names', () => {
    for (const name of ['words of a phrase', 'phrases', 'masks', 'area of the mask, share of the image', 'mean 4.5'])
      expect(lines(svg)).toContain(name);
    expect(lines(svg)).toContain('&quot;storage&quot; &lt;tank&gt; &amp; more');
  });

  test('is an SVG that is drawn, without categories too, and with very many', async () => {
    const many = Array.from({ length: 100 }, (_, i) => [`category ${i} of a very long name`, 100 - i] as const);
    const without = { ...statistics, categories: [], areasByCategory: [] };
    const empty = { ...without, maskAreas: statistics.maskAreas.map(([upTo]) => [upTo, 0] as const) };
    const all = { ...statistics, categories: many, areasByCategory: many.map(([name]) => [name, spread] as const) };
    for (const one of [statistics, without, empty, all]) {
      const drawn = written(statisticsFigure(one, fonts));
      expect(drawn).not.toMatch(/NaN|Infinity|undefined/);
      const { info } = await sharp(Buffer.from(drawn)).png().toBuffer({ resolveWithObject: true });
      expect(info.width).toBe(1000);
    }
    expect(lines(written(statisticsFigure(all, fonts)))).toContain('and 40 more');
  });
});

describe('the word cloud', () => {
  const counts = (seed: number, n = 50) => {
    const letters = 'abcdefghijklmnopqrstuvwxyzé';
    return Array.from({ length: n }, (_, i) => {
      const length = 2 + ((seed * 7 + i * 5) % 13);
      const word = Array.from({ length }, (_, k) => letters[(seed * 31 + i * 17 + k * (i + 3)) % letters.length]).join(
        '',
      );
      return [`${word}${i}`, Math.max(1, Math.round(900 / (1 + (i * (1 + (seed % 5))) / 4)))] as const;
    });
  };

  test('leaves out punctuation and function words', () => {
    const words = [
      ['the', 90],
      [',', 80],
      ['ship', 70],
      ['of', 60],
      ['2', 50],
      ['gray', 40],
    ] as const;
    expect(cloudWords(words).map(([word]) => word)).toEqual(['ship', 'gray']);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('no two words overlap, and each has its place again (%i)', (seed) => {
    const placed = placeWords(counts(seed), fonts);
    expect(placed).toHaveLength(50);
    expect(placeWords(counts(seed), fonts)).toEqual(placed);
    for (const [i, a] of placed.entries())
      for (const b of placed.slice(i + 1)) {
        const apart =
          a.left + a.width <= b.left ||
          b.left + b.width <= a.left ||
          a.top + a.height <= b.top ||
          b.top + b.height <= a.top;
        expect(apart, `${a.word} and ${b.word}`).toBe(true);
      }
    // Sizes follow the counts, and no word is far away.
    for (const [i, { size }] of placed.slice(1).entries()) expect(size).toBeLessThanOrEqual(placed[i]!.size);
    for (const { left, top } of placed) expect(Math.hypot(left / 1.7, top)).toBeLessThan(500);
  });

  test('no ink of one word is on that of another', async () => {
    const words = counts(3, 10).map(([word, count]) => [word.replace(/\d+$/, 'gjqy'), count] as const);
    const cloud = wordCloud(words, fonts);
    const inkOf = async (marks: typeof cloud.marks) => {
      const { data, info } = await sharp(Buffer.from(written({ ...cloud, marks }, { kind: 'outlines', fonts })))
        .flatten({ background: '#fff' })
        .greyscale()
        .raw()
        .toBuffer({ resolveWithObject: true });
      return Array.from({ length: info.width * info.height }, (_, i) => data[i * info.channels]! < 128);
    };
    expect(cloud.marks).toHaveLength(10);
    const taken = new Uint8Array((await inkOf([])).length);
    for (const one of cloud.marks) {
      const ink = await inkOf([one]);
      expect(ink.includes(true)).toBe(true);
      for (let i = 0; i < ink.length; i++) if (ink[i]) expect(taken[i]!++).toBe(0);
    }
  });

  test('words keep their widths in other fonts', () => {
    const [, length] = /<text [^>]*textLength="([\d.]+)"/.exec(written(wordCloud([['ship', 3]], fonts))) ?? [];
    expect(Number(length)).toBeCloseTo(fonts.width('ship', 64, 'bold'), 1);
  });
});
