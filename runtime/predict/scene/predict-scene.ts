import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Source } from '../../build/build-model.ts';
import { modelIdentity } from '../../build/model-cache.ts';
import { byteSize } from '../../files/byte-size.ts';
import { fileStamp } from '../../files/file-digests.ts';
import { UserError } from '../../files/user-error.ts';
import type { PictureNote } from '../../images/colours.ts';
import { resizePlane } from '../../images/resize.ts';
import { MaskWriter } from '../../images/tiff/mask-writer.ts';
import { machineMemory } from '../../process/machine-memory.ts';
import { startProgress } from '../../process/progress.ts';
import type { EncodedText } from '../../text/tokenizer.ts';
import { runMemory } from '../model-memory.ts';
import { fileStem, type Prediction, type PredictOptions } from '../predict.ts';
import { encodePhrase, openPredictor, type Predictor, type PredictorInputs, predictorInputs } from '../predictor.ts';
import { BlendedRows } from './blend.ts';
import { GlobalLogits } from './global-logits.ts';
import { PartialScene, type SceneTotals } from './partial.ts';
import { reduceScene } from './reduce.ts';
import { writeScene } from './scene-files.ts';
import { openScene, type SceneImage } from './scene-image.ts';
import { readTile } from './tile-image.ts';
import { axisTiles } from './tiles.ts';

/** How a scene is predicted in tiles. */
export interface Tiling {
  /** Width of a tile in pixels of the scene; undefined for the model's. */
  readonly tile: number | undefined;
  /** Pixels by which tiles overlap; undefined for a quarter of a tile. */
  readonly overlap: number | undefined;
  /** Whether the whole scene at the model's size counts for half of each logit. */
  readonly global: boolean;
  readonly geoJson: boolean;
  /** Whether to continue an unfinished prediction. */
  readonly resume: boolean;
}

export interface SceneOptions extends PredictOptions {
  readonly tiling: Tiling;
}

export interface SceneTask extends SceneOptions {
  /** Receives what was assumed about the scene. */
  noted(note: PictureNote): void;
}

/** A tiling with its defaults filled in. */
export interface TileSizes {
  readonly width: number;
  readonly height: number;
  readonly overlap: number;
}

/** Longer side of the overlay, in pixels. */
const overlaySide = 2048;

/**
 * Predicts a scene of any size in tiles at full resolution, in bounded memory, and writes a mask as a GeoTIFF that lies
 * where the scene lies. Throws a UserError; what was predicted until then can be continued.
 */
export async function predictScene(source: Source, options: SceneOptions): Promise<Prediction> {
  const inputs = await predictorInputs(source, options);
  const opened: { predictor?: Predictor } = {};
  const open = async () => {
    opened.predictor = await openPredictor(source, inputs, options);
    return opened.predictor;
  };
  const noted = ({ text }: PictureNote) => options.note(`${options.image}: ${text}`);
  try {
    return await predictSceneBy(source, { ...options, noted }, inputs, open);
  } finally {
    await opened.predictor?.release();
  }
}

/** Predicts a scene; `open` gives the model, after everything else was checked. */
export async function predictSceneBy(
  source: Source,
  options: SceneTask,
  inputs: PredictorInputs,
  open: () => Promise<Predictor>,
): Promise<Prediction> {
  const sizes = tileSizes(options.tiling, inputs);
  const phrase = encodePhrase(source, inputs, options.text);
  const scene = await openScene(options.image, options.colours, Math.max(sizes.width, sizes.height));
  try {
    for (const note of scene.notes) options.noted(note);
    checkSceneMemory(source, scene, sizes, options);
    return await predictOpened(source, options, { inputs, sizes, phrase, scene }, await open());
  } finally {
    await scene.close();
  }
}

/** Fills in the defaults. Throws a UserError for an overlap that is larger than half a tile. */
export function tileSizes({ tile, overlap }: Tiling, model: Pick<PredictorInputs, 'height' | 'width'>): TileSizes {
  const width = tile ?? model.width;
  const height = Math.max(1, Math.round((width * model.height) / model.width));
  const most = Math.floor(Math.min(width, height) / 2);
  const chosen = overlap ?? Math.floor(most / 2);
  if (chosen > most)
    throw new UserError(
      `tiles of ${width} × ${height} pixels overlap by ${most} at most (half of them), and --overlap is ${chosen}`,
    );
  return { width, height, overlap: chosen };
}

/** Throws a UserError if the scene needs more memory than there is, before anything is built. */
function checkSceneMemory(
  source: Source,
  scene: SceneImage,
  { width, height }: TileSizes,
  options: SceneOptions,
): void {
  const side = Math.max(width, height);
  const scenes =
    scene.memory(side) +
    2 * BlendedRows.memory(scene.width, height) +
    MaskWriter.memory(scene) +
    // The tile in floats and bytes, and its logits.
    40 * width * height;
  const needed = runMemory(source.graph, options.dtype) + scenes;
  const available = machineMemory();
  if (needed <= available) return;
  throw new UserError(
    `tiles of ${width} × ${height} pixels of a scene of ${scene.width} × ${scene.height} need ${byteSize(needed)}, and this machine has ${byteSize(available)}: make --tile smaller, or write the scene in tiles (gdal_translate -co TILED=YES)`,
  );
}

interface Opened {
  readonly inputs: PredictorInputs;
  readonly sizes: TileSizes;
  readonly phrase: EncodedText | undefined;
  readonly scene: SceneImage;
}

