import { mixed, shade } from '../colours.ts';
import { ellipse, type Point, rectangle, rounded } from '../geometry.ts';
import type { Random } from '../random.ts';
import { box, disc, line, shape } from '../svg.ts';
import type { Artwork, Category } from './category.ts';

export const car: Category = {
  name: 'small vehicle',
  nouns: ['car'],
  plural: 'cars',
  general: 'vehicle',
  colours: ['white', 'red', 'blue', 'yellow', 'black', 'green', 'orange', 'gray'],
  metres: [3.5, 5.4],
  on: ['paved', 'road', 'grass', 'soil'],
  turn: 'any',
  height: () => 1.4,
  draw: drawCar,
};

function drawCar(_: Random, colour: string, metres: number): Artwork {
  // Short cars are about 1.7 m wide, long ones 1.95 m.
  const w = (0.92 + metres * 0.19) / metres / 2;
  const outline = rounded(w * 2, 1, 0.11);
  const glass = '#2a323a';
  const svg = (light: Point) => {
    const side = light[0] >= 0 ? 1 : -1;
    const front = light[1] < 0;
    return (
      shape([outline], colour) +
      box(-w * 0.86, -0.44, w * 1.72, 0.23, shade(colour, front ? 0.12 : -0.06)) +
      shape(
        [
          [
            [-w * 0.86, -0.2],
            [w * 0.86, -0.2],
            [w * 0.7, -0.08],
            [-w * 0.7, -0.08],
          ],
        ],
        front ? '#48545f' : glass,
      ) +
      shape(
        [
          [
            [-w * 0.7, 0.27],
            [w * 0.7, 0.27],
            [w * 0.84, 0.37],
            [-w * 0.84, 0.37],
          ],
        ],
        front ? glass : '#48545f',
      ) +
      box(-w * 0.7, -0.08, w * 1.4, 0.35, shade(colour, 0.12)) +
      line(
        [
          [side * w * 0.62, -0.06],
          [side * w * 0.62, 0.25],
        ],
        shade(colour, 0.4),
        0.03,
      ) +
      line(
        [
          [-side * w * 0.82, -0.12],
          [-side * w * 0.82, 0.3],
        ],
        glass,
        0.035,
      )
    );
  };
  return { outline: [outline], svg };
}

export const truck: Category = {
  name: 'large vehicle',
  nouns: ['truck', 'lorry'],
  plural: 'trucks',
  general: 'vehicle',
  colours: ['white', 'red', 'blue', 'yellow', 'green', 'orange'],
  metres: [7, 16.5],
  on: ['paved', 'road', 'soil'],
  turn: 'any',
  height: () => 3.6,
  draw: drawTruck,
};

/** A rigid lorry up to 11 m, a tractor with its trailer beyond; either 2.55 m wide. */
function drawTruck(random: Random, colour: string, metres: number): Artwork {
  const w = 2.55 / metres / 2;
  const long = metres > 11;
  const cabLength = 2.3 / metres;
  const space = (long ? 0.9 : 0.35) / metres;
  const cab = rounded(w * 1.9, cabLength, w * 0.3, 3).map(([x, y]): Point => [x, y - 0.5 + cabLength / 2]);
  const from = -0.5 + cabLength + space;
  const coupling = rectangle(-w * 0.55, -0.5 + cabLength * 0.8, w * 1.1, cabLength * 0.2 + space + 0.02);
  const trailer = rectangle(-w, from, w * 2, 0.5 - from);
  const ribbed = random.chance(0.5);
  const ribs = Array.from({ length: long ? 7 : 4 }, (_, i) => {
    const y = from + ((i + 0.5) * (0.5 - from)) / (long ? 7 : 4);
    return ribbed
      ? line(
          [
            [-w, y],
            [w, y],
          ],
          shade(colour, -0.12),
          0.012,
        )
      : '';
  });
  const svg = (light: Point) => {
    const side = light[0] >= 0 ? 1 : -1;
    return (
      shape([coupling], '#3a3c40') +
      shape([cab], shade(colour, -0.16)) +
      box(-w * 0.8, -0.5 + cabLength * 0.12, w * 1.6, cabLength * 0.24, '#2b343d') +
      shape([trailer], colour) +
      ribs.join('') +
      line(
        [
          [side * w * 0.88, from + 0.02],
          [side * w * 0.88, 0.49],
        ],
        shade(colour, 0.35),
        w * 0.2,
      ) +
      line(
        [
          [-side * w * 0.88, from + 0.02],
          [-side * w * 0.88, 0.49],
        ],
        shade(colour, -0.22),
        w * 0.2,
      )
    );
  };
  return { outline: [cab, coupling, trailer], svg };
}

