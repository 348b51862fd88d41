import { bridgeHalfWidth, overpassHalfWidth } from './categories/roads.ts';
import { shade } from './colours.ts';
import { ellipse, type Point, type Polygon, rectangle } from './geometry.ts';
import { aboutCentre, type Fixture, Ground, WORLD, whole } from './ground.ts';
import type { Random } from './random.ts';
import {
  concretes,
  crossed,
  farmland,
  furrows,
  meadow,
  ripples,
  type Setting,
  shoreline,
  waters,
  yard,
} from './settings.ts';
import { line } from './svg.ts';

export interface Theme {
  readonly name: string;
  readonly weight: number;
  /** Weights of the categories that may occur. */
  readonly cast: Readonly<Record<string, number>>;
  /** Draws the ground. `scale` is the relative length of objects; 1 is large. */
  lay(random: Random, scale: number): Setting;
}

const coast: Theme = {
  name: 'coast',
  weight: 1.5,
  cast: { ship: 6, 'storage tank': 2, 'small vehicle': 0.7, 'swimming pool': 0.7, helipad: 0.5, 'tennis court': 0.6 },
  lay(random, scale) {
    const quarter = random.pick([0, 90, 180, 270]);
    const depth = random.between(560, 700);
    const shore = shoreline(random, depth, random.between(8, 26));
    const water = (offset: number): Polygon =>
      aboutCentre([...shore.map(([x, y]): Point => [x, y + offset]), [1300, -300], [-300, -300]], quarter);
    const ground = random.chance(0.6) ? meadow(random) : yard(random);
    const colour = random.pick(waters);
    ground.cover('sand', water(38), '#cdbd8f').cover('water', water(0), shade(colour, 0.16));
    ground.cover('water', water(-26), colour).mark(ripples(random, 40));
    const fixtures: Fixture[] = [];
    const piers = random.weighted([0, 1, 2], (count) => [4, 4, 2][count]!);
    for (let i = 0; i < piers; i++) {
      const length = random.between(300, 440) * scale;
      const x = piers === 1 ? random.between(220, 780) : i === 0 ? random.between(200, 320) : random.between(650, 790);
      const y = shore.reduce((best, p) => (Math.abs(p[0] - x) < Math.abs(best[0] - x) ? p : best))[1];
      const [[cx, cy]] = aboutCentre([[x, y + 12 - length / 2]], quarter) as [Point];
      fixtures.push({ category: 'harbor', at: { x: cx, y: cy, angle: quarter, length } });
    }
    return { ground, fixtures, grain: quarter };
  },
};

const sea: Theme = {
  name: 'sea',
  weight: 0.7,
  cast: { ship: 1 },
  lay(random) {
    const colour = random.pick(waters);
    const ground = new Ground().cover('water', whole, colour).mark(ripples(random, 90));
    for (let i = 0; i < 4; i++) {
      ground.mark(
        `<ellipse cx="${random.whole(0, WORLD)}" cy="${random.whole(0, WORLD)}" rx="${random.whole(150, 400)}" ry="${random.whole(60, 180)}" fill="${shade(colour, random.between(-0.15, 0.12))}" opacity="0.5"/>`,
      );
    }
    return { ground, fixtures: [] };
  },
};

const river: Theme = {
  name: 'river',
  weight: 1.3,
  cast: {
    ship: 2,
    'storage tank': 2,
    'small vehicle': 1,
    'tennis court': 1,
    'swimming pool': 0.7,
    'baseball field': 0.5,
  },
  lay(random, scale) {
    const width = random.between(230, 310) * (0.5 + scale / 2);
    return crossed(random, { width, category: 'bridge', halfWidth: bridgeHalfWidth }, (angle, [a, b]) => {
      const ground = random.chance(0.6) ? meadow(random) : farmland(random, angle);
      const colour = random.pick(waters);
      const strip = (w: number) => {
        const middle = aboutCentre([a!, b!], -angle);
        const y = middle[0]![1];
        const upper = shoreline(random, y - w / 2, 7);
        const lower = shoreline(random, y + w / 2, 7);
        return aboutCentre([...upper, ...lower.reverse()], angle);
      };
      return ground
        .cover('sand', strip(width * 1.1), '#a89b6c')
        .cover('water', strip(width), colour)
        .mark(line([a!, b!], shade(colour, 0.12), width * 0.4, 'opacity="0.35"'));
    });
  },
};