async function predictOpened(
  source: Source,
  options: SceneOptions,
  opened: Opened,
  predictor: Predictor,
): Promise<Prediction> {
  const { inputs, sizes, phrase, scene } = opened;
  const stem = fileStem(options);
  const key = await sceneKey(source, options, opened);
  const folder = join(options.out, `${stem}.partial`);
  const { partial, state } = await PartialScene.open(folder, key, options.tiling.resume);
  const small = await reduceScene(scene, Math.max(overlaySide, 2 * inputs.width, 2 * inputs.height));
  const whole = options.tiling.global ? await GlobalLogits.of(predictor, phrase, small.image, scene) : undefined;
  const tags = scene.georeference?.tags ?? new Map();
  const file = { path: partial.maskPath, width: scene.width, height: scene.height, tags };
  const writer = state ? await MaskWriter.resume(file, state.mask, state.pending) : await MaskWriter.create(file);
  let totals: SceneTotals;
  let run: TilesRun;
  try {
    run = await runTiles({ predictor, phrase, scene, sizes, whole, writer, partial, state });
    totals = run.totals;
    await writer.finish();
  } finally {
    await writer.close();
  }
  const prediction = await writeScene(
    {
      stem,
      maskPath: partial.maskPath,
      scene,
      small,
      totals,
      geoJson: options.tiling.geoJson,
      out: options.out,
      text: options.text,
    },
    (files) => ({
      model: source.graph.name,
      image: options.image,
      text: options.text ?? null,
      tokens: phrase?.tokens ?? [],
      truncated: phrase?.truncated ?? false,
      assumed: scene.notes.map((note) => note.text),
      width: scene.width,
      height: scene.height,
      ...statisticsOf(totals, scene),
      milliseconds: Math.round(run.milliseconds * 10) / 10,
      device: predictor.device,
      note: predictor.note,
      tiles: { ...sizes, count: run.tiles, global: options.tiling.global },
      files,
    }),
  );
  await partial.remove();
  return prediction;
}

function statisticsOf(
  { area, probability, left, top, right, bottom }: SceneTotals,
  { width, height }: SceneImage,
): Pick<Prediction, 'area' | 'fraction' | 'box' | 'score'> {
  if (area === 0) return { area, fraction: 0, box: null, score: null };
  return { area, fraction: area / (width * height), box: { left, top, right, bottom }, score: probability / area };
}

/** Stands for everything that the mask depends on. */
async function sceneKey(source: Source, options: SceneOptions, { sizes, phrase }: Opened): Promise<string> {
  const parts = {
    image: await fileStamp(options.image),
    model: await modelIdentity(source, options),
    ids: phrase?.ids ?? [],
    colours: options.colours,
    sizes,
    global: options.tiling.global,
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

interface TilesTask extends Omit<Opened, 'inputs'> {
  readonly predictor: Predictor;
  readonly whole: GlobalLogits | undefined;
  readonly writer: MaskWriter;
  readonly partial: PartialScene;
  readonly state: Awaited<ReturnType<typeof PartialScene.open>>['state'];
}

interface TilesRun {
  readonly totals: SceneTotals;
  /** Of all tiles, and the duration of the runs of those that this process predicted. */
  readonly tiles: number;
  readonly milliseconds: number;
}

async function runTiles({
  predictor,
  phrase,
  scene,
  sizes,
  whole,
  writer,
  partial,
  state,
}: TilesTask): Promise<TilesRun> {
  const columns = axisTiles(scene.width, sizes.width, sizes.overlap);
  const rows = axisTiles(scene.height, sizes.height, sizes.overlap);
  const blended = new BlendedRows(scene.width, columns, rows);
  if (state) blended.restore(state.logits);
  let totals = state?.totals ?? { area: 0, probability: 0, left: scene.width, top: scene.height, right: 0, bottom: 0 };
  const [across, first] = [columns.starts.length, state?.rows ?? 0];
  const tiles = across * rows.starts.length;
  const progress = startProgress('predicting tiles', tiles, { from: first * across });
  let milliseconds = 0;
  try {
    for (let row = first; row < rows.starts.length; row++) {
      const top = rows.starts[row]!;
      for (const [column, left] of columns.starts.entries()) {
        const image = await readTile(scene, { left, top, width: sizes.width, height: sizes.height });
        const predicted = await predictor.run(image, phrase);
        milliseconds += predicted.milliseconds;
        blended.add(resizePlane(predicted.logits, predicted.size, [sizes.height, sizes.width]), row, column);
        progress.update(row * across + column + 1);
      }
      const logits = blended.take(row, scene.height - top);
      whole?.addTo(logits, top);
      totals = await writeRows(logits, scene.width, top, totals, writer);
      await writer.sync();
      await partial.write({
        rows: row + 1,
        mask: writer.record,
        totals,
        logits: blended.rest,
        pending: writer.pending,
      });
    }
  } finally {
    progress.finish();
  }
  return { totals, tiles, milliseconds };
}

/** Thresholds rows of logits, appends them to the mask, and adds them to the totals. */
async function writeRows(
  logits: Float32Array,
  width: number,
  top: number,
  before: SceneTotals,
  writer: MaskWriter,
): Promise<SceneTotals> {
  const mask = new Uint8Array(logits.length);
  let { area, probability, left, right, top: highest, bottom } = before;
  for (let i = 0; i < logits.length; i++) {
    const y = logits[i]!;
    if (!(y > 0)) continue;
    mask[i] = 255;
    area++;
    probability += 1 / (1 + Math.exp(-y));
    const x = i % width;
    const row = top + (i - x) / width;
    if (x < left) left = x;
    if (x >= right) right = x + 1;
    if (row < highest) highest = row;
    bottom = row + 1;
  }
  await writer.write(mask);
  return { area, probability, left, right, top: highest, bottom };
}
