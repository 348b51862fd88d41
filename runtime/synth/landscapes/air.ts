import { rectangle } from '../geometry.ts';
import { concretes, type Plot } from '../plot.ts';
import { box, line } from '../svg.ts';
import type { Landscape } from './landscape.ts';
import { joints, scatterTrees } from './pieces.ts';

/** A terminal with stands, an apron, and a taxiway. */
export const airport: Landscape = {
  name: 'airport',
  weight: 1.5,
  metres: [150, 185],
  base: 'meadow',
  parts: { airplane: { weight: 1, metres: [32, 66], free: 0.3 } },
  lay(plot) {
    const { random, half, far } = plot;
    const concrete = random.pick(concretes);
    // The building is at the upper edge of the apron, the taxiway at the lower one.
    const edge = -half * random.between(0.62, 0.8);
    const end = half * random.between(0.75, 1.05);
    plot.cover('paved', rectangle(-far, edge - 14, far * 2, end - edge + 14), concrete);
    joints(plot, rectangle(-far, edge, far * 2, end - edge), 15, concrete);
    const taxiway = end - random.between(20, 34);
    plot.mark(
      line(
        [
          [-far, taxiway],
          [far, taxiway],
        ],
        '#c9a93f',
        0.9,
      ),
    );
    plot.cover('road', rectangle(-far, edge - 12, far * 2, 9), '#6d6e6f');
    const width = plot.metres * random.between(0.55, 0.95);
    const middle = random.between(-0.2, 0.2) * half;
    const depth = Math.max(26, half * 0.5);
    const terminal = plot.building(middle, edge - 14 - depth / 2, width, depth, 14, 'flat');
    plot.landmark('terminal', [terminal]);
    // Stands with their noses to the terminal, and more of them in a second row.
    const step = random.between(52, 62);
    const from = middle - width * 0.5;
    for (let x = from + random.between(0, 12); x < from + width + 40; x += step) {
      for (const [y, angle] of [
        [edge + 36, 0],
        [edge + 36 + 72, random.pick([0, 180])],
      ] as const) {
        plot.mark(
          line(
            [
              [x, y - 26],
              [x, y + 30],
            ],
            '#c9a93f',
            0.6,
          ) +
            line(
              [
                [x - 6, y - 26],
                [x + 6, y - 26],
              ],
              '#c9a93f',
              0.6,
            ),
        );
        plot.site(['airplane'], x, y, angle, 70);
      }
    }
    for (let x = -half; x < half; x += 60) plot.site(['airplane'], x, taxiway, random.pick([90, 270]), 70);
    for (let i = random.whole(3, 9); i > 0; i--)
      plot.parked(random.between(-half, half), edge - random.between(5, 10), 90, random.pick([4.5, 6, 9]));
    // The grass between runway and taxiway, and the runway.
    if (end < half) {
      plot.cover('road', rectangle(-far, end + 26, far * 2, 45), '#66676a');
      plot.mark(
        line(
          [
            [-far, end + 48],
            [far, end + 48],
          ],
          '#dedcd2',
          0.9,
          'stroke-dasharray="30 20"',
        ),
      );
    }
  },
};

/** A field for helicopters and light aircraft, with a hangar. */
export const heliport: Landscape = {
  name: 'airfield',
  weight: 1.3,
  metres: [44, 56],
  base: 'meadow',
  parts: {
    helicopter: { weight: 5, metres: [10, 18] },
    airplane: { weight: 3, metres: [8, 14] },
    helipad: { weight: 2, metres: [11, 17] },
    'large vehicle': { weight: 1, metres: [7, 12] },
  },
  lay(plot) {
    const { random, half, far } = plot;
    const concrete = random.pick(concretes);
    plot.patches(5, '#838b62', [half * 0.2, half * 0.6]);
    const edge = -half * random.between(0.3, 0.9);
    const apron = rectangle(-far, edge, far * 2, half * random.between(1.35, 2));
    plot.cover('paved', apron, concrete);
    joints(plot, apron, 6, concrete);
    stains(plot, 10);
    const y = edge + random.between(0.5, 1.1) * half;
    plot.mark(
      line(
        [
          [-far, y],
          [far, y],
        ],
        '#c9a93f',
        0.35,
      ),
    );
    if (edge < -half * 0.45) {
      const width = random.between(22, 30);
      const hangar = plot.building(random.between(-half * 0.6, half * 0.6), edge - 8, width, 18, 8, 'flat');
      plot.landmark('hangar', [hangar]);
    }
    scatterTrees(plot, random.whole(2, 9), [2, 4]);
  },
};

/** Stains of oil and wear on a paved area. */
export function stains(plot: Plot, count: number): void {
  const { random, half } = plot;
  let svg = '';
  for (let i = 0; i < count; i++) {
    const [w, h] = [random.between(0.02, 0.09) * half, random.between(0.03, 0.2) * half];
    svg += box(
      random.between(-half, half),
      random.between(-half, half),
      w,
      h,
      '#2e2d2b',
      `opacity="${random.between(0.03, 0.09).toFixed(2)}" rx="${(w / 2).toFixed(2)}"`,
    );
  }
  plot.mark(svg);
}
