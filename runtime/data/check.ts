import { availableParallelism } from 'node:os';
import { UserError } from '../files/user-error.ts';
import type { ColourChoice, PictureNote } from '../images/colours.ts';
import { readPicture } from '../images/image.ts';
import { startProgress } from '../process/progress.ts';
import { orientationFault, pairSizeFault, type TurnedSize } from './decode.ts';
import { inParallel } from './in-parallel.ts';
import { type Layout, refuseUnknownSplit } from './layout.ts';
import { type MaskSource, maskName, readMask } from './mask-source.ts';
import { openLayout } from './open-layout.ts';
import type { Problem } from './problems.ts';
import { countsNote, type PublishedDataSet, publishedAs } from './published.ts';
import type { Sample } from './sample.ts';
import { type OnSizeMismatch, sizeMismatchHint } from './size-mismatch.ts';

/** A message about a data set: an error or a note. */
export interface Finding extends Problem {
  readonly severity: 'error' | 'note';
}

export interface CheckedSplit {
  readonly split: string;
  /** Number of lines that give a sample, whether or not its images can be decoded. */
  readonly samples: number;
  /** Ordered by file and line. */
  readonly findings: readonly Finding[];
}

export interface CheckedDataset {
  readonly splits: readonly CheckedSplit[];
  /** What Table I of the CroBIM paper has of a data set; undefined if only one split was checked. */
  readonly summary: DatasetSummary | undefined;
}

export interface DatasetSummary {
  readonly triplets: number;
  /** Sizes of the images such as `800 × 800`, the most frequent first. */
  readonly imageSizes: readonly string[];
  /** Names of the attributes in the data, with `category` if there are categories. */
  readonly attributes: readonly string[];
  readonly published: PublishedDataSet | undefined;
  /** How the numbers of samples differ from the published ones. */
  readonly note: string | undefined;
}

export interface CheckOptions {
  readonly split?: string | undefined;
  readonly onSizeMismatch?: OnSizeMismatch | undefined;
  /** How bands become colours. */
  readonly colours?: ColourChoice;
}

/**
 * Checks every line and every pixel of a split; of all splits if undefined. Throws
 * a UserError if `dir` is not a data set.
 */
export async function checkDataset(dir: string, options: CheckOptions = {}): Promise<CheckedDataset> {
  const layout = await openLayout(dir);
  if (options.split !== undefined) refuseUnknownSplit(layout, options.split);
  const splits: CheckedSplit[] = [];
  // Splits may share images, as in RISBench; each image is decoded once.
  const pictures: Pictures = { images: new Map(), masks: new Map(), colours: options.colours ?? {}, noted: new Set() };
  const attributes = new Set<string>();
  let tiff = false;
  for (const split of options.split === undefined ? layout.splits : [options.split]) {
    const { samples, ...checked } = await checkSplit(layout, split, pictures, options.onSizeMismatch);
    splits.push({ ...checked, samples: samples.length });
    for (const { mask, category, attributes: of } of samples) {
      if (category !== undefined) attributes.add('category');
      for (const name of Object.keys(of ?? {})) attributes.add(name);
      tiff ||= mask.kind === 'file' && /\.tiff?$/i.test(mask.path);
    }
  }
  if (options.split !== undefined) return { splits, summary: undefined };
  const counts = Object.fromEntries(splits.map(({ split, samples }) => [split, samples]));
  const published = publishedAs(layout.kind, counts, tiff);
  const summary: DatasetSummary = {
    triplets: splits.reduce((sum, { samples }) => sum + samples, 0),
    imageSizes: await frequentSizes(pictures.images.values()),
    attributes: [...attributes],
    published,
    note: published && countsNote(published, counts),
  };
  return { splits, summary };
}

async function frequentSizes(images: Iterable<Promise<TurnedSize | string>>): Promise<string[]> {
  const counts = new Map<string, number>();
  for (const image of await Promise.all(images)) {
    if (typeof image === 'string') continue;
    const size = `${image.width} × ${image.height}`;
    counts.set(size, (counts.get(size) ?? 0) + 1);
  }
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([size]) => size);
}

interface MaskPicture extends TurnedSize {
  readonly empty: boolean;
}

interface ImagePicture extends TurnedSize {
  readonly notes: readonly PictureNote[];
}

/** Images and masks by path: the results of decoding them, or what is wrong with them. */
interface Pictures {
  readonly images: Map<string, Promise<ImagePicture | string>>;
  readonly masks: Map<string, Promise<MaskPicture | string | undefined>>;
  readonly colours: ColourChoice;
  /** Kinds of notes on images, each of which is given once. */
  readonly noted: Set<PictureNote['kind']>;
}

