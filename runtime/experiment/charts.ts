import { type Chart, drawChart, type Point, type Series } from './chart.ts';
import type { ComparedModel, ExperimentComparison } from './comparison.ts';
import type { StepLine } from './metrics-lines.ts';

/** The metric of the charts. */
const metric = 'mIoU';

/**
 * Draws a comparison as SVG, by names of files: learning curves, and the score against parameters and FLOP. A curve is
 * the mean over seeds of the mIoU on val, or of the loss without that split; its band reaches from the lowest to the
 * highest seed.
 */
export function drawnCharts(comparison: ExperimentComparison): ReadonlyMap<string, string> {
  return new Map([
    ['curves.svg', drawChart(learningCurves(comparison))],
    ['parameters.svg', drawChart(scoreAgainst(comparison, 'parameters', 'parameters'))],
    ['flop.svg', drawChart(scoreAgainst(comparison, 'FLOP of a sample', 'flops'))],
  ]);
}

function learningCurves({ models, seeds }: ExperimentComparison): Chart {
  const isValidated = models.every(({ runs }) => runs.every(({ lines }) => lines.some(({ scores }) => scores)));
  const curve = isValidated ? scoresOf : lossesOf;
  const what = isValidated ? `${metric} on val, in percent` : 'loss, as means of fiftieths of the training';
  return {
    title: 'Learning curves',
    x: 'step',
    y: seeds.length > 1 ? `${what}: mean over ${seeds.length} seeds, lowest and highest` : what,
    shownX: (value) => Math.round(value).toLocaleString('en'),
    series: models.map(({ label, runs }) => ({ label, ...overRuns(runs.map(({ lines }) => curve(lines))) })),
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
function overRuns(curves: readonly (readonly Point[])[]): Pick<Series, 'line' | 'band'> {
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
  x: string,
  of: 'parameters' | 'flops',
): Chart {
  const costs = models.map((model) => model[of]).filter((cost) => cost > 0);
  const most = costs.reduce((a, b) => Math.max(a, b), 0);
  const least = costs.reduce((a, b) => Math.min(a, b), most);
  const y = `${metric} on ${evaluation.split}, in percent`;
  return {
    title: `${metric} against ${x}`,
    x,
    y: seeds.length > 1 ? `${y}: mean over ${seeds.length} seeds ± standard deviation` : y,
    logarithmic: least > 0 && costs.length === models.length && most / least > 5,
    shownX: brief,
    series: models.flatMap((model) =>
      // Under some protocols, a mean is no number.
      Number.isNaN(model.values[metric].mean) ? [] : [{ label: model.label, mark: markOf(model, model[of]) }],
    ),
  };
}

function markOf({ values }: ComparedModel, x: number): NonNullable<Series['mark']> {
  const { mean, deviation } = values[metric];
  return {
    at: [x, 100 * mean],
    // No score is below 0 or above 100 %.
    spread:
      deviation === undefined ? undefined : [100 * Math.max(0, mean - deviation), 100 * Math.min(1, mean + deviation)],
  };
}

/** Formats a count with three digits and a decimal prefix: `1.66 M`. */
function brief(value: number): string {
  const units = ['', ' k', ' M', ' G', ' T', ' P'];
  const at = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  return `${Number((value / 1000 ** at).toPrecision(3))}${units[at]}`;
}
