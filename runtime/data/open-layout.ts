import { readdir } from 'node:fs/promises';
import { fileError } from '../files/file-error.ts';
import { UserError } from '../files/user-error.ts';
import type { Layout } from './layout.ts';
import { openPhraseFiles } from './phrase-files.ts';
import { isRrsisD, openRrsisD } from './rrsis-d.ts';
import { openSampleLines } from './sample-lines.ts';

const firsts = ['train', 'val', 'test'];

/** Recognises the layout of a data set. Throws a UserError that names what is missing. */
export async function openLayout(dir: string): Promise<Layout> {
  let names: string[];
  try {
    names = await readdir(dir);
  } catch (error) {
    throw fileError('read', dir, error);
  }
  const found = await Promise.all([
    isRrsisD(dir, names).then((is) => (is ? openRrsisD(dir) : undefined)),
    openSampleLines(dir, names),
    openPhraseFiles(dir, names),
  ]);
  const layouts = found.filter((layout) => layout !== undefined);
  const [layout, other] = layouts;
  if (layout === undefined)
    throw new UserError(
      `${dir} is no data set: it has none of output_phrase_train.txt (RISBench, RefSegRS), samples_train.jsonl and rrsisd/refs(unc).p (RRSIS-D)`,
    );
  if (other !== undefined) {
    const files = layouts.map((one) => one.file(one.splits[0] ?? 'train'));
    throw new UserError(`${dir} has the samples of more than one layout: ${files.join(' and ')}; remove or rename one`);
  }
  const rank = (split: string) => (firsts.includes(split) ? firsts.indexOf(split) : firsts.length);
  const splits = layout.splits.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return { ...layout, splits };
}
