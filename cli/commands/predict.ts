import { selectedValues } from '../../runtime/build/exposed-values.ts';
import type { CompiledFile } from '../../runtime/build/source-model.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { colourChoice } from '../../runtime/images/colours.ts';
import type { Device } from '../../runtime/ort/session.ts';
import { drawnValues, pathsOf } from '../../runtime/predict/attention/drawn-values.ts';
import { type BatchItem, folderItems, isFolder, listItems } from '../../runtime/predict/batch/list.ts';
import { type BatchResult, predictBatch } from '../../runtime/predict/batch/predict-batch.ts';
import { type Inspection, predict as predictMask } from '../../runtime/predict/predict.ts';
import { predictScene, type Tiling } from '../../runtime/predict/scene/predict-scene.ts';
import { givenModel } from '../given-model.ts';
import type { Io } from '../io.ts';
import { complain, printJson, printLine } from '../print.ts';
import type { ColourOptions, TextOptions } from '../sample-options.ts';

export interface PredictOptions extends ColourOptions, TextOptions {
  readonly model?: string;
  /** A file or a folder; either this or a list is given. */
  readonly image?: string;
  readonly list?: string;
  readonly onBad?: 'skip' | 'stop';
  readonly text?: string;
  readonly weights?: string;
  readonly via?: string;
  readonly set?: readonly string[];
  readonly device: Device | 'auto';
  readonly dtype: 'f32' | 'f16' | 'bf16';
  /** False with --no-tf32. */
  readonly tf32: boolean;
  readonly threads?: number;
  readonly seed: number;
  /** Undefined without `--tile`, true for the model's size. */
  readonly tile?: number | true;
  readonly overlap?: number;
  readonly global?: boolean;
  readonly geojson?: boolean;
  readonly resume?: boolean;
  /** True without a pattern. */
  readonly attention?: string | true;
  readonly expose?: readonly string[];
  readonly out: string;
  readonly json?: boolean;
}

/**
 * Maximum length of a phrase. No model reads a tenth of it; a longer text is a mistake, such as the contents of a file.
 */
const longestText = 4096;

export async function predict(io: Io, file: string, options: PredictOptions): Promise<number> {
  const { length } = options.text ?? '';
  if (length > longestText) {
    const [given, most] = [length, longestText].map((n) => n.toLocaleString('en'));
    throw new UsageError(`--text has ${given} characters, and at most ${most} are taken: give one sentence`);
  }
  const what = await subjectOf(options);
  const tiling = tilingOf(options, what.kind === 'batch');
  refuseInspection(options, what.kind === 'batch');
  const given = await givenModel(io, file, options, { recipeDims: ['H', 'W', 'T'] });
  if (!given) return 1;
  const { compiled, weightsFile } = given;
  const task = {
    colours: colourChoice(options),
    tokenizer: options.tokenizer,
    truncation: options.truncation,
    device: options.device,
    threads: options.threads,
    out: options.out,
    dtype: options.dtype,
    tf32: options.tf32,
    weightsFile,
    seed: options.seed,
    note: (line: string) => complain(io, `note: ${line}`),
  };
  if (what.kind === 'batch') {
    const { resume = false, onBad = 'stop' } = options;
    const result = await predictBatch(compiled, { ...task, items: what.items, tiling, resume, onBad });
    return printBatch(io, options, result, weightsFile);
  }
  const one = { ...task, image: what.image, text: options.text };
  const found = tiling
    ? await predictScene(compiled, { ...one, tiling })
    : await predictMask(compiled, { ...one, ...inspectionOf(compiled, options) });
  if (found.truncated) complain(io, 'note: the sentence has more words than the model takes; the rest was cut off');
  if (found.note) complain(io, `note: ${found.note}`);
  if (weightsFile === undefined) complain(io, 'note: no --weights: the model is untrained and its mask means nothing');
  if (options.json) {
    printJson(io, found);
    return 0;
  }
  const { box, score } = found;
  printLine(io, `${found.model} on ${found.device}: ${found.milliseconds.toLocaleString('en')} ms`);
  if (found.tiles) {
    const { count, width, height, overlap, global } = found.tiles;
    const whole = global ? ', with the whole scene' : '';
    printLine(
      io,
      `  tiles    ${count.toLocaleString('en')} of ${width} × ${height}, overlapping by ${overlap}${whole}`,
    );
  }
  printLine(
    io,
    `  area     ${found.area.toLocaleString('en')} of ${(found.width * found.height).toLocaleString('en')} pixels (${(100 * found.fraction).toFixed(1)} %)`,
  );
  printLine(
    io,
    `  box      ${box ? `${box.left}, ${box.top} to ${box.right}, ${box.bottom}` : 'none: the mask is empty'}`,
  );
  printLine(io, `  score    ${score === null ? 'none' : score.toFixed(3)}`);
  const files = [...Object.entries(found.files), ...Object.values(found.values ?? {}).map((path) => ['value', path])];
  const widest = Math.max(7, ...files.map(([kind = '']) => kind.length));
  for (const [kind = '', path] of files) printLine(io, `  ${kind.padEnd(widest)}  ${path}`);
  return 0;
}

