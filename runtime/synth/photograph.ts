import type { RgbImage } from '../images/image.ts';
import type { RandomWords } from '../images/weather.ts';
import type { Surface } from './categories/category.ts';
import { scan } from './geometry.ts';
import { type Area, surfaces, WORLD } from './ground.ts';

/** Amplitudes of brightness noise on a surface, of 255: at 0.7, 3 and 20 m, and of each pixel. */
type Texture = readonly [clumps: number, spots: number, patches: number, grain: number];

const textures: Readonly<Record<Surface, Texture>> = {
  grass: [20, 14, 16, 6],
  crop: [15, 12, 14, 6],
  soil: [13, 12, 16, 5],
  paved: [6, 8, 13, 4],
  road: [6, 7, 9, 4],
  water: [5, 4, 8, 2],
  sand: [6, 7, 10, 4],
  roof: [7, 6, 4, 4],
  canopy: [46, 16, 8, 8],
};
const ofObjects: Texture = [4, 5, 4, 3];
const metres = [0.7, 3, 20] as const;

export interface View {
  readonly areas: readonly Area[];
  /** [size, size]; 0 is ground. */
  readonly labels: Uint8Array;
  /** Length of the image's side in metres. */
  readonly metres: number;
}

const streams = { air: 1, grain: 2, noise: 3, waves: 8 } as const;

/**
 * Makes the drawing of a scene look like an aerial photograph, in place: textures of surfaces in their real size, waves,
 * the blur of a lens, haze, and the noise of a sensor.
 */
export function photograph(image: RgbImage, view: View, words: RandomWords): void {
  const { width: size, data } = image;
  const kinds = surfaceMap(view, size);
  const perMetre = size / view.metres;
  const [exposure, warmth, clearness, blur, noise] = unit(words(streams.air, 5)) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const uneven = textured(kinds, size, perMetre, words);
  addWaves(uneven, kinds, size, perMetre, words);
  const light = new Float32Array(size * size * 3);
  for (let i = 0; i < kinds.length; i++) {
    const change = uneven[i]!;
    const alive = kinds[i] === GRASS || kinds[i] === CROP || kinds[i] === CANOPY;
    for (let c = 0; c < 3; c++) {
      const v = data[i * 3 + c]!;
      // Dry spots of plants are yellower, not only lighter. Very bright and very dark colours change less.
      const tint = alive ? [1.1, 1, 0.62][c]! : 1;
      light[i * 3 + c] = v + change * tint * (0.5 + 2 * (v / 255) * (1 - v / 255));
    }
  }
  smooth(light, size, 0.1 + 0.1 * blur);
  const gain = 1.02 + 0.16 * exposure;
  const balance = [1 + (warmth - 0.5) * 0.07, 1, 1 - (warmth - 0.5) * 0.09];
  const seen = 0.89 + 0.09 * clearness;
  const sigma = 1.6 + 2.2 * noise;
  const grain = words(streams.grain, size * size * 2);
  for (let i = 0; i < kinds.length; i++) {
    for (let c = 0; c < 3; c++) {
      const v = light[i * 3 + c]! * gain * balance[c]! * seen + air[c]! * (1 - seen);
      // The difference of two uniform numbers, with a deviation of 418; light has more noise than dark.
      const change = ((grain[i * 2]! >>> (10 * c)) & 1023) - ((grain[i * 2 + 1]! >>> (10 * c)) & 1023);
      data[i * 3 + c] = Math.max(0, Math.min(255, Math.round(v + (change / 418) * sigma * (0.6 + v / 320))));
    }
  }
}

/** The light that air scatters into the lens. */
const air = [168, 178, 190] as const;

const index = (surface: Surface) => surfaces.indexOf(surface);
const [GRASS, CROP, CANOPY, WATER] = [index('grass'), index('crop'), index('canopy'), index('water')];
const OBJECT = surfaces.length;

const unit = (words: Uint32Array) => Array.from(words, (word) => word / 2 ** 32);

/** The surface of each pixel as an index of `surfaces`; OBJECT for objects. */
function surfaceMap({ areas, labels }: View, size: number): Uint8Array {
  const kinds = new Uint8Array(size * size);
  for (const { surface, polygon } of areas) {
    const kind = index(surface);
    scan(polygon, size, size, size / WORLD, (y, from, to) => {
      kinds.fill(kind, y * size + from, y * size + to);
    });
  }
  for (let i = 0; i < labels.length; i++) if (labels[i] !== 0) kinds[i] = OBJECT;
  return kinds;
}

