import { shade } from '../colours.ts';
import { ellipse, rectangle } from '../geometry.ts';
import type { Random } from '../random.ts';
import { box, disc, line, shape } from '../svg.ts';
import { type Artwork, type Category, land } from './category.ts';

export const storageTank: Category = {
  name: 'storage tank',
  nouns: ['storage tank', 'tank'],
  plural: 'storage tanks',
  colours: ['white', 'white', 'gray', 'green', 'red', 'brown', 'blue'],
  length: [0.2, 0.38],
  on: land,
  turn: 'any',
  height: 0.2,
  draw: drawTank,
};

function drawTank(random: Random, colour: string): Artwork {
  const outline = ellipse(0, 0, 0.5);
  const floating = random.chance(0.35);
  const ribs = Array.from({ length: 12 }, (_, i) => {
    const t = (Math.PI * i) / 6;
    return line(
      [
        [0, 0],
        [0.45 * Math.cos(t), 0.45 * Math.sin(t)],
      ],
      shade(colour, -0.1),
      0.012,
    );
  });
  const svg =
    shape([outline], shade(colour, -0.3)) +
    disc(0, 0, 0.455, colour) +
    (floating
      ? disc(0, 0, 0.4, shade(colour, -0.16)) + disc(0, 0, 0.36, shade(colour, 0.1))
      : ribs.join('') + disc(-0.1, -0.1, 0.28, shade(colour, 0.25), 'opacity="0.5"')) +
    line(
      [
        [0, 0],
        [0.47, 0],
      ],
      shade(colour, -0.35),
      0.045,
    ) +
    disc(0, 0, 0.05, shade(colour, -0.4));
  return { outline: [outline], svg };
}

export const chimney: Category = {
  name: 'chimney',
  nouns: ['chimney'],
  plural: 'chimneys',
  colours: ['gray', 'red', 'white'],
  length: [0.11, 0.18],
  on: ['paved', 'soil', 'grass'],
  turn: 'any',
  height: 1.6,
  fine: true,
  draw: drawChimney,
};

function drawChimney(_: Random, colour: string): Artwork {
  const outline = ellipse(0, 0, 0.5);
  const svg =
    shape([outline], colour) +
    disc(0, 0, 0.42, shade(colour, 0.3)) +
    disc(0, 0, 0.33, colour) +
    disc(0, 0, 0.25, '#1d1c1b');
  return { outline: [outline], svg };
}

export const containerCrane: Category = {
  name: 'container crane',
  nouns: ['container crane', 'crane'],
  plural: 'container cranes',
  colours: ['blue', 'red', 'yellow', 'white'],
  length: [0.28, 0.42],
  on: ['paved', 'soil'],
  turn: 'any',
  height: 0.3,
  fine: true,
  draw: drawCrane,
};

function drawCrane(_: Random, colour: string): Artwork {
  const boom = rectangle(-0.07, -0.5, 0.14, 1);
  const legs = [rectangle(-0.3, -0.02, 0.6, 0.09), rectangle(-0.3, 0.27, 0.6, 0.09)];
  const braces = Array.from({ length: 9 }, (_, i) =>
    line(
      [
        [-0.045, -0.48 + i * 0.108],
        [0.045, -0.43 + i * 0.108],
      ],
      shade(colour, -0.35),
      0.02,
    ),
  );
  const svg =
    shape(legs, shade(colour, -0.15)) +
    shape([boom], colour) +
    braces.join('') +
    box(-0.065, 0.12, 0.13, 0.16, shade(colour, 0.45));
  return { outline: [boom, ...legs], svg };
}
