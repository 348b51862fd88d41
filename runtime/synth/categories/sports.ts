import { type Colour, colours, shade } from '../colours.ts';
import { ellipse, type Point, type Polygon, rectangle, rounded } from '../geometry.ts';
import type { Random } from '../random.ts';
import { box, disc, line, shape } from '../svg.ts';
import { type Artwork, type Category, land } from './category.ts';

const chalk = '#e9e8df';

/** Draws a rectangle of white lines centred at the origin. */
function frame(width: number, height: number, thick: number): string {
  return box(-width / 2, -height / 2, width, height, 'none', `stroke="${chalk}" stroke-width="${thick}"`);
}

const courtColours: readonly Colour[] = ['blue', 'green', 'red', 'gray', 'brown', 'orange'];

const sports = { on: land, turn: 'square', height: () => 0 } as const;

export const tennisCourt: Category = {
  name: 'tennis court',
  nouns: ['tennis court'],
  plural: 'tennis courts',
  colours: ['blue', 'blue', 'green', 'red', 'gray', 'brown'],
  metres: [30, 40],
  ...sports,
  draw: drawTennis,
};

function drawTennis(_: Random, colour: string): Artwork {
  const outline = rectangle(-0.27, -0.5, 0.54, 1);
  const svg = () =>
    shape([outline], shade(colour, -0.28)) +
    box(-0.165, -0.36, 0.33, 0.72, shade(colour, 0.1)) +
    frame(0.33, 0.72, 0.026) +
    frame(0.24, 0.38, 0.02) +
    line(
      [
        [0, -0.19],
        [0, 0.19],
      ],
      chalk,
      0.02,
    ) +
    line(
      [
        [-0.2, 0],
        [0.2, 0],
      ],
      '#23282a',
      0.03,
    );
  return { outline: [outline], svg };
}

export const basketballCourt: Category = {
  name: 'basketball court',
  nouns: ['basketball court'],
  plural: 'basketball courts',
  colours: courtColours,
  metres: [24, 34],
  ...sports,
  draw: drawBasketball,
};

function drawBasketball(random: Random, colour: string): Artwork {
  const outline = rectangle(-0.3, -0.5, 0.6, 1);
  const others = courtColours.map((name) => colours[name]).filter((other) => contrast(other, colour) > 150);
  const keys = shade(random.pick(others), 0.1);
  const end = (side: 1 | -1) =>
    disc(0, side * 0.24, 0.1, keys, `stroke="${chalk}" stroke-width="0.022"`) +
    box(-0.1, side === 1 ? 0.24 : -0.45, 0.2, 0.21, keys, `stroke="${chalk}" stroke-width="0.022"`);
  const svg = () =>
    shape([outline], colour) +
    end(1) +
    end(-1) +
    disc(0, 0, 0.09, keys, `stroke="${chalk}" stroke-width="0.022"`) +
    frame(0.52, 0.9, 0.024) +
    line(
      [
        [-0.26, 0],
        [0.26, 0],
      ],
      chalk,
      0.022,
    );
  return { outline: [outline], svg };
}

/** Returns the sum of the absolute differences in red, green and blue. */
function contrast(a: string, b: string): number {
  return [1, 3, 5].reduce(
    (sum, at) => sum + Math.abs(Number.parseInt(a.slice(at, at + 2), 16) - Number.parseInt(b.slice(at, at + 2), 16)),
    0,
  );
}

export const soccerField: Category = {
  name: 'soccer field',
  nouns: ['soccer field', 'football field'],
  plural: 'soccer fields',
  colours: [],
  metres: [60, 120],
  ...sports,
  draw: drawSoccer,
};

const turf = '#5f8b45';

/** Draws mown stripes over [-width/2, width/2] × [-height/2, height/2]. */
function stripes(width: number, height: number, count: number, colour: string): string {
  return Array.from({ length: count }, (_, i) =>
    i % 2 === 0 ? '' : box(-width / 2, -height / 2 + (i * height) / count, width, height / count, colour),
  ).join('');
}

function drawSoccer(random: Random): Artwork {
  const outline = rectangle(-0.33, -0.5, 0.66, 1);
  const colour = shade(turf, random.between(-0.06, 0.08));
  const svg = () =>
    shape([outline], colour) +
    stripes(0.66, 1, 9, shade(colour, 0.14)) +
    frame(0.58, 0.9, 0.022) +
    line(
      [
        [-0.29, 0],
        [0.29, 0],
      ],
      chalk,
      0.02,
    ) +
    disc(0, 0, 0.09, 'none', `stroke="${chalk}" stroke-width="0.02"`) +
    box(-0.15, -0.45, 0.3, 0.14, 'none', `stroke="${chalk}" stroke-width="0.02"`) +
    box(-0.15, 0.31, 0.3, 0.14, 'none', `stroke="${chalk}" stroke-width="0.02"`);
  return { outline: [outline], svg };
}

export const baseballField: Category = {
  name: 'baseball field',
  nouns: ['baseball field'],
  plural: 'baseball fields',
  colours: [],
  metres: [60, 125],
  on: land,
  turn: 'any',
  height: () => 0,
  draw: drawBaseball,
};

