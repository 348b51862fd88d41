/** What a client does for a model that finds what words describe in an image. */
export interface ReferringClient {
  /** Undefined if the size is open. */
  readonly height: number | undefined;
  readonly width: number | undefined;
  /** Of red, green and blue, for values from 0 to 1. */
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
  /** Undefined for a model that reads only images. */
  readonly text: ReferringText | undefined;
}

export interface ReferringText {
  /** Undefined if the number is open. */
  readonly words: number | undefined;
  /** Whether the last token of a longer text is [SEP]; otherwise [SEP] is truncated away. */
  readonly keepsSep: boolean;
}

/** Returns the functions of a client that prepare images and words, and read masks off the logits. */
export function referringSupport(model: string, { height, width, mean, deviation, text }: ReferringClient): string {
  const size = (name: string, value: number | undefined) =>
    value === undefined ? `${name}: number` : `${name} = ${value}`;
  return (
    images(model, { size: `${size('height', height)}, ${size('width', width)}`, mean, deviation }) +
    (text ? words(size('words', text.words), text.keepsSep) : '')
  );
}

interface ImageTexts extends Pick<ReferringClient, 'mean' | 'deviation'> {
  readonly size: string;
}

const images = (model: string, { size, mean, deviation }: ImageTexts) => `
/** An image, row by row: 3 bytes for each pixel (RGB), or 4 (RGBA, of which alpha is ignored), such as the ImageData of a canvas. */
export interface ${model}Pixels {
  readonly data: Uint8Array | Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
}

/** An image as the model takes it, f32[1, 3, height, width]: resized (bilinear, antialiased) and normalised as in training. */
export function imageInput(pixels: ${model}Pixels, ${size}): Pick<ort.TypedTensor<'float32'>, 'data' | 'dims'> {
  const channels = pixels.data.length / (pixels.width * pixels.height);
  check(channels === 3 || channels === 4, \`the image has \${channels} bytes for each pixel: must be 3 or 4\`);
  const rows = along(pixels.data, { lines: pixels.height, stride: pixels.width * channels, from: pixels.width, step: channels }, width, width, 1);
  const bytes = along(rows, { lines: width, stride: 3, from: pixels.height, step: width * 3 }, height, 1, width);
  const data = new Float32Array(3 * height * width);
  for (const [channel, mean] of [${mean.join(', ')}].entries()) {
    const deviation = Math.fround([${deviation.join(', ')}][channel] ?? 1);
    for (let i = 0; i < height * width; i++)
      data[channel * height * width + i] = Math.fround(Math.fround((bytes[i * 3 + channel] ?? 0) / 255) - Math.fround(mean)) / deviation;
  }
  return { data, dims: [1, 3, height, width] };
}

/** The pixels that belong to the object, row by row: 1 where the logit, resized to the image, is above 0. \`item\` is a row of the batch. */
export function maskOf(
  logits: Pick<ort.TypedTensor<'float32'>, 'data' | 'dims'>,
  image: Pick<${model}Pixels, 'width' | 'height'>,
  item = 0,
): Uint8Array {
  const [, , height = 1, width = 1] = logits.dims;
  const plane = logits.data.subarray(item * height * width, (item + 1) * height * width);
  const rows = between(height, image.height);
  const columns = between(width, image.width);
  const mask = new Uint8Array(image.width * image.height);
  for (const [y, [upper, lower, fy]] of rows.entries()) {
    for (const [x, [left, right, fx]] of columns.entries()) {
      const at = (row: number) => (plane[row * width + left] ?? 0) * (1 - fx) + (plane[row * width + right] ?? 0) * fx;
      mask[y * image.width + x] = Math.fround(at(upper) * (1 - fy) + at(lower) * fy) > 0 ? 1 : 0;
    }
  }
  return mask;
}

/** For each of \`to\` samples, the two of \`from\` between which it lies, and how far. */
function between(from: number, to: number): (readonly [low: number, high: number, fraction: number])[] {
  return Array.from({ length: to }, (_, i) => {
    const at = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    const low = Math.min(from - 1, Math.trunc(at));
    return [low, Math.min(from - 1, low + 1), at - low];
  });
}

/**
 * Resizes three channels along one axis to \`to\` samples, with a triangle filter in the fixed-point numbers of Pillow. Sample i of
 * line j is at j * stride + i * step in the data, and becomes pixel j * perLine + i * perSample of the result.
 */
function along(
  data: ArrayLike<number>,
  { lines, stride, from, step }: Readonly<Record<'lines' | 'stride' | 'from' | 'step', number>>,
  to: number,
  perLine: number,
  perSample: number,
): Uint8Array {
  const out = new Uint8Array(lines * to * 3);
  const support = Math.max(from / to, 1);
  for (let i = 0; i < to; i++) {
    const centre = ((i + 0.5) * from) / to;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const weights = Array.from({ length: Math.min(from, Math.trunc(centre + support + 0.5)) - first }, (_, k) =>
      Math.max(0, 1 - Math.abs((first + k - centre + 0.5) / support)),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const fixed = weights.map((weight) => Math.trunc(0.5 + (weight / total) * 2 ** 22));
    for (let line = 0; line < lines; line++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 2 ** 21;
        for (const [k, weight] of fixed.entries()) sum += weight * (data[line * stride + (first + k) * step + channel] ?? 0);
        out[(line * perLine + i * perSample) * 3 + channel] = Math.floor(sum / 2 ** 22);
      }
    }
  }
  return out;
}
`;

