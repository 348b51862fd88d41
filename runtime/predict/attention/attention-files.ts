import type { Program } from '../../../compiler/elaborate/source/program.ts';
import { position } from '../../../grammar/span.ts';
import { sourceName } from '../../files/source-name.ts';
import type { RgbImage } from '../../images/image.ts';
import { overlay, type Segmentation } from '../../images/mask.ts';
import { resizeBilinear } from '../../images/resize.ts';
import type { HostTensor } from '../../ort/session.ts';
import type { DrawnValue } from './drawn-values.ts';
import { fitted, heatPicture } from './heat.ts';
import { range, type Size } from './maps.ts';
import { type ReadValue, type Region, readValue, type Word } from './read-attention.ts';
import { type Block, type Cell, drawCell, drawSheet, type Sheet } from './sheet.ts';

export interface AttentionTask {
  readonly program: Program;
  /** The source file that the user named. */
  readonly file: string;
  readonly model: string;
  readonly values: readonly DrawnValue[];
}

/** One prediction, whose attention is drawn. */
export interface AttentionRun {
  /** What the names of the files begin with. */
  readonly stem: string;
  readonly text: string | null;
  readonly words: readonly Word[];
  readonly picture: RgbImage;
  readonly found: Segmentation;
  /** The size of the model's image. */
  readonly size: Size;
  readonly values: ReadonlyMap<string, HostTensor>;
}

export interface AttentionFiles {
  readonly files: ReadonlyMap<string, Uint8Array | string>;
  /** Names of the sheets and of the record. */
  readonly names: { readonly attention: string; readonly words?: string; readonly record: string };
}

/** The longer side of a picture of a sheet, of one for a word, and of one alone, in pixels. */
const SHEET_SIDE = 200;
const WORD_SIDE = 140;
const MOST_SIDE = 1024;

/**
 * Draws the attention of one prediction: `<stem>.attention.png`, a sheet with the mean over the words of the phrase;
 * `<stem>.attention-words.png`, with each word; `<stem>.attention.<path>.png`, each picture of the first sheet at the
 * size of the image; and `<stem>.attention.json`, which says what each one shows.
 */
export async function attentionFiles(task: AttentionTask, run: AttentionRun): Promise<AttentionFiles> {
  const { stem, words } = run;
  const read = task.values.map((value) => readValue(value, run.values, words, run.size));
  const files = new Map<string, Uint8Array | string>();
  const attention = `${stem}.attention.png`;
  files.set(attention, await drawSheet(phraseSheet(task, run, read)));
  const byWord = read.filter((one) => one.words.length > 0);
  const named = byWord.length === 0 ? undefined : `${stem}.attention-words.png`;
  if (named !== undefined) files.set(named, await drawSheet(wordSheet(task, run, byWord)));
  const ground = fitted(run.picture, MOST_SIDE);
  const pictures: Record<string, unknown>[] = [];
  for (const one of read) {
    const name = `${stem}.attention.${one.value.path}.png`;
    const cell = { picture: heatPicture(ground, one.phrase), regions: regionsOn(ground, one.regions, run.size) };
    files.set(name, await drawCell(cell));
    pictures.push({ file: name, ...recordOf(task, one, words) });
  }
  const record = `${stem}.attention.json`;
  const image = { height: run.size[0], width: run.size[1] };
  const all = { model: task.model, text: run.text, words, image, sheet: attention, wordSheet: named ?? null, pictures };
  files.set(record, `${JSON.stringify(all, null, 2)}\n`);
  return { files, names: { attention, ...(named === undefined ? {} : { words: named }), record } };
}

/** What a picture shows, as data. */
function recordOf({ program, file }: AttentionTask, one: ReadValue, words: readonly Word[]): Record<string, unknown> {
  const { path, type, span, kind } = one.value;
  const source = program.files.get(span.file)?.tree.text;
  const line = source === undefined ? '' : `:${position(source, span.start).line}`;
  return {
    path,
    type,
    named: `${sourceName(span.file, file)}${line}`,
    shows: noteOf(one.value),
    shape: one.shape,
    maps: one.maps.map(([height, width]) => ({ height, width })),
    ...range(one.phrase),
    ...(kind === 'deficit'
      ? { regions: one.regions }
      : { words: one.words.map((plane, i) => ({ word: words[i]!.text, ...range(plane) })) }),
  };
}

