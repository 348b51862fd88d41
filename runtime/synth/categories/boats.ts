import { shade } from '../colours.ts';
import { mirrored, type Polygon, rectangle } from '../geometry.ts';
import type { Random } from '../random.ts';
import { box, disc, line, shape } from '../svg.ts';
import type { Artwork, Category } from './category.ts';

export const ship: Category = {
  name: 'ship',
  nouns: ['ship', 'vessel'],
  plural: 'ships',
  colours: ['white', 'red', 'blue', 'gray', 'green', 'orange', 'black', 'yellow'],
  length: [0.37, 0.64],
  on: ['water'],
  turn: 'any',
  height: 0.05,
  draw: drawShip,
};

function drawShip(random: Random, colour: string): Artwork {
  const w = random.between(0.12, 0.16);
  const hull = (inset: number): Polygon =>
    mirrored([
      [0.012, -0.5 + inset * 2],
      [w * 0.6 - inset, -0.4 + inset],
      [w - inset, -0.24],
      [w - inset, 0.4 - inset],
      [w * 0.82 - inset, 0.5 - inset],
    ]);
  const deck = shade(colour, 0.16);
  const load = random.pick(['hatches', 'bare', 'tanker'] as const);
  let cargo = '';
  if (load === 'hatches') {
    for (let row = 0; row < 4; row++) {
      cargo += box(-w * 0.6, -0.27 + row * 0.13, w * 1.2, 0.09, shade(colour, -0.28));
    }
  } else if (load === 'tanker') {
    cargo =
      line(
        [
          [0, -0.34],
          [0, 0.22],
        ],
        shade(colour, -0.4),
        0.02,
      ) +
      line(
        [
          [-w * 0.75, -0.04],
          [w * 0.75, -0.04],
        ],
        shade(colour, -0.4),
        0.025,
      ) +
      disc(0, -0.3, w * 0.25, shade(colour, -0.3));
  } else {
    cargo = box(-w * 0.62, -0.22, w * 1.24, 0.42, shade(colour, 0.34)) + disc(0, -0.3, w * 0.28, shade(colour, -0.25));
  }
  const svg =
    shape([hull(0)], shade(colour, -0.12)) +
    shape([hull(0.02)], deck) +
    cargo +
    box(-w * 0.78, 0.27, w * 1.56, 0.12, '#f7f6f0') +
    box(-w * 0.3, 0.33, w * 0.6, 0.05, shade(colour, -0.35));
  return { outline: [hull(0)], svg };
}

/** Extends from the shore, at y = 0.5, into the water. */
export const pier: Category = {
  name: 'harbor',
  nouns: ['pier', 'dock'],
  plural: 'piers',
  colours: ['gray', 'brown'],
  length: [0.32, 0.5],
  on: ['water'],
  turn: 'any',
  height: 0.04,
  draw: drawPier,
};

function drawPier(random: Random, colour: string): Artwork {
  const bent = random.chance(0.5);
  const w = random.between(0.075, 0.1);
  const head = bent ? rectangle(-w, -0.5, 0.5 + w, w * 2) : rectangle(-0.36, -0.5, 0.72, w * 2);
  const stem = rectangle(-w, -0.5 + w * 2, w * 2, 1 - w * 2);
  const dark = shade(colour, -0.22);
  const planks = Array.from({ length: 9 }, (_, i) => {
    const y = -0.5 + w * 2 + 0.04 + (i * (0.96 - w * 2)) / 9;
    return line(
      [
        [-w, y],
        [w, y],
      ],
      dark,
      0.012,
    );
  });
  const left = bent ? -w : -0.36;
  const svg =
    shape([head, stem], colour) +
    planks.join('') +
    line(
      [
        [left + 0.03, -0.5 + w],
        [bent ? 0.47 : 0.33, -0.5 + w],
      ],
      shade(colour, 0.25),
      0.025,
    ) +
    disc(0, -0.5 + w, 0.035, dark);
  return { outline: [head, stem], svg, shape: bent ? 'l-shaped' : 't-shaped' };
}