function textured(kinds: Uint8Array, size: number, perMetre: number, words: RandomWords): Float32Array {
  const out = new Float32Array(size * size);
  const table = [...surfaces.map((surface) => textures[surface]), ofObjects];
  const plane = new Float32Array(size * size);
  for (const [k, length] of metres.entries()) {
    // Clumps smaller than a pixel are seen as grain of the pixel, and weaker.
    const cell = Math.max(1.3, length * perMetre);
    const share = Math.min(1, 0.4 + (0.6 * length * perMetre) / cell);
    valueNoise(plane, size, cell, words(streams.noise + k, GRID));
    const strength = table.map((texture) => texture[k]! * share);
    for (let i = 0; i < out.length; i++) out[i]! += plane[i]! * strength[kinds[i]!]!;
  }
  const grain = words(streams.noise + metres.length, size * size);
  const strength = table.map((texture) => texture[3]);
  for (let i = 0; i < out.length; i++) out[i]! += (grain[i]! / 2 ** 32 - 0.5) * strength[kinds[i]!]!;
  return out;
}

/** Waves of three lengths from about one direction, and glints where they add up. */
function addWaves(out: Float32Array, kinds: Uint8Array, size: number, perMetre: number, words: RandomWords): void {
  const drawn = unit(words(streams.waves, 8));
  const wind = drawn[0]! * 2 * Math.PI;
  const waves = [2.2, 4.5, 9].map((length, i) => {
    const angle = wind + (drawn[1 + i]! - 0.5) * 0.9;
    const k = (2 * Math.PI) / Math.max(3.2 + 2.4 * i, length * perMetre);
    return { x: k * Math.cos(angle), y: k * Math.sin(angle), from: drawn[4 + i]! * 6.3 };
  });
  const bend = new Float32Array(size * size);
  valueNoise(bend, size, Math.max(6, 8 * perMetre), words(streams.waves + 1, GRID));
  for (let i = 0; i < out.length; i++) {
    if (kinds[i] !== WATER) continue;
    const [x, y] = [i % size, Math.floor(i / size)];
    let sum = 0;
    for (const wave of waves) sum += Math.sin(wave.x * x + wave.y * y + wave.from + bend[i]! * 7);
    out[i]! += sum * 2.6 + (sum > 2.1 ? 16 * (sum - 2.1) : 0);
  }
}

/** A blur of 3 × 3 pixels, of which each direct neighbour has this share. */
function smooth(light: Float32Array, size: number, share: number): void {
  const from = new Float32Array(light.length);
  for (const step of [3, size * 3]) {
    from.set(light);
    for (let i = 0; i < light.length; i++) {
      const before = step === 3 ? (i % (size * 3) >= 3 ? i - 3 : i) : i >= step ? i - step : i;
      const after = step === 3 ? (i % (size * 3) < size * 3 - 3 ? i + 3 : i) : i + step < light.length ? i + step : i;
      light[i] = from[i]! * (1 - 2 * share) + (from[before]! + from[after]!) * share;
    }
  }
}

/** Number of random values per noise; a power of two. */
const GRID = 1 << 12;

/** Fills a plane with smooth noise from -0.5 to 0.5, interpolated from random values `cell` pixels apart. */
function valueNoise(plane: Float32Array, size: number, cell: number, random: Uint32Array): void {
  const ease = (t: number) => t * t * (3 - 2 * t);
  const columns = Array.from({ length: size }, (_, x) => Math.floor(x / cell));
  const shares = columns.map((i, x) => ease(x / cell - i));
  for (let y = 0; y < size; y++) {
    const j = Math.floor(y / cell);
    const v = ease(y / cell - j);
    for (let x = 0; x < size; x++) {
      const at = columns[x]! * 73 + j * 1511;
      const u = shares[x]!;
      const top = random[at & (GRID - 1)]! * (1 - u) + random[(at + 73) & (GRID - 1)]! * u;
      const bottom = random[(at + 1511) & (GRID - 1)]! * (1 - u) + random[(at + 1584) & (GRID - 1)]! * u;
      plane[y * size + x] = (top * (1 - v) + bottom * v) / 2 ** 32 - 0.5;
    }
  }
}
