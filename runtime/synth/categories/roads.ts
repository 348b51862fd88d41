import { shade } from '../colours.ts';
import { ellipse, mirrored, rectangle, rounded } from '../geometry.ts';
import type { Random } from '../random.ts';
import { box, disc, line, shape } from '../svg.ts';
import type { Artwork, Category } from './category.ts';

export const car: Category = {
  name: 'small vehicle',
  nouns: ['car'],
  plural: 'cars',
  general: 'vehicle',
  colours: ['white', 'red', 'blue', 'yellow', 'black', 'green', 'orange'],
  length: [0.22, 0.33],
  on: ['paved', 'road', 'grass', 'soil'],
  turn: 'any',
  height: 0.1,
  draw: drawCar,
};

function drawCar(_: Random, colour: string): Artwork {
  const outline = rounded(0.5, 1, 0.14);
  const glass = '#232b33';
  const svg =
    shape([outline], colour) +
    shape(
      [
        [
          [-0.19, -0.22],
          [0.19, -0.22],
          [0.16, -0.08],
          [-0.16, -0.08],
        ],
      ],
      glass,
    ) +
    shape(
      [
        [
          [-0.16, 0.26],
          [0.16, 0.26],
          [0.19, 0.38],
          [-0.19, 0.38],
        ],
      ],
      glass,
    ) +
    box(-0.16, -0.07, 0.32, 0.32, shade(colour, 0.16)) +
    box(-0.22, -0.06, 0.04, 0.3, glass) +
    box(0.18, -0.06, 0.04, 0.3, glass) +
    box(-0.2, -0.47, 0.1, 0.04, '#f6f3dc') +
    box(0.1, -0.47, 0.1, 0.04, '#f6f3dc');
  return { outline: [outline], svg };
}

export const truck: Category = {
  name: 'large vehicle',
  nouns: ['truck', 'lorry'],
  plural: 'trucks',
  general: 'vehicle',
  colours: ['white', 'red', 'blue', 'yellow', 'green', 'orange'],
  length: [0.34, 0.5],
  on: ['paved', 'road', 'soil'],
  turn: 'any',
  height: 0.1,
  draw: drawTruck,
};

function drawTruck(random: Random, colour: string): Artwork {
  const cab = rectangle(-0.155, -0.5, 0.31, 0.22);
  const coupling = rectangle(-0.07, -0.28, 0.14, 0.05);
  const trailer = rectangle(-0.18, -0.23, 0.36, 0.73);
  const cover = random.chance(0.5);
  const ribs = Array.from({ length: 5 }, (_, i) =>
    cover
      ? line(
          [
            [-0.17, -0.12 + i * 0.125],
            [0.17, -0.12 + i * 0.125],
          ],
          shade(colour, -0.14),
          0.02,
        )
      : '',
  );
  const svg =
    shape([cab], shade(colour, -0.22)) +
    box(-0.12, -0.45, 0.24, 0.07, '#222b33') +
    shape([coupling], '#303236') +
    shape([trailer], colour) +
    ribs.join('') +
    box(-0.18, -0.23, 0.36, 0.025, shade(colour, 0.3)) +
    box(0.14, -0.23, 0.04, 0.73, shade(colour, -0.18));
  return { outline: [cab, coupling, trailer], svg };
}

/** Runs along y, across a river or road below it. */
export const bridge: Category = {
  name: 'bridge',
  nouns: ['bridge'],
  plural: 'bridges',
  colours: ['gray', 'red', 'brown', 'white'],
  length: [0.3, 0.6],
  on: ['water', 'grass', 'soil', 'sand', 'paved', 'road'],
  turn: 'any',
  height: 0.08,
  draw: drawBridge,
};

/** Half the width of the road on a bridge of length 1. */
export const bridgeHalfWidth = 0.15;

function drawBridge(_: Random, colour: string): Artwork {
  const w = bridgeHalfWidth;
  const outline = rectangle(-w, -0.5, 2 * w, 1);
  const posts = Array.from({ length: 8 }, (_, i) => -0.44 + i * 0.125).flatMap((y) => [
    box(-w, y, 0.035, 0.03, shade(colour, -0.5)),
    box(w - 0.035, y, 0.035, 0.03, shade(colour, -0.5)),
  ]);
  const svg =
    shape([outline], colour) +
    box(-w + 0.07, -0.5, 2 * w - 0.14, 1, '#5b5d60') +
    posts.join('') +
    line(
      [
        [0, -0.5],
        [0, 0.5],
      ],
      '#efe9c8',
      0.018,
      'stroke-dasharray="0.07 0.06"',
    );
  return { outline: [outline], svg };
}

export const overpass: Category = {
  name: 'overpass',
  nouns: ['overpass', 'flyover'],
  plural: 'overpasses',
  colours: [],
  length: [0.42, 0.6],
  on: ['road', 'grass', 'soil', 'sand', 'paved'],
  turn: 'any',
  height: 0.12,
  draw: drawOverpass,
};

export const overpassHalfWidth = 0.13;

function drawOverpass(): Artwork {
  const w = overpassHalfWidth;
  const outline = rectangle(-w, -0.5, 2 * w, 1);
  const svg =
    shape([outline], '#c9c6bd') +
    box(-w + 0.03, -0.5, 2 * w - 0.06, 1, '#77787a') +
    box(-0.012, -0.5, 0.024, 1, '#c9c6bd') +
    line(
      [
        [-w / 2, -0.5],
        [-w / 2, 0.5],
      ],
      '#f1efe6',
      0.012,
      'stroke-dasharray="0.05 0.05"',
    ) +
    line(
      [
        [w / 2, -0.5],
        [w / 2, 0.5],
      ],
      '#f1efe6',
      0.012,
      'stroke-dasharray="0.05 0.05"',
    );
  return { outline: [outline], svg };
}

export const roundabout: Category = {
  name: 'roundabout',
  nouns: ['roundabout', 'traffic circle'],
  plural: 'roundabouts',
  colours: [],
  length: [0.3, 0.44],
  on: ['grass', 'soil', 'paved', 'sand', 'road'],
  turn: 'any',
  height: 0,
  draw: drawRoundabout,
};

function drawRoundabout(random: Random): Artwork {
  const outline = ellipse(0, 0, 0.5);
  const island = random.pick(['#5f8f45', '#6d9a4c', '#54803f']);
  const svg =
    shape([outline], '#606266') +
    disc(0, 0, 0.475, 'none', 'stroke="#e9e6d8" stroke-width="0.02"') +
    disc(0, 0, 0.38, 'none', 'stroke="#e9e6d8" stroke-width="0.016" stroke-dasharray="0.1 0.08"') +
    disc(0, 0, 0.27, '#d3cfc2') +
    disc(0, 0, 0.245, island) +
    shape(
      [
        mirrored([
          [0.01, -0.12],
          [0.1, 0],
          [0.01, 0.12],
        ]),
      ],
      shade(island, -0.3),
    ) +
    disc(0, 0, 0.05, '#d8d2bd');
  return { outline: [outline], svg };
}
