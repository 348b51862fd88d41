import { bridgeWidth } from '../categories/roads.ts';
import { mixed, shade } from '../colours.ts';
import { type Point, type Polygon, rectangle } from '../geometry.ts';
import { concretes, type Plot, soils, waters } from '../plot.ts';
import { line, shape } from '../svg.ts';
import type { Landscape } from './landscape.ts';
import { containers, farmland, hedge, joints, scatterTrees, shore } from './pieces.ts';

const sands = ['#b9aa86', '#a99c7c', '#b0a58c'];

/** A quay wall with ships, cargo, tanks, and open water. */
export const harbour: Landscape = {
  name: 'harbour',
  weight: 1.4,
  metres: [165, 215],
  base: 'concrete',
  angles: [0, 90, 180, 270],
  parts: {
    ship: { weight: 6, metres: [40, 120], free: 0.45 },
    'storage tank': { weight: 2, metres: [22, 44] },
    'container crane': { weight: 1.2, metres: [60, 90] },
    harbor: { weight: 0, metres: [50, 78] },
  },
  lay(plot) {
    const { random, half, far } = plot;
    const concrete = random.pick(concretes);
    const edge = half * random.between(-0.1, 0.3);
    plot.cover('paved', rectangle(-far, -far, far * 2, far * 2), concrete);
    joints(plot, rectangle(-far, edge - 40, far * 2, 40), 12, concrete);
    if (random.chance(0.7))
      plot.cover('soil', rectangle(-far, -far, far * 2, far + edge - random.between(62, 90)), random.pick(soils));
    const roadAt = edge - random.between(48, 58);
    plot.road(roadAt, 8);
    for (let x = -half; x < half; x += random.between(18, 50))
      plot.parked(x, roadAt + random.pick([-2, 2]), 90, random.pick([4.5, 9, 14]));
    const water = rectangle(-far, edge, far * 2, far * 2);
    fill(plot, water);
    // The wall, its fenders, and the rails of the cranes.
    plot.mark(
      line(
        [
          [-far, edge - 0.8],
          [far, edge - 0.8],
        ],
        '#c8c4b8',
        1.8,
      ) +
        line(
          [
            [-far, edge + 0.6],
            [far, edge + 0.6],
          ],
          '#1b2527',
          1.4,
        ) +
        line(
          [
            [-far, edge - 5],
            [far, edge - 5],
          ],
          '#6f6a62',
          0.6,
        ) +
        line(
          [
            [-far, edge - 24],
            [far, edge - 24],
          ],
          '#6f6a62',
          0.6,
        ),
    );
    plot.landmark('quay', [rectangle(-far, edge - 12, far * 2, 12)]);
    if (random.chance(0.6)) {
      const from = random.between(-half, half * 0.3);
      containers(plot, from, edge - random.between(38, 44), random.whole(2, 4), random.whole(2, 4));
    }
    const shed = random.between(-half, half * 0.6);
    if (roadAt - 30 > -half * 0.95) {
      const hall = plot.building(shed, roadAt - 24, random.between(40, 66), random.between(20, 28), 11, 'flat');
      plot.landmark('warehouse', [hall]);
    }
    const piers = random.weighted([0, 1, 2], (count) => [4, 3.5, 1.5][count]!);
    for (let i = 0; i < piers; i++) {
      const length = random.between(50, 78);
      const x = piers === 1 ? random.between(-0.55, 0.55) * half : (i === 0 ? -1 : 1) * half * random.between(0.4, 0.6);
      plot.fixture('harbor', x, edge + length / 2 - 1, 180, length);
      for (const side of [-1, 1])
        plot.site(['ship'], x + side * 15, edge + length * 0.5, random.pick([0, 180]), 70, true);
    }
    for (let x = -half; x <= half; x += half * 0.25) {
      for (const size of [60, 120]) plot.site(['ship'], x, edge + 5 + size * 0.085, random.pick([90, 270]), size);
    }
  },
};

