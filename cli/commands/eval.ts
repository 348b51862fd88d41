import { metrics } from '../../runtime/evaluation/bootstrap.ts';
import { comparisonSize } from '../../runtime/evaluation/evaluate.ts';
import type { ComparisonSize, ProtocolName } from '../../runtime/evaluation/protocols.ts';
import { type Report, shownPrecision } from '../../runtime/evaluation/report.ts';
import { runEvaluation } from '../../runtime/evaluation/run-evaluation.ts';
import {
  type ClassMeans,
  noTargetMetrics,
  noTargetNames,
  type Scores,
  thresholds,
} from '../../runtime/evaluation/scores.ts';
import type { Device } from '../../runtime/ort/session.ts';
import { writeLine } from '../../runtime/process/status-line.ts';
import { terminalWidth } from '../../runtime/process/terminal.ts';
import { givenModel } from '../given-model.ts';
import type { Io } from '../io.ts';
import { latexTable } from '../latex.ts';
import { plural } from '../messages.ts';
import { printJson, printLine, printText } from '../print.ts';
import { type SampleOptions, sampleChoices } from '../sample-options.ts';
import { table } from '../table.ts';
import { percent } from '../units.ts';

export interface EvalOptions extends SampleOptions {
  readonly model?: string;
  readonly weights?: string;
  readonly via?: string;
  readonly data: string;
  readonly split: string;
  readonly protocol: ProtocolName;
  readonly at?: ComparisonSize;
  readonly set?: readonly string[];
  readonly device: Device | 'auto';
  readonly dtype: 'f32' | 'f16' | 'bf16';
  /** False with --no-tf32. */
  readonly tf32: boolean;
  readonly threads?: number;
  readonly decodeThreads?: number;
  readonly batch: number;
  readonly limit?: number;
  readonly pictures: number;
  readonly seed: number;
  readonly out: string;
  readonly json?: boolean;
  readonly latex?: boolean;
}

export async function evaluation(io: Io, file: string, options: EvalOptions): Promise<number> {
  comparisonSize(options);
  const given = await givenModel(io, file, options, { recipeDims: ['H', 'W', 'T'] });
  if (!given) return 1;
  const { compiled, weightsFile } = given;
  const { name } = compiled.graph;
  const note = (text: string) => writeLine(`note: ${text}`, io.stderr);
  const { report, files } = await runEvaluation(compiled, {
    data: options.data,
    split: options.split,
    protocol: options.protocol,
    at: options.at,
    weightsFile,
    ...sampleChoices(options),
    device: options.device,
    dtype: options.dtype,
    tf32: options.tf32,
    threads: options.threads,
    decodeThreads: options.decodeThreads,
    batch: options.batch,
    limit: options.limit,
    pictures: options.pictures,
    seed: options.seed,
    out: options.out,
    file,
    settings: options.set ?? [],
    note,
  });
  if (report.skipped > 0) note(`${plural(report.skipped, 'sample')} could not be read and are not counted`);
  if (Number.isNaN(report.mIoU))
    note('samples with an empty union have no IoU under this protocol, and so the mean is no number');
  if (options.json) {
    const { each: _, ...scores } = report;
    printJson(io, { ...scores, files });
    return 0;
  }
  const title = `${name} on ${options.split} of ${options.data}, ${report.device}${shownPrecision(report)}, protocol ${options.protocol}${options.phrases ? '' : ', phrases taken away'}`;
  const { heads, rows } = scoreTable(report);
  if (options.latex) {
    printText(io, `${latexTable(heads, rows, [title, 'in percent'])}\n`);
    return 0;
  }
  printText(io, `${title}\n\n`);
  const align = heads.map((_, i) => (i === 0 ? 'left' : 'right'));
  printText(io, `${table(heads, rows, align, terminalWidth(io.stdout))}\n\n`);
  const images = new Set(report.each.map(({ image }) => image)).size;
  if (images > 1) printText(io, `${boundsLine(report, options.seed)}\n\n`);
  for (const [kind, path] of Object.entries(files)) printLine(io, `  ${kind.padEnd(6)} ${path}`);
  return 0;
}

/** The table of scores in percent: all samples, each category and their mean, each value of an attribute. */
function scoreTable(report: Report): { readonly heads: string[]; readonly rows: string[][] } {
  const { noTarget, classMeans } = report;
  const rejected = noTarget ? noTargetMetrics : [];
  const cells = ({ samples, oIoU, mIoU, precision, noTarget }: Scores): string[] => [
    samples.toLocaleString('en'),
    ...[oIoU, mIoU, ...thresholds.map((t) => precision[t])].map(percent),
    ...rejected.map((metric) => percent(noTarget?.[metric] ?? Number.NaN)),
  ];
  const groups = (of: Readonly<Record<string, Scores>>) =>
    Object.entries(of).map(([name, scores]) => [`  ${name}`, ...cells(scores)]);
  const means = ({ oIoU, mIoU, precision }: ClassMeans): string[] => [
    '  class mean',
    '',
    ...[oIoU, mIoU, ...thresholds.map((t) => precision[t])].map(percent),
    ...rejected.map(() => ''),
  ];
  return {
    heads: [
      ...['', 'samples', 'oIoU', 'mIoU', ...thresholds.map((t) => `Pr@${t}`)],
      ...rejected.map((metric) => noTargetNames[metric]),
    ],
    rows: [
      ['all', ...cells(report)],
      ...groups(report.byCategory),
      ...(classMeans ? [means(classMeans)] : []),
      ...Object.entries(report.byAttribute).flatMap(([attribute, of]) => [[attribute], ...groups(of)]),
    ],
  };
}

function boundsLine({ bounds }: Report, seed: number): string {
  const shown = metrics.map((metric) => `${metric} ${percent(bounds[metric].low)} to ${percent(bounds[metric].high)}`);
  return `95 % bounds of all (bootstrap over images, seed ${seed}): ${shown.join(', ')}`;
}
