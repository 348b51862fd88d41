import { describe, expect, test } from 'vitest';
import { compile } from '../../../compiler/compile.ts';
import type { HostTensor } from '../../../runtime/ort/session.ts';
import { type DrawnValue, drawnValues, pathsOf } from '../../../runtime/predict/attention/drawn-values.ts';
import { heatColours, heatPicture } from '../../../runtime/predict/attention/heat.ts';
import { combined, mapsOf } from '../../../runtime/predict/attention/maps.ts';
import { readValue, type Word } from '../../../runtime/predict/attention/read-attention.ts';
import { memoryHost } from '../../memory-host.ts';

describe('maps of concatenated pixels', () => {
  test.each([
    [64, [[8, 8]]],
    [
      64 + 16 + 4 + 1,
      [
        [8, 8],
        [4, 4],
        [2, 2],
        [1, 1],
      ],
    ],
    [
      16 + 4 + 1,
      [
        [4, 4],
        [2, 2],
        [1, 1],
      ],
    ],
    [
      64 + 4,
      [
        [8, 8],
        [2, 2],
      ],
    ],
    [4096, [[64, 64]]],
  ] as const)('%i pixels of a 64 × 64 image', (pixels, maps) => {
    expect(mapsOf(pixels, [64, 64])).toEqual(maps);
  });

  test.each([0, 3, 63, 128, 64 + 65])('%i pixels are none', (pixels) => {
    expect(mapsOf(pixels, [64, 64])).toBeUndefined();
  });

  test('of an image that is not square', () => {
    expect(mapsOf(8 * 4 + 4 * 2, [64, 32])).toEqual([
      [8, 4],
      [4, 2],
    ]);
  });

  test('shares of pixels add up to the same sum at the finest size, and means stay means', () => {
    const shares = Float32Array.from({ length: 20 }, (_, i) => (i + 1) / 210);
    const sizes = [
      [4, 4],
      [2, 2],
    ] as const;
    const sum = (values: Float32Array) => values.reduce((a, b) => a + b, 0);
    expect(sum(combined(shares, sizes, 'share').data)).toBeCloseTo(1, 5);
    const even = new Float32Array(20).fill(0.3);
    for (const x of combined(even, sizes, 'mean').data) expect(x).toBeCloseTo(0.3, 6);
  });
});

const f32 = (shape: readonly number[], data: readonly number[]): HostTensor => ({
  dtype: 'f32',
  shape,
  data: Float32Array.from(data),
});
const span = { file: 'main.crob', start: 0, end: 1 };
const words: readonly Word[] = [
  { position: 1, text: 'white' },
  { position: 3, text: 'ship' },
];

describe('what a value shows', () => {
  test('heads are averaged, and only the words of the phrase are read', () => {
    // Two heads, four pixels, five words of which the last is a prompt.
    const data = Array.from({ length: 2 * 4 * 5 }, (_, i) => i);
    const value: DrawnValue = { kind: 'attention', path: 'a', type: '', span, pixels: 'rows' };
    const read = readValue(value, new Map([['a', f32([1, 2, 4, 5], data)]]), words, [64, 64]);
    const at = (head: number, pixel: number, word: number) => data[head * 20 + pixel * 5 + word]!;
    const meanOf = (pixel: number, word: number) => (at(0, pixel, word) + at(1, pixel, word)) / 2;
    expect(read.maps).toEqual([[2, 2]]);
    expect(read.words.map((plane) => [...plane.data])).toEqual(
      [1, 3].map((word) => [0, 1, 2, 3].map((p) => meanOf(p, word))),
    );
    expect([...read.phrase.data]).toEqual([0, 1, 2, 3].map((p) => (meanOf(p, 1) + meanOf(p, 3)) / 2));
  });

  test('of a phrase without words, there is nothing to draw', () => {
    const value: DrawnValue = { kind: 'attention', path: 'a', type: '', span, pixels: 'rows' };
    const values = new Map([['a', f32([1, 4, 5], new Array(20).fill(0.2))]]);
    expect(() => readValue(value, values, [], [64, 64])).toThrow('the model reads none of this phrase');
  });

  test('of words that attend to pixels, the axes are the other way round', () => {
    const data = Array.from({ length: 5 * 4 }, (_, i) => i);
    const value: DrawnValue = { kind: 'attention', path: 'a', type: '', span, pixels: 'columns' };
    const read = readValue(value, new Map([['a', f32([1, 5, 4], data)]]), words, [2, 2]);
    expect([...read.words[1]!.data]).toEqual([12, 13, 14, 15]);
  });

  test('regions are the cells that were picked, in order, in pixels of the image', () => {
    const value: DrawnValue = { kind: 'deficit', path: 'd', type: '', span, regions: 'p' };
    const pick = [0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0];
    const values = new Map([
      ['d', f32([1, 2, 4], [0, 0, 0, 0, 0, 0, 0, 0])],
      ['p', f32([1, 2, 8], pick)],
    ]);
    const read = readValue(value, values, words, [64, 128]);
    expect(read.regions).toEqual([
      { left: 96, top: 32, right: 128, bottom: 64 },
      { left: 0, top: 0, right: 32, bottom: 32 },
    ]);
  });
});

