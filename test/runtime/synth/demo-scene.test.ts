// slow: draws scenes

import { mkdir, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../runtime/files/user-error.ts';
import { type RgbImage, readImage } from '../../../runtime/images/image.ts';
import { drawDemoScene, writeDemoScene } from '../../../runtime/synth/demo-scene.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();

/** Mean colour of a box given in the 640 × 480 units of the scene. */
function colour(image: RgbImage, left: number, top: number, right: number, bottom: number): number[] {
  const sums = [0, 0, 0];
  const scale = image.width / 640;
  let count = 0;
  for (let y = Math.floor(top * scale); y < bottom * scale; y++) {
    for (let x = Math.floor(left * scale); x < right * scale; x++, count++) {
      for (let c = 0; c < 3; c++) sums[c]! += image.data[(y * image.width + x) * 3 + c]!;
    }
  }
  return sums.map((sum) => sum / count);
}

describe('the scene', () => {
  test('has water on the left, white tanks, blue courts, whatever the seed and size', async () => {
    for (const [seed, width] of [
      [0, 640],
      [7, 320],
      [99, 960],
    ] as const) {
      const image = await drawDemoScene({ seed, width, height: (width * 3) / 4 });
      expect(image).toMatchObject({ width, height: (width * 3) / 4, channels: 3 });
      const sea = colour(image, 5, 240, 40, 300);
      expect(sea[2]).toBeGreaterThan(sea[0]! + 20);
      expect(Math.min(...colour(image, 268, 178, 276, 186))).toBeGreaterThan(180);
      const court = colour(image, 267, 354, 295, 358);
      expect(court[2]).toBeGreaterThan(court[0]! + 40);
      const asphalt = colour(image, 346, 230, 349, 238);
      expect(Math.max(...asphalt) - Math.min(...asphalt)).toBeLessThan(40);
    }
  });

  test('is the same for the same seed, and another for another', async () => {
    const [one, again, other] = await Promise.all(
      [1, 1, 2].map((seed) => drawDemoScene({ seed, width: 160, height: 120 })),
    );
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });

  test('any shape, down to one pixel', async () => {
    for (const [width, height] of [
      [1, 1],
      [64, 200],
      [301, 97],
    ] as const) {
      const image = await drawDemoScene({ width, height });
      expect(image.data.length).toBe(width * height * 3);
    }
    await expect(drawDemoScene({ width: 0 })).rejects.toThrow(UserError);
    await expect(drawDemoScene({ width: 1e6, height: 1e6 })).rejects.toThrow('cannot be drawn');
  });

  test('is written as a PNG that reads back', async () => {
    await writeDemoScene(at('scene.png'), { seed: 3, width: 96, height: 72 });
    expect(await readImage(at('scene.png'))).toEqual(await drawDemoScene({ seed: 3, width: 96, height: 72 }));
    await writeFile(at('plain'), '');
    await expect(writeDemoScene(at('plain/scene.png'))).rejects.toThrow(
      /^cannot write .*scene\.png: a part of the path is not a folder$/,
    );
    await mkdir(at('folder'));
    await expect(writeDemoScene(at('folder'))).rejects.toThrow(/it is a folder$/);
  });
});
