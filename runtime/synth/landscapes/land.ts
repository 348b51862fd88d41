import { rectangle } from '../geometry.ts';
import { concretes, type Plot, soils } from '../plot.ts';
import { line } from '../svg.ts';
import { stains } from './air.ts';
import type { Landscape } from './landscape.ts';
import { farmland, hedge, joints, scatterTrees } from './pieces.ts';
import { house } from './town.ts';

/** Courts and pools of a club, with fences, paths and a car park. */
export const courts: Landscape = {
  name: 'courts',
  weight: 1.2,
  metres: [88, 112],
  base: 'meadow',
  parts: {
    'tennis court': { weight: 4, metres: [30, 40], free: 0.4 },
    'basketball court': { weight: 3.4, metres: [24, 34], free: 0.5 },
    'swimming pool': { weight: 1.6, metres: [17, 34], free: 1 },
  },
  lay(plot) {
    const { random, half } = plot;
    plot.patches(6, '#838b62', [half * 0.2, half * 0.5]);
    if (random.chance(0.5))
      plot.cover(
        'paved',
        rectangle(-plot.far, random.between(-0.2, 0.1) * half, plot.far * 2, plot.far * 2),
        random.pick(concretes),
      );
    path(plot, random.between(-0.15, 0.15) * half);
    lot(plot, random.pick([-1, 1]));
    // Courts in pairs, side by side.
    const y = random.between(-0.5, 0.5) * half;
    const x = random.between(-0.6, 0.1) * half;
    for (const by of [0, 21.5]) plot.site(['tennis court'], x + by, y, 0, 41);
    for (const by of [0, 22.5]) plot.site(['basketball court'], x + by, y + (y > 0 ? -40 : 40), 0, 35);
    scatterTrees(plot, random.whole(12, 30), [2, 4.2]);
  },
};

/** Fields and tracks for sports, and stadiums. */
export const sportsGround: Landscape = {
  name: 'sports ground',
  weight: 1.3,
  metres: [340, 420],
  base: 'meadow',
  parts: {
    'soccer field': { weight: 3, metres: [85, 118] },
    'baseball field': { weight: 2.6, metres: [80, 122] },
    'ground track field': { weight: 2.4, metres: [135, 178] },
    stadium: { weight: 1.8, metres: [150, 215] },
  },
  lay(plot) {
    const { random, half, far } = plot;
    plot.patches(8, '#838b62', [half * 0.15, half * 0.45]);
    if (random.chance(0.5)) path(plot, random.between(-0.4, 0.4) * half, 4);
    const y = half * random.between(0.84, 0.98) * random.pick([-1, 1]);
    plot.road(y, 9);
    for (let x = -half; x < half; x += random.between(12, 40)) plot.parked(x, y + random.pick([-2.2, 2.2]), 90);
    lot(plot, y > 0 ? -1 : 1);
    hedge(plot, [-far, y + (y > 0 ? -13 : 13)], [far, y + (y > 0 ? -13 : 13)], [3, 6]);
    scatterTrees(plot, random.whole(15, 45), [3, 6.5]);
  },
};

/** A tank farm with bunds, pipes and roads. */
export const tankFarm: Landscape = {
  name: 'tank farm',
  weight: 1.3,
  metres: [120, 160],
  base: 'meadow',
  parts: {
    'storage tank': { weight: 6, metres: [16, 46], free: 0.35 },
    chimney: { weight: 1.2, metres: [9, 15] },
    helipad: { weight: 0.6, metres: [18, 27] },
  },
  lay(plot) {
    const { random, half, far } = plot;
    const ground = random.pick(['concrete', 'soil', 'soil'] as const);
    const colour = random.pick(ground === 'concrete' ? concretes : soils);
    const y = random.between(-0.25, 0.25) * half;
    plot.cover(ground === 'concrete' ? 'paved' : 'soil', rectangle(-far, -far, far * 2, y + far + half * 0.9), colour);
    if (ground === 'concrete') joints(plot, rectangle(-far, -far, far * 2, y + far + half * 0.9), 14, colour);
    const step = half * random.between(0.7, 0.8);
    const shift = random.between(-0.2, 0.2) * half;
    for (const column of [-1, 0, 1]) {
      for (const row of [-1, 0.35]) {
        const [x, at] = [shift + column * step, y + row * step];
        const r = step * 0.47;
        // A low wall around each tank.
        plot.shade(
          [
            rectangle(x - r, at - r, 2 * r, 0.8),
            rectangle(x - r, at - r, 0.8, 2 * r),
            rectangle(x - r, at + r - 0.8, 2 * r, 0.8),
            rectangle(x + r - 0.8, at - r, 0.8, 2 * r),
          ],
          1.2,
        );
        plot.mark(
          `<rect x="${(x - r).toFixed(1)}" y="${(at - r).toFixed(1)}" width="${(2 * r).toFixed(1)}" height="${(2 * r).toFixed(1)}" fill="none" stroke="#b3ad9d" stroke-width="1.1"/>`,
        );
        plot.site(['storage tank'], x, at, random.between(0, 360), r * 1.8);
      }
    }
    plot.mark(
      line(
        [
          [-far, y - step * 0.36],
          [far, y - step * 0.36],
        ],
        '#8b8a84',
        1.4,
      ) +
        line(
          [
            [-far, y - step * 0.31],
            [far, y - step * 0.31],
          ],
          '#bdb9ae',
          0.8,
        ),
    );
    const roadAt = y + half * 0.78;
    plot.road(roadAt, 8);
    for (let x = -half; x < half; x += random.between(16, 60))
      plot.parked(x, roadAt + random.pick([-2, 2]), 90, random.pick([4.5, 14]));
    stains(plot, 8);
    scatterTrees(plot, random.whole(4, 14), [2.2, 4.5]);
  },
};

