import type { SplitStatistics } from '../statistics.ts';
import { countTicks, percent, percentTicks, type Tick } from './axis.ts';
import { fontFamily, short, text, widthBound } from './text.ts';

/** Sizes in points of a page; a figure is as wide as two columns of a paper, twice enlarged. */
const WIDTH = 1000;
const MARGIN = 24;
const TITLE = 16;
const LABEL = 13;
const TICK = 12;
const PLOT_HEIGHT = 240;
/** Height of a category, and the most of them that are drawn. */
const ROW = 22;
const MOST_CATEGORIES = 60;

const BAR = '#3f78b5';
const ACCENT = '#c2552d';
const AXIS = '#4a525c';
const GRID = '#e3e6ea';

interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Draws the statistics of a data set as SVG, as figure 3 of the CroBIM paper does: the lengths of phrases, the areas of
 * masks, and for each category its number of phrases and the areas of its masks.
 */
export function statisticsFigure(of: SplitStatistics): string {
  const half = (WIDTH - 3 * MARGIN) / 2;
  const above = { top: MARGIN + 34, height: PLOT_HEIGHT };
  const parts = [
    lengths(of, { left: MARGIN + 66, width: half - 66, ...above }),
    areas(of, { left: 2 * MARGIN + half + 66, width: half - 66, ...above }),
  ];
  let height = above.top + PLOT_HEIGHT + 62;
  if (of.categories.length > 0) {
    const rows = Math.min(MOST_CATEGORIES, of.categories.length);
    parts.push(categories(of, { left: MARGIN, top: height + 34, width: WIDTH - 2 * MARGIN, height: rows * ROW }));
    height += 34 + rows * ROW + 76;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="${fontFamily}" role="img"><title>Statistics of the data set</title><rect width="${WIDTH}" height="${height}" fill="#fff"/>${parts.join('\n')}</svg>\n`;
}

/** A histogram of the numbers of words; every number between the least and the most has a place. */
function lengths({ phraseLengths, wordsPerPhrase: { mean } }: SplitStatistics, frame: Frame): string {
  const least = phraseLengths[0]?.[0] ?? 0;
  const most = phraseLengths.at(-1)?.[0] ?? 0;
  const step = frame.width / (most - least + 1);
  const ticks = countTicks(Math.max(...phraseLengths.map(([, count]) => count)));
  const y = vertical(frame, ticks);
  const bars = phraseLengths.map(([words, count]) =>
    bar(frame.left + (words - least) * step + step * 0.08, y(count), step * 0.84, y(0) - y(count)),
  );
  const every = Math.max(1, Math.ceil((26 * (most - least + 1)) / frame.width));
  let labels = '';
  for (let words = least; words <= most; words++) {
    const x = frame.left + (words - least + 0.5) * step;
    if (words % every === 0 || most - least < 12) labels += tickBelow(String(words), x, frame);
  }
  const x = frame.left + (mean - least + 0.5) * step;
  const [before, note] = [mean - least > (most - least) / 2, `mean ${mean.toFixed(1)}`];
  const line = `<line x1="${short(x)}" y1="${short(frame.top)}" x2="${short(x)}" y2="${short(y(0))}" stroke="${ACCENT}" stroke-width="1.5" stroke-dasharray="5 4"/>${text(note, x + (before ? -6 : 6), frame.top + 12, { size: TICK, fill: ACCENT, anchor: before ? 'end' : 'start' })}`;
  return panel('(a) Length of phrases', 'words of a phrase', 'phrases', frame, ticks, bars.join('') + labels + line);
}

/** A histogram of the areas of masks; the bins are finer for small objects. */
function areas({ maskAreas }: SplitStatistics, frame: Frame): string {
  const step = frame.width / maskAreas.length;
  const ticks = countTicks(Math.max(...maskAreas.map(([, count]) => count)));
  const y = vertical(frame, ticks);
  const inside = maskAreas.map(([upTo, count], i) => {
    const x = frame.left + i * step;
    const number = text(count.toLocaleString('en'), x + step / 2, y(count) - 5, { size: TICK - 1, anchor: 'middle' });
    return (
      bar(x + step * 0.06, y(count), step * 0.88, y(0) - y(count)) + number + tickBelow(percent(upTo), x + step, frame)
    );
  });
  const name = 'area of the mask, share of the image';
  const first = tickBelow('0', frame.left, frame);
  return panel('(b) Areas of masks', name, 'masks', frame, ticks, first + inside.join(''));
}

/** Two plots side by side with the same rows: numbers of phrases, and areas of masks. */
function categories(of: SplitStatistics, { left, top, width, height }: Frame): string {
  const shown = of.categories.slice(0, MOST_CATEGORIES);
  const names = Math.min(0.28 * width, LABEL * Math.max(...shown.map(([name]) => widthBound(name))) + 14);
  const half = (width - names - MARGIN) / 2;
  const counts: Frame = { left: left + names, top, width: half - 40, height };
  const spreads: Frame = { left: left + names + half + MARGIN, top, width: half - 12, height };
  const middle = (i: number) => top + (i + 0.5) * ROW;

  const ticks = countTicks(shown[0]?.[1] ?? 1, 4);
  const across = (count: number) => counts.left + (counts.width * count) / ticks.at(-1)!.at;
  const bars = shown.map(([name, count], i) => {
    const label = text(fitted(name, names - 14), counts.left - 8, middle(i) + 4.5, { size: LABEL, anchor: 'end' });
    const number = text(count.toLocaleString('en'), across(count) + 5, middle(i) + 4, { size: TICK - 1 });
    return label + bar(counts.left, middle(i) - 7, across(count) - counts.left, 14) + number;
  });

  const byName = new Map(of.areasByCategory);
  const drawn = shown.flatMap(([name], i) => {
    const area = byName.get(name);
    return area && area.most > 0 ? [{ i, area }] : [];
  });
  const positive = drawn.flatMap(({ area }) => [area.least, area.median].filter((share) => share > 0));
  const least = Math.max(1e-6, Math.min(...positive, 0.1));
  const logTicks = percentTicks(least, Math.max(...drawn.map(({ area }) => area.most), least * 10));
  const [from, to] = [Math.log10(logTicks[0]!.at), Math.log10(logTicks.at(-1)!.at)];
  const along = (share: number) =>
    spreads.left + (spreads.width * (Math.log10(Math.max(share, logTicks[0]!.at)) - from)) / (to - from);
  const ranges = drawn.map(({ i, area }) => {
    const y = short(middle(i));
    const line = `<line x1="${short(along(area.least))}" y1="${y}" x2="${short(along(area.most))}" y2="${y}" stroke="${BAR}" stroke-width="2"/>`;
    const median = `<rect x="${short(along(area.median) - 2)}" y="${short(middle(i) - 7)}" width="4" height="14" fill="${BAR}"/>`;
    const mean = `<circle cx="${short(along(area.mean))}" cy="${y}" r="3.5" fill="#fff" stroke="${ACCENT}" stroke-width="2"/>`;
    return line + median + mean;
  });

  const left3 = plotAcross('(c) Phrases of each category', 'phrases', counts, ticks, across);
  const right3 = plotAcross(
    '(d) Mask areas of each category',
    'area of the mask, share of the image',
    spreads,
    logTicks,
    along,
  );
  const key = text(
    'line: least to most, bar: median, circle: mean',
    spreads.left + spreads.width / 2,
    top + height + 60,
    { size: TICK, anchor: 'middle', fill: AXIS },
  );
  const rest = of.categories.length - shown.length;
  const more =
    rest > 0 ? text(`and ${rest} more`, counts.left - 8, top + height + 18, { size: TICK, anchor: 'end' }) : '';
  return left3 + right3 + key + bars.join('') + ranges.join('') + more;
}

/** The axes and the title of a plot whose values go up. */
function panel(title: string, x: string, y: string, frame: Frame, ticks: readonly Tick[], inside: string): string {
  const { left, top, width, height } = frame;
  const at = vertical(frame, ticks);
  const lines = ticks.map((tick) => {
    const level = short(at(tick.at));
    const line = `<line x1="${short(left)}" y1="${level}" x2="${short(left + width)}" y2="${level}" stroke="${tick.at === 0 ? AXIS : GRID}"/>`;
    return line + text(tick.label, left - 8, at(tick.at) + 4, { size: TICK, anchor: 'end', fill: AXIS });
  });
  const heading = text(title, left, top - 18, { size: TITLE, weight: 600 });
  const below = text(x, left + width / 2, top + height + 42, { size: LABEL, anchor: 'middle' });
  const beside = text(y, left - 52, top + height / 2, { size: LABEL, anchor: 'middle', upright: true });
  return heading + lines.join('') + inside + below + beside;
}

/** The axes and the title of a plot whose values go to the right. */
function plotAcross(
  title: string,
  name: string,
  { left, top, width, height }: Frame,
  ticks: readonly Tick[],
  at: (value: number) => number,
): string {
  const lines = ticks.map((tick, i) => {
    const x = short(at(tick.at));
    const line = `<line x1="${x}" y1="${short(top)}" x2="${x}" y2="${short(top + height)}" stroke="${i === 0 ? AXIS : GRID}"/>`;
    return line + text(tick.label, at(tick.at), top + height + 18, { size: TICK, anchor: 'middle', fill: AXIS });
  });
  const heading = text(title, left, top - 12, { size: TITLE, weight: 600 });
  return heading + lines.join('') + text(name, left + width / 2, top + height + 42, { size: LABEL, anchor: 'middle' });
}

function vertical({ top, height }: Frame, ticks: readonly Tick[]): (value: number) => number {
  const most = ticks.at(-1)!.at;
  return (value) => top + height - (height * value) / most;
}

function bar(x: number, y: number, width: number, height: number): string {
  return `<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" fill="${BAR}"/>`;
}

function tickBelow(label: string, x: number, { top, height }: Frame): string {
  return text(label, x, top + height + 18, { size: TICK, anchor: 'middle', fill: AXIS });
}

/** A name that is too wide for its place ends with dots. */
function fitted(name: string, width: number): string {
  if (LABEL * widthBound(name) <= width) return name;
  let kept = name;
  while (kept.length > 1 && LABEL * widthBound(`${kept}…`) > width) kept = kept.slice(0, -1);
  return `${kept.trimEnd()}…`;
}
