import { bars, columns, levelLine, spreads, spreadsKey } from '../../charts/bars.ts';
import { type Area, axisWidth, frame, frameFoot, type Plot } from '../../charts/frame.ts';
import { axisColour } from '../../charts/palette.ts';
import { countScale, fixed, percent, powerScale, type Scale } from '../../charts/scale.ts';
import { type Drawing, type Mark, text, textSize } from '../../drawing/drawing.ts';
import type { Fonts } from '../../drawing/fonts.ts';
import type { SplitStatistics } from '../statistics.ts';

/** The figure is as wide as a page, and then has small letters, or as two columns. */
const WIDTH = 1000;
const MARGIN = 20;
const GAP = 30;
const HEAD = 46;
const PLOT_HEIGHT = 240;
/** Height of a category, and the most of them that are drawn. */
const ROW = 22;
const MOST_CATEGORIES = 60;

const half = (WIDTH - 2 * MARGIN - GAP) / 2;
const areaName = 'area of the mask, share of the image';

/**
 * Draws the statistics of a data set, as figure 3 of the CroBIM paper does: the lengths of phrases, the areas of
 * masks, and for each category its number of phrases and the areas of its masks.
 */
export function statisticsFigure(of: SplitStatistics, fonts: Fonts): Drawing {
  const marks = [
    ...lengths(of, { x: MARGIN, y: HEAD, width: half, height: PLOT_HEIGHT }, fonts),
    ...areas(of, { x: MARGIN + half + GAP, y: HEAD, width: half, height: PLOT_HEIGHT }, fonts),
  ];
  let height = HEAD + PLOT_HEIGHT + frameFoot;
  if (of.categories.length > 0) {
    const rows = Math.min(MOST_CATEGORIES, of.categories.length);
    const area = { x: MARGIN, y: height + HEAD, width: WIDTH - 2 * MARGIN, height: rows * ROW };
    marks.push(...categories(of, area, fonts));
    height = area.y + area.height + frameFoot + 22;
  }
  return { title: 'Statistics of the data set', width: WIDTH, height: height + 8, marks };
}

/** A histogram of the numbers of words; every number between the least and the most has a place. */
function lengths({ phraseLengths, wordsPerPhrase: { mean } }: SplitStatistics, room: Area, fonts: Fonts): Mark[] {
  const least = phraseLengths[0]?.[0] ?? 0;
  const most = phraseLengths.at(-1)?.[0] ?? 0;
  const y = { name: 'phrases', scale: countScale(Math.max(...phraseLengths.map(([, count]) => count))) };
  const area = beside(room, axisWidth(y, fonts));
  const every = Math.max(1, Math.ceil((26 * (most - least + 1)) / area.width));
  const ticks = Array.from({ length: most - least + 1 }, (_, i) => ({
    at: least + i,
    label: String(least + i),
  })).filter(({ at }) => at % every === 0 || most - least < 12);
  const scale: Scale = { ticks, share: (words) => (words - least + 0.5) / (most - least + 1) };
  const plot: Plot = { area, title: '(a) Length of phrases', x: { scale, name: 'words of a phrase' }, y, grid: 'y' };
  const all = phraseLengths.map(([words, value]) => ({ from: words - 0.5, to: words + 0.5, value }));
  return [...frame(plot, fonts), ...columns(plot, all), ...levelLine(plot, mean, `mean ${mean.toFixed(1)}`)];
}

/** A histogram of the areas of masks; the bins are finer for small objects. */
function areas({ maskAreas }: SplitStatistics, room: Area, fonts: Fonts): Mark[] {
  const y = { name: 'masks', scale: countScale(Math.max(...maskAreas.map(([, count]) => count))) };
  const last = percent(maskAreas.at(-1)?.[0] ?? 1);
  // Half of the last label is on the right of the plot.
  const area = beside(room, axisWidth(y, fonts), fonts.width(last, textSize) / 2);
  const ticks = [{ at: 0, label: '0' }, ...maskAreas.map(([upTo], i) => ({ at: i + 1, label: percent(upTo) }))];
  const scale: Scale = { ticks, share: (bin) => bin / maskAreas.length };
  const plot: Plot = { area, title: '(b) Areas of masks', x: { scale, name: areaName }, y, grid: 'y' };
  const all = maskAreas.map(([, value], i) => ({ from: i, to: i + 1, value, label: fixed(value) }));
  return [...frame(plot, fonts), ...columns(plot, all)];
}

/** Two plots side by side with the same rows: numbers of phrases, and areas of masks. */
function categories(of: SplitStatistics, room: Area, fonts: Fonts): Mark[] {
  const shown = of.categories.slice(0, MOST_CATEGORIES);
  const rowOf = (i: number) => shown.length - 1 - i;
  const names = shown.map(([name], i) => ({ at: rowOf(i) + 0.5, label: fonts.fitted(name, 0.26 * WIDTH, textSize) }));
  const rows = (ticks: Scale['ticks']): Scale => ({ ticks, share: (row) => row / shown.length });
  const y = { scale: rows(names) };
  const left = axisWidth(y, fonts);
  const width = (room.width - left - GAP) / 2;

  const counts: Plot = {
    // The longest bar may end at the right, and has its number behind it.
    area: { ...room, x: room.x + left, width: width - 44 },
    title: '(c) Phrases of each category',
    x: { scale: countScale(shown[0]?.[1] ?? 1, 4), name: 'phrases' },
    y,
    grid: 'x',
  };
  const all = shown.map(([, value], i) => ({ row: rowOf(i), value, label: fixed(value) }));

  const byName = new Map(of.areasByCategory);
  const drawn = shown.flatMap(([name], i) => {
    const area = byName.get(name);
    return area && area.most > 0 ? [{ row: rowOf(i), ...area }] : [];
  });
  const positive = drawn.flatMap(({ least, median }) => [least, median].filter((share) => share > 0));
  const least = Math.max(1e-6, Math.min(...positive, 0.1));
  const most = Math.max(...drawn.map((area) => area.most), least * 10);
  const shares: Plot = {
    area: { ...room, x: room.x + left + width + GAP, width: width - 20 },
    title: '(d) Mask areas of each category',
    x: { scale: powerScale([least, most], percent), name: areaName },
    y: { scale: rows([]) },
    grid: 'x',
  };
  const key = room.y + room.height + 62;
  const rest = of.categories.length - shown.length;
  const more = text(`and ${rest} more`, counts.area.x - 8, room.y + room.height + 18, {
    anchor: 'end',
    fill: axisColour,
  });
  return [
    ...frame(counts, fonts),
    ...bars(counts, all),
    ...(rest > 0 ? [more] : []),
    ...frame(shares, fonts),
    ...spreads(shares, drawn),
    ...spreadsKey(shares.area.x, key, (line) => fonts.width(line, textSize)),
  ];
}

/** The area of a plot in its room, on the right of its vertical axis. */
function beside(room: Area, axis: number, right = 0): Area {
  return { ...room, x: room.x + axis, width: room.width - axis - right };
}