test('colours go from the lowest to the highest value, and a flat map has the middle one', () => {
  const image = { width: 2, height: 1, channels: 3 as const, data: new Uint8Array(6).fill(100) };
  const shade = (colour: readonly number[]) => colour.map((c) => Math.round(0.4 * 100 + 0.6 * c));
  const drawn = (data: number[]) => [...heatPicture(image, { size: [1, 2], data: Float32Array.from(data) }).data];
  expect(drawn([3, 5])).toEqual([...shade(heatColours[0]!), ...shade(heatColours.at(-1)!)]);
  expect(drawn([4, 4])).toEqual([...shade(heatColours[2]!), ...shade(heatColours[2]!)]);
});

describe('which values of a model are drawn', () => {
  const compiled = (body: string, sizes = 'H, W', words = 'T') => {
    const text = `model M {
  input image: f32[B, 3, ${sizes}]
  input tokens: i64[B, ${words}]
  input mask: bool[B, ${words}]
  let w = rearrange(f32(tokens) * f32(mask), "b t -> b t 1")
  let x = rearrange(image[:, 0..1, :, :], "b c h w -> b (h w) c")
${body}
}`;
    const made = compile(memoryHost({ 'main.crob': text }), 'main.crob', {
      model: undefined,
      dims: new Map(),
      overrides: [],
    });
    if (!made.model) throw new Error(made.diagnostics.map(({ message }) => message).join('\n'));
    return { ...made, model: made.model };
  };
  const attending = `  let attention = softmax(matmul(x, rearrange(w, "b t c -> b c t")))
  output y = attention`;

  test.each([
    ['open sizes', 'H, W', 'T'],
    ['numbers', '16, 32', '6'],
  ])('attention between words and pixels, of %s', (_, sizes, words) => {
    const found = drawnValues(
      compiled(attending.replace('output y = attention', 'output y = attention * 2.0'), sizes, words),
      undefined,
    );
    expect(found).toMatchObject([{ kind: 'attention', path: 'attention', pixels: 'rows' }]);
  });

  test('a deficit with the regions beside it', () => {
    const body = `  let deficit = image[:, 0, :, :]
  let pick = one_hot(top_k(rearrange(deficit, "b h w -> b (h w)"), 1).index, H*W)
  output y = sum(deficit, "b h w -> b") + sum(pick, "b k n -> b") + sum(x, "b n c -> b") + sum(w, "b t c -> b")`;
    const found = drawnValues(compiled(body), undefined);
    expect(pathsOf(found)).toEqual(['deficit', 'pick']);
  });

  test('a model without any is an error that names what it has', () => {
    const own = `  let attention = softmax(matmul(w, rearrange(w, "b t c -> b c t")))
  output y = sum(attention * 2.0, "b t s -> b") + sum(x, "b n c -> b")`;
    expect(() => drawnValues(compiled(own), undefined)).toThrow(
      'M has no attention to draw: --attention draws values named attention, between words and pixels, and deficit, a map [B, H, W]; it has attention, not between words and pixels',
    );
    const none = '  output y = sum(w, "b t c -> b") + sum(x, "b n c -> b")';
    expect(() => drawnValues(compiled(none), undefined)).toThrow('it has no value of these names');
  });

  test('a pattern chooses among them, and one that does not is an error', () => {
    const body = attending.replace('output y = attention', 'output y = attention * 2.0');
    expect(drawnValues(compiled(body), 'att*')).toHaveLength(1);
    expect(() => drawnValues(compiled(body), 'mid.*')).toThrow('M has no attention mid.*; it has attention');
  });
});
