import { overpassWidth } from '../categories/roads.ts';
import { ellipse, type Point, type Polygon, rectangle } from '../geometry.ts';
import { asphalts, concretes, type Plot } from '../plot.ts';
import { line } from '../svg.ts';
import { stains } from './air.ts';
import type { Landscape } from './landscape.ts';
import { farmland, field, hedge, joints, scatterTrees, tryTree } from './pieces.ts';

/** A car park with marked spaces, beside a road and lawns. */
export const carPark: Landscape = {
  name: 'car park',
  weight: 1.3,
  metres: [21, 27],
  base: 'meadow',
  parts: {
    'small vehicle': { weight: 5, metres: [3.6, 5.2] },
    'large vehicle': { weight: 1.6, metres: [7, 10.5] },
  },
  lay(plot) {
    const { random, half, far } = plot;
    plot.patches(4, '#838b62', [half * 0.2, half * 0.6]);
    const asphalt = random.pick(asphalts);
    const edge = -half * random.between(0.35, 0.75);
    const roadY = edge - random.between(4.2, 5);
    plot.cover('paved', rectangle(-far, roadY - 5, far * 2, 10), '#a5a198');
    const road = plot.road(roadY, 6.4);
    plot.landmark('road', [road], 'on');
    const lot = rectangle(-far * 0.9, edge, far * 1.8, far * 2);
    plot.cover('paved', lot, asphalt);
    plot.landmark('car park', [lot], 'in');
    stains(plot, 14);
    // Two rows of spaces with a lane between them.
    const [depth, lane] = [5.2, random.between(5.6, 6.6)];
    const pitch = random.between(2.6, 2.9);
    for (const [y, angle] of [
      [edge + 0.6, 180],
      [edge + 0.6 + depth + lane, 0],
      [edge + 1 + depth * 2 + lane, 180],
    ] as const) {
      let marks = '';
      for (let x = -far * 0.84; x < far * 0.84; x += pitch) {
        marks += line(
          [
            [x, y],
            [x, y + depth],
          ],
          '#cfccc2',
          0.13,
        );
        plot.site(['small vehicle'], x + pitch / 2, y + depth / 2, angle, 5.3, true);
      }
      plot.mark(marks);
    }
    for (let x = -half; x < half; x += 4) {
      plot.site(['small vehicle', 'large vehicle'], x, edge + 0.6 + depth + lane / 2, random.pick([90, 270]), 11);
      plot.site(['small vehicle', 'large vehicle'], x, roadY - 1.6, 270, 11);
      plot.site(['small vehicle', 'large vehicle'], x, roadY + 1.6, 90, 11);
    }
    for (let x = -half; x < half; x += random.between(4, 9)) tryTree(plot, x, roadY - 7, random.between(1.2, 2));
  },
};

/** A straight road with traffic in its lanes, seen from low. */
export const street: Landscape = {
  name: 'street',
  weight: 0.9,
  metres: [25, 32],
  base: 'meadow',
  parts: {
    'small vehicle': { weight: 4, metres: [3.6, 5.2] },
    'large vehicle': { weight: 3, metres: [7, 16] },
  },
  lay(plot) {
    const { random, half } = plot;
    if (random.chance(0.4)) field(plot, -plot.far, -plot.far, plot.far * 2, plot.far * 2);
    else plot.patches(5, '#838b62', [half * 0.2, half * 0.6]);
    const y = random.between(-0.15, 0.15) * half;
    const lanes = random.pick([2, 4, 4]);
    const width = lanes * 3.5;
    plot.cover('paved', rectangle(-plot.far, y - width / 2 - 2, plot.far * 2, width + 4), '#a5a198');
    plot.road(y, width, { lanes });
    for (let lane = 0; lane < lanes; lane++) {
      const at = y + width * ((lane + 0.5) / lanes - 0.5);
      for (let x = -half; x < half; x += 2.5)
        plot.site(['small vehicle', 'large vehicle'], x + random.between(-1, 1), at, lane < lanes / 2 ? 270 : 90, 17);
    }
    if (random.chance(0.7)) {
      const side = random.pick([-1, 1]);
      const top = y + side * (width / 2 + 5.5);
      const lot = rectangle(-half * 0.9, side > 0 ? top : top - 9, half * 1.8, 9);
      plot.cover('paved', lot, random.pick(concretes));
      plot.landmark('car park', [lot], 'in');
      for (let x = -half * 0.8; x < half * 0.8; x += 2.8)
        plot.site(['small vehicle'], x, top + side * 4.5, 0, 5.3, true);
    }
    hedge(plot, [-half * 1.3, y - width / 2 - 5], [half * 1.3, y - width / 2 - 5], [1, 2]);
    scatterTrees(plot, random.whole(3, 12), [1.2, 2.6]);
  },
};

