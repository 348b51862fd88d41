import { join } from 'node:path';
import { visible } from '../../compiler/diagnostics/visible.ts';
import { checkDataset, type Finding } from '../../runtime/data/check.ts';
import { phraseFile, readPhrases } from '../../runtime/data/dataset.ts';
import { openLayout } from '../../runtime/data/folders.ts';
import { Problems } from '../../runtime/data/problems.ts';
import { type Counts, type SplitStatistics, splitStatistics } from '../../runtime/data/statistics.ts';
import { trainVocabulary } from '../../runtime/data/vocabulary.ts';
import { writeFileAtomic } from '../../runtime/files/atomic-file.ts';
import { UserError } from '../../runtime/files/user-error.ts';
import { writeLine } from '../../runtime/process/status-line.ts';
import { terminalWidth } from '../../runtime/process/terminal.ts';
import type { Io } from '../io.ts';
import { plural } from '../messages.ts';
import { printJson, printLine, printText } from '../print.ts';
import { labelled, table } from '../table.ts';

/** `crobc data check`: checks every line and every pixel; returns 1 if there are errors. */
export async function checkData(io: Io, dir: string, options: { readonly split?: string }): Promise<number> {
  let errors = 0;
  for (const { split, samples, findings } of await checkDataset(dir, options.split)) {
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
  return errors > 0 ? 1 : 0;
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
  const { splits } = await openLayout(dir);
  if (!splits.includes(options.split))
    throw new UserError(`${dir} has no split ${JSON.stringify(options.split)}: it has ${splits.join(', ')}`);
  const problems = new Problems('skip', (problem) => writeLine(problem, io.stderr));
  const file = phraseFile(dir, options.split);
  const phrases: string[] = [];
  for await (const { phrase } of readPhrases(file, (problem) => problems.add(problem))) phrases.push(phrase);
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
  options: { readonly split?: string; readonly json?: boolean },
): Promise<number> {
  const { splits } = await openLayout(dir);
  const problems = { shown: 0 };
  const all: SplitStatistics[] = [];
  for (const split of options.split === undefined ? splits : [options.split]) {
    all.push(
      await splitStatistics(dir, split, (problem) => {
        if (problems.shown++ < 10) writeLine(problem, io.stderr);
      }),
    );
  }
  if (problems.shown > 10) writeLine(`and ${problems.shown - 10} more problems like these`, io.stderr);
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
  if (of.emptyMasks > 0) rows.push(['empty', plural(of.emptyMasks, 'mask')]);
  if (of.unreadable > 0) rows.push(['left out', plural(of.unreadable, 'line')]);
  if (of.categories.length > 0) rows.push(['categories', listed(of.categories, SHOWN)]);
  for (const [name, counts] of Object.entries(of.attributes)) rows.push([visible(name), listed(counts, SHOWN)]);
  rows.push(['frequent', listed(of.words, SHOWN)]);
  const bins = of.maskAreas.map(([upTo, n], i) => [
    `${percent(of.maskAreas[i - 1]?.[0] ?? 0)} to ${percent(upTo)}`,
    count(n),
  ]);
  return `${head}\n${labelled(rows, columns)}\n\n${table(['mask area', 'masks'], bins, ['left', 'right'], columns)}`;
}

function listed(counts: Counts, most: number): string {
  const rest = counts.length - most;
  const named = counts.slice(0, most).map(([name, n]) => `${visible(name)} ${n.toLocaleString('en')}`);
  return `${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