/** Boats at jetties and moorings, a beach and a promenade. */
export const marina: Landscape = {
  name: 'marina',
  weight: 1.2,
  metres: [48, 62],
  base: 'meadow',
  angles: [0, 90, 180, 270],
  parts: { ship: { weight: 1, metres: [8, 22], free: 0.55 }, harbor: { weight: 0, metres: [20, 30] } },
  lay(plot) {
    const { random, half, far } = plot;
    const edge = -half * random.between(0.2, 0.75);
    plot.patches(4, '#838b62', [half * 0.2, half * 0.5]);
    const beach = shore(plot, edge, 0.8);
    const band = (by: number): Polygon => [
      ...beach.map(([x, y]): Point => [x, y + by]),
      [far, far * 2],
      [-far, far * 2],
    ];
    plot.cover('sand', band(-random.between(2.5, 5)), random.pick(sands));
    const colour = random.pick(waters);
    plot.cover('water', band(0), mixed(colour, '#b9b090', 0.35));
    plot.mark(line(beach, '#d9ddd6', 0.7), 0.7);
    plot.cover('water', band(2), mixed(colour, '#93a08a', 0.2));
    plot.cover('water', band(5), colour);
    if (edge > -half * 0.6) {
      plot.road(edge - random.between(8, 11), 5.5);
      plot.landmark('road', [rectangle(-far, edge - 12, far * 2, 5)]);
    }
    scatterTrees(plot, random.whole(6, 16), [1.4, 3]);
    const piers = random.weighted([0, 1, 2], (count) => [1, 3, 2][count]!);
    for (let i = 0; i < piers; i++) {
      const length = random.between(20, 30);
      const x = piers === 1 ? random.between(-0.5, 0.5) * half : (i === 0 ? -1 : 1) * half * random.between(0.35, 0.6);
      plot.fixture('harbor', x, edge + length / 2 - 1.5, 180, length);
      for (const side of [-1, 1]) {
        for (let y = edge + 7; y < edge + length - 5; y += 5.5)
          plot.site(['ship'], x + side * 8, y, side === 1 ? 270 : 90, 13, true);
      }
    }
  },
};

/** Open water with ships under way. */
export const sea: Landscape = {
  name: 'sea',
  weight: 0.7,
  metres: [170, 230],
  base: 'water',
  parts: { ship: { weight: 1, metres: [40, 130] } },
  lay(plot) {
    fill(plot, rectangle(-plot.far, -plot.far, plot.far * 2, plot.far * 2));
  },
};

/** A river with one or two bridges, boats, and what stands on its banks. */
export const river: Landscape = {
  name: 'river',
  weight: 1.2,
  metres: [105, 135],
  base: 'meadow',
  angles: [0, 90, 0, 90, 45, 135],
  parts: {
    ship: { weight: 3, metres: [16, 38], free: 1 },
    'storage tank': { weight: 2, metres: [14, 28] },
    'tennis court': { weight: 1.3, metres: [32, 37] },
    'basketball court': { weight: 0.8, metres: [26, 32] },
    bridge: { weight: 0, metres: [32, 52] },
  },
  lay(plot) {
    const { random, half } = plot;
    if (random.chance(0.45)) farmland(plot);
    else plot.patches(6, '#838b62', [half * 0.2, half * 0.6]);
    const width = random.between(28, 40);
    const y = random.between(-0.28, 0.28) * half;
    const bank = (side: number, by: number) => shore(plot, y + side * (width / 2 + by), 1.1);
    const [upper, lower] = [bank(-1, 0), bank(1, 0)];
    const moved = (points: readonly Point[], by: number) => points.map(([u, v]): Point => [u, v + by]);
    plot.cover('sand', [...moved(upper, -3), ...moved(lower, 3).reverse()], random.pick(sands));
    const colour = mixed(random.pick(waters), '#5b5a45', 0.25);
    plot.cover('water', [...upper, ...[...lower].reverse()], mixed(colour, '#8d8b6f', 0.3));
    plot.cover('water', [...moved(upper, 2.5), ...moved(lower, -2.5).reverse()], colour);
    plot.landmark('river', [[...upper, ...[...lower].reverse()]], 'on');
    const count = random.weighted([1, 2], (n) => (n === 1 ? 1 : 1.4));
    const places =
      count === 1 ? [random.between(-0.45, 0.45)] : [random.between(-0.68, -0.45), random.between(0.45, 0.68)];
    for (const share of places) {
      const x = share * half;
      plot.road(x, bridgeWidth * 0.62, { vertical: true });
      plot.fixture('bridge', x, y, 0, width * random.between(1.15, 1.3));
    }
    hedge(plot, [-half * 1.3, y - width / 2 - 7], [half * 1.3, y - width / 2 - 7], [2, 4]);
    scatterTrees(plot, random.whole(6, 22), [2.2, 5]);
    for (let i = 0; i < 4; i++)
      plot.site(
        ['ship'],
        random.between(-1, 1) * half,
        y + random.between(-0.2, 0.2) * width,
        random.pick([90, 270]),
        40,
      );
  },
};

/** Covers an area with water, whose shallows and currents are a little lighter or darker. */
function fill(plot: Plot, area: Polygon): void {
  const { random, half } = plot;
  const colour = random.pick(waters);
  plot.cover('water', area, colour);
  let streaks = '';
  for (let i = random.whole(3, 6); i > 0; i--) {
    const y = random.between(-half, half) * 1.2;
    if (y < (area[0]?.[1] ?? 0)) continue;
    const upper = shore(plot, y, half * 0.05);
    const lower = shore(plot, y + half * random.between(0.08, 0.3), half * 0.06);
    streaks += shape([[...upper, ...lower.reverse()]], shade(colour, random.between(-0.1, 0.09)), 'opacity="0.5"');
  }
  plot.mark(streaks);
}
