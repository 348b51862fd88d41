// Predicts a scene that does not fit into memory: npm run large-scene -- [--side 20000] [--tile 512] [--folder out/large-scene]
//
// Draws a GeoTIFF of side × side pixels (3 × 16 bits in tiles, UTM zone 33), predicts it with CroBIM_micro, and prints the time and
// the peak of the memory. Then cuts some tiles out of the scene, predicts each alone, and compares the masks where no other tile
// overlaps: they must be equal. Needs the built program, and about 3 GB of disk.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { deflate } from 'node:zlib';
import sharp from 'sharp';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: given } = parseArgs({
  options: {
    side: { type: 'string', default: '20000' },
    tile: { type: 'string', default: '512' },
    folder: { type: 'string', default: join(root, 'out', 'large-scene') },
  },
});
const [side, tile] = [Number(given.side), Number(given.tile)];
const { folder } = given;
const block = 512;
const pack = promisify(deflate);

/** A landscape of fields, paths and dots, in 16 bits. */
function pixel(x, y, band) {
  const field = ((x >> 7) * 73 + (y >> 7) * 151 + (x >> 9) * (y >> 8)) & 255;
  const wave = Math.sin(x / 41 + band) * Math.cos(y / 57 - band) * 6000;
  const grain = ((Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca6b)) >>> 20) * 2;
  const dot = (x % 97) ** 2 + (y % 89) ** 2 < 400 ? 20000 : 0;
  return Math.max(0, Math.min(65535, 8000 + field * 90 * (1 + band * 0.2) + wave + grain + dot));
}

function window(left, top, width, height) {
  const out = new Uint16Array(width * height * 3);
  let at = 0;
  for (let y = top; y < top + height; y++)
    for (let x = left; x < left + width; x++) for (let band = 0; band < 3; band++) out[at++] = pixel(x, y, band);
  return out;
}

async function drawScene(path) {
  const across = Math.ceil(side / block);
  const file = await open(`${path}.part`, 'w');
  let at = 8;
  const [offsets, counts] = [[], []];
  const write = async (bytes) => {
    await file.write(bytes, 0, bytes.length, at);
    at += bytes.length;
  };
  for (let i = 0; i < across * across; i++) {
    const values = window((i % across) * block, Math.floor(i / across) * block, block, block);
    const packed = await pack(new Uint8Array(values.buffer), { level: 1 });
    offsets.push(at);
    counts.push(packed.length);
    await write(packed);
    if (i % across === 0) process.stderr.write(`drawing: ${Math.floor((100 * i) / across ** 2)} %\n`);
  }
  // 3 short, 4 long, 12 double.
  const tags = [
    [256, 4, [side]],
    [257, 4, [side]],
    [258, 3, [16, 16, 16]],
    [259, 3, [8]],
    [262, 3, [2]],
    [277, 3, [3]],
    [284, 3, [1]],
    [322, 3, [block]],
    [323, 3, [block]],
    [324, 4, offsets],
    [325, 4, counts],
    [339, 3, [1, 1, 1]],
    [33550, 12, [0.5, 0.5, 0]],
    [33922, 12, [0, 0, 0, 500_000, 5_600_000, 0]],
    // A projected system of pixels that are areas: UTM zone 33 on WGS 84.
    [34735, 3, [1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633]],
  ];
  const directory = at + (at % 2);
  const head = Buffer.alloc(2 + tags.length * 12 + 4);
  head.writeUInt16LE(tags.length, 0);
  at = directory + head.length;
  for (const [i, [tag, type, list]] of tags.entries()) {
    const Type = { 3: Uint16Array, 4: Uint32Array, 12: Float64Array }[type];
    const bytes = Buffer.from(Type.from(list).buffer);
    const entry = 2 + i * 12;
    head.writeUInt16LE(tag, entry);
    head.writeUInt16LE(type, entry + 2);
    head.writeUInt32LE(list.length, entry + 4);
    if (bytes.length <= 4) bytes.copy(head, entry + 8);
    else {
      head.writeUInt32LE(at, entry + 8);
      await write(bytes);
    }
  }
  await file.write(head, 0, head.length, directory);
  const header = Buffer.from('49492a0000000000', 'hex');
  header.writeUInt32LE(directory, 4);
  await file.write(header, 0, 8, 0);
  await file.close();
  await rename(`${path}.part`, path);
}

/** Runs crobc; returns its output, the seconds it took, and the peak of its memory, which Linux says. */
function crobc(...args) {
  return new Promise((done, fail) => {
    const started = Date.now();
    const child = spawn(process.execPath, [join(root, 'dist/bin/crobc.cjs'), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let [out, peak] = ['', 0];
    const timer = setInterval(() => {
      const status = existsSync(`/proc/${child.pid}/status`) ? readFileSync(`/proc/${child.pid}/status`, 'utf8') : '';
      peak = Math.max(peak, Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1] ?? 0) * 1024);
    }, 250);
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
    child.on('error', fail);
    child.on('close', (code) => {
      clearInterval(timer);
      if (code === 0) done({ out, peak, seconds: (Date.now() - started) / 1000 });
      else fail(new Error(`crobc ended with ${code}: ${out}`));
    });
  });
}

mkdirSync(folder, { recursive: true });
const scene = join(folder, `scene-${side}.tif`);
if (!existsSync(scene)) await drawScene(scene);
const model = [
  'predict',
  join(root, 'models/crobim.crob'),
  '--model',
  'CroBIM_micro',
  '--text',
  'the large white ship',
];
const to = ['-o', folder];
const { out, peak, seconds } = await crobc(
  ...model,
  '-i',
  scene,
  ...to,
  '--tile',
  String(tile),
  '--geojson',
  '--resume',
);
process.stdout.write(
  `${out}took ${seconds.toFixed(0)} s, with ${(peak / 2 ** 20).toFixed(0)} MiB of memory at the peak\n`,
);

const stride = tile - Math.floor(Math.floor(tile / 2) / 2);
const overlap = tile - stride;
let compared = 0;
for (const [column, row] of [
  [0, 0],
  [3, 1],
  [1, 4],
  [7, 7],
  [2, 9],
]) {
  const [left, top] = [column * stride, row * stride];
  if (left + tile + stride > side || top + tile + stride > side) continue;
  const crop = join(folder, 'crop.png');
  await sharp(window(left, top, tile, tile), { raw: { width: tile, height: tile, channels: 3 } })
    .toColourspace('rgb16')
    .png()
    .toFile(crop);
  await crobc(...model, '-i', crop, ...to);
  const inner = { width: tile - 2 * overlap, height: tile - 2 * overlap };
  const raw = (path, at) =>
    sharp(path, { limitInputPixels: false })
      .extract({ left: at[0], top: at[1], ...inner })
      .greyscale()
      .raw()
      .toBuffer();
  const whole = await raw(join(folder, `scene-${side}.mask.tif`), [left + overlap, top + overlap]);
  const alone = await raw(join(folder, 'crop.mask.png'), [overlap, overlap]);
  if (!whole.equals(alone)) throw new Error(`the tile at ${left}, ${top} differs from its prediction alone`);
  compared++;
}
await rm(join(folder, 'crop.png'), { force: true });
process.stdout.write(`${compared} tiles are equal to their predictions alone, where no other overlaps\n`);
