import type { Surface } from './categories/category.ts';
import { shade } from './colours.ts';
import { ellipse, type Placement } from './geometry.ts';
import { type Occupancy, WORLD } from './ground.ts';
import type { Random } from './random.ts';
import type { Setting } from './settings.ts';
import { box, disc, group, line } from './svg.ts';

/** Draws trees, houses and crates, which belong to no category, on ground that no object occupies. */
export function scenery(random: Random, { ground, roofs, grain = 0 }: Setting, taken: Occupancy): string {
  let out = '';
  const free = (x: number, y: number, r: number, on: readonly Surface[]): boolean => {
    const around = [ellipse(x, y, r, r, 12)];
    return ground.isAll(around, on) && taken.take(around);
  };
  const spot = () => [random.between(-20, WORLD + 20), random.between(-20, WORLD + 20)] as const;
  for (let i = roofs ? 14 : random.whole(0, 2); i > 0; i--) {
    const [x, y] = spot();
    const [width, depth] = [random.between(130, 190), random.between(90, 140)];
    if (!free(x, y, Math.hypot(width, depth) / 2, ['grass', 'soil', 'paved'])) continue;
    const at: Placement = { x, y, angle: grain + random.pick([0, 90]), length: 1 };
    out += group(at, roof(random, width, depth));
  }
  for (let i = random.whole(10, 60); i > 0; i--) {
    const [x, y] = spot();
    const r = random.between(14, 34);
    if (free(x, y, r, ['grass', 'soil'])) out += tree(random, x, y, r);
  }
  return out;
}

function tree(random: Random, x: number, y: number, r: number): string {
  const colour = random.pick(['#3c5a2c', '#476633', '#34522a', '#55703a']);
  return (
    disc(x + r * 0.4, y + r * 0.45, r, '#000', 'opacity="0.3"') +
    disc(x, y, r, colour) +
    disc(x - r * 0.25, y - r * 0.3, r * 0.55, '#8aa35c', 'opacity="0.35"')
  );
}

/** Draws a roof with two slopes; the one away from the light is darker. */
function roof(random: Random, width: number, depth: number): string {
  const colour = random.pick(['#9c5b45', '#8a5a4a', '#77706c', '#a0705a', '#6d6660', '#b08a6c']);
  return (
    box(-width / 2 + 12, -depth / 2 + 14, width, depth, '#000', 'opacity="0.3"') +
    box(-width / 2, -depth / 2, width, depth / 2, shade(colour, 0.12)) +
    box(-width / 2, 0, width, depth / 2, shade(colour, -0.14)) +
    line(
      [
        [-width / 2, 0],
        [width / 2, 0],
      ],
      shade(colour, -0.3),
      5,
    )
  );
}
