import { mixed, shade } from '../colours.ts';
import { ellipse, type Point, rectangle } from '../geometry.ts';
import type { Random } from '../random.ts';
import { box, disc, line, shape } from '../svg.ts';
import { type Artwork, type Category, land } from './category.ts';

export const storageTank: Category = {
  name: 'storage tank',
  nouns: ['storage tank', 'tank'],
  plural: 'storage tanks',
  colours: ['white', 'white', 'gray', 'green', 'red', 'brown', 'blue'],
  metres: [7, 60],
  on: land,
  turn: 'any',
  height: (metres) => 5 + metres * 0.2,
  draw: drawTank,
};

function drawTank(random: Random, colour: string): Artwork {
  const outline = ellipse(0, 0, 0.5);
  const floating = random.chance(0.35);
  const stair = random.between(0, 2 * Math.PI);
  const seams = Array.from({ length: 8 }, (_, i) => {
    const t = (Math.PI * i) / 4 + stair;
    return line(
      [
        [0.06 * Math.cos(t), 0.06 * Math.sin(t)],
        [0.46 * Math.cos(t), 0.46 * Math.sin(t)],
      ],
      shade(colour, -0.1),
      0.009,
    );
  });
  const svg = ([x, y]: Point) => {
    const away: Point = [-x, -y];
    // The rim; a floating roof lies below it, in the shadow of the side towards the sun.
    const roof = floating
      ? disc(0, 0, 0.445, shade(colour, -0.42)) +
        disc(away[0] * 0.05, away[1] * 0.05, 0.39, mixed(colour, '#aaa79f', 0.12)) +
        disc(away[0] * 0.05, away[1] * 0.05, 0.27, 'none', `stroke="${shade(colour, -0.14)}" stroke-width="0.012"`)
      : disc(0, 0, 0.46, colour) +
        disc(x * 0.09, y * 0.09, 0.33, shade(colour, 0.14), 'opacity="0.7"') +
        disc(x * 0.16, y * 0.16, 0.18, shade(colour, 0.26), 'opacity="0.6"') +
        seams.join('');
    return (
      shape([outline], shade(colour, -0.24)) +
      roof +
      line(
        [
          [0, 0],
          [0.45 * Math.cos(stair), 0.45 * Math.sin(stair)],
        ],
        shade(colour, -0.34),
        0.026,
      ) +
      disc(0, 0, 0.03, shade(colour, -0.36))
    );
  };
  return { outline: [outline], svg };
}

export const chimney: Category = {
  name: 'chimney',
  nouns: ['chimney'],
  plural: 'chimneys',
  colours: ['gray', 'red', 'white'],
  metres: [8, 18],
  on: ['paved', 'soil', 'grass'],
  turn: 'any',
  height: (metres) => metres * 3.5,
  fine: true,
  draw: drawChimney,
};

function drawChimney(_: Random, colour: string): Artwork {
  const outline = ellipse(0, 0, 0.5);
  const svg = ([x, y]: Point) =>
    shape([outline], shade(colour, -0.1)) +
    disc(x * 0.06, y * 0.06, 0.42, shade(colour, 0.25)) +
    disc(0, 0, 0.36, colour) +
    disc(0, 0, 0.27, '#1d1c1b');
  return { outline: [outline], svg };
}

export const containerCrane: Category = {
  name: 'container crane',
  nouns: ['container crane', 'crane'],
  plural: 'container cranes',
  colours: ['blue', 'red', 'yellow', 'white'],
  metres: [60, 110],
  on: ['paved', 'soil'],
  turn: 'any',
  height: (metres) => metres * 0.4,
  raised: true,
  fine: true,
  draw: drawCrane,
};

function drawCrane(_: Random, colour: string): Artwork {
  const boom = rectangle(-0.06, -0.5, 0.12, 1);
  const legs = [rectangle(-0.24, -0.02, 0.48, 0.08), rectangle(-0.24, 0.25, 0.48, 0.08)];
  const braces = Array.from({ length: 9 }, (_, i) =>
    line(
      [
        [-0.045, -0.48 + i * 0.108],
        [0.045, -0.43 + i * 0.108],
      ],
      shade(colour, -0.35),
      0.016,
    ),
  );
  const svg = () =>
    shape(legs, shade(colour, -0.15)) +
    shape([boom], colour) +
    braces.join('') +
    box(-0.055, 0.12, 0.11, 0.14, shade(colour, 0.45));
  return { outline: [boom, ...legs], svg };
}
