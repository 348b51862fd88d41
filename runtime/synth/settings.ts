import { shade } from './colours.ts';
import { type Point, type Polygon, rectangle } from './geometry.ts';
import { aboutCentre, type Fixture, Ground, WORLD, whole } from './ground.ts';
import type { Random } from './random.ts';
import { line } from './svg.ts';

/** The ground of one scene, with the objects that belong to it. */
export interface Setting {
  readonly ground: Ground;
  readonly fixtures: readonly Fixture[];
  /** Direction of ships in degrees, if given. */
  readonly flow?: number;
  /** Direction of courts and fields in degrees. */
  readonly grain?: number;
  readonly roofs?: true;
}

const greens = ['#74864a', '#7d8b52', '#68803f', '#879256', '#6f8a50'];
const soils = ['#a48d62', '#b39a6c', '#947c57', '#a88a66'];
export const concretes = ['#b3b1a8', '#a9a9a3', '#bcb7aa', '#9fa19d'];
export const waters = ['#25525c', '#2a5f66', '#1f4a5a', '#346a66'];

/** Draws parallel lines over the whole scene without clipping, so only for ground that is painted over afterwards. */
export function furrows(random: Random, colour: string, gap: number, angle: number): string {
  let out = '';
  for (let at = -700; at <= 700; at += gap) {
    const [a, b] = aboutCentre(
      [
        [-400, 500 + at],
        [1400, 500 + at],
      ],
      angle,
    );
    out += line([a!, b!], colour, gap * random.between(0.3, 0.5));
  }
  return `<g opacity="0.35">${out}</g>`;
}

export function meadow(random: Random): Ground {
  const colour = random.pick(greens);
  const ground = new Ground().cover('grass', whole, colour);
  for (let i = random.whole(2, 5); i > 0; i--) {
    ground.mark(
      `<ellipse cx="${random.whole(0, WORLD)}" cy="${random.whole(0, WORLD)}" rx="${random.whole(100, 330)}" ry="${random.whole(80, 220)}" fill="${shade(colour, random.between(-0.16, 0.14))}" opacity="0.6"/>`,
    );
  }
  return ground;
}

/** Draws fields side by side with hedges between them, all rotated by `angle`. */
export function farmland(random: Random, angle: number): Ground {
  const ground = new Ground().cover('grass', whole, random.pick(greens));
  const columns = random.whole(2, 3);
  const rows = random.whole(2, 3);
  const [w, h] = [1800 / columns, 1800 / rows];
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < rows; j++) {
      const bare = random.chance(0.4);
      const colour = random.pick(bare ? soils : greens);
      const field = aboutCentre(rectangle(-400 + i * w + 8, -400 + j * h + 8, w - 16, h - 16), angle);
      ground.cover(bare ? 'soil' : 'grass', field, colour);
      const lying = random.chance(0.5);
      const count = random.whole(14, 30);
      let lines = '';
      for (let k = 1; k < count; k++) {
        const t = k / count;
        const ends: Polygon = lying
          ? [
              [-400 + i * w + 12, -400 + (j + t) * h],
              [-400 + (i + 1) * w - 12, -400 + (j + t) * h],
            ]
          : [
              [-400 + (i + t) * w, -400 + j * h + 12],
              [-400 + (i + t) * w, -400 + (j + 1) * h - 12],
            ];
        lines += line(aboutCentre(ends, angle), shade(colour, -0.3), 10);
      }
      ground.mark(`<g opacity="${random.between(0.15, 0.4).toFixed(2)}">${lines}</g>`);
    }
  }
  return ground;
}

export function ripples(random: Random, count: number): string {
  let out = '';
  for (let i = 0; i < count; i++) {
    const [x, y, w] = [random.whole(0, WORLD), random.whole(0, WORLD), random.whole(15, 50)];
    out += `<path d="M${x},${y} q${w / 2},-6 ${w},0" stroke="#a8d0d0" stroke-opacity="0.14" stroke-width="5" fill="none"/>`;
  }
  return out;
}

export function yard(random: Random): Ground {
  const angle = random.between(-12, 12);
  const colour = random.pick(concretes);
  const ground = new Ground().cover('paved', whole, colour);
  const joints = random.whole(4, 7);
  for (let i = 0; i <= joints; i++) {
    const at = -200 + (1400 * i) / joints;
    ground.mark(
      line(
        aboutCentre(
          [
            [at, -300],
            [at, 1300],
          ],
          angle,
        ),
        shade(colour, -0.22),
        5,
      ) +
        line(
          aboutCentre(
            [
              [-300, at],
              [1300, at],
            ],
            angle,
          ),
          shade(colour, -0.22),
          5,
        ),
    );
  }
  if (random.chance(0.6)) {
    const edge = aboutCentre(
      rectangle(-300, -300, 1600, random.whole(340, 520)),
      angle + random.pick([0, 90, 180, 270]),
    );
    ground.cover('soil', edge, random.pick(soils));
  }
  return ground;
}

/** Returns a wavy line from side to side around `y`. */
export function shoreline(random: Random, y: number, swing: number): Point[] {
  const [a, b] = [random.between(0, 6.3), random.between(0, 6.3)];
  return Array.from({ length: 29 }, (_, i): Point => {
    const x = -200 + i * 50;
    return [x, y + swing * (Math.sin(a + x / 210) + 0.4 * Math.sin(b + x / 75))];
  });
}

/** Returns a setting with a band through the scene (a river or road) and one or two crossings. */
export function crossed(
  random: Random,
  band: { readonly width: number; readonly category: string; readonly halfWidth: number },
  lay: (angle: number, centre: Polygon) => Ground,
): Setting {
  const angle = random.pick([0, 90, 0, 90, 45, 135]) + random.between(-14, 14);
  const shift = random.between(-130, 130);
  const centre: Polygon = [
    [-500, 500 + shift],
    [1500, 500 + shift],
  ];
  const ground = lay(angle, aboutCentre(centre, angle));
  const length = band.width * 1.3;
  const count = random.weighted([1, 2], (n) => (n === 1 ? 1 : 1.4));
  const places = count === 1 ? [random.between(280, 720)] : [random.between(170, 300), random.between(690, 830)];
  const fixtures = places.map((x): Fixture => {
    const [from, to, middle] = aboutCentre(
      [
        [x, -500],
        [x, 1500],
        [x, 500 + shift],
      ],
      angle,
    ) as [Point, Point, Point];
    ground.road([from, to], length * band.halfWidth * 1.7);
    return { category: band.category, at: { x: middle[0], y: middle[1], angle, length } };
  });
  return { ground, fixtures, flow: angle + 90, grain: angle };
}
