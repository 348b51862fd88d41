import { escaped } from '../evaluation/page.ts';

/** A point of a chart, in the units of its axes. */
export type Point = readonly [x: number, y: number];

/** What a chart shows of one model. */
export interface Series {
  readonly label: string;
  /** A line through points, in the order of x; a single point without a line is only a mark. */
  readonly line?: readonly Point[];
  /** An area around the line: the lowest and the highest value at each x. */
  readonly band?: readonly (readonly [x: number, low: number, high: number])[];
  /** A mark, with its lowest and highest value if it has a spread. */
  readonly mark?: { readonly at: Point; readonly spread: readonly [low: number, high: number] | undefined };
}

export interface Chart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** Whether the distances on the x axis are those of logarithms. */
  readonly logarithmic?: boolean;
  /** Formats a tick of the x axis. */
  shownX(value: number): string;
  readonly series: readonly Series[];
}

const width = 860;
const inner = { left: 58, top: 34, width: 742, height: 300 };
const lineHeight = 18;

/** Colours that differ also for people who do not see all of them, and on paper (after Okabe and Ito). */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#8c6d31'];
const dashes = ['', '6 3', '2 3'];

/** Draws a chart as SVG. The same chart gives the same text. */
export function drawChart(chart: Chart): string {
  const points = chart.series.flatMap(({ line = [], band = [], mark }) => [
    ...line,
    ...band.flatMap(([x, low, high]): Point[] => [
      [x, low],
      [x, high],
    ]),
    ...(mark ? [mark.at, ...(mark.spread ?? []).map((y): Point => [mark.at[0], y])] : []),
  ]);
  const scaled = chart.logarithmic ? Math.log10 : (value: number) => value;
  const [left, right] = withMargin(
    extent(points.map(([x]) => scaled(x))),
    // Marks do not touch the frame.
    chart.series.some(({ mark }) => mark) ? 0.05 : 0,
  );
  const y = niceRange(extent(points.map(([, value]) => value)));
  const atX = (value: number) => inner.left + ((scaled(value) - left) / (right - left)) * inner.width;
  const atY = (value: number) => inner.top + (1 - (value - y.low) / (y.high - y.low)) * inner.height;
  const at = ([px, py]: Point) => `${n(atX(px))} ${n(atY(py))}`;
  const bottom = inner.top + inner.height;
  const horizontal = y.ticks.map(
    (tick) =>
      `<path class="grid" d="M${inner.left} ${n(atY(tick))}h${inner.width}"/><text x="${inner.left - 8}" y="${n(atY(tick) + 4)}" text-anchor="end">${shown(tick)}</text>`,
  );
  const vertical = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const value = left + part * (right - left);
    return `<text x="${n(inner.left + part * inner.width)}" y="${bottom + 18}" text-anchor="middle">${escaped(chart.shownX(chart.logarithmic ? 10 ** value : value))}</text>`;
  });
  const height = bottom + 48 + chart.series.length * lineHeight;
  const drawn = chart.series.map(({ line = [], band = [], mark }, i) => {
    const colour = colours[i % colours.length]!;
    const dash = dashes[Math.floor(i / colours.length) % dashes.length]!;
    const stroke = `stroke="${colour}"${dash === '' ? '' : ` stroke-dasharray="${dash}"`}`;
    const upper = band.map(([x, , high]) => at([x, high]));
    const lower = band.map(([x, low]) => at([x, low])).reverse();
    return [
      ...(band.length > 1 ? [`<path class="band" fill="${colour}" d="M${[...upper, ...lower].join('L')}Z"/>`] : []),
      ...(line.length > 1 ? [`<path class="line" ${stroke} d="M${line.map(at).join('L')}"/>`] : []),
      ...line.map(([px, py]) => `<circle fill="${colour}" cx="${n(atX(px))}" cy="${n(atY(py))}" r="2.5"/>`),
      ...(mark?.spread
        ? [
            `<path class="line" ${stroke} d="M${at([mark.at[0], mark.spread[0]])}L${at([mark.at[0], mark.spread[1]])}"/>`,
          ]
        : []),
      ...(mark ? [`<circle fill="${colour}" cx="${n(atX(mark.at[0]))}" cy="${n(atY(mark.at[1]))}" r="4.5"/>`] : []),
    ].join('');
  });
  const legend = chart.series.map(({ label }, i) => {
    const top = bottom + 56 + i * lineHeight;
    const dash = dashes[Math.floor(i / colours.length) % dashes.length]!;
    return `<path class="line" stroke="${colours[i % colours.length]}"${dash === '' ? '' : ` stroke-dasharray="${dash}"`} d="M${inner.left} ${top - 4}h22"/><text class="label" x="${inner.left + 30}" y="${top}">${escaped(label)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(chart.title)}</title>
<style>
text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: #57606a } .label { fill: #24292f }
.grid { stroke: #eaeef2; fill: none } .line { stroke-width: 2; fill: none } .band { fill-opacity: 0.15 }
</style>
<rect width="${width}" height="${height}" rx="8" fill="#ffffff"/>
<text x="${inner.left}" y="20">${escaped(chart.y)}</text>
${horizontal.join('\n')}
${vertical.join('')}
<text x="${inner.left + inner.width / 2}" y="${bottom + 38}" text-anchor="middle">${escaped(chart.x)}</text>
${drawn.join('\n')}
${legend.join('\n')}
</svg>
`;
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Rounds away what binary fractions add. */
function shown(tick: number): string {
  return String(Math.round(tick * 1e6) / 1e6);
}

/** The lowest and the highest number; around a single one, some more. */
function extent(values: readonly number[]): readonly [number, number] {
  const finite = values.filter(Number.isFinite);
  // One by one, since a call takes only so many arguments.
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of finite) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (finite.length === 0) return [0, 1];
  const some = Math.abs(low) * 0.05 || 0.5;
  return low === high ? [low - some, high + some] : [low, high];
}

function withMargin([low, high]: readonly [number, number], share: number): readonly [number, number] {
  return [low - share * (high - low), high + share * (high - low)];
}

/** Extends a range to multiples of a round step: 1, 2 or 5 times a power of ten, about five of them. */
function niceRange([low, high]: readonly [number, number]): {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
} {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? 10 * power;
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  return { low: first * step, high: last * step, ticks };
}