/** Throws a UsageError for a look inside more than one run of the model. */
function refuseInspection({ attention, expose, tile }: PredictOptions, batch: boolean): void {
  for (const [name, value] of Object.entries({ attention, expose })) {
    if (value === undefined) continue;
    if (batch) throw new UsageError(`--${name} is for one image: give --image a file`);
    if (tile !== undefined) throw new UsageError(`--${name} is for one run of the model: leave --tile out`);
  }
}

/** The values that are to be drawn and written. Throws a UserError if the model has none that are asked for. */
function inspectionOf(compiled: CompiledFile, { attention, expose }: PredictOptions): Inspection {
  if (attention === undefined && expose === undefined) return {};
  const drawn = attention === undefined ? [] : drawnValues(compiled, attention === true ? undefined : attention);
  const arrays = expose === undefined ? [] : selectedValues(compiled, expose).map(({ path }) => path);
  const { program, file, graph } = compiled;
  return {
    exposed: compiled.exposing([...new Set([...pathsOf(drawn), ...arrays])]),
    arrays,
    ...(attention !== undefined && { attention: { program, file, model: graph.name, values: drawn } }),
  };
}

/** Throws a UsageError for an option that has no effect without `--tile`. */
function tilingOf({ tile, overlap, global, geojson, resume }: PredictOptions, batch: boolean): Tiling | undefined {
  if (tile !== undefined)
    return {
      tile: tile === true ? undefined : tile,
      overlap,
      global: global ?? false,
      geoJson: geojson ?? false,
      resume: resume ?? false,
    };
  for (const [name, value] of Object.entries({ overlap, global, geojson, resume: batch ? undefined : resume }))
    if (value !== undefined) throw new UsageError(`--${name} is for predictions in tiles: give --tile as well`);
  return undefined;
}

type Subject =
  | { readonly kind: 'image'; readonly image: string }
  | { readonly kind: 'batch'; readonly items: readonly BatchItem[] };

/** What to predict. Throws a UsageError for options that do not go together. */
async function subjectOf({ image, list, text, onBad }: PredictOptions): Promise<Subject> {
  if (list !== undefined) {
    if (image !== undefined) throw new UsageError('--list has its own images: leave out --image');
    if (text !== undefined) throw new UsageError('--list has its own phrases: leave out --text');
    return { kind: 'batch', items: await listItems(list) };
  }
  if (image === undefined) throw new UsageError('there is nothing to predict: give --image, or --list');
  // A file that is missing is reported when it is read, after the model was checked.
  if (await isFolder(image).catch(() => false)) return { kind: 'batch', items: await folderItems(image, text) };
  if (onBad !== undefined) throw new UsageError('--on-bad is for a folder or a list, and --image is one file');
  return { kind: 'image', image };
}

/** Ends with 1 if an image could not be predicted. */
function printBatch(io: Io, options: PredictOptions, result: BatchResult, weightsFile: string | undefined): number {
  const { model, device, note, predicted, kept, failed, truncated, file } = result;
  if (truncated > 0)
    complain(
      io,
      `note: sentences with more words than the model takes were cut off: ${truncated.toLocaleString('en')}`,
    );
  if (note) complain(io, `note: ${note}`);
  if (weightsFile === undefined) complain(io, 'note: no --weights: the model is untrained and its masks mean nothing');
  if (options.json) printJson(io, result);
  else {
    printLine(io, `${model} on ${device}: ${predicted.toLocaleString('en')} predicted`);
    if (kept > 0) printLine(io, `  from an earlier run  ${kept.toLocaleString('en')}`);
    if (failed > 0) printLine(io, `  not predicted        ${failed.toLocaleString('en')}`);
    printLine(io, `  ${file}`);
  }
  return failed > 0 ? 1 : 0;
}
