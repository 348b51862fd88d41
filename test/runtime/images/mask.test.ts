import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../runtime/files/user-error.ts';
import type { RgbImage } from '../../../runtime/images/image.ts';
import {
  encodeImage,
  encodeMask,
  encodeProbability,
  maskStatistics,
  overlay,
  segment,
} from '../../../runtime/images/mask.ts';

describe('logits to mask', () => {
  test('positive is on, zero is off, the score is a probability', () => {
    const s = segment(Float32Array.of(-1, 0, 1e-6, 50, -Infinity, Infinity), [2, 3], [2, 3]);
    expect([...s.mask]).toEqual([0, 0, 1, 1, 0, 1]);
    expect(s.probability[1]).toBe(0.5);
    expect(s.probability[0]).toBeCloseTo(0.26894142, 6);
    expect([s.probability[4], s.probability[5]]).toEqual([0, 1]);
  });

  test('resized to the image before it is compared', () => {
    const s = segment(Float32Array.of(-1, 3), [1, 2], [1, 8]);
    // Values at 8 pixel centres: -1, -1, -0.5, 0.5, 1.5, 2.5, 3, 3.
    expect([...s.mask]).toEqual([0, 0, 0, 1, 1, 1, 1, 1]);
    expect([s.width, s.height]).toEqual([8, 1]);
  });

  test('not a number is refused', () => {
    expect(() => segment(Float32Array.of(1, NaN), [1, 2], [1, 2])).toThrow(UserError);
  });
});

describe('statistics', () => {
  test('area, box and score', () => {
    const logits = new Float32Array(5 * 4).fill(-1);
    logits[1 * 5 + 2] = 2;
    logits[3 * 5 + 1] = 4;
    const s = maskStatistics(segment(logits, [4, 5], [4, 5]));
    expect(s.area).toBe(2);
    expect(s.fraction).toBe(0.1);
    expect(s.box).toEqual({ left: 1, top: 1, right: 3, bottom: 4 });
    expect(s.score).toBeCloseTo((1 / (1 + Math.exp(-2)) + 1 / (1 + Math.exp(-4))) / 2, 6);
  });

  test('nothing found', () => {
    const s = maskStatistics(segment(Float32Array.of(-1), [1, 1], [2, 2]));
    expect(s).toEqual({ area: 0, fraction: 0, box: undefined, score: undefined });
  });
});

describe('files', () => {
  const s = segment(Float32Array.of(-9, 9, 9, -9, 9, -9), [2, 3], [2, 3]);

  test('the mask is an 8-bit grey PNG of 0 and 255', async () => {
    const png = await encodeMask(s);
    expect(await sharp(png).metadata()).toMatchObject({
      format: 'png',
      width: 3,
      height: 2,
      channels: 1,
      depth: 'uchar',
    });
    const { data } = await sharp(png).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
    expect([...data]).toEqual([0, 255, 255, 0, 255, 0]);
  });

  test('probabilities', async () => {
    const half = segment(Float32Array.of(0, 100), [1, 2], [1, 2]);
    const { data } = await sharp(await encodeProbability(half))
      .toColourspace('b-w')
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([...data]).toEqual([128, 255]);
  });

  test('the same mask gives the same bytes', async () => {
    expect(await encodeMask(s)).toEqual(await encodeMask(s));
  });
});

describe('overlay', () => {
  const size = 40;
  const image: RgbImage = { width: size, height: size, channels: 3, data: new Uint8Array(size * size * 3).fill(100) };
  const mask = new Uint8Array(size * size);
  for (let y = 10; y < 30; y++) mask.fill(1, y * size + 10, y * size + 30);
  const shown = overlay(image, { width: size, height: size, mask });
  const pixel = (x: number, y: number) => [...shown.data.subarray((y * size + x) * 3, (y * size + x) * 3 + 3)];

  test('red inside, white at the edge, darker outside it, dimmed far away', () => {
    const [r, g, b] = pixel(20, 20) as [number, number, number];
    expect(r).toBeGreaterThan(g + 60);
    expect(r).toBeGreaterThan(b + 50);
    expect(pixel(10, 20)).toEqual([255, 255, 255]);
    expect(pixel(9, 20)).toEqual([25, 25, 25]);
    expect(pixel(2, 2)).toEqual([72, 72, 72]);
  });

  test('no line along the border of the image, where nothing shows the edge', () => {
    const all = overlay(image, { width: size, height: size, mask: new Uint8Array(size * size).fill(1) });
    expect(new Set(all.data).size).toBe(3);
  });

  test('encodes and comes back', async () => {
    const { data } = await sharp(await encodeImage(shown))
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(new Uint8Array(data)).toEqual(shown.data);
  });
});
