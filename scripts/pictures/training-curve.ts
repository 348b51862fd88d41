// Draws a training run for docs/training.md from lines as in `metrics.jsonl`: the loss of each step, its running
// mean, and the mean IoU of each evaluation.
import { lineChart, type Point } from '../../runtime/charts/line-chart.ts';
import { loadFonts } from '../../runtime/drawing/fonts.ts';
import { svg } from '../../runtime/drawing/svg.ts';

/** Number of losses in the running mean: batches are small, so single losses vary a lot. */
const window = 25;

interface Line {
  readonly step: number;
  readonly loss: number;
  readonly mIoU?: number;
}

/** Returns the chart as SVG. */
export async function trainingCurve(text: string): Promise<string> {
  const lines = text
    .trim()
    .split('\n')
    .map((line): Line => JSON.parse(line));
  const losses = lines.flatMap(({ step, loss, mIoU }): Point[] => (mIoU === undefined ? [[step, loss]] : []));
  const scores = lines.flatMap(({ step, mIoU }): Point[] => (mIoU === undefined ? [] : [[step, 100 * mIoU]]));
  // The losses of the first steps would compress the rest, so the axis ends at the 99th percentile.
  const most = losses.map(([, loss]) => loss).sort((a, b) => a - b)[Math.floor(losses.length * 0.99)] ?? 1;
  const means = losses.flatMap(([step], i): Point[] => {
    const some = losses.slice(Math.max(0, i - window + 1), i + 1);
    return some.length < window ? [] : [[step, some.reduce((sum, [, loss]) => sum + loss, 0) / window]];
  });
  // Lines may be means of some steps already.
  const every = losses.length > 1 ? (losses.at(-1)![0] - losses[0]![0]) / (losses.length - 1) : 1;
  const chart = lineChart(
    {
      title: 'Loss and mean IoU of a training of CroBIM_micro',
      x: 'step',
      panels: [
        {
          y: 'loss',
          range: [0, most],
          series: [
            {
              label: every === 1 ? 'loss' : `loss, mean of ${every} steps`,
              line: losses.map(([step, loss]) => [step, Math.min(loss, most)] as const),
              pale: true,
            },
            { label: `mean of ${window * every} steps`, line: means, marked: false },
          ],
        },
        {
          y: 'mIoU on val, percent',
          range: [0, Math.max(...scores.map(([, score]) => score))],
          series: [{ label: 'mIoU', line: scores }],
        },
      ],
    },
    await loadFonts(),
  );
  return svg(chart);
}
