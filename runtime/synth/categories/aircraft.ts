import { colours, mixed, shade } from '../colours.ts';
import { ellipse, mirrored, type Point, type Polygon, rectangle, rounded, turned } from '../geometry.ts';
import type { Random } from '../random.ts';
import { box, disc, line, shape } from '../svg.ts';
import type { Artwork, Category } from './category.ts';

export const airplane: Category = {
  name: 'airplane',
  nouns: ['airplane', 'plane', 'aircraft'],
  plural: 'airplanes',
  colours: ['white', 'white', 'gray', 'red', 'blue', 'yellow'],
  metres: [8, 70],
  on: ['paved', 'road', 'grass'],
  turn: 'any',
  height: (metres) => 1.5 + metres * 0.05,
  raised: true,
  draw: (random, colour, metres) => (metres < 17 ? lightAircraft(random, colour) : airliner(random, colour, metres)),
};

/** Swept wings with engines below them, as airliners of 30 to 70 m have. */
function airliner(random: Random, colour: string, metres: number): Artwork {
  const span = random.between(0.44, 0.5);
  const sweep = random.between(0.2, 0.27);
  const half = metres > 50 ? 0.046 : 0.054;
  const root = -0.15;
  const fuselage: Polygon = mirrored([
    [0.008, -0.5],
    [half * 0.6, -0.475],
    [half * 0.95, -0.43],
    [half, -0.38],
    [half, 0.2],
    [half * 0.75, 0.34],
    [half * 0.35, 0.46],
    [0.01, 0.5],
  ]);
  const wing = (side: 1 | -1): Polygon => [
    [side * half * 0.5, root],
    [side * span, root + sweep],
    [side * (span + 0.006), root + sweep + 0.05],
    [side * span * 0.36, root + 0.215],
    [side * half * 0.5, root + 0.225],
  ];
  const tail: Polygon = mirrored([
    [0.012, 0.345],
    [0.175, 0.44],
    [0.178, 0.475],
    [0.012, 0.455],
  ]);
  const shares = metres > 62 ? [0.34, 0.62] : [0.36];
  const engines = shares.flatMap((share) =>
    [-1, 1].map((side) =>
      rounded(0.042, 0.1, 0.02, 3).map(([x, y]): Point => [x + side * span * share, y + root + sweep * share - 0.005]),
    ),
  );
  const wings = [wing(1), wing(-1)];
  const surface = mixed(colour, '#c6c8ca', 0.28);
  const svg = (light: Point) => {
    // Across the fuselage, a tube, from its dark to its light side.
    const side = light[0] >= 0 ? 1 : -1;
    const strength = Math.abs(light[0]);
    const strip = (from: number, to: number, by: number) =>
      shape(
        [
          [
            [from * half, -0.42],
            [to * half, -0.42],
            [to * half, 0.2],
            [to * half * 0.4, 0.42],
            [from * half * 0.4, 0.42],
            [from * half, 0.2],
          ],
        ],
        shade(colour, by * strength),
      );
    return (
      shape(engines, shade(surface, -0.42)) +
      shape(wings, surface) +
      wings
        .map((w) =>
          line(
            [
              [w[1]![0] * 0.98, w[1]![1] + 0.008],
              [w[0]![0], w[0]![1] + 0.012],
            ],
            shade(surface, 0.3),
            0.01,
          ),
        )
        .join('') +
      wings
        .map((w) =>
          line(
            [
              [w[2]![0] * 0.94, w[2]![1] - 0.016],
              [w[3]![0], w[3]![1] - 0.022],
              [w[4]![0], w[4]![1] - 0.03],
            ],
            shade(surface, -0.2),
            0.009,
          ),
        )
        .join('') +
      shape([tail], surface) +
      shape([fuselage], shade(colour, 0.04)) +
      strip(side * 0.35, side, 0.32) +
      strip(-side * 0.4, -side, -0.3) +
      line(
        [
          [0, 0.3],
          [0, 0.49],
        ],
        shade(colour, -0.35),
        0.016,
      ) +
      shape(
        [
          mirrored([
            [0.01, -0.474],
            [half * 0.62, -0.462],
            [half * 0.6, -0.445],
            [0.012, -0.452],
          ]),
        ],
        '#39424b',
      )
    );
  };
  return { outline: [fuselage, ...wings, tail, ...engines], svg };
}