const highway: Theme = {
  name: 'highway',
  weight: 0.7,
  cast: { 'small vehicle': 2, 'large vehicle': 2, 'storage tank': 1.2, 'soccer field': 0.6, 'baseball field': 0.6 },
  lay(random, scale) {
    const width = random.between(250, 320) * (0.5 + scale / 2);
    return crossed(random, { width, category: 'overpass', halfWidth: overpassHalfWidth }, (angle, [a, b]) => {
      const ground = random.chance(0.5) ? meadow(random) : farmland(random, angle);
      const half = width * 0.31;
      for (const side of [-1, 1]) {
        const lane = aboutCentre([a!, b!], -angle).map(([x, y]): Point => [x, y + side * half * 0.62]);
        ground.road(aboutCentre(lane, angle), half * 1.1);
      }
      return ground;
    });
  },
};

const airfield: Theme = {
  name: 'airfield',
  weight: 1.5,
  cast: { airplane: 6, helicopter: 2.5, helipad: 1, 'large vehicle': 0.8, 'storage tank': 0.8, 'small vehicle': 0.5 },
  lay(random) {
    const ground = meadow(random);
    const angle = random.between(-20, 20) + random.pick([0, 90]);
    const colour = random.pick(concretes);
    const from = random.between(-250, 90);
    const apron = aboutCentre(rectangle(-400, from, 1800, 1150), angle);
    ground.cover('paved', apron, colour);
    for (let i = 0; i < 6; i++) {
      const x = -150 + i * 260 + random.between(-20, 20);
      ground.mark(
        line(
          aboutCentre(
            [
              [x, from + 10],
              [x, from + 1140],
            ],
            angle,
          ),
          shade(colour, -0.14),
          5,
        ),
      );
    }
    const y = random.between(200, 800);
    ground.mark(
      line(
        aboutCentre(
          [
            [-400, y],
            [1400, y],
          ],
          angle,
        ),
        '#d9b63c',
        9,
      ),
    );
    if (from > 20) {
      ground.mark(
        line(
          aboutCentre(
            [
              [-400, from - 110],
              [1400, from - 110],
            ],
            angle,
          ),
          '#55585a',
          110,
        ),
      );
      ground.mark(
        line(
          aboutCentre(
            [
              [-400, from - 110],
              [1400, from - 110],
            ],
            angle,
          ),
          '#ecebe4',
          9,
          'stroke-dasharray="60 50"',
        ),
      );
    }
    return { ground, fixtures: [], grain: angle };
  },
};

const park: Theme = {
  name: 'sports park',
  weight: 1.6,
  cast: {
    'tennis court': 4,
    'basketball court': 4,
    'soccer field': 2,
    'baseball field': 2,
    'ground track field': 2.4,
    'swimming pool': 1.4,
    stadium: 1.6,
    'small vehicle': 0.5,
  },
  lay(random) {
    const grain = random.pick([0, 90]) + random.between(-15, 15);
    const ground = meadow(random);
    if (random.chance(0.6)) {
      ground.cover(
        'paved',
        aboutCentre(rectangle(-300, random.between(420, 560), 1600, 900), grain),
        random.pick(concretes),
      );
    }
    for (let i = random.whole(1, 2); i > 0; i--) {
      const at = random.between(0, 1000);
      ground.mark(
        line(
          aboutCentre(
            [
              [at, -300],
              [at + random.between(-60, 60), 1300],
            ],
            grain,
          ),
          '#c9bd9d',
          22,
        ),
      );
    }
    return { ground, fixtures: [], grain };
  },
};

const industry: Theme = {
  name: 'industry',
  weight: 1.4,
  cast: {
    'storage tank': 5,
    'large vehicle': 3,
    'small vehicle': 1.2,
    helipad: 0.5,
    chimney: 1.2,
    'container crane': 1.2,
    helicopter: 0.6,
  },
  lay(random) {
    const ground = yard(random);
    if (random.chance(0.5)) {
      const at = random.between(60, 940);
      const angle = random.pick([0, 90]) + random.between(-12, 12);
      ground.road(
        aboutCentre(
          [
            [-300, at],
            [1300, at],
          ],
          angle,
        ),
        random.between(90, 130),
      );
    }
    return { ground, fixtures: [] };
  },
};

