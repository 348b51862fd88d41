import { basename } from 'node:path';
import { metrics } from '../../runtime/evaluation/bootstrap.ts';
import { compareReports } from '../../runtime/evaluation/compare.ts';
import { readReport, shownPrecision } from '../../runtime/evaluation/report.ts';
import { terminalWidth } from '../../runtime/process/terminal.ts';
import type { Io } from '../io.ts';
import { latexTable } from '../latex.ts';
import { printJson, printLine, printText } from '../print.ts';
import { differenceRows, letter } from '../score-differences.ts';
import { table } from '../table.ts';
import { percent } from '../units.ts';

export interface CompareOptions {
  readonly seed: number;
  readonly json?: boolean;
  readonly latex?: boolean;
}

/** Prints reports of `crobc eval` side by side, each compared with the first. */
export async function compare(io: Io, paths: readonly string[], options: CompareOptions): Promise<number> {
  const reports = [];
  for (const path of paths) reports.push(await readReport(path));
  const compared = compareReports(reports, paths, options.seed);
  if (options.json) {
    const shown = compared.map(({ report, values, differences }, i) => ({
      report: paths[i],
      model: report.model,
      weights: report.weights,
      phrases: report.phrases,
      dtype: report.dtype,
      tf32: report.tf32,
      samples: report.each.length,
      values,
      differences: differences ?? null,
    }));
    printJson(io, shown);
    return 0;
  }
  const [first] = reports;
  const names = compared.map(
    ({ report }, i) =>
      `${letter(i)}  ${report.model}${shownPrecision(report)}${report.phrases ? '' : ' without phrases'}`,
  );
  const values = compared.map(({ values }, i) => [names[i]!, ...metrics.map((m) => percent(values[m]))]);
  const title = `${first!.each.length.toLocaleString('en')} samples of ${first!.split}, protocol ${first!.protocol}, in percent`;
  const differing = compared.flatMap(({ differences }, i) => differenceRows(differences, i, 0));
  const legend = 'below each difference its 95 % bounds (paired bootstrap over images); * where they leave out 0';
  if (options.latex) {
    const rows = [...values, ...differing];
    printText(io, `${latexTable(['', ...metrics], rows, [title, ...(differing.length > 0 ? [legend] : [])])}\n`);
    return 0;
  }
  const columns = terminalWidth(io.stdout);
  const align = ['left', ...metrics.map(() => 'right' as const)] as const;
  printText(io, `${title}\n\n`);
  printText(io, `${table(['', ...metrics], values, align, columns)}\n\n`);
  if (differing.length > 0) {
    printText(io, `${table([`against A`, ...metrics], differing, align, columns)}\n\n${legend}\n\n`);
  }
  for (const [i, path] of paths.entries()) {
    const { weights, seed } = reports[i]!;
    printLine(io, `${letter(i)}  ${path}  (${weights === null ? `initial weights, seed ${seed}` : basename(weights)})`);
  }
  return 0;
}