async function checkSplit(
  layout: Layout,
  split: string,
  { images, masks, colours, noted }: Pictures,
  onSizeMismatch: OnSizeMismatch | undefined,
): Promise<{ readonly split: string; readonly samples: readonly Sample[]; readonly findings: readonly Finding[] }> {
  const findings: Finding[] = [];
  const error = (problem: Problem) => void findings.push({ ...problem, severity: 'error' });
  const { samples } = await layout.read(split, error);
  for (const [sample, first] of repeated(samples)) {
    findings.push({ file: sample.file, line: sample.line, severity: 'note', text: `the same as line ${first}` });
  }
  const tolerated = onSizeMismatch === 'resize' || onSizeMismatch === 'skip';
  const different: Sample[] = [];
  const progress = startProgress(`checking ${split}`, samples.length);
  let done = 0;
  try {
    await inParallel(samples, availableParallelism() + 1, async (sample) => {
      const { image, mask, file, line } = sample;
      const [of, masked] = await Promise.all([
        once(images, image, () => picture(image, colours)),
        mask.kind === 'file' ? once(masks, mask.path, () => maskPicture(mask)) : maskPicture(mask),
      ]);
      const wrong = (text: string) => error({ file, line, text });
      if (typeof of === 'string') wrong(of);
      else {
        for (const { kind, text } of of.notes.filter((note) => !noted.has(note.kind))) {
          noted.add(kind);
          findings.push({
            file,
            line,
            severity: 'note',
            text: `${image}: ${text} (said for the first such image alone)`,
          });
        }
      }
      if (typeof masked === 'string') wrong(masked);
      if (typeof masked === 'object') {
        if (typeof of === 'object') {
          const turned = orientationFault(mask, masked, of);
          const sized = pairSizeFault(mask, masked, of);
          if (turned !== undefined) wrong(turned);
          else if (sized !== undefined && tolerated) different.push(sample);
          else if (sized !== undefined) error({ file, line, text: sized, hint: sizeMismatchHint });
        }
        if (masked.empty) findings.push({ file, line, severity: 'note', text: emptyNote(mask) });
      }
      progress.update(++done);
    });
  } finally {
    progress.finish();
  }
  const [first] = different.sort((a, b) => a.line - b.line);
  if (first) {
    const action = onSizeMismatch === 'skip' ? 'left out' : 'resized by themselves';
    const text = `masks of another size than their images are ${action}: ${different.length}, of which this is the first`;
    findings.push({ file: first.file, line: first.line, severity: 'note', text });
  }
  const lossy = samples.find(({ mask }) => mask.kind === 'file' && /\.jpe?g$/i.test(mask.path));
  if (lossy) {
    const text =
      'a mask is a JPEG file, whose compression changes values near edges: pixels beside an object may be on';
    findings.push({ file: lossy.file, line: lossy.line, severity: 'note', text });
  }
  if (samples.length === 0 && findings.length === 0)
    error({ file: layout.file(split), line: 1, text: 'there is no phrase' });
  findings.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? 1 : -1));
  return { split, samples, findings };
}

function emptyNote(mask: MaskSource): string {
  return `${maskName(mask)} is empty: no value is above ${mask.kind === 'file' ? mask.above : 0}`;
}

function once<T>(held: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = held.get(key) ?? make();
  held.set(key, known);
  return known;
}

/** Yields samples with the same phrase and image as an earlier one, with the line of the earlier one. */
function* repeated(samples: readonly Sample[]): Generator<readonly [Sample, number]> {
  const lines = new Map<string, number>();
  for (const sample of samples) {
    const key = `${sample.image}\0${sample.phrase}`;
    const first = lines.get(key);
    if (first === undefined) lines.set(key, sample.line);
    else yield [sample, first];
  }
}

async function picture(path: string, colours: ColourChoice): Promise<ImagePicture | string> {
  return orMessage(async () => {
    const { image, orientation, notes } = await readPicture(path, colours);
    return { width: image.width, height: image.height, orientation, notes };
  });
}

/** Undefined for a phrase without a target. */
async function maskPicture(source: MaskSource): Promise<MaskPicture | string | undefined> {
  return orMessage(async () => {
    const read = await readMask(source);
    if (read === undefined) return undefined;
    const { width, height, data } = read.mask;
    return { width, height, orientation: read.orientation, empty: !data.includes(1) };
  });
}

async function orMessage<T>(read: () => Promise<T>): Promise<T | string> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
