import { basename, join } from 'node:path';
import { visible } from '../../compiler/diagnostics/visible.ts';
import { checkDataset, type DatasetSummary, type Finding } from '../../runtime/data/check.ts';
import { statisticsFigure } from '../../runtime/data/figures/statistics-figure.ts';
import { wordCloud } from '../../runtime/data/figures/word-cloud.ts';
import { refuseUnknownSplit } from '../../runtime/data/layout.ts';
import { openLayout } from '../../runtime/data/open-layout.ts';
import { Problems } from '../../runtime/data/problems.ts';
import { sizeMismatchHint } from '../../runtime/data/size-mismatch.ts';
import {
  type Counts,
  type MeasuredSplit,
  measureSplit,
  type SplitStatistics,
  statisticsOf,
} from '../../runtime/data/statistics.ts';
import { trainVocabulary } from '../../runtime/data/vocabulary.ts';
import { loadFonts } from '../../runtime/drawing/fonts.ts';
import { checkPictureName, writePicture } from '../../runtime/drawing/write-picture.ts';
import { writeFileAtomic } from '../../runtime/files/atomic-file.ts';
import { UserError } from '../../runtime/files/user-error.ts';
import { colourChoice } from '../../runtime/images/colours.ts';
import { writeLine } from '../../runtime/process/status-line.ts';
import { terminalWidth } from '../../runtime/process/terminal.ts';
import type { Io } from '../io.ts';
import { plural } from '../messages.ts';
import { printJson, printLine, printText } from '../print.ts';
import type { ColourOptions, SampleOptions } from '../sample-options.ts';
import { labelled, table } from '../table.ts';

/** `crobc data check`: checks every line and every pixel; returns 1 if there are errors. */
export async function checkData(
  io: Io,
  dir: string,
  options: ColourOptions & Pick<SampleOptions, 'onSizeMismatch'> & { readonly split?: string },
): Promise<number> {
  let errors = 0;
  const { splits, summary } = await checkDataset(dir, { ...options, colours: colourChoice(options) });
  for (const { split, samples, findings } of splits) {
    for (const { file, line, severity, text } of firstOfEach(findings))
      printLine(io, `${file}:${line}: ${severity === 'note' ? 'note: ' : ''}${text}`);
    const more = findings.length - firstOfEach(findings).length;
    if (more > 0) printLine(io, `and ${more.toLocaleString('en')} more like these`);
    const wrong = findings.filter(({ severity }) => severity === 'error').length;
    const notes = findings.length - wrong;
    const counted = [plural(samples, 'sample'), plural(wrong, 'error'), ...(notes > 0 ? [plural(notes, 'note')] : [])];
    printLine(io, `${split}: ${counted.join(', ')}`);
    errors += wrong;
  }
  if (splits.some(({ findings }) => findings.some(({ hint }) => hint !== undefined)))
    printLine(io, `masks of another size than their images: ${sizeMismatchHint}`);
  if (summary) {
    if (summary.note !== undefined) printLine(io, `note: ${summary.note}`);
    printText(io, `\n${summaryTable(io, dir, summary)}\n`);
  }
  return errors > 0 ? 1 : 0;
}

/** The row that Table I of the CroBIM paper would have of the data set, and below it the published one. */
function summaryTable(io: Io, dir: string, { triplets, imageSizes, attributes, published }: DatasetSummary): string {
  const [size = '-', ...others] = imageSizes;
  const sizes = others.length === 0 ? size : `${size} and ${plural(others.length, 'other')}`;
  const rows = [
    [basename(dir), triplets.toLocaleString('en'), sizes, '-', attributes.length > 0 ? String(attributes.length) : '-'],
  ];
  if (published) {
    const { name, splits, imageSize, resolution } = published;
    const total = Object.values(splits).reduce((sum, count) => sum + count, 0);
    rows.push([`${name}, published`, total.toLocaleString('en'), imageSize, resolution, String(published.attributes)]);
  }
  const heads = ['data set', 'triplets', 'image size', 'resolution', 'attributes'];
  return table(heads, rows, ['left', 'right', 'left', 'left', 'right'], terminalWidth(io.stdout));
}

/** The findings to print: all if there are at most a hundred, else the first ten errors and ten notes. */
function firstOfEach(findings: readonly Finding[]): readonly Finding[] {
  if (findings.length <= 100) return findings;
  const left = { error: 10, note: 10 };
  return findings.filter(({ severity }) => left[severity]-- > 0);
}

export interface VocabularyOptions {
  readonly out?: string;
  readonly size: number;
  readonly split: string;
}