/** Houses with gardens, pools and drives along a street. */
export const suburb: Landscape = {
  name: 'suburb',
  weight: 1.3,
  metres: [26, 31],
  base: 'meadow',
  parts: {
    'swimming pool': { weight: 4, metres: [6, 12] },
    'small vehicle': { weight: 3, metres: [3.8, 5.2] },
    'large vehicle': { weight: 0.6, metres: [7, 10] },
  },
  lay(plot) {
    const { random, half, far } = plot;
    plot.patches(7, '#838b62', [half * 0.15, half * 0.5]);
    const y = random.between(-0.2, 0.2) * half;
    plot.cover('paved', rectangle(-far, y - 4.6, far * 2, 9.2), '#aaa69b');
    const road = plot.road(y, 6.2);
    plot.landmark('street', [road], 'on');
    const pitch = random.between(16, 20);
    const from = random.between(-pitch, 0);
    for (const side of [-1, 1]) {
      for (let x = from - half; x < half + pitch; x += pitch) {
        const [width, depth] = [random.between(8.5, 12), random.between(7, 9)];
        const at = y + side * (4.6 + random.between(4, 5) + depth / 2);
        const drive = x + side * (width / 2 + 2);
        plot.cover(
          'paved',
          rectangle(
            drive - 1.6,
            side > 0 ? y + 3.1 : at - depth / 2,
            3.2,
            Math.abs(at - y) - 3.1 + (side > 0 ? depth / 2 : 0),
          ),
          random.pick(concretes),
        );
        plot.site(['small vehicle'], drive, y + side * 7.6, side > 0 ? 0 : 180, 5.3, true);
        plot.building(x, at, width, depth, 6, 'gabled', random.pick([0, 90, 0]) === 90 && width < 9.5 ? 90 : 0);
        const garden = at + side * (depth / 2 + random.between(4.5, 7));
        plot.site(['swimming pool'], x + random.between(-3, 3), garden, random.pick([0, 90, 90]), 13, true);
        hedge(plot, [x + pitch / 2, at], [x + pitch / 2, at + side * 18], [0.7, 1.3]);
      }
    }
    for (let x = -half; x < half; x += 3) {
      plot.site(['small vehicle', 'large vehicle'], x, y - 1.55, 270, 11);
      plot.site(['small vehicle', 'large vehicle'], x, y + 1.55, 90, 11);
    }
    scatterTrees(plot, random.whole(8, 20), [1.2, 2.6]);
  },
};

/** A motorway with one or two overpasses. */
export const motorway: Landscape = {
  name: 'motorway',
  weight: 0.8,
  metres: [105, 135],
  base: 'meadow',
  angles: [0, 90, 0, 90, 45, 135],
  parts: {
    'storage tank': { weight: 1.6, metres: [14, 30] },
    'tennis court': { weight: 1.2, metres: [32, 37] },
    'basketball court': { weight: 1, metres: [26, 32] },
    overpass: { weight: 0, metres: [40, 50] },
  },
  lay(plot) {
    const { random, half } = plot;
    if (random.chance(0.5)) farmland(plot);
    else plot.patches(6, '#838b62', [half * 0.2, half * 0.6]);
    const y = random.between(-0.3, 0.3) * half;
    for (const side of [-1, 1]) plot.road(y + side * 9, 13, { lanes: 3 });
    const count = random.weighted([1, 2], (n) => (n === 1 ? 1 : 1.4));
    const places =
      count === 1 ? [random.between(-0.45, 0.45)] : [random.between(-0.66, -0.45), random.between(0.45, 0.66)];
    const traffic: number[] = [];
    for (const share of places) {
      const x = share * half;
      traffic.push(x);
      plot.road(x, overpassWidth * 0.7, { vertical: true });
      plot.fixture('overpass', x, y, 0, random.between(40, 50));
    }
    for (const side of [-1, 1]) {
      for (let x = -half; x < half; x += random.between(8, 22)) {
        if (traffic.every((at) => Math.abs(at - x) > 10))
          plot.parked(x, y + side * 9 + random.pick([-4.3, 0, 4.3]), 90, random.pick([4.5, 4.5, 4.5, 14]));
      }
    }
    hedge(plot, [-half * 1.3, y + 20], [half * 1.3, y + 20], [1.5, 3.5]);
    scatterTrees(plot, random.whole(8, 26), [2.2, 5]);
  },
};

