import { type LineChart, type LineSeries, lineChart, type Point } from '../charts/line-chart.ts';
import { brief } from '../charts/scale.ts';
import { type LabelledPoint, type ScatterChart, scatterChart } from '../charts/scatter-chart.ts';
import type { Drawing } from '../drawing/drawing.ts';
import type { Fonts } from '../drawing/fonts.ts';
import type { ComparedModel, ExperimentComparison } from './comparison.ts';
import type { StepLine } from './metrics-lines.ts';

/** The metric of the charts. */
const metric = 'mIoU';

/**
 * Draws a comparison, by names of files without the ending: learning curves, and the score against parameters and FLOP. A curve is
 * the mean over seeds of the mIoU on val, or of the loss without that split; its band reaches from the lowest to the
 * highest seed.
 */
export function comparisonCharts(comparison: ExperimentComparison, fonts: Fonts): ReadonlyMap<string, Drawing> {
  return new Map([
    ['curves', lineChart(learningCurves(comparison), fonts)],
    ['parameters', scatterChart(scoreAgainst(comparison, 'parameters', 'parameters'), fonts)],
    ['flop', scatterChart(scoreAgainst(comparison, 'FLOP of a sample', 'flops'), fonts)],
  ]);
}

function learningCurves({ models, seeds }: ExperimentComparison): LineChart {
  const isValidated = models.every(({ runs }) => runs.every(({ lines }) => lines.some(({ scores }) => scores)));
  const curve = isValidated ? scoresOf : lossesOf;
  const losses = isValidated ? undefined : 'means of fiftieths of the training';
  const over = seeds.length > 1 ? `mean, and lowest to highest, of ${seeds.length} seeds` : undefined;
  const note = [losses, over].filter((one) => one !== undefined).join('; ');
  return {
    title: 'Learning curves',
    note: note === '' ? undefined : note,
    x: 'step',
    panels: [
      {
        y: isValidated ? `${metric} on val, percent` : 'loss',
        series: models.map(({ label, runs }) => ({ label, ...overRuns(runs.map(({ lines }) => curve(lines))) })),
      },
    ],
  };
}

/** The scores of the evaluations of a training, in percent. */
function scoresOf(lines: readonly StepLine[]): Point[] {
  return lines.flatMap(({ step, scores }): Point[] => {
    const score = scores?.[metric];
    return score === undefined ? [] : [[step, 100 * score]];
  });
}

/** The losses of a training in at most fifty means, as those of single batches vary a lot. */
function lossesOf(lines: readonly StepLine[]): Point[] {
  const losses = lines.flatMap(({ step, loss, scores }): Point[] =>
    loss === undefined || scores ? [] : [[step, loss]],
  );
  const size = Math.max(1, Math.ceil(losses.length / 50));
  return Array.from({ length: Math.ceil(losses.length / size) }, (_, i) => {
    const some = losses.slice(i * size, (i + 1) * size);
    return [some.at(-1)![0], some.reduce((sum, [, loss]) => sum + loss, 0) / some.length] as const;
  });
}

/** The mean, the lowest and the highest value of the runs at each step; runs that stopped early end before others. */
function overRuns(curves: readonly (readonly Point[])[]): Pick<LineSeries, 'line' | 'band'> {
  const at = new Map<number, number[]>();
  for (const [step, value] of curves.flat()) at.set(step, [...(at.get(step) ?? []), value]);
  const steps = [...at].sort(([a], [b]) => a - b);
  return {
    line: steps.map(([step, values]) => [step, values.reduce((sum, v) => sum + v, 0) / values.length] as const),
    ...(curves.length > 1
      ? { band: steps.map(([step, values]) => [step, Math.min(...values), Math.max(...values)] as const) }
      : {}),
  };
}

function scoreAgainst(
  { models, seeds, evaluation }: ExperimentComparison,
  name: string,
  of: 'parameters' | 'flops',
): ScatterChart {
  const costs = models.map((model) => model[of]).filter((cost) => cost > 0);
  const most = costs.reduce((a, b) => Math.max(a, b), 0);
  const least = costs.reduce((a, b) => Math.min(a, b), most);
  return {
    title: `${metric} against ${name}`,
    note: seeds.length > 1 ? `mean ± standard deviation of ${seeds.length} seeds` : undefined,
    x: { name, logarithmic: least > 0 && costs.length === models.length && most / least > 5, label: brief },
    y: `${metric} on ${evaluation.split}, percent`,
    points: models.flatMap((model) =>
      // Under some protocols, a mean is no number.
      Number.isNaN(model.values[metric].mean) ? [] : [pointOf(model, model[of])],
    ),
  };
}

function pointOf({ label, values }: ComparedModel, x: number): LabelledPoint {
  const { mean, deviation } = values[metric];
  return {
    label,
    at: [x, 100 * mean],
    // No score is below 0 or above 100 %.
    spread:
      deviation === undefined ? undefined : [100 * Math.max(0, mean - deviation), 100 * Math.min(1, mean + deviation)],
  };
}
