import { mixed, shade } from '../colours.ts';
import { mirrored, type Point, type Polygon, rectangle } from '../geometry.ts';
import type { Random } from '../random.ts';
import { box, disc, line, shape } from '../svg.ts';
import type { Artwork, Category } from './category.ts';

export const ship: Category = {
  name: 'ship',
  nouns: ['ship', 'vessel', 'boat'],
  plural: 'ships',
  colours: ['white', 'white', 'red', 'blue', 'gray', 'green', 'orange', 'black', 'yellow'],
  metres: [6, 180],
  on: ['water'],
  turn: 'any',
  height: (metres) => 1 + metres * 0.05,
  draw: (random, colour, metres) => (metres < 30 ? drawBoat(random, colour, metres) : drawShip(random, colour, metres)),
};

/** Half the beam of a hull of length 1: boats are wide for their length, large ships are not. */
export function halfBeam(metres: number): number {
  return 0.07 + 0.75 / (metres + 2.5);
}

function drawShip(random: Random, colour: string, metres: number): Artwork {
  const w = halfBeam(metres);
  const hull = (inset: number): Polygon =>
    mirrored([
      [0.008, -0.5 + inset * 2],
      [w * 0.42 - inset * 0.6, -0.45 + inset],
      [w * 0.8 - inset, -0.38],
      [w - inset, -0.28],
      [w - inset, 0.42 - inset],
      [w * 0.8 - inset, 0.5 - inset],
    ]);
  const deck = mixed(colour, '#9a9186', 0.3);
  const load = random.pick(['hatches', 'containers', 'tanker'] as const);
  const boxes = ['#8a3d33', '#3c5c83', '#9aa0a2', '#6d7f5c', '#b58a4a', '#c9c6bd'];
  let cargo = '';
  if (load === 'hatches') {
    for (let row = 0; row < 5; row++) cargo += box(-w * 0.66, -0.34 + row * 0.12, w * 1.32, 0.09, shade(colour, -0.22));
  } else if (load === 'tanker') {
    cargo =
      box(-w * 0.06, -0.38, w * 0.12, 0.6, shade(colour, -0.35)) +
      line(
        [
          [-w * 0.8, -0.05],
          [w * 0.8, -0.05],
        ],
        shade(colour, -0.4),
        0.014,
      ) +
      line(
        [
          [-w * 0.55, -0.3],
          [-w * 0.55, 0.2],
        ],
        shade(colour, -0.25),
        0.008,
      ) +
      line(
        [
          [w * 0.55, -0.3],
          [w * 0.55, 0.2],
        ],
        shade(colour, -0.25),
        0.008,
      );
  } else {
    for (let row = 0; row < 6; row++) {
      for (let column = 0; column < 3; column++) {
        if (random.chance(0.3)) continue;
        cargo += box(
          -w * 0.78 + column * w * 0.54,
          -0.34 + row * 0.098,
          w * 0.48,
          0.082,
          mixed(random.pick(boxes), colour, 0.3),
        );
      }
    }
  }
  const svg = (light: Point) => {
    const side = light[0] >= 0 ? 1 : -1;
    return (
      shape([hull(0)], shade(colour, -0.14)) +
      shape([hull(0.012)], deck) +
      line(
        [
          [side * (w - 0.008), -0.26],
          [side * (w - 0.008), 0.44],
        ],
        shade(colour, 0.3),
        0.012,
      ) +
      cargo +
      box(-w * 0.85, 0.3, w * 1.7, 0.09, '#deddd6') +
      box(-side * w * 0.85 - (side > 0 ? 0 : w * 0.3), 0.3, w * 0.3, 0.09, '#b4b4ae') +
      box(-w * 0.3, 0.4, w * 0.6, 0.045, shade(colour, -0.3)) +
      disc(0, -0.42, w * 0.2, shade(deck, -0.3))
    );
  };
  return { outline: [hull(0)], svg };
}

function drawBoat(random: Random, colour: string, metres: number): Artwork {
  const w = halfBeam(metres);
  const hull = (inset: number): Polygon =>
    mirrored([
      [0.01, -0.5 + inset * 1.6],
      [w * 0.5 - inset * 0.7, -0.36 + inset],
      [w * 0.85 - inset, -0.2],
      [w - inset, 0.02],
      [w * 0.95 - inset, 0.44 - inset],
      [w * 0.84 - inset, 0.5 - inset],
    ]);
  const sail = random.chance(0.4);
  const wood = random.pick(['#b59a74', '#c9c2b2', '#a88a66']);
  const svg = (light: Point) => {
    const side = light[0] >= 0 ? 1 : -1;
    return (
      shape([hull(0)], colour) +
      shape([hull(0.035)], mixed(colour, '#dcd8cc', 0.18)) +
      box(-w * 0.62, 0.2, w * 1.24, 0.25, wood) +
      shape(
        [
          mirrored([
            [0.012, -0.3],
            [w * 0.5, -0.16],
            [w * 0.56, 0.16],
            [0.012, 0.18],
          ]),
        ],
        mixed(colour, '#e8e6df', 0.55),
      ) +
      shape(
        [
          mirrored([
            [0.012, -0.2],
            [w * 0.42, -0.12],
            [w * 0.44, -0.06],
            [0.012, -0.1],
          ]),
        ],
        '#3a4550',
      ) +
      line(
        [
          [side * w * 0.45, -0.02],
          [side * w * 0.45, 0.14],
        ],
        '#f4f3ee',
        0.025,
      ) +
      (sail
        ? line(
            [
              [0, -0.12],
              [0, 0.4],
            ],
            '#ecebe5',
            0.03,
          ) + disc(0, -0.12, 0.018, '#55585a')
        : '')
    );
  };
  return { outline: [hull(0)], svg };
}

/** Extends from the shore, at y = 0.5, into the water. */
export const pier: Category = {
  name: 'harbor',
  nouns: ['pier', 'dock'],
  plural: 'piers',
  colours: ['gray', 'brown'],
  metres: [20, 150],
  on: ['water'],
  turn: 'any',
  height: () => 2,
  draw: drawPier,
};

function drawPier(random: Random, colour: string): Artwork {
  const bent = random.chance(0.5);
  const w = random.between(0.055, 0.075);
  const head = bent ? rectangle(-w, -0.5, 0.42 + w, w * 2) : rectangle(-0.32, -0.5, 0.64, w * 2);
  const stem = rectangle(-w, -0.5 + w * 2, w * 2, 1 - w * 2);
  const paled = mixed(colour, '#a8a498', 0.25);
  const dark = shade(paled, -0.18);
  const planks = Array.from({ length: 16 }, (_, i) => {
    const y = -0.5 + w * 2 + 0.03 + (i * (0.97 - w * 2)) / 16;
    return line(
      [
        [-w, y],
        [w, y],
      ],
      dark,
      0.008,
    );
  });
  const left = bent ? -w : -0.32;
  const right = bent ? 0.42 : 0.32;
  const svg = () =>
    shape([head, stem], paled) +
    planks.join('') +
    line(
      [
        [left + 0.02, -0.5 + w * 1.75],
        [right - 0.02, -0.5 + w * 1.75],
      ],
      shade(paled, 0.25),
      0.012,
    ) +
    line(
      [
        [left + 0.02, -0.5 + w * 0.25],
        [right - 0.02, -0.5 + w * 0.25],
      ],
      dark,
      0.012,
    ) +
    box(-w * 0.5, -0.5 + w * 0.6, w, w * 0.8, shade(paled, 0.3));
  return { outline: [head, stem], svg, shape: bent ? 'l-shaped' : 't-shaped' };
}
