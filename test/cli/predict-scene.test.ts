// slow: opens models

import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { fixture } from '../runtime/images/tiff/fixtures.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, crobcProcess, type Ran, tiny } from './crobc.ts';

const at = temporaryFolder();
let folder: string;

/** A scene with values in all of 16 bits; the mask of it by initial weights is neither empty nor full. */
const [width, height] = [150, 110];
const values = Uint16Array.from({ length: width * height * 3 }, (_, i) => {
  const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
  return 32_000 + 15_000 * Math.sin(x / 9 + i) + 15_000 * Math.cos(y / 7 + (i % 3));
});
const scene = () => sharp(values, { raw: { width, height, channels: 3 } }).toColourspace('rgb16');

beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  await writeFile(`${folder}/tiny.crob`, tiny);
  await scene()
    .tiff({ compression: 'deflate', tile: true, tileWidth: 32, tileHeight: 32 })
    .toFile(`${folder}/scene.tif`);
  await scene().png().toFile(`${folder}/whole.png`);
});

const words = ['predict', 'tiny.crob', '--device', 'cpu', '-t', 'ship'];
const predict = (...args: string[]): Promise<Ran> => crobc([...words, ...args], { cwd: folder });

async function maskOf(path: string) {
  const { data, info } = await sharp(`${folder}/${path}`)
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: new Uint8Array(data) };
}

async function jsonOf(...args: string[]) {
  const ran = await predict(...args, '--json');
  expect(ran.code, ran.err).toBe(0);
  return JSON.parse(ran.out);
}

describe('a scene in tiles', () => {
  test('has the mask of each tile alone where no other overlaps it', async () => {
    const found = await jsonOf('-i', 'scene.tif', '--tile', '40', '--overlap', '10', '-o', 'tiles');
    expect(found).toMatchObject({
      width,
      height,
      tiles: { width: 40, height: 40, overlap: 10, count: 20, global: false },
    });
    const mask = await maskOf('tiles/scene.mask.tif');
    expect([mask.width, mask.height]).toEqual([width, height]);
    expect(mask.data.filter((v) => v === 255).length).toBe(found.area);
    expect(new Set(mask.data)).toEqual(new Set([0, 255]));
    const { box } = found;
    const inBox = (i: number) =>
      i % width >= box.left && i % width < box.right && i / width >= box.top && i / width < box.bottom;
    expect(mask.data.every((v, i) => v === 0 || inBox(i))).toBe(true);
    const seen = new Set<number>();
    for (const [left, top] of [
      [0, 0],
      [30, 30],
      [60, 30],
      [90, 60],
    ] as const) {
      await scene().extract({ left, top, width: 40, height: 40 }).png().toFile(`${folder}/crop-${left}-${top}.png`);
      await predict('-i', `crop-${left}-${top}.png`, '-o', 'tiles');
      const alone = await maskOf(`tiles/crop-${left}-${top}.mask.png`);
      const [own, blended] = [[], []] as [number[], number[]];
      for (let y = 10; y < 30; y++) {
        for (let x = 10; x < 30; x++) {
          own.push(alone.data[y * 40 + x]!);
          blended.push(mask.data[(top + y) * width + left + x]!);
        }
      }
      expect(blended).toEqual(own);
      for (const value of own) seen.add(value);
    }
    expect(seen).toEqual(new Set([0, 255]));
    expect((await readdir(`${folder}/tiles`)).filter((name) => name.startsWith('scene.')).sort()).toEqual([
      'scene.json',
      'scene.mask.tif',
      'scene.overlay.png',
    ]);
  });

  test('of one tile is the picture at once; a PNG has tiles too', async () => {
    await predict('-i', 'whole.png', '-o', 'one');
    const whole = await maskOf('one/whole.mask.png');
    await predict('-i', 'whole.png', '--tile', '32', '-o', 'one');
    const tiles = await maskOf('one/whole.mask.tif');
    expect([tiles.width, tiles.height]).toEqual([whole.width, whole.height]);
    await scene().extract({ left: 0, top: 0, width: 50, height: 50 }).png().toFile(`${folder}/square.png`);
    await predict('-i', 'square.png', '-o', 'one');
    await predict('-i', 'square.png', '--tile', '50', '-o', 'one');
    expect((await maskOf('one/square.mask.tif')).data).toEqual((await maskOf('one/square.mask.png')).data);
  });

  test('a scene smaller than a tile has its own size', async () => {
    const found = await jsonOf('-i', fixture('uint16-rgb'), '--tile', '64', '-o', 'small');
    expect(found).toMatchObject({ width: 37, height: 21, tiles: { count: 1 } });
    expect(await maskOf('small/uint16-rgb.mask.tif')).toMatchObject({ width: 37, height: 21 });
  });

  test('the whole at low resolution counts for half', async () => {
    const [plain, whole] = [
      await jsonOf('-i', 'scene.tif', '--tile', '40', '-o', 'plain'),
      await jsonOf('-i', 'scene.tif', '--tile', '40', '--global', '-o', 'global'),
    ];
    expect(whole.tiles.global).toBe(true);
    expect(whole.area).not.toBe(plain.area);
    // With a tile that is the whole, both halves are the same.
    const one = ['-i', 'whole.png', '--tile', '150', '-o', 'half'];
    const area = (await jsonOf('-i', 'square.png', '--tile', '50', '-o', 'half')).area;
    expect((await jsonOf('-i', 'square.png', '--tile', '50', '--global', '-o', 'half')).area).toBe(area);
    expect((await jsonOf(...one)).tiles.count).toBe(1);
  });

  test('polygons have the pixels of the mask, where the scene lies', async () => {
    const found = await jsonOf('-i', fixture('uint16-rgb'), '--tile', '16', '--geojson', '-o', 'places');
    const json = JSON.parse(await readFile(`${folder}/${found.files.geojson}`, 'utf8'));
    expect(json.crs.properties.name).toBe('urn:ogc:def:crs:EPSG::32633');
    const area = json.features.reduce(
      (sum: number, { properties }: { properties: { pixels: number } }) => sum + properties.pixels,
      0,
    );
    expect(area).toBe(found.area);
    const points = json.features.flatMap((feature: { geometry: { coordinates: number[][][] } }) =>
      feature.geometry.coordinates.flat(),
    );
    for (const [x, y] of points) {
      expect(x >= 500_000 && x <= 500_018.5).toBe(true);
      expect(y <= 5_600_000 && y >= 5_599_989.5).toBe(true);
    }
  });
});

