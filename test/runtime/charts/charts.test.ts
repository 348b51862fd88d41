import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { lineChart } from '../../../runtime/charts/line-chart.ts';
import { lookOf } from '../../../runtime/charts/palette.ts';
import { brief } from '../../../runtime/charts/scale.ts';
import { type LabelledPoint, scatterChart } from '../../../runtime/charts/scatter-chart.ts';
import type { Drawing, TextMark } from '../../../runtime/drawing/drawing.ts';
import { loadFonts } from '../../../runtime/drawing/fonts.ts';
import { svg } from '../../../runtime/drawing/svg.ts';

const fonts = await loadFonts();

const textsOf = ({ marks }: Drawing) => marks.flatMap((mark): TextMark[] => (mark.kind === 'text' ? [mark] : []));
const lines = (drawing: Drawing) => textsOf(drawing).map(({ line }) => line);

async function isDrawn(drawing: Drawing): Promise<void> {
  const written = svg(drawing);
  expect(written).not.toMatch(/NaN|Infinity|undefined/);
  expect((await sharp(Buffer.from(written)).metadata()).width).toBe(drawing.width);
}

describe('a line chart', () => {
  const curve = (scale: number) => [100, 200, 300, 400].map((x) => [x, scale * Math.sqrt(x)] as const);
  const chart = {
    title: 'Two <models>',
    note: 'mean of 2 seeds',
    x: 'step',
    panels: [
      {
        y: 'loss',
        range: [0, 0.8] as const,
        series: [
          { label: 'each', line: curve(0.04), pale: true },
          { label: 'mean', line: curve(0.03), marked: false },
        ],
      },
      {
        y: 'mIoU, percent',
        series: [
          { label: 'A', line: curve(1), band: curve(1).map(([x, y]) => [x, y - 1, y + 2] as const) },
          { label: 'B & C', line: curve(1.2) },
        ],
      },
    ],
  };

  test('has lines, bands, axes and a legend', async () => {
    const drawing = lineChart(chart, fonts);
    await expect(svg(drawing)).toMatchFileSnapshot('lines.svg');
    await isDrawn(drawing);
    // The numbers of steps are below the last panel only.
    expect(lines(drawing).filter((line) => line === '200')).toHaveLength(1);
    for (const line of ['mean of 2 seeds', 'loss', 'mIoU, percent', 'step', 'each', 'mean', 'A', 'B & C', '0.8', '25'])
      expect(lines(drawing)).toContain(line);
  });

  test('is drawn from one point, and from none', async () => {
    const one = { label: 'one', line: [[5, 2]] as const };
    await isDrawn(lineChart({ ...chart, panels: [{ y: 'y', series: [one] }] }, fonts));
    await isDrawn(lineChart({ ...chart, panels: [{ y: 'y', series: [{ label: 'none', line: [] }] }] }, fonts));
    await isDrawn(lineChart({ ...chart, panels: [{ y: 'y', series: [] }] }, fonts));
  });

  test('with many names has a legend of several rows, in which none overlap', () => {
    const series = Array.from({ length: 30 }, (_, i) => ({ label: `model ${'x'.repeat(i % 7)} ${i}`, line: curve(i) }));
    const drawing = lineChart({ ...chart, panels: [{ y: 'y', series }] }, fonts);
    const places = textsOf(drawing).filter(({ line }) => line.startsWith('model'));
    expect(places).toHaveLength(30);
    for (const [i, a] of places.entries()) {
      expect(a.x + fonts.width(a.line, 12)).toBeLessThanOrEqual(drawing.width);
      expect(a.y).toBeLessThan(drawing.height);
      for (const b of places.slice(i + 1)) expect(a.y !== b.y || a.x + fonts.width(a.line, 12) < b.x).toBe(true);
    }
  });
});

test('24 series look different', () => {
  const looks = Array.from({ length: 24 }, (_, i) => JSON.stringify(lookOf(i)));
  expect(new Set(looks).size).toBe(24);
});

describe('a scatter chart', () => {
  const x = { name: 'parameters', logarithmic: true, label: brief };
  const scatter = (points: readonly LabelledPoint[], more = {}) =>
    scatterChart({ title: 'mIoU', x: { ...x, ...more }, y: 'mIoU, percent', points }, fonts);

  test('has points with their spreads and labels', async () => {
    const drawing = scatter([
      { label: 'small', at: [1.66e6, 40], spread: [38, 42] },
      { label: 'large <one>', at: [2.2e8, 43] },
    ]);
    await expect(svg(drawing)).toMatchFileSnapshot('points.svg');
    await isDrawn(drawing);
    expect(lines(drawing)).toEqual(expect.arrayContaining(['small', 'large <one>', '10 M', 'parameters']));
  });

  test('places labels inside, and not on each other', () => {
    // Eight points in a small place, three of them at the right end.
    const points = Array.from({ length: 8 }, (_, i) => ({
      label: `a model named ${i}`,
      at: [100 + 3 * i + (i > 4 ? 80 : 0), 40 + ((i * 5) % 8)] as const,
    }));
    const drawing = scatter([...points, { label: 'far', at: [10, 40] }], { logarithmic: false });
    const labels = textsOf(drawing).filter(({ line }) => line.startsWith('a model'));
    expect(labels).toHaveLength(8);
    const boxes = labels.map(({ line, x: left, y }) => ({ left, right: left + fonts.width(line, 12), y }));
    for (const [i, a] of boxes.entries()) {
      expect(a.right).toBeLessThanOrEqual(drawing.width);
      for (const b of boxes.slice(i + 1))
        expect(Math.abs(a.y - b.y) >= 12 || a.right <= b.left || b.right <= a.left).toBe(true);
    }
  });

  test('is drawn from one point, and from none', async () => {
    await isDrawn(scatter([{ label: 'one', at: [7, 3] }]));
    await isDrawn(scatter([], { logarithmic: false }));
    expect(lines(scatter([{ label: 'one', at: [1e6, 3] }], { logarithmic: false }))).toContain('one');
  });
});
