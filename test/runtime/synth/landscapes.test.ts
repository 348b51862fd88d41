// slow: draws scenes

import { describe, expect, test } from 'vitest';
import { scan } from '../../../runtime/synth/geometry.ts';
import { surfaces, WORLD } from '../../../runtime/synth/ground.ts';
import { landscapes } from '../../../runtime/synth/landscapes/index.ts';
import { formFor } from '../../../runtime/synth/make-data-set.ts';
import { Random } from '../../../runtime/synth/random.ts';
import { drawScene, type Scene } from '../../../runtime/synth/scene.ts';
import { lightOn, shadowOf } from '../../../runtime/synth/sun.ts';
import { drawnSeed } from '../../seed.ts';

const SIZE = 200;
const scenes = Array.from({ length: 90 }, (_, i) => {
  const form = { ...formFor(SIZE, i % 3 === 0 ? 'standard' : 'easy'), size: SIZE };
  return drawScene(new Random(drawnSeed(i), [i, 0]), form);
});

/** What things of each category measure in the world: length in metres, and area in square metres per length squared. */
const real: Readonly<
  Record<string, readonly [shortest: number, longest: number, leastFill: number, mostFill: number]>
> = {
  airplane: [8, 73, 0.13, 0.36],
  'baseball field': [60, 130, 0.5, 0.75],
  'basketball court': [24, 36, 0.55, 0.65],
  bridge: [20, 150, 0.1, 0.5],
  chimney: [5, 20, 0.7, 0.85],
  'container crane': [50, 120, 0.12, 0.3],
  'ground track field': [100, 180, 0.45, 0.6],
  harbor: [15, 150, 0.12, 0.35],
  helicopter: [9, 21, 0.1, 0.3],
  helipad: [8, 30, 0.7, 0.85],
  'large vehicle': [6, 17, 0.13, 0.4],
  overpass: [30, 100, 0.1, 0.5],
  roundabout: [25, 60, 0.7, 0.85],
  ship: [6, 200, 0.1, 0.4],
  'small vehicle': [3.4, 5.6, 0.33, 0.48],
  'soccer field': [60, 120, 0.6, 0.7],
  stadium: [120, 270, 0.55, 0.68],
  'storage tank': [6, 70, 0.7, 0.85],
  'swimming pool': [5, 51, 0.35, 0.8],
  'tennis court': [30, 41, 0.5, 0.58],
  windmill: [60, 130, 0.04, 0.13],
};

describe('landscapes', () => {
  test('all occur', () => {
    const seen = new Set(scenes.map(({ theme }) => theme));
    expect([...seen].sort()).toEqual(landscapes.map(({ name }) => name).sort());
  });

  test('at the one resolution of its scene, the pixels of everything make its real size', () => {
    for (const { metres, objects } of scenes) {
      for (const object of objects) {
        const [shortest, longest, leastFill, mostFill] = real[object.category.name]!;
        expect(object.metres, object.category.name).toBeGreaterThanOrEqual(shortest);
        expect(object.metres, object.category.name).toBeLessThanOrEqual(longest);
        const fill = (object.area * metres ** 2) / object.metres ** 2;
        // Pixels at edges count wholly or not at all.
        const slack = 2 / Math.sqrt(object.area * SIZE ** 2);
        expect(fill, object.category.name).toBeGreaterThan(leastFill * (1 - slack));
        expect(fill, object.category.name).toBeLessThan(mostFill * (1 + slack));
      }
    }
  });

  test('everything is where it belongs: ships on water, aircraft on aprons, cars on roads and in car parks', () => {
    for (const scene of scenes) {
      const ground = surfaceMap(scene);
      for (const [i, { category, area }] of scene.objects.entries()) {
        let misplaced = 0;
        for (const [at, label] of scene.labels.entries()) {
          if (label === i + 1 && !category.on.includes(surfaces[ground[at]!]!)) misplaced++;
        }
        expect(misplaced / (area * SIZE ** 2), `${category.name} in ${scene.theme}`).toBeLessThan(0.12);
      }
    }
  });

  test('an object lies so to a landmark as the pixels of both do', () => {
    let compared = 0;
    for (const { objects, labels, landmarks } of scenes.slice(0, 30)) {
      for (const { noun, polygons } of landmarks) {
        const there = new Set<number>();
        for (const polygon of polygons) {
          scan(polygon, SIZE, SIZE, SIZE / WORLD, (y, from, to) => {
            for (let x = from; x < to; x++) there.add(y * SIZE + x);
          });
        }
        const edge = [...there].filter((at) => [1, -1, SIZE, -SIZE].some((step) => !there.has(at + step)));
        for (const [i, { places }] of objects.entries()) {
          const { inside, distance } = places[noun]!;
          const own = [...labels.keys()].filter((at) => labels[at] === i + 1);
          const shared = own.filter((at) => there.has(at)).length;
          expect(inside).toBeCloseTo(shared / own.length, 9);
          if (shared > 0) {
            expect(distance).toBe(0);
            continue;
          }
          compared++;
          let least = Infinity;
          for (const at of own) {
            for (const other of edge) {
              const [dx, dy] = [(at % SIZE) - (other % SIZE), Math.floor(at / SIZE) - Math.floor(other / SIZE)];
              least = Math.min(least, dx * dx + dy * dy);
            }
          }
          // From the middle of a pixel to its edge, at both ends.
          expect(Math.abs(distance - Math.sqrt(least) / SIZE)).toBeLessThan(2.4 / SIZE);
        }
      }
    }
    expect(compared).toBeGreaterThan(10);
  });
});

test('scenes with the fewest and the most objects that may be asked for are drawn', () => {
  for (const [difficulty, count] of [
    ['easy', 1],
    ['easy', 5],
    ['standard', 1],
    ['standard', 12],
  ] as const) {
    const form = formFor(64, difficulty, `${count},${count}`);
    for (let i = 0; i < 3; i++) expect(drawScene(new Random(drawnSeed(i), [i, 0]), form).objects).toHaveLength(count);
  }
});

describe('the sun', () => {
  const sun = { towards: [0.6, -0.8], reach: 1.5 } as const;

  test('throws shadows away from it, as long as things are high', () => {
    const [dx, dy] = shadowOf(sun, 10);
    expect([dx, dy].map((v) => Math.round(v * 1e6) / 1e6)).toEqual([-9, 12]);
    expect(Math.hypot(...shadowOf(sun, 20))).toBeCloseTo(2 * Math.hypot(dx, dy), 9);
  });

  test('lights what is turned from the same side of the image', () => {
    for (const angle of [0, 30, 135, 270]) {
      const [x, y] = lightOn(sun, angle);
      const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
      expect(x * cos - y * sin).toBeCloseTo(0.6, 9);
      expect(x * sin + y * cos).toBeCloseTo(-0.8, 9);
    }
  });
});

/** The surface of each pixel, by its index. */
function surfaceMap({ areas }: Scene): Uint8Array {
  const map = new Uint8Array(SIZE * SIZE);
  for (const { surface, polygon } of areas) {
    scan(polygon, SIZE, SIZE, SIZE / WORLD, (y, from, to) => {
      map.fill(surfaces.indexOf(surface), y * SIZE + from, y * SIZE + to);
    });
  }
  return map;
}