describe('an unfinished prediction', () => {
  const args = ['-i', 'scene.tif', '--tile', '20', '--overlap', '10', '--geojson'];

  test('is refused without --resume, and continued with it to the same files', async () => {
    await predict(...args, '-o', 'unbroken');
    // The disk has room for the model and for the state after some rows of tiles, and is then full.
    const cache = `${folder}/unbroken/model-cache`;
    const sizes = (await readdir(cache)).map(async (name) => (await stat(join(cache, name))).size);
    const disk = (await Promise.all(sizes)).reduce((sum, size) => sum + size) + 60_000;
    const cut = await crobcProcess([...words, ...args, '-o', 'broken'], { cwd: folder, disk });
    expect(cut.code, cut.err).toBe(1);
    expect(await readdir(`${folder}/broken`)).toContain('scene.partial');
    expect(JSON.parse(await readFile(`${folder}/broken/scene.partial/state.json`, 'utf8')).rows).toBeGreaterThan(0);
    const refused = await predict(...args, '-o', 'broken');
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain(
      'broken/scene.partial has an unfinished prediction of this scene: --resume continues it; remove the folder to begin anew',
    );
    const other = await predict(...args, '--resume', '--global', '-o', 'broken');
    expect(other).toMatchObject({ code: 1, out: '' });
    expect(other.err).toContain('broken/scene.partial has an unfinished prediction with another image, phrase, model,');
    const ran = await predict(...args, '--resume', '-o', 'broken');
    expect(ran.code, ran.err).toBe(0);
    for (const name of ['scene.mask.tif', 'scene.geojson', 'scene.overlay.png'])
      expect(await readFile(`${folder}/broken/${name}`), name).toEqual(await readFile(`${folder}/unbroken/${name}`));
    expect(await readdir(`${folder}/broken`)).not.toContain('scene.partial');
    await rm(`${folder}/broken`, { recursive: true });
  });
});

describe('a picture that is not predicted in tiles', () => {
  test('is noted where the model sees little of it', async () => {
    const ran = await predict('-i', 'scene.tif', '-o', 'large');
    expect(ran.code).toBe(0);
    expect(ran.err).toContain(
      'note: scene.tif: it has 150 × 110 pixels, of which the model sees 32 × 32; --tile predicts it in parts at full resolution\n',
    );
    expect((await predict('-i', 'square.png', '-o', 'large')).err).not.toContain('--tile');
    expect((await predict('-i', 'scene.tif', '--tile', '50', '-o', 'large')).err).not.toContain('--tile');
  });

  test('is refused where it does not fit, from its header', async () => {
    // A sparse file of 20,000 × 20,000 pixels.
    const tiles = Math.ceil(20_000 / 512) ** 2;
    const tags: readonly (readonly [number, number, number, number])[] = [
      [256, 4, 1, 20_000],
      [257, 4, 1, 20_000],
      [258, 3, 1, 8],
      [259, 3, 1, 8],
      [262, 3, 1, 1],
      [277, 3, 1, 1],
      [322, 3, 1, 512],
      [323, 3, 1, 512],
      [324, 4, tiles, 256],
      [325, 4, tiles, 256],
    ];
    const bytes = Buffer.alloc(256 + 4 * tiles);
    bytes.write('49492a0008000000', 'hex');
    bytes.writeUInt16LE(tags.length, 8);
    for (const [i, [tag, type, count, value]] of tags.entries()) {
      bytes.writeUInt16LE(tag, 10 + 12 * i);
      bytes.writeUInt16LE(type, 12 + 12 * i);
      bytes.writeUInt32LE(count, 14 + 12 * i);
      bytes.writeUInt32LE(value, 18 + 12 * i);
    }
    await writeFile(`${folder}/huge.tif`, bytes);
    const ran = await predict('-i', 'huge.tif', '-o', 'never');
    expect(ran).toEqual({
      code: 1,
      out: '',
      err: 'crobc: cannot read huge.tif at once: it has 20000 × 20000 pixels, over the limit of 100000000; --tile predicts it in parts\n',
    });
  });
});

describe('wrong options', () => {
  test.each([
    [['--overlap', '5'], 2, 'error: --overlap is for predictions in tiles: give --tile as well\n'],
    [['--global'], 2, 'error: --global is for predictions in tiles: give --tile as well\n'],
    [['--resume'], 2, 'error: --resume is for predictions in tiles: give --tile as well\n'],
    [
      ['--tile', '40', '--overlap', '21'],
      1,
      'crobc: tiles of 40 × 40 pixels overlap by 20 at most (half of them), and --overlap is 21\n',
    ],
  ])('%s', async (args, code, err) => {
    expect(await predict('-i', 'scene.tif', '-o', 'never', ...args)).toEqual({ code, out: '', err });
  });
});