const words = (size: string, keepsSep: boolean) => `
/** Words as the model takes them: \`tokens\` i64[1, words] and \`mask\` bool[1, words]. \`vocabulary\` is the text of a vocab.txt. */
export function textInputs(
  text: string,
  vocabulary: string,
  ${size},
): {
  tokens: Pick<ort.TypedTensor<'int64'>, 'data' | 'dims'>;
  mask: Pick<ort.TypedTensor<'bool'>, 'data' | 'dims'>;
} {
  const ids = new Map(vocabulary.replace(/\\r?\\n$/, '').split(/\\r?\\n/).map((piece, id) => [piece, BigInt(id)]));
  const idOf = (piece: string): bigint => {
    const id = ids.get(piece);
    if (id === undefined) throw new RangeError(\`the vocabulary has no \${piece}\`);
    return id;
  };
  const pieces = wordsOf(text, ids).flatMap((word) => piecesOf(word, ids));
  check(pieces.length > 0, 'the text has no words');
  const kept = ${keepsSep ? "['[CLS]', ...pieces.slice(0, words - 2), '[SEP]']" : "['[CLS]', ...pieces, '[SEP]'].slice(0, words)"};
  const data = BigInt64Array.from({ length: words }, (_, i) => idOf(kept[i] ?? '[PAD]'));
  const mask = Uint8Array.from({ length: words }, (_, i) => (i < kept.length ? 1 : 0));
  return { tokens: { data, dims: [1, words] }, mask: { data: mask, dims: [1, words] } };
}

/** Characters that are words of their own: punctuation, and Chinese characters. */
const alone =
  '\\\\p{P}$+<=>^\`|~\\\\u4E00-\\\\u9FFF\\\\u3400-\\\\u4DBF\\\\uF900-\\\\uFAFF\\\\u{20000}-\\\\u{2CEAF}\\\\u{2F800}-\\\\u{2FA1F}';

/** Splits a text as BERT does; without capitals and accents, unless the vocabulary has capitals. */
function wordsOf(text: string, ids: ReadonlyMap<string, bigint>): readonly string[] {
  const isCased = [...ids.keys()].some((piece) => !/^\\[.*\\]$/.test(piece) && /\\p{Lu}/u.test(piece));
  const clean = text.replace(/[\\t\\n\\r]/g, ' ').replace(/[\\p{C}\\uFFFD]/gu, '');
  const plain = isCased ? clean : clean.normalize('NFD').replace(/\\p{Mn}/gu, '').toLowerCase();
  return plain.match(new RegExp(\`[\${alone}]|[^\\\\s\${alone}]+\`, 'gu')) ?? [];
}

/** The longest pieces of a word from its start; [UNK] if some part of it is no piece. */
function piecesOf(word: string, ids: ReadonlyMap<string, bigint>): readonly string[] {
  const letters = [...word];
  if (letters.length > 100) return ['[UNK]'];
  const pieces: string[] = [];
  for (let at = 0; at < letters.length; ) {
    let end = letters.length;
    const piece = () => \`\${at > 0 ? '##' : ''}\${letters.slice(at, end).join('')}\`;
    while (end > at && !ids.has(piece())) end--;
    if (end === at) return ['[UNK]'];
    pieces.push(piece());
    at = end;
  }
  return pieces;
}
`;