/** `crobc data vocab`: writes a WordPiece vocabulary of a split's phrases. */
export async function vocabulary(io: Io, dir: string, options: VocabularyOptions): Promise<number> {
  const layout = await openLayout(dir);
  refuseUnknownSplit(layout, options.split);
  const problems = new Problems('skip', (problem) => writeLine(problem, io.stderr));
  const file = layout.file(options.split);
  const phrases: string[] = [];
  for await (const phrase of layout.phrases(options.split, (problem) => problems.add(problem))) phrases.push(phrase);
  problems.finish();
  if (phrases.length === 0) throw new UserError(`${file} has no phrase`);
  const pieces = trainVocabulary(phrases, options.size);
  const out = options.out ?? join(dir, 'vocab.txt');
  await writeFileAtomic(out, `${pieces.join('\n')}\n`);
  printLine(
    io,
    `${out}: ${plural(pieces.length, 'word piece')} of ${plural(phrases.length, 'phrase')} of ${options.split}`,
  );
  return 0;
}

/** `crobc data stats`: prints words, categories, attributes, sizes and mask areas of one split or of every split. */
export async function statistics(
  io: Io,
  dir: string,
  options: { readonly split?: string; readonly figure?: string; readonly cloud?: string; readonly json?: boolean },
): Promise<number> {
  const { figure, cloud } = options;
  for (const [option, file] of Object.entries({ figure, cloud }))
    if (file !== undefined) checkPictureName(`--${option}`, file);
  const layout = await openLayout(dir);
  if (options.split !== undefined) refuseUnknownSplit(layout, options.split);
  const problems = { shown: 0 };
  const measured: MeasuredSplit[] = [];
  for (const split of options.split === undefined ? layout.splits : [options.split]) {
    measured.push(
      await measureSplit(layout, split, (problem) => {
        if (problems.shown++ < 10) writeLine(problem, io.stderr);
      }),
    );
  }
  if (problems.shown > 10) writeLine(`and ${problems.shown - 10} more problems like these`, io.stderr);
  const all = measured.map((one) => statisticsOf(one.split, [one]));
  const together = statisticsOf('all splits', measured);
  if (figure !== undefined) await writePicture(figure, statisticsFigure(together, await loadFonts()));
  if (cloud !== undefined) await writePicture(cloud, wordCloud(together.words, await loadFonts()));
  if (options.json) printJson(io, { dir, splits: all });
  else printText(io, `${all.map((one) => shown(io, one)).join('\n\n')}\n`);
  return 0;
}

/** Maximum number of names of one kind that are printed; the JSON has all. */
const SHOWN = 20;

function shown(io: Io, of: SplitStatistics): string {
  const columns = terminalWidth(io.stdout);
  const count = (n: number) => n.toLocaleString('en');
  const percent = (share: number) => `${Number((100 * share).toPrecision(3))} %`;
  const { wordsPerPhrase: length, maskArea: area } = of;
  const head = `${of.split}: ${plural(of.phrases, 'phrase')} (${count(of.distinctPhrases)} distinct), ${plural(of.images, 'image')}`;
  const words = `${count(of.distinctWords)} distinct; ${length.least} to ${length.most} a phrase, ${length.mean.toFixed(1)} on average`;
  const rows: [string, string][] = [
    ['words', words],
    ['mask areas', `${percent(area.least)} to ${percent(area.most)} of the image, median ${percent(area.median)}`],
    ['sizes', listed(of.sizes, 5)],
  ];
  if (of.withoutTarget > 0) rows.push(['no target', plural(of.withoutTarget, 'phrase')]);
  if (of.emptyMasks > 0) rows.push(['empty', plural(of.emptyMasks, 'mask')]);
  if (of.unreadable > 0) rows.push(['left out', plural(of.unreadable, 'line')]);
  if (of.categories.length > 0) rows.push(['categories', listed(of.categories, SHOWN)]);
  for (const [name, counts] of Object.entries(of.attributes)) rows.push([visible(name), listed(counts, SHOWN)]);
  rows.push(['frequent', listed(of.words, SHOWN)]);
  const bins = of.maskAreas.map(([upTo, n], i) => [
    `${percent(of.maskAreas[i - 1]?.[0] ?? 0)} to ${percent(upTo)}`,
    count(n),
  ]);
  const lengths = of.phraseLengths.map(([words, phrases]) => [String(words), count(phrases)]);
  const areas = of.areasByCategory.map(([name, { least, median, most }]) => [
    visible(name),
    ...[least, median, most].map(percent),
  ]);
  return [
    `${head}\n${labelled(rows, columns)}`,
    table(['words', 'phrases'], lengths, ['right', 'right'], columns),
    table(['mask area', 'masks'], bins, ['left', 'right'], columns),
    ...(areas.length > 0
      ? [table(['category', 'least area', 'median', 'most'], areas, ['left', 'right', 'right', 'right'], columns)]
      : []),
  ].join('\n\n');
}

function listed(counts: Counts, most: number): string {
  const rest = counts.length - most;
  const named = counts.slice(0, most).map(([name, n]) => `${visible(name)} ${n.toLocaleString('en')}`);
  return `${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
