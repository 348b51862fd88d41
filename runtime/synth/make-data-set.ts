import { join } from 'node:path';
import { statisticsFigure } from '../data/figures/statistics-figure.ts';
import { wordCloud } from '../data/figures/word-cloud.ts';
import { openLayout } from '../data/open-layout.ts';
import { type MeasuredSplit, measureSplit, statisticsOf } from '../data/statistics.ts';
import { trainVocabulary } from '../data/vocabulary.ts';
import { loadFonts } from '../drawing/fonts.ts';
import { writePicture } from '../drawing/write-picture.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { UsageError } from '../files/usage-error.ts';
import { UserError } from '../files/user-error.ts';
import { startProgress } from '../process/progress.ts';
import { writeContactSheet } from './contact-sheet.ts';
import type { SceneForm } from './scene.ts';
import { type Plan, splits, type Written, writeDataSet } from './write-data-set.ts';

export type Difficulty = 'easy' | 'standard';

/**
 * Image size from which the default difficulty is `standard`; below it is `easy`, since
 * models see few details in small images.
 */
const STANDARD_FROM = 256;

/** Returns the form of scenes for an image size. Throws a UsageError if it is not supported. */
export function formFor(
  size: number,
  difficulty: Difficulty = size < STANDARD_FROM ? 'easy' : 'standard',
  objects?: string,
): SceneForm {
  if (!(Number.isInteger(size) && size >= 64 && size <= 1024)) {
    throw new UsageError(`--size ${size}: scenes have 64 to 1024 pixels along each side`);
  }
  const easy = difficulty === 'easy';
  const range =
    objects === undefined ? (easy ? ([3, 4] as const) : ([5, 8] as const)) : parseRange(objects, easy ? 5 : 12);
  return { size, objects: range, scale: easy ? 1.25 : 0.6, least: easy ? 0.009 : 0.0012, fine: !easy, rich: !easy };
}

function parseRange(text: string, most: number): readonly [number, number] {
  const [low, high, more] = text.split(',').map(Number);
  if (
    more !== undefined ||
    !Number.isInteger(low) ||
    !Number.isInteger(high) ||
    low! < 1 ||
    high! < low! ||
    high! > most
  ) {
    throw new UsageError(`--objects ${text}: give the fewest and the most, such as 3,4; there is room for ${most}`);
  }
  return [low!, high!];
}

export interface MadeDataSet {
  readonly dir: string;
  readonly size: number;
  readonly phrases: Readonly<Record<string, number>>;
}

/** Draws a data set into a folder and shows progress on standard error. Throws a UserError. */
export async function makeDataSet(dir: string, plan: Plan): Promise<MadeDataSet> {
  if (plan.phrases < 1 || plan.phrases > plan.form.objects[0]) {
    throw new UsageError(
      `--phrases ${plan.phrases}: each phrase of a scene is for another object, and a scene may have only ${plan.form.objects[0]}`,
    );
  }
  const total = splits.reduce((sum, split) => sum + plan.scenes[split], 0);
  const progress = startProgress('drawing scenes', total);
  let written: readonly Written[];
  try {
    written = await writeDataSet(dir, plan, progress);
  } finally {
    progress.finish();
  }
  await describe(dir, plan, written);
  const counts = splits.map((split) => [split, written.filter((one) => one.split === split).length] as const);
  return { dir, size: plan.form.size, phrases: Object.fromEntries(counts) };
}

/** Maximum number of word pieces in vocab.txt; the words and letters of all phrases are fewer. */
const VOCABULARY = 2560;

/** Writes statistics (computed by reading the files back), pictures and a vocabulary, after all samples are written. */
async function describe(dir: string, plan: Plan, written: readonly Written[]): Promise<void> {
  const measured: MeasuredSplit[] = [];
  const layout = await openLayout(dir);
  for (const split of splits) {
    if (plan.scenes[split] === 0) continue;
    measured.push(
      await measureSplit(layout, split, (problem) => {
        throw new UserError(problem);
      }),
    );
  }
  const statistics = measured.map((one) => statisticsOf(one.split, [one]));
  await writeFileAtomic(join(dir, 'statistics.json'), `${JSON.stringify({ splits: statistics }, null, 2)}\n`);
  const [together, fonts] = [statisticsOf('all splits', measured), await loadFonts()];
  for (const [name, drawing] of [
    ['statistics', statisticsFigure(together, fonts)],
    ['words', wordCloud(together.words, fonts)],
  ] as const)
    for (const ending of ['svg', 'png']) await writePicture(join(dir, `${name}.${ending}`), drawing);
  await writeContactSheet(dir, plan, written);
  const training = written.filter(({ split }) => split === 'train').map(({ phrase }) => phrase.text);
  if (training.length > 0) {
    await writeFileAtomic(join(dir, 'vocab.txt'), `${trainVocabulary(training, VOCABULARY).join('\n')}\n`);
  }
}
