import { UserError } from '../files/user-error.ts';
import { cocoMask } from '../images/coco-runs.ts';
import { geoJson } from '../images/geojson.ts';
import { decodePicture, type RgbImage } from '../images/image.ts';
import { imageTensor } from '../images/image-tensor.ts';
import { encodeImage, encodeMask, maskStatistics, overlay, type Segmentation, segment } from '../images/mask.ts';
import { mostCorners, type Polygon, PolygonTracer } from '../images/polygons.ts';
import { largeNote } from '../predict/large-image.ts';

/** The forms in which a mask is answered. */
export type MaskForm = 'png' | 'overlay' | 'json' | 'geojson';

export interface PrepareRequest {
  readonly kind: 'prepare';
  readonly bytes: Uint8Array;
  /** Size of the model's input. */
  readonly height: number;
  readonly width: number;
  readonly maxPixels: number;
  /** Whether the picture itself is needed again, to draw on it. */
  readonly keep: boolean;
}

export interface Prepared {
  readonly kind: 'prepared';
  /** f32[3, height, width]. */
  readonly tensor: Float32Array;
  /** Size of the picture. */
  readonly height: number;
  readonly width: number;
  readonly image: RgbImage | undefined;
  /** What was assumed about the picture: a sentence each. */
  readonly assumed: readonly string[];
}

export interface FinishRequest {
  readonly kind: 'finish';
  readonly logits: Float32Array;
  /** Size of the logits, and of the picture. */
  readonly size: readonly [height: number, width: number];
  readonly picture: readonly [height: number, width: number];
  readonly form: MaskForm;
  readonly image: RgbImage | undefined;
  /** The phrase, which polygons have as a property. */
  readonly text: string | null;
  /** Members of the answer that the model's thread knows nothing of. */
  readonly about: Readonly<Record<string, unknown>>;
}

export interface Finished {
  readonly kind: 'finished';
  readonly body: Uint8Array | string;
  /** Area, box and score. */
  readonly statistics: Readonly<Record<string, unknown>>;
}

export type PictureRequest = PrepareRequest | FinishRequest;
export type PictureAnswer = Prepared | Finished;

/** Decodes a picture and makes the model's input of it. Throws a UserError for one that is damaged or too large. */
export async function preparePicture(request: PrepareRequest): Promise<Prepared> {
  const { bytes, height, width, maxPixels, keep } = request;
  const { image, notes } = await decodePicture(bytes, 'the image', {}, maxPixels);
  const large = largeNote(image, request, '');
  return {
    kind: 'prepared',
    tensor: imageTensor(image, height, width),
    height: image.height,
    width: image.width,
    image: keep ? image : undefined,
    assumed: [...notes, ...(large ? [large] : [])].map(({ text }) => text),
  };
}

/** Makes the mask of logits in the form that was asked for. Throws a UserError for logits that are not numbers. */
export async function finishPicture(request: FinishRequest): Promise<Finished> {
  const { logits, size, picture, about } = request;
  const mask = segment(logits, size, picture);
  const { area, fraction, box = null, score = null } = maskStatistics(mask);
  const statistics = { width: mask.width, height: mask.height, area, fraction, box, score };
  return { kind: 'finished', body: await bodyOf(request, mask, { ...about, ...statistics }), statistics };
}

async function bodyOf(
  { form, image, text }: FinishRequest,
  mask: Segmentation,
  answer: Readonly<Record<string, unknown>>,
): Promise<Uint8Array | string> {
  switch (form) {
    case 'png':
      return encodeMask(mask);
    case 'overlay':
      if (!image) throw new Error('bug in crobc: no picture to draw on');
      return encodeImage(overlay(image, mask));
    case 'json':
      return `${JSON.stringify({ ...answer, mask: cocoMask(mask.mask, mask.height, mask.width) })}\n`;
    case 'geojson':
      return [...geoJson(polygonsOf(mask), undefined, { text })].join('');
  }
}

/** The areas of a mask. Throws a UserError for one with too many corners. */
function polygonsOf({ mask, width, height }: Segmentation): Iterable<Polygon> {
  const tracer = new PolygonTracer(width);
  for (let y = 0; y < height; y++)
    if (!tracer.add(mask.subarray(y * width, (y + 1) * width)))
      throw new UserError(`the mask has more than ${mostCorners.toLocaleString('en')} corners`);
  return tracer.polygons();
}