/** Roundabouts on country roads. */
export const crossroads: Landscape = {
  name: 'crossroads',
  weight: 1.1,
  metres: [105, 135],
  base: 'meadow',
  parts: {
    'storage tank': { weight: 1.6, metres: [14, 30] },
    'tennis court': { weight: 1.2, metres: [32, 37] },
    'basketball court': { weight: 1, metres: [26, 32] },
    helipad: { weight: 0.6, metres: [16, 26] },
    roundabout: { weight: 0, metres: [28, 48] },
  },
  lay(plot) {
    const { random, half } = plot;
    if (random.chance(0.5)) farmland(plot);
    else plot.patches(6, '#838b62', [half * 0.2, half * 0.6]);
    const count = random.weighted([1, 2], (n) => (n === 1 ? 1.2 : 1));
    const xs = count === 1 ? [random.between(-0.35, 0.35)] : [random.between(-0.52, -0.45), random.between(0.45, 0.52)];
    const y = random.between(-1, 1) * (count === 1 ? 0.35 : 0.15) * half;
    const length = () => random.pick([random.between(28, 34), random.between(42, 48)]);
    plot.road(y, 8);
    for (const share of xs) plot.road(share * half, 8, { vertical: true });
    for (const share of xs) {
      const [x, d] = [share * half, length()];
      const form: Polygon = ellipse(x, y, d * 0.53);
      plot.cover('road', form, '#a19d92');
      plot.fixture('roundabout', x, y, 0, d);
      for (let i = random.whole(1, 4); i > 0; i--) {
        const away = d / 2 + random.between(6, 30);
        const [cx, cy, angle] = random.pick<readonly [number, number, number]>([
          [x, y - away, 0],
          [x, y + away, 0],
          [x - away, y, 90],
          [x + away, y, 90],
        ]);
        const side = random.pick([-2, 2]);
        plot.parked(cx + (angle === 0 ? side : 0), cy + (angle === 90 ? side : 0), angle);
      }
    }
    for (let i = random.whole(0, 3); i > 0; i--) house(plot);
    scatterTrees(plot, random.whole(10, 30), [2.2, 5]);
  },
};

/** A house where there is room for one. */
export function house(plot: Plot): void {
  const { random, half } = plot;
  const [x, y] = [random.between(-half, half), random.between(-half, half)] as Point;
  const [width, depth] = [random.between(10, 17), random.between(8, 11)];
  if (
    plot.ground.isAll([plot.world(rectangle(x - width / 2, y - depth / 2, width, depth))], ['grass', 'crop', 'soil'])
  ) {
    plot.building(x, y, width, depth, 6.5, 'gabled');
  }
}

/** Lorries in a yard with halls and containers. */
export const depot: Landscape = {
  name: 'depot',
  weight: 0.9,
  metres: [44, 56],
  base: 'concrete',
  parts: {
    'large vehicle': { weight: 4, metres: [7.5, 16.5] },
    'storage tank': { weight: 1.4, metres: [8, 14] },
    helipad: { weight: 0.5, metres: [13, 17] },
  },
  lay(plot) {
    const { random, half, far } = plot;
    const concrete = random.pick(concretes);
    plot.cover('paved', rectangle(-far, -far, far * 2, far * 2), concrete);
    joints(plot, rectangle(-far, -far, far * 2, far * 2), 7, concrete);
    stains(plot, 16);
    const edge = -half * random.between(0.45, 0.7);
    const hall = plot.building(
      random.between(-0.3, 0.3) * half,
      edge - 12,
      half * random.between(1.2, 2),
      24,
      10,
      'flat',
    );
    plot.landmark('warehouse', [hall]);
    for (let x = -half; x < half; x += 4.4) {
      plot.mark(
        line(
          [
            [x - 2.2, edge],
            [x - 2.2, edge + 15],
          ],
          '#c9b24f',
          0.18,
        ),
        0.7,
      );
      plot.site(['large vehicle'], x, edge + 9.5, random.pick([0, 180]), 17);
    }
    const lane = random.between(0.35, 0.75) * half;
    for (let x = -half; x < half; x += 5) plot.site(['large vehicle'], x, lane, random.pick([90, 270]), 17);
    if (random.chance(0.5))
      plot.cover('grass', rectangle(-far, half * random.between(0.82, 0.95), far * 2, far), '#6b7650');
    scatterTrees(plot, 12, [1.5, 3]);
  },
};
