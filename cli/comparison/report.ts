import { metrics } from '../../runtime/evaluation/bootstrap.ts';
import type { OverSeeds } from '../../runtime/evaluation/compare-seeds.ts';
import { csv } from '../../runtime/evaluation/report.ts';
import type { ComparedModel, ExperimentComparison } from '../../runtime/experiment/comparison.ts';
import { latexTable } from '../latex.ts';
import { plural } from '../messages.ts';
import { differenceRows, isClear, letter, signed } from '../score-differences.ts';
import { table } from '../table.ts';
import { percent, shortCount } from '../units.ts';

const heads = ['parameters', 'FLOP', ...metrics];

function titleOf({ models, seeds, samples, evaluation }: ExperimentComparison): string {
  const { split, protocol, at } = evaluation;
  const of = seeds.length > 1 ? ': mean ± standard deviation over seeds' : '';
  return `${plural(models.length, 'model')}, ${seeds.length > 1 ? `seeds ${seeds.join(', ')}` : `seed ${seeds[0]}`}, ${plural(samples, 'sample')} of ${split}, protocol ${protocol}${at === 'original' ? ', compared at the size of the image' : ''}, in percent${of}`;
}

function legendOf({ seeds }: ExperimentComparison): string {
  const over = seeds.length > 1 ? 'images and seeds' : 'images';
  return `below each difference its 95 % bounds (paired bootstrap over ${over}); * where they leave out 0`;
}

function score({ mean, deviation }: OverSeeds): string {
  return deviation === undefined ? percent(mean) : `${percent(mean)} ± ${percent(deviation)}`;
}

function cells({ parameters, flops, values }: ComparedModel): string[] {
  return [parameters.toLocaleString('en'), shortCount(flops), ...metrics.map((metric) => score(values[metric]))];
}

/** The comparison for a terminal of so many columns: the scores, and below them the differences from the baseline. */
export function comparisonText(comparison: ExperimentComparison, columns: number | undefined): string {
  const { models, baseline } = comparison;
  const rows = models.map((model, i) => [`${letter(i)}  ${model.label}`, ...cells(model)]);
  const differing = models.flatMap(({ differences }, i) => differenceRows(differences, i, baseline));
  const right = (names: readonly string[]) => ['left' as const, ...names.map(() => 'right' as const)];
  const parts = [titleOf(comparison), table(['', ...heads], rows, right(heads), columns)];
  if (differing.length > 0) {
    const against = [`against ${letter(baseline)}`, ...metrics];
    parts.push(table(against, differing, right(metrics), columns), legendOf(comparison));
  }
  return `${parts.join('\n\n')}\n`;
}

/** The comparison in LaTeX; differences are rows behind the scores. */
export function comparisonLatex(comparison: ExperimentComparison): string {
  const { models, baseline } = comparison;
  const differing = models.flatMap(({ differences }, i) =>
    differenceRows(differences, i, baseline).map(([head = '', ...more]) => [head, '', '', ...more]),
  );
  const rows = models.map((model, i) => [`${letter(i)}  ${model.label}`, ...cells(model)]);
  const comments = [titleOf(comparison), ...(differing.length > 0 ? [legendOf(comparison)] : [])];
  return `${latexTable(['', ...heads], [...rows, ...differing], comments)}\n`;
}

/** The comparison in Markdown: two tables. */
export function comparisonMarkdown(comparison: ExperimentComparison): string {
  const { models, baseline } = comparison;
  const line = (row: readonly string[]) => `| ${row.map(markdownCell).join(' | ')} |`;
  const rows = (names: readonly string[], all: readonly (readonly string[])[]) => [
    line(['model', ...names]),
    line(['---', ...names.map(() => '---:')]),
    ...all.map(line),
  ];
  const differing = models.flatMap(({ label, differences }) =>
    differences === undefined
      ? []
      : [
          [
            label,
            ...metrics.map((metric) => {
              const found = differences[metric];
              return `${signed(found.difference)}${isClear(found) ? '*' : ''} (${signed(found.low)} to ${signed(found.high)})`;
            }),
          ],
        ],
  );
  const scores = rows(
    heads,
    models.map((model) => [model.label, ...cells(model)]),
  );
  const reference = models[baseline]?.label ?? '';
  const differences =
    differing.length === 0
      ? []
      : [
          '',
          `Differences from ${markdownCell(reference)}, with 95 % bounds (paired bootstrap over images${comparison.seeds.length > 1 ? ' and seeds' : ''}); \\* where they leave out 0`,
          '',
          ...rows(metrics, differing),
        ];
  return [titleOf(comparison), '', ...scores, ...differences, ''].join('\n');
}

function markdownCell(text: string): string {
  return text === '---' || text === '---:' ? text : text.replace(/[\\|*_`<[\]]/g, '\\$&');
}

/** The comparison as CSV: a row for each model and metric. Scores are fractions of 1; what is not known is empty. */
export function comparisonCsv({ models, baseline }: ExperimentComparison): string {
  const number = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? '' : value);
  const rows = models.flatMap(({ label, file, model, recipe, parameters, flops, steps, values, differences, runs }) =>
    metrics.map((metric) => {
      const { mean, deviation } = values[metric];
      const found = differences?.[metric];
      return [
        ...[label, file, model, recipe, parameters, flops, steps, runs.length, metric],
        ...[number(mean), number(deviation), models[baseline]?.label ?? ''],
        ...[number(found?.difference), number(found?.low), number(found?.high), number(found?.p)],
      ];
    }),
  );
  const names = [
    ...['label', 'file', 'model', 'recipe', 'parameters', 'flop', 'steps', 'seeds', 'metric'],
    ...['mean', 'standard_deviation', 'baseline', 'difference', 'low', 'high', 'p'],
  ];
  return csv([names, ...rows]);
}

/** The comparison as plain data for JSON. */
export function comparisonJson({ models, baseline, seeds, samples, evaluation }: ExperimentComparison): unknown {
  const { split, protocol, at, limit } = evaluation;
  return {
    ...{ split, protocol, at, limit, samples, seeds, baseline: models[baseline]?.label },
    models: models.map(({ label, file, model, recipe, parameters, flops, steps, values, differences, runs }) => ({
      ...{ label, file, model, recipe, parameters, flops, steps },
      values: Object.fromEntries(
        metrics.map((metric) => {
          const { mean, deviation, values: each } = values[metric];
          return [metric, { mean, deviation: deviation ?? null, values: each }];
        }),
      ),
      differences: differences ?? null,
      runs: runs.map(({ seed, folder, report, weights, step, seconds: [training, evaluation] }) => ({
        ...{ seed, folder, report, weights, step },
        seconds: { training, evaluation },
      })),
    })),
  };
}