function noteOf(value: DrawnValue): string {
  if (value.kind === 'deficit')
    return value.regions === undefined ? 'disagreement of the stages' : 'disagreement, and chosen regions';
  return value.pixels === 'rows'
    ? 'each pixel’s attention to the words of the phrase'
    : 'where the words of the phrase look';
}

/** Cells beside each other on the sheet of a phrase: as many as in figure 12 of the paper. */
const COLUMNS = 7;

function phraseSheet(task: AttentionTask, run: AttentionRun, read: readonly ReadValue[]): Sheet {
  const ground = cellGround(run.picture, SHEET_SIDE);
  const shown = cellGround(overlay(run.picture, run.found), SHEET_SIDE);
  const scene: Block = {
    heading: 'image and prediction',
    note: '',
    cells: [
      { picture: ground, caption: 'image', regions: [] },
      { picture: shown, caption: 'prediction', regions: [] },
    ],
  };
  const blocks = grouped(read).map(
    ([pattern, members]): Block => ({
      heading: pattern,
      note: noteOf(members[0]!.value),
      cells: members.map((one) => ({
        picture: heatPicture(ground, one.phrase),
        caption: captionOf(one),
        regions: regionsOn(ground, one.regions, run.size),
      })),
    }),
  );
  return {
    title: run.text ?? task.model,
    note: `attention of ${task.model} on ${run.stem}${run.words.length > 0 ? ', mean over the words of the phrase' : ''}`,
    blocks: [scene, ...blocks],
    columns: COLUMNS,
    legend: 'from the lowest to the highest value of each picture, which are below it',
  };
}

function wordSheet(task: AttentionTask, run: AttentionRun, read: readonly ReadValue[]): Sheet {
  const ground = cellGround(run.picture, WORD_SIDE);
  const blocks = read.map(
    (one): Block => ({
      heading: one.value.path,
      note: noteOf(one.value),
      cells: one.words.map((plane, i): Cell => {
        return { picture: heatPicture(ground, plane), caption: run.words[i]!.text, regions: [] };
      }),
    }),
  );
  return {
    title: run.text ?? task.model,
    note: `attention of ${task.model} on ${run.stem}, word by word`,
    blocks,
    columns: 1,
    legend: 'from the lowest to the highest value of each picture',
  };
}

/** Values whose paths differ only in indices, in order. */
function grouped(read: readonly ReadValue[]): readonly (readonly [string, readonly ReadValue[]])[] {
  const groups = new Map<string, ReadValue[]>();
  for (const one of read) {
    const pattern = one.value.path.replace(/\[\d+\]/g, '[*]');
    groups.set(pattern, [...(groups.get(pattern) ?? []), one]);
  }
  return [...groups];
}

function captionOf({ value, phrase }: ReadValue): string {
  const indices = value.path.match(/\[\d+\]/g)?.join('') ?? '';
  const { low, high } = range(phrase);
  const [height, width] = phrase.size;
  return `${indices} ${height} × ${width}:  ${short(low)} to ${short(high)}`.trim();
}

function short(x: number): string {
  return x === 0 ? '0' : Math.abs(x) < 0.001 ? x.toExponential(1) : String(Number(x.toPrecision(3)));
}

/** The image in the size of a cell. */
function cellGround(image: RgbImage, side: number): RgbImage {
  const scale = side / Math.max(image.width, image.height);
  const [width, height] = [image.width, image.height].map((n) => Math.max(1, Math.round(n * scale))) as [
    number,
    number,
  ];
  return { ...resizeBilinear(image, width, height), channels: 3 };
}

/** Regions of the model's image, in pixels of a picture. */
function regionsOn({ width, height }: RgbImage, regions: readonly Region[], [rows, columns]: Size): readonly Region[] {
  const [x, y] = [width / columns, height / rows];
  return regions.map(({ left, top, right, bottom }) => ({
    left: left * x,
    top: top * y,
    right: right * x,
    bottom: bottom * y,
  }));
}
