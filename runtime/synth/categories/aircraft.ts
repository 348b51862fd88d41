import { colours, shade } from '../colours.ts';
import { ellipse, mirrored, type Point, type Polygon, rectangle, rounded } from '../geometry.ts';
import type { Random } from '../random.ts';
import { box, disc, line, shape } from '../svg.ts';
import type { Artwork, Category } from './category.ts';

export const airplane: Category = {
  name: 'airplane',
  nouns: ['airplane', 'plane'],
  plural: 'airplanes',
  colours: ['white', 'white', 'gray', 'red', 'blue', 'yellow'],
  length: [0.37, 0.58],
  on: ['paved'],
  turn: 'any',
  height: 0.1,
  draw: drawAirplane,
};

function drawAirplane(random: Random, colour: string): Artwork {
  const sweep = random.pick([0.02, 0.14, 0.22]);
  const span = random.between(0.42, 0.5);
  const [root, chord] = [-0.13, 0.23];
  const fuselage: Polygon = mirrored([
    [0.02, -0.5],
    [0.055, -0.45],
    [0.072, -0.36],
    [0.072, 0.22],
    [0.035, 0.47],
    [0.015, 0.5],
  ]);
  const wings: Polygon = mirrored([
    [0.06, root],
    [span, root + sweep + 0.04],
    [span, root + sweep + 0.13],
    [0.06, root + chord],
  ]);
  const tail: Polygon = mirrored([
    [0.03, 0.3],
    [0.18, 0.37 + sweep / 3],
    [0.18, 0.44 + sweep / 3],
    [0.03, 0.46],
  ]);
  const engines = [0.4, 0.7].flatMap((share) =>
    [-1, 1].map((side) => {
      const x = side * span * share;
      return box(x - 0.02, root + sweep * share + 0.025, 0.04, 0.09, shade(colour, -0.4));
    }),
  );
  const svg =
    shape([wings, tail], colour) +
    line(
      [
        [-span, root + sweep + 0.12],
        [-0.06, root + chord - 0.015],
      ],
      shade(colour, -0.25),
      0.018,
    ) +
    line(
      [
        [span, root + sweep + 0.12],
        [0.06, root + chord - 0.015],
      ],
      shade(colour, -0.25),
      0.018,
    ) +
    engines.join('') +
    shape([fuselage], shade(colour, 0.12)) +
    line(
      [
        [0.045, -0.38],
        [0.045, 0.2],
      ],
      shade(colour, -0.2),
      0.03,
    ) +
    line(
      [
        [0, 0.26],
        [0, 0.48],
      ],
      shade(colour, -0.45),
      0.024,
    ) +
    shape(
      [
        mirrored([
          [0.02, -0.46],
          [0.045, -0.43],
          [0.03, -0.41],
        ]),
      ],
      '#2d3640',
    );
  return { outline: [fuselage, wings, tail], svg };
}

export const helicopter: Category = {
  name: 'helicopter',
  nouns: ['helicopter'],
  plural: 'helicopters',
  colours: ['white', 'red', 'yellow', 'black', 'blue'],
  length: [0.36, 0.54],
  on: ['paved', 'grass'],
  turn: 'any',
  height: 0.1,
  draw: drawHelicopter,
};

function drawHelicopter(random: Random, colour: string): Artwork {
  const body = ellipse(0, -0.2, 0.125, 0.25, 28);
  const boom: Polygon = mirrored([
    [0.05, -0.02],
    [0.03, 0.46],
  ]);
  const fin = rectangle(-0.11, 0.36, 0.22, 0.075);
  const turn = random.between(0, 90);
  const blades = [0, 90].map((angle) => turned(rectangle(-0.4, -0.028, 0.8, 0.056), turn + angle, 0, -0.16));
  const svg =
    shape([boom, fin], shade(colour, -0.12)) +
    shape([body], colour) +
    shape([ellipse(0, -0.35, 0.075, 0.07, 20)], '#26323c') +
    shape(blades, '#3b3e42') +
    disc(0, -0.16, 0.05, '#55595e');
  return { outline: [body, boom, fin, ...blades], svg };
}

export const helipad: Category = {
  name: 'helipad',
  nouns: ['helipad'],
  plural: 'helipads',
  colours: ['gray', 'green', 'red', 'blue'],
  length: [0.2, 0.34],
  on: ['grass', 'paved', 'soil'],
  turn: 'any',
  height: 0,
  draw: drawHelipad,
};

function drawHelipad(random: Random, colour: string): Artwork {
  const round = random.chance(0.6);
  const outline = round ? ellipse(0, 0, 0.5) : rectangle(-0.45, -0.45, 0.9, 0.9);
  const white = colours.white;
  const svg =
    shape([outline], colour) +
    disc(0, 0, 0.36, 'none', `stroke="${white}" stroke-width="0.055"`) +
    box(-0.17, -0.2, 0.08, 0.4, white) +
    box(0.09, -0.2, 0.08, 0.4, white) +
    box(-0.12, -0.04, 0.24, 0.08, white);
  return { outline: [outline], svg, shape: round ? 'round' : 'square' };
}

/** Rotates a polygon clockwise about the origin by `angle` degrees, then translates it. */
export function turned(polygon: Polygon, angle: number, dx: number, dy: number): Polygon {
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  return polygon.map(([x, y]): Point => [dx + x * cos - y * sin, dy + x * sin + y * cos]);
}

export const windmill: Category = {
  name: 'windmill',
  nouns: ['windmill', 'wind turbine'],
  plural: 'windmills',
  colours: [],
  length: [0.3, 0.46],
  on: ['grass', 'soil'],
  turn: 'any',
  height: 0.55,
  fine: true,
  draw: drawWindmill,
};

function drawWindmill(): Artwork {
  const blade: Polygon = [
    [-0.025, 0],
    [-0.05, -0.12],
    [-0.012, -0.5],
    [0.012, -0.5],
    [0.045, -0.12],
    [0.025, 0],
  ];
  const blades = [0, 120, 240].map((angle) => turned(blade, angle, 0, 0));
  const hub = rounded(0.11, 0.15, 0.05);
  return {
    outline: [...blades, hub],
    svg: shape(blades, '#f1f1ec') + shape([hub], '#d8d9d4') + disc(0, 0, 0.03, '#9a9c9a'),
  };
}
