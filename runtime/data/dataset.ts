import { UserError } from '../files/user-error.ts';
import type { ColourChoice, PictureNote } from '../images/colours.ts';
import { checkSizes } from './image-sizes.ts';
import { type Layout, type Phrases, refuseUnknownSplit } from './layout.ts';
import { openLayout } from './open-layout.ts';
import { type OnBad, type Problem, Problems } from './problems.ts';
import type { OnSizeMismatch } from './size-mismatch.ts';

export interface Dataset extends Phrases {
  readonly dir: string;
  readonly split: string;
  /** Indices of samples whose images failed to decode; later epochs skip them without another message. */
  readonly undecodable: Set<number>;
  /** Whether an image and its mask may have different sizes, each of which is then resized by itself. */
  readonly resized: boolean;
  /** How bands become colours. */
  readonly colours: ColourChoice;
  /** Notes on images that were reported: each kind is, for one image of the data set. */
  readonly noted: Set<PictureNote['kind']>;
}

export interface DatasetOptions {
  /** Whether to skip a bad sample (ten are reported, then their number) or to throw. */
  readonly onBad: OnBad;
  /** How a mask of another size than its image is handled; by default, as a bad sample. */
  readonly onSizeMismatch?: OnSizeMismatch | undefined;
  report(problem: string): void;
  /** Folder for cached image sizes if the folder of the data set is not writable. */
  readonly cache?: string;
  /** The layout of `dir`, if it is open already. */
  readonly layout?: Layout;
  readonly colours?: ColourChoice;
  /** Notes that were reported for another split. */
  readonly noted?: Dataset['noted'];
}

/**
 * Opens a split of a data set in any layout that `openLayout` recognises. Checks that every line has a phrase, that
 * every image and mask exists, and that their sizes agree; does not read pixels. Throws a UserError if the folder is not
 * a data set or no usable sample remains.
 */
export async function openDataset(dir: string, split: string, options: DatasetOptions): Promise<Dataset> {
  const { onBad, onSizeMismatch, report, cache } = options;
  const problems = new Problems(onBad, report);
  const add = (problem: Problem) => problems.add(problem);
  const layout = options.layout ?? (await openLayout(dir));
  refuseUnknownSplit(layout, split);
  const { samples: read, ...phrases } = await layout.read(split, add);
  const file = layout.file(split);
  if (phrases.lines === 0) throw new UserError(`${file} is empty: put phrases into it, or remove it`);
  const { samples, mismatched } = await checkSizes(read, { dir, cache, onSizeMismatch }, add);
  problems.finish();
  if (mismatched !== undefined) report(mismatched);
  if (samples.length === 0) throw new UserError(`${file} has no sample that can be used`);
  const { colours = {}, noted = new Set() } = options;
  const resized = onSizeMismatch === 'resize';
  return { dir, split, samples, undecodable: new Set(), resized, colours, noted, ...phrases };
}

/** Reports the notes on an image of which no other image of the data set had one before. */
export function reportNotes(
  { noted }: Pick<Dataset, 'noted'>,
  image: string,
  notes: readonly PictureNote[],
  report: (line: string) => void,
): void {
  for (const { kind, text } of notes) {
    if (noted.has(kind)) continue;
    noted.add(kind);
    report(`${image}: ${text} (said for the first such image alone)`);
  }
}
