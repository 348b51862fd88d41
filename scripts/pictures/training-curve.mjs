// Draws a training run for docs/training.md from lines as in `metrics.jsonl`: the loss of each step, its running
// mean, and the mean IoU of each evaluation.

/**
 * Removes what depends on the machine's speed from lines of `metrics.jsonl`; the result is the source of the picture.
 */
export function withoutTimes(text) {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return lines
    .map(({ seconds: _, samples_per_second: __, gradient_norm: ___, terms: ____, ...rest }) => JSON.stringify(rest))
    .join('\n')
    .concat('\n');
}

/** Replaces the losses of each `count` steps by their mean, at the last of these steps. */
export function thinned(text, count) {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const sum = { loss: 0, steps: 0 };
  return lines
    .flatMap((line) => {
      if (line.mIoU !== undefined) return [line];
      sum.loss += line.loss;
      sum.steps++;
      if (line.step % count !== 0) return [];
      const loss = Math.round((sum.loss / sum.steps) * 1e6) / 1e6;
      sum.loss = 0;
      sum.steps = 0;
      return [{ ...line, loss }];
    })
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
}

const size = { width: 860, height: 360 };
const plot = { left: 58, right: 60, top: 34, bottom: 48 };
const inner = { width: size.width - plot.left - plot.right, height: size.height - plot.top - plot.bottom };
/** Number of steps in the running mean: batches are small, so single losses vary a lot. */
const window = 25;

export function trainingCurve(text) {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const losses = lines.filter((line) => line.mIoU === undefined).map(({ step, loss }) => ({ step, loss }));
  const scores = lines.flatMap(({ step, mIoU }) => (mIoU === undefined ? [] : [{ step, value: mIoU }]));
  const last = losses.at(-1).step;
  // The losses of the first steps would compress the rest, so the axis ends at the 99th percentile.
  const most = losses.map(({ loss }) => loss).sort((a, b) => a - b)[Math.floor(losses.length * 0.99)];
  const top = Math.ceil(most * 5) / 5;
  const best = Math.ceil(Math.max(...scores.map(({ value }) => value)) * 10) / 10;
  const x = (step) => plot.left + (step / last) * inner.width;
  const yLoss = (loss) => plot.top + (1 - Math.min(loss, top) / top) * inner.height;
  const yScore = (value) => plot.top + (1 - value / best) * inner.height;
  const means = losses.flatMap(({ step }, i) => {
    const some = losses.slice(Math.max(0, i - window + 1), i + 1);
    return some.length < window ? [] : [{ step, loss: some.reduce((sum, { loss }) => sum + loss, 0) / window }];
  });
  const line = (points) => points.map(([px, py]) => `${px.toFixed(1)} ${py.toFixed(1)}`).join('L');
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const horizontal = ticks.map((part) => {
    const y = (plot.top + (1 - part) * inner.height).toFixed(1);
    return `<path class="grid" d="M${plot.left} ${y}H${size.width - plot.right}"/><text class="loss" x="${plot.left - 8}" y="${Number(y) + 4}" text-anchor="end">${(part * top).toFixed(2)}</text><text class="score" x="${size.width - plot.right + 8}" y="${Number(y) + 4}">${(part * best * 100).toFixed(0)}</text>`;
  });
  const vertical = ticks.map((part) => {
    const step = Math.round(part * last);
    return `<text x="${x(step).toFixed(1)}" y="${size.height - plot.bottom + 18}" text-anchor="middle">${step}</text>`;
  });
  const dots = scores.map(
    ({ step, value }) => `<circle cx="${x(step).toFixed(1)}" cy="${yScore(value).toFixed(1)}" r="3.5"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" role="img">
<title>Loss and mean IoU of a training of CroBIM_micro</title>
<style>
text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: #57606a }
.grid { stroke: #eaeef2; fill: none } .each { stroke: #0969da; stroke-opacity: 0.28; fill: none } .mean { stroke: #0969da; stroke-width: 2; fill: none }
.loss { fill: #0969da } .score { fill: #bc4c00 } .scores { stroke: #bc4c00; stroke-width: 2; fill: none } circle { fill: #bc4c00 }
</style>
<rect width="${size.width}" height="${size.height}" rx="8" fill="#ffffff"/>
${horizontal.join('\n')}
${vertical.join('')}
<path class="each" d="M${line(losses.map(({ step, loss }) => [x(step), yLoss(loss)]))}"/>
<path class="mean" d="M${line(means.map(({ step, loss }) => [x(step), yLoss(loss)]))}"/>
<path class="scores" d="M${line(scores.map(({ step, value }) => [x(step), yScore(value)]))}"/>
${dots.join('')}
<text class="loss" x="${plot.left}" y="20">loss of each step, and its mean over ${window} steps</text>
<text class="score" x="${size.width - plot.right}" y="20" text-anchor="end">mIoU on val, in percent</text>
<text x="${plot.left + inner.width / 2}" y="${size.height - 10}" text-anchor="middle">step</text>
</svg>
`;
}
