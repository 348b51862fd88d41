import { basename } from 'node:path';
import { wrongColours } from '../images/compare-masks.ts';
import type { Exhibit, Gallery } from './gallery.ts';
import { pageStyle } from './page-style.ts';
import { protocols } from './protocols.ts';
import { type Report, shownPrecision } from './report.ts';
import { noTargetMetrics, noTargetNames, type Scores, thresholds } from './scores.ts';

/**
 * Returns a self-contained HTML page with scores, tables by category and attribute, and pictures. Text from files is
 * escaped, and the page's content security policy forbids scripts and external resources.
 */
export function reportPage(report: Report, pictures: Gallery): string {
  const { model, split, samples, byCategory, byAttribute } = report;
  const title = `${model} on ${split}`;
  const attributes = Object.entries(byAttribute).map(([name, groups]) => groupTable(`By ${name}`, name, groups));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${pageStyle}</style>
</head>
<body>
<header>
<h1>${escaped(model)} <span>on ${escaped(split)}, ${count(samples, 'sample')}</span></h1>
${warnings(report)}
<ul class="figures">
${tile('oIoU', report.oIoU, 'Σ intersections / Σ unions')}
${tile('mIoU', report.mIoU, 'mean of the samples')}
${thresholds.map((t) => tile(`Pr@${t}`, report.precision[t], `samples with IoU ${report.protocol === 'cris' ? '>' : '≥'} ${t}`)).join('\n')}
${noTargetTiles(report)}</ul>
</header>
<main>
${legend(pictures)}
${exhibits('Worst', `The lowest IoU; of equals, the most wrong pixels. ${zeros(report)}`, pictures.worst)}
${exhibits('Random', 'Drawn by the seed.', pictures.random)}
${exhibits('Best', 'The highest IoU; of equals, the largest.', pictures.best)}
<section>
<h2>How the samples spread</h2>
${histogram(report)}
</section>
${groupTable('By category', 'category', byCategory)}
${attributes.join('\n')}
</main>
<footer>
<dl>
${facts(report)
  .map(([name, value]) => `<div><dt>${escaped(name)}</dt><dd>${escaped(value)}</dd></div>`)
  .join('\n')}
</dl>
</footer>
</body>
</html>
`;
}

/** Escapes text for HTML elements and quoted attributes; control characters that HTML forbids become boxes. */
export function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text
    .replace(/[&<>"']/g, (c) => entities[c]!)
    .replace(/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/gu, (c) => (c === '\n' || c === '\t' ? c : '\u25a1'));
}

function count(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
}

/** Formats a fraction as a percentage; null and NaN as a dash. */
function percent(value: number | null): string {
  return value === null || Number.isNaN(value) ? '–' : (100 * value).toFixed(2);
}

function warnings({ weights, phrases, skipped, limited }: Report): string {
  const lines = [
    ...(weights === null ? ['Initial weights: the model is untrained, and these figures mean nothing.'] : []),
    ...(phrases ? [] : ['Every phrase was taken away: the model predicts from the image alone.']),
    ...(limited ? ['A part of the split, spread evenly over it.'] : []),
    ...(skipped > 0
      ? [`${count(skipped, 'sample')} could not be read and ${skipped === 1 ? 'is' : 'are'} not counted.`]
      : []),
  ];
  return lines.map((line) => `<p class="warning">${escaped(line)}</p>`).join('\n');
}

const noTargetDocs = {
  gIoU: 'mean IoU, where a phrase without a target has 1 if nothing is predicted, and else 0',
  cIoU: 'Σ intersections / Σ unions',
  nAcc: 'phrases without a target for which nothing is predicted',
  tAcc: 'phrases with a target for which something is predicted',
} as const;

function noTargetTiles({ noTarget }: Report): string {
  if (!noTarget) return '';
  return noTargetMetrics.map((m) => `${tile(noTargetNames[m], noTarget[m], noTargetDocs[m])}\n`).join('');
}

function tile(name: string, value: number, docs: string): string {
  return `<li title="${escaped(docs)}"><span>${name}</span><strong>${percent(value)}</strong></li>`;
}

const BINS = 20;
const CHART = { width: 720, height: 150, base: 128 } as const;

/** Draws a histogram of IoU; the last bin includes 1. */
function histogram({ each }: Report): string {
  const bins = Array.from({ length: BINS }, () => 0);
  for (const { iou } of each) if (iou !== null) bins[Math.min(BINS - 1, Math.floor(iou * BINS))]!++;
  const most = Math.max(1, ...bins);
  const step = CHART.width / BINS;
  const bars = bins.map((n, i) => {
    const height = n === 0 ? 0 : Math.max(1, (n / most) * (CHART.base - 16));
    const range = `${(i / BINS).toFixed(2)} to ${((i + 1) / BINS).toFixed(2)}`;
    return `<rect x="${(i * step + 2).toFixed(1)}" y="${(CHART.base - height).toFixed(1)}" width="${(step - 4).toFixed(1)}" height="${height.toFixed(1)}" rx="2"><title>IoU ${range}: ${count(n, 'sample')}</title></rect>`;
  });
  const marks = [0, 0.25, 0.5, 0.75, 1].map((v) => {
    const anchor = v === 0 ? 'start' : v === 1 ? 'end' : 'middle';
    return `<text x="${v * CHART.width}" y="${CHART.height - 4}" text-anchor="${anchor}">${v}</text>`;
  });
  return `<svg class="histogram" viewBox="0 0 ${CHART.width} ${CHART.height}" role="img" aria-label="Samples by IoU">
<line x1="0" x2="${CHART.width}" y1="${CHART.base}" y2="${CHART.base}"/>
${bars.join('\n')}
${marks.join('')}
</svg>
<p class="note">Samples by IoU; the highest bar is ${count(most, 'sample')}.</p>`;
}

function groupTable(title: string, head: string, groups: Readonly<Record<string, Scores>>): string {
  const entries = Object.entries(groups).toSorted(byName);
  if (entries.length === 0) return '';
  const rows = entries.map(([name, { samples, oIoU, mIoU, precision }]) => {
    const cells = [oIoU, mIoU, ...thresholds.map((t) => precision[t])].map((v) => `<td>${percent(v)}</td>`);
    // A bar shows the mean as well: in a column of numbers, weak groups are hard to see.
    cells[1] += `<td class="bar"><i><s style="width:${(100 * (mIoU || 0)).toFixed(1)}%"></s></i></td>`;
    return `<tr><th scope="row">${escaped(name)}</th><td>${samples.toLocaleString('en')}</td>${cells.join('')}</tr>`;
  });
  const heads = ['samples', 'oIoU', 'mIoU', ...thresholds.map((t) => `Pr@${t}`)];
  return `<section>
<h2>${escaped(title)}</h2>
<div class="wide"><table>
<thead><tr><th scope="col">${escaped(head)}</th>${heads.map((h) => `<th scope="col"${h === 'mIoU' ? ' colspan="2" class="bars"' : ''}>${h}</th>`).join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table></div>
</section>`;
}

/** Sorts groups by name, with the group of samples without a value last. */
function byName([a]: readonly [string, Scores], [b]: readonly [string, Scores]): number {
  const last = (name: string) => (name === 'none' ? 1 : 0);
  return last(a) - last(b) || a.localeCompare(b, 'en', { numeric: true });
}

function zeros({ each }: Report): string {
  const missed = each.filter(({ iou }) => iou === 0).length;
  return missed === 0 ? '' : `${count(missed, 'sample')} of ${each.length.toLocaleString('en')} at 0.`;
}

/** Explains the lines and stripes in the pictures. */
function legend({ best, worst, random }: Gallery): string {
  if (best.length + worst.length + random.length === 0) return '';
  const { falsePositive, falseNegative } = wrongColours;
  const key = (colour: readonly number[], angle: number, text: string) =>
    `<span class="key" style="background:repeating-linear-gradient(${angle}deg,rgb(${colour.join()}) 0 2px,transparent 2px 6px)"></span> ${text}`;
  return `<p class="note legend"><span class="key edge"></span> edge of the truth ${key(falsePositive, -45, 'predicted, and wrong')} ${key(falseNegative, 45, 'true, and not predicted')}</p>`;
}

function exhibits(title: string, docs: string, all: readonly Exhibit[]): string {
  if (all.length === 0) return '';
  return `<section>
<h2>${title}</h2>
<p class="note">${docs}</p>
<div class="gallery">
${all.map(card).join('\n')}
</div>
</section>`;
}

function card({ result, width, height, image, truth, prediction }: Exhibit): string {
  const { sample, iou } = result;
  const picture = (name: string, bytes: Uint8Array) =>
    `<figure><img src="data:image/webp;base64,${Buffer.from(bytes).toString('base64')}" width="${width}" height="${height}" alt="${escaped(`${name}: ${sample.phrase}`)}" loading="lazy"><figcaption>${name}</figcaption></figure>`;
  const category = sample.category === undefined ? '' : `<span class="tag">${escaped(sample.category)}</span>`;
  return `<article>
<h3>${escaped(sample.phrase)}</h3>
<div class="pictures">${picture('image', image)}${picture('truth', truth)}${picture('prediction', prediction)}</div>
<p><meter min="0" max="1" low="0.5" high="0.5" optimum="1" value="${Number.isNaN(iou) ? 0 : iou}"></meter> <b>IoU ${percent(iou)}${Number.isNaN(iou) ? '' : ' %'}</b> ${category}<small title="${escaped(sample.image)}">${escaped(basename(sample.file))}:${sample.line}, ${escaped(basename(sample.image))}</small></p>
</article>`;
}

function facts(report: Report): [string, string][] {
  const { file, settings, weights, seed, data, protocol, at, height, width, words, device, seconds, crobc } = report;
  return [
    ['model file', [file, ...settings.map((s) => `--set ${s}`)].join(' ')],
    ['weights', weights ?? `initial, seed ${seed}`],
    ['data', data],
    ['protocol', `${protocol} (${protocols[protocol].docs})`],
    ['masks compared at', at === 'model' ? `the model's size` : `the image's size`],
    ['model takes', `${width} × ${height} pixels${words === null ? '' : `, ${words} tokens`}`],
    ['run', `${device}${shownPrecision(report)}, ${seconds.toFixed(1)} s, crobc ${crobc}`],
  ];
}