const homes: Theme = {
  name: 'homes',
  weight: 1.2,
  cast: { 'swimming pool': 4, 'small vehicle': 3, 'large vehicle': 1, 'tennis court': 1.5, 'basketball court': 1 },
  lay(random) {
    const ground = meadow(random);
    const angle = random.pick([0, 90]) + random.between(-10, 10);
    const at = random.between(120, 880);
    ground.road(
      aboutCentre(
        [
          [-300, at],
          [1300, at],
        ],
        angle,
      ),
      random.between(150, 190),
    );
    if (random.chance(0.5)) {
      const drive =
        at < 500
          ? rectangle(random.between(100, 600), at, 300, 1500)
          : rectangle(random.between(100, 600), at - 1500, 300, 1500);
      ground.cover('paved', aboutCentre(drive, angle), random.pick(concretes));
      ground.road(
        aboutCentre(
          [
            [-300, at],
            [1300, at],
          ],
          angle,
        ),
        random.between(150, 190),
      );
    }
    return { ground, fixtures: [], grain: angle, roofs: true };
  },
};

const crossroads: Theme = {
  name: 'crossroads',
  weight: 1.3,
  cast: {
    'small vehicle': 2,
    'large vehicle': 2,
    'storage tank': 1,
    'soccer field': 0.8,
    'baseball field': 0.8,
    'swimming pool': 0.8,
    'tennis court': 0.8,
  },
  lay(random, scale) {
    const angle = random.between(-25, 25);
    const ground = random.chance(0.5) ? farmland(random, angle) : meadow(random);
    const count = random.weighted([1, 2], (n) => (n === 1 ? 1.3 : 1));
    const places: Point[] =
      count === 1
        ? [[random.between(260, 740), random.between(260, 740)]]
        : random.pick<Point[]>([
            [
              [random.between(210, 290), random.between(220, 780)],
              [random.between(700, 780), random.between(220, 780)],
            ],
            [
              [random.between(220, 780), random.between(210, 290)],
              [random.between(220, 780), random.between(700, 780)],
            ],
          ]);
    const lengths = places.map(
      () => (random.chance(0.5) ? random.between(300, 340) : random.between(390, 430)) * scale,
    );
    for (const [i, [x, y]] of places.entries()) {
      const arms = random.whole(3, 4);
      for (let k = 0; k < arms; k++) {
        const t = ((angle + (360 * k) / arms) * Math.PI) / 180;
        ground.road(
          [
            [x, y],
            [x + 1600 * Math.cos(t), y + 1600 * Math.sin(t)],
          ],
          lengths[i]! * 0.27,
        );
      }
    }
    for (const [i, [x, y]] of places.entries()) ground.cover('road', ellipse(x, y, lengths[i]! * 0.53), '#b9b6aa');
    const fixtures = places.map(
      ([x, y], i): Fixture => ({ category: 'roundabout', at: { x, y, angle: 0, length: lengths[i]! } }),
    );
    return { ground, fixtures, grain: angle };
  },
};

const country: Theme = {
  name: 'country',
  weight: 1,
  cast: {
    windmill: 3,
    'storage tank': 2.5,
    'large vehicle': 1.5,
    'small vehicle': 1,
    'baseball field': 1.3,
    helicopter: 1.5,
    'swimming pool': 0.6,
    'soccer field': 1,
  },
  lay(random) {
    const angle = random.between(-30, 30);
    const ground = farmland(random, angle);
    if (random.chance(0.5)) {
      const at = random.between(80, 920);
      ground.road(
        aboutCentre(
          [
            [-400, at],
            [1400, at],
          ],
          angle,
        ),
        random.between(50, 80),
        '#a59878',
      );
    } else {
      ground.mark(furrows(random, '#4b5a2a', 60, angle));
    }
    return { ground, fixtures: [], grain: angle };
  },
};

export const themes: readonly Theme[] = [
  airfield,
  coast,
  country,
  crossroads,
  highway,
  homes,
  industry,
  park,
  river,
  sea,
];
