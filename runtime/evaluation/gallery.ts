import type { Dataset } from '../data/dataset.ts';
import { epochOrder } from '../data/order.ts';
import { compared, outlined } from '../images/compare-masks.ts';
import { type RgbImage, readImage } from '../images/image.ts';
import { loadSharp } from '../images/load-sharp.ts';
import { type Pixels, resizeBilinear, resizeNearest } from '../images/resize.ts';
import { type Evaluation, type EvaluationOptions, type Predictor, predictions } from './evaluate.ts';
import type { SampleResult } from './scores.ts';

/**
 * Pictures of a sample as WebP files: the image, the image with the outline
 * of the truth, and the image with the errors.
 */
export interface Exhibit {
  readonly result: SampleResult;
  readonly width: number;
  readonly height: number;
  readonly image: Uint8Array;
  readonly truth: Uint8Array;
  readonly prediction: Uint8Array;
}

export interface Gallery {
  readonly best: readonly Exhibit[];
  readonly worst: readonly Exhibit[];
  readonly random: readonly Exhibit[];
}

/** Maximum length of a picture's longer side in pixels. */
const PICTURE_SIDE = 320;

/**
 * Chooses `count` samples of each kind; the random ones depend only on `seed`. Ties in IoU are broken by the number of
 * correct pixels for the best, and of wrong pixels for the worst.
 */
export function chosenSamples(
  each: readonly SampleResult[],
  { count, seed }: { readonly count: number; readonly seed: number },
): Readonly<Record<keyof Gallery, readonly SampleResult[]>> {
  const shuffled = [...epochOrder(each.length, seed, 0)].map((i) => each[i]!);
  // NaN ranks below every number.
  const rank = ({ iou }: SampleResult) => (Number.isNaN(iou) ? -1 : iou);
  const wrong = ({ union, intersection }: SampleResult) => union - intersection;
  return {
    best: shuffled.toSorted((a, b) => rank(b) - rank(a) || b.intersection - a.intersection).slice(0, count),
    worst: shuffled.toSorted((a, b) => rank(a) - rank(b) || wrong(b) - wrong(a)).slice(0, count),
    random: shuffled.slice(0, count),
  };
}

/**
 * Renders pictures of the chosen samples. Repeats their predictions, since the masks
 * of a whole split would not fit into memory.
 */
export async function gallery(
  predict: Predictor,
  dataset: Dataset,
  { each }: Pick<Evaluation, 'each'>,
  options: EvaluationOptions,
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<Gallery> {
  if (count === 0) return { best: [], worst: [], random: [] };
  const chosen = chosenSamples(each, { count, seed });
  const wanted = new Map([...chosen.best, ...chosen.worst, ...chosen.random].map((result) => [result.sample, result]));
  const order = dataset.samples.flatMap((sample, i) => (wanted.has(sample) ? [i] : []));
  const exhibits = new Map<SampleResult, Exhibit>();
  for await (const { sample, ...masks } of predictions(predict, dataset, order, options)) {
    const result = wanted.get(sample)!;
    exhibits.set(result, await exhibit(result, dataset, masks));
  }
  const shown = (results: readonly SampleResult[]) => results.flatMap((result) => exhibits.get(result) ?? []);
  return { best: shown(chosen.best), worst: shown(chosen.worst), random: shown(chosen.random) };
}

async function exhibit(
  result: SampleResult,
  { colours }: Pick<Dataset, 'colours'>,
  masks: {
    readonly height: number;
    readonly width: number;
    readonly prediction: Uint8Array;
    readonly truth: Uint8Array;
  },
): Promise<Exhibit> {
  const image = await readImage(result.sample.image, undefined, colours);
  const scale = Math.min(1, PICTURE_SIDE / Math.max(image.width, image.height));
  const width = Math.max(1, Math.round(image.width * scale));
  const height = Math.max(1, Math.round(image.height * scale));
  const small = resizeBilinear(image, width, height) as RgbImage;
  const sized = (mask: Uint8Array): Uint8Array => {
    const plane: Pixels = { width: masks.width, height: masks.height, channels: 1, data: mask };
    return resizeNearest(plane, width, height).data;
  };
  const [true_, predicted] = [sized(masks.truth), sized(masks.prediction)];
  const [plain, truth, prediction] = await Promise.all(
    [small, outlined(small, true_), compared(small, true_, predicted)].map(encodeWebp),
  );
  return { result, width, height, image: plain!, truth: truth!, prediction: prediction! };
}

async function encodeWebp({ width, height, data }: RgbImage): Promise<Uint8Array> {
  const sharp = await loadSharp();
  return sharp(data, { raw: { width, height, channels: 3 } })
    .webp({ quality: 82 })
    .toBuffer();
}