/** Returns a quarter disc of this radius with the home plate, at the bottom, as its centre. */
function fan(radius: number): Polygon {
  return [
    [0, 0.42],
    ...Array.from({ length: 15 }, (_, i): Point => {
      const t = ((-135 + (90 * i) / 14) * Math.PI) / 180;
      return [radius * Math.cos(t), 0.42 + radius * Math.sin(t)];
    }),
  ];
}

function drawBaseball(random: Random): Artwork {
  const outline = fan(0.94);
  const grass = shade(turf, random.between(-0.15, 0));
  const svg = () =>
    shape([outline], '#a98560') +
    shape([fan(0.88)], grass) +
    shape([fan(0.5)], '#a98560') +
    shape(
      [
        [
          [0, 0.34],
          [0.13, 0.2],
          [0, 0.06],
          [-0.13, 0.2],
        ],
      ],
      shade(grass, 0.12),
    ) +
    disc(0, 0.2, 0.03, '#b8946e') +
    line(
      [
        [-0.62, -0.217],
        [0, 0.403],
        [0.62, -0.217],
      ],
      chalk,
      0.016,
    );
  return { outline: [outline], svg };
}

export const trackField: Category = {
  name: 'ground track field',
  nouns: ['running track', 'track field'],
  plural: 'running tracks',
  colours: ['red', 'blue', 'orange'],
  metres: [120, 180],
  ...sports,
  draw: drawTrack,
};

function drawTrack(random: Random, colour: string): Artwork {
  const ring = (inset: number) => rounded(0.56 - inset * 2, 1 - inset * 2, 0.279 - inset, 10);
  const grass = shade(turf, random.between(-0.1, 0.05));
  const svg = () =>
    shape([ring(0)], colour) +
    shape([ring(0.035)], 'none', `stroke="${chalk}" stroke-width="0.008"`) +
    shape([ring(0.065)], 'none', `stroke="${chalk}" stroke-width="0.008"`) +
    shape([ring(0.1)], grass) +
    frame(0.26, 0.5, 0.012) +
    line(
      [
        [-0.13, 0],
        [0.13, 0],
      ],
      chalk,
      0.012,
    ) +
    disc(0, 0, 0.05, 'none', `stroke="${chalk}" stroke-width="0.012"`);
  return { outline: [ring(0)], svg };
}

export const stadium: Category = {
  name: 'stadium',
  nouns: ['stadium'],
  plural: 'stadiums',
  colours: ['white', 'gray', 'blue'],
  metres: [150, 260],
  on: land,
  turn: 'any',
  height: (metres) => metres * 0.09,
  draw: drawStadium,
};

function drawStadium(_: Random, colour: string): Artwork {
  const outline = ellipse(0, 0, 0.4, 0.5, 48);
  const seams = Array.from({ length: 24 }, (_, i) => {
    const t = (Math.PI * i) / 12;
    return line(
      [
        [0.27 * Math.cos(t), 0.36 * Math.sin(t)],
        [0.39 * Math.cos(t), 0.49 * Math.sin(t)],
      ],
      shade(colour, -0.25),
      0.01,
    );
  });
  const svg = () =>
    shape([outline], colour) +
    seams.join('') +
    shape([ellipse(0, 0, 0.28, 0.37)], shade(colour, -0.45)) +
    shape([ellipse(0, 0, 0.25, 0.34)], '#a0624f') +
    box(-0.15, -0.25, 0.3, 0.5, turf) +
    frame(0.24, 0.42, 0.014) +
    line(
      [
        [-0.12, 0],
        [0.12, 0],
      ],
      chalk,
      0.014,
    );
  return { outline: [outline], svg };
}

export const swimmingPool: Category = {
  name: 'swimming pool',
  nouns: ['swimming pool', 'pool'],
  plural: 'swimming pools',
  colours: [],
  metres: [5, 50],
  on: ['grass', 'paved'],
  turn: 'any',
  height: () => 0,
  draw: drawPool,
};

function drawPool(random: Random): Artwork {
  const form = random.pick(['rectangular', 'round', 'oval', 'l-shaped'] as const);
  const outline = (inset: number): Polygon => {
    switch (form) {
      case 'rectangular':
        return rectangle(-0.28 + inset, -0.5 + inset, 0.56 - inset * 2, 1 - inset * 2);
      case 'round':
        return ellipse(0, 0, 0.42 - inset);
      case 'oval':
        return ellipse(0, 0, 0.3 - inset, 0.5 - inset);
      case 'l-shaped': {
        const [a, b] = [0.4 - inset, 0.5 - inset];
        return [
          [-a, -b],
          [-0.02 - inset, -b],
          [-0.02 - inset, 0.1 + inset],
          [a, 0.1 + inset],
          [a, b],
          [-a, b],
        ];
      }
    }
  };
  const water = random.pick(['#58aebd', '#6bbac4', '#4b9fb8']);
  const svg = () =>
    shape([outline(0)], '#d3cdbf') +
    shape([outline(0.05)], shade(water, -0.25)) +
    shape([outline(0.07)], water) +
    disc(-0.12, 0.3, 0.07, shade(water, 0.35), 'opacity="0.7"') +
    line(
      [
        [-0.24, -0.2],
        [-0.1, -0.26],
      ],
      shade(water, 0.5),
      0.025,
    );
  return { outline: [outline(0)], svg, shape: form };
}