/** A straight wing and a propeller, as aircraft of 8 to 14 m have. */
function lightAircraft(random: Random, colour: string): Artwork {
  const span = random.between(0.56, 0.66);
  const at = random.between(-0.26, -0.2);
  const fuselage: Polygon = mirrored([
    [0.03, -0.5],
    [0.065, -0.44],
    [0.078, -0.3],
    [0.07, -0.02],
    [0.028, 0.44],
    [0.014, 0.5],
  ]);
  const wing: Polygon = mirrored([
    [0, at],
    [span * 0.6, at],
    [span, at + 0.03],
    [span, at + 0.14],
    [span * 0.5, at + 0.18],
    [0, at + 0.18],
  ]);
  const tail: Polygon = mirrored([
    [0, 0.36],
    [0.2, 0.39],
    [0.2, 0.475],
    [0, 0.48],
  ]);
  const surface = mixed(colour, '#cfd1d2', 0.2);
  const svg = (light: Point) => {
    const side = light[0] >= 0 ? 1 : -1;
    return (
      shape([wing, tail], surface) +
      box(-span, at + 0.12, span * 2, 0.02, shade(surface, -0.16)) +
      line(
        [
          [-span * 0.97, at + 0.02],
          [span * 0.97, at + 0.02],
        ],
        shade(surface, 0.25),
        0.02,
      ) +
      shape([fuselage], colour) +
      line(
        [
          [side * 0.04, -0.42],
          [side * 0.03, 0.3],
        ],
        shade(colour, 0.3),
        0.03,
      ) +
      shape(
        [
          mirrored([
            [0.02, -0.3],
            [0.055, -0.27],
            [0.05, -0.19],
            [0.02, -0.18],
          ]),
        ],
        '#36404a',
      ) +
      line(
        [
          [0, 0.32],
          [0, 0.49],
        ],
        shade(colour, -0.3),
        0.02,
      )
    );
  };
  return { outline: [fuselage, wing, tail], svg };
}

export const helicopter: Category = {
  name: 'helicopter',
  nouns: ['helicopter'],
  plural: 'helicopters',
  colours: ['white', 'red', 'yellow', 'black', 'blue'],
  metres: [9, 20],
  on: ['paved', 'grass'],
  turn: 'any',
  height: () => 2.5,
  raised: true,
  draw: drawHelicopter,
};

function drawHelicopter(random: Random, colour: string): Artwork {
  const body: Polygon = mirrored([
    [0.03, -0.45],
    [0.085, -0.4],
    [0.115, -0.3],
    [0.12, -0.12],
    [0.085, 0.02],
    [0.04, 0.08],
  ]);
  const boom: Polygon = mirrored([
    [0.05, 0],
    [0.026, 0.47],
  ]);
  const fin = rectangle(-0.12, 0.36, 0.24, 0.06);
  const turn = random.between(0, 90);
  const count = random.pick([2, 2, 4]);
  const blades = Array.from({ length: count / 2 }, (_, i) => (i * 360) / count + turn).map((angle) =>
    turned(rectangle(-0.44, -0.024, 0.88, 0.048), angle, 0, -0.15),
  );
  const svg = (light: Point) => {
    const side = light[0] >= 0 ? 1 : -1;
    return (
      shape([boom, fin], shade(colour, -0.1)) +
      shape([body], colour) +
      line(
        [
          [side * 0.075, -0.36],
          [side * 0.085, -0.06],
        ],
        shade(colour, 0.3),
        0.035,
      ) +
      shape(
        [
          mirrored([
            [0.025, -0.43],
            [0.075, -0.38],
            [0.088, -0.29],
            [0.03, -0.27],
          ]),
        ],
        '#2b353e',
      ) +
      shape(blades, '#4a4d50') +
      disc(0, -0.15, 0.04, '#6a6e72')
    );
  };
  return { outline: [body, boom, fin, ...blades], svg };
}

export const helipad: Category = {
  name: 'helipad',
  nouns: ['helipad'],
  plural: 'helipads',
  colours: ['gray', 'green', 'red', 'blue'],
  metres: [12, 28],
  on: ['grass', 'paved', 'soil'],
  turn: 'any',
  height: () => 0,
  draw: drawHelipad,
};

function drawHelipad(random: Random, colour: string): Artwork {
  const round = random.chance(0.6);
  const outline = round ? ellipse(0, 0, 0.5) : rectangle(-0.45, -0.45, 0.9, 0.9);
  const white = colours.white;
  const svg = () =>
    shape([outline], colour) +
    disc(0, 0, 0.38, 'none', `stroke="${white}" stroke-width="0.04"`) +
    box(-0.15, -0.18, 0.065, 0.36, white) +
    box(0.085, -0.18, 0.065, 0.36, white) +
    box(-0.1, -0.03, 0.2, 0.06, white);
  return { outline: [outline], svg, shape: round ? 'round' : 'square' };
}

export const windmill: Category = {
  name: 'windmill',
  nouns: ['windmill', 'wind turbine'],
  plural: 'windmills',
  colours: [],
  metres: [70, 120],
  on: ['grass', 'crop', 'soil'],
  turn: 'any',
  height: (metres) => metres * 0.75,
  raised: true,
  fine: true,
  draw: drawWindmill,
};

function drawWindmill(): Artwork {
  const blade: Polygon = [
    [-0.022, 0],
    [-0.045, -0.12],
    [-0.01, -0.5],
    [0.01, -0.5],
    [0.04, -0.12],
    [0.022, 0],
  ];
  const blades = [0, 120, 240].map((angle) => turned(blade, angle));
  const hub = rounded(0.1, 0.14, 0.045);
  const svg = () => shape(blades, '#e9e9e4') + shape([hub], '#d2d3ce') + disc(0, 0, 0.03, '#9a9c9a');
  return { outline: [...blades, hub], svg };
}