/** Fields around a farm, with silos, grass strips and wind turbines. */
export const farm: Landscape = {
  name: 'farmland',
  weight: 1.2,
  metres: [52, 66],
  base: 'meadow',
  parts: {
    'storage tank': { weight: 3, metres: [7, 18] },
    helicopter: { weight: 2, metres: [12, 19] },
    airplane: { weight: 1.6, metres: [10.5, 14] },
    'swimming pool': { weight: 0.8, metres: [11, 20] },
  },
  lay(plot) {
    const { random, half } = plot;
    farmland(plot);
    const y = random.between(-0.7, 0.7) * half;
    const track = plot.road(y, random.between(3.4, 4.6), { dirt: true });
    plot.landmark('track', [track]);
    if (random.chance(0.6)) {
      const side = y > 0 ? -1 : 1;
      const barn = plot.building(
        random.between(-0.6, 0.6) * half,
        y + side * 13,
        random.between(14, 20),
        random.between(8, 11),
        7,
        'gabled',
      );
      plot.landmark('barn', [barn]);
    }
    hedge(plot, [-half * 1.2, y - 4.5], [half * 1.2, y - 4.5], [1.4, 3]);
    scatterTrees(plot, random.whole(2, 12), [2, 4.2]);
  },
};

/** Open country in which there are wind turbines and village pitches. */
export const plain: Landscape = {
  name: 'open country',
  weight: 0.7,
  metres: [190, 240],
  base: 'meadow',
  parts: {
    windmill: { weight: 3, metres: [72, 112] },
    'soccer field': { weight: 2, metres: [66, 108] },
    'baseball field': { weight: 2, metres: [62, 100] },
    'storage tank': { weight: 1.2, metres: [24, 50] },
  },
  lay(plot) {
    const { random, half } = plot;
    farmland(plot);
    const y = random.between(-0.8, 0.8) * half;
    const road = plot.road(y, 7);
    plot.landmark('road', [road]);
    for (let i = random.whole(0, 6); i > 0; i--) house(plot);
    hedge(plot, [-half * 1.3, y + 8], [half * 1.3, y + 8], [2.5, 5]);
    scatterTrees(plot, random.whole(8, 24), [3, 6]);
  },
};

function path(plot: Plot, y: number, width = 2.4): void {
  const { far } = plot;
  plot.mark(
    line(
      [
        [-far, y],
        [far, y],
      ],
      '#b5a98c',
      width,
    ) +
      line(
        [
          [-far, y],
          [far, y],
        ],
        '#c1b698',
        width * 0.6,
      ),
  );
}

/** A small car park with cars in rows, at the upper (-1) or the lower edge. */
function lot(plot: Plot, side: number): void {
  const { random, half } = plot;
  const y = side * half * 0.9;
  const x = random.between(-0.8, 0.1) * half;
  const area = rectangle(x, side < 0 ? y - 20 : y, random.between(30, 50), 20);
  if (!plot.ground.isAll([plot.world(area)], ['grass', 'crop', 'soil', 'paved', 'sand'])) return;
  plot.cover('road', area, '#77787a');
  const top = side < 0 ? y - 20 : y;
  for (let at = x + 2; at < x + 28; at += 2.7) {
    for (const row of [3, 16]) if (random.chance(0.6)) plot.parked(at, top + row, 0);
  }
  plot.landmark('car park', [area]);
}