/** Runs along y, across a river or road below it. */
export const bridge: Category = {
  name: 'bridge',
  nouns: ['bridge'],
  plural: 'bridges',
  colours: ['gray', 'red', 'brown', 'white'],
  metres: [20, 120],
  on: ['water', 'grass', 'crop', 'soil', 'sand', 'paved', 'road'],
  turn: 'any',
  height: () => 5,
  draw: drawBridge,
};

/** Width of a bridge with two lanes, in metres. */
export const bridgeWidth = 11;

function drawBridge(_: Random, colour: string, metres: number): Artwork {
  const w = bridgeWidth / metres / 2;
  const outline = rectangle(-w, -0.5, 2 * w, 1);
  const posts = Array.from({ length: 9 }, (_, i) => -0.46 + i * 0.113).flatMap((y) => [
    box(-w, y, w * 0.2, 0.02, shade(colour, -0.45)),
    box(w * 0.8, y, w * 0.2, 0.02, shade(colour, -0.45)),
  ]);
  const svg = ([x]: Point) =>
    shape([outline], colour) +
    box(x >= 0 ? -w : w * 0.7, -0.5, w * 0.3, 1, shade(colour, -0.2)) +
    box(-w * 0.64, -0.5, w * 1.28, 1, mixed('#66686a', colour, 0.18)) +
    posts.join('') +
    line(
      [
        [0, -0.5],
        [0, 0.5],
      ],
      '#dcd8c4',
      w * 0.06,
      `stroke-dasharray="0.06 0.06"`,
    );
  return { outline: [outline], svg };
}

export const overpass: Category = {
  name: 'overpass',
  nouns: ['overpass', 'flyover'],
  plural: 'overpasses',
  colours: [],
  metres: [35, 90],
  on: ['road', 'grass', 'crop', 'soil', 'sand', 'paved'],
  turn: 'any',
  height: () => 6,
  draw: drawOverpass,
};

/** Width of an overpass, in metres. */
export const overpassWidth = 13;

function drawOverpass(_: Random, _colour: string, metres: number): Artwork {
  const w = overpassWidth / metres / 2;
  const outline = rectangle(-w, -0.5, 2 * w, 1);
  const dashes = (x: number) =>
    line(
      [
        [x, -0.5],
        [x, 0.5],
      ],
      '#e2dfd3',
      w * 0.05,
      'stroke-dasharray="0.04 0.05"',
    );
  const svg = ([x]: Point) =>
    shape([outline], '#bcb9b0') +
    box(x >= 0 ? -w : w * 0.82, -0.5, w * 0.18, 1, '#8c8a84') +
    box(-w * 0.8, -0.5, w * 1.6, 1, '#767779') +
    box(-w * 0.06, -0.5, w * 0.12, 1, '#c2bfb5') +
    dashes(-w * 0.42) +
    dashes(w * 0.42);
  return { outline: [outline], svg };
}

export const roundabout: Category = {
  name: 'roundabout',
  nouns: ['roundabout', 'traffic circle'],
  plural: 'roundabouts',
  colours: [],
  metres: [26, 55],
  on: ['grass', 'crop', 'soil', 'paved', 'sand', 'road'],
  turn: 'any',
  height: () => 0,
  draw: drawRoundabout,
};

function drawRoundabout(random: Random): Artwork {
  const outline = ellipse(0, 0, 0.5);
  const island = random.pick(['#65743f', '#6f7d4a', '#5b6a3a']);
  const trees = Array.from({ length: random.whole(0, 6) }, () => {
    const [t, r] = [random.between(0, 2 * Math.PI), random.between(0, 0.16)];
    return [r * Math.cos(t), r * Math.sin(t), random.between(0.03, 0.06)] as const;
  });
  const svg = ([x, y]: Point) =>
    shape([outline], '#636466') +
    disc(0, 0, 0.485, 'none', 'stroke="#d5d2c6" stroke-width="0.012"') +
    disc(0, 0, 0.385, 'none', 'stroke="#d5d2c6" stroke-width="0.01" stroke-dasharray="0.07 0.07"') +
    disc(0, 0, 0.29, '#b9b5a8') +
    disc(0, 0, 0.265, island) +
    trees.map(([u, v, r]) => disc(u - x * r * 0.8, v - y * r * 0.8, r, '#2a331c', 'opacity="0.6"')).join('') +
    trees
      .map(([u, v, r]) => disc(u, v, r, '#43592c') + disc(u + x * r * 0.3, v + y * r * 0.3, r * 0.55, '#6d8447'))
      .join('');
  return { outline: [outline], svg };
}
