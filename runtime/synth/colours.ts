import type { Random } from './random.ts';

/** Paints that phrases name: muted as seen from the air, but far enough apart to be distinguished under noise and haze. */
export const colours = {
  white: '#e6e5df',
  gray: '#868b90',
  black: '#26272a',
  red: '#ac3430',
  orange: '#d07a30',
  yellow: '#d4b742',
  green: '#33784c',
  blue: '#31599c',
  brown: '#75503a',
} as const;

export type Colour = keyof typeof colours;

export const colourNames = Object.keys(colours) as readonly Colour[];

const parts = (hex: string) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));

const hex = (rgb: readonly number[]) =>
  `#${rgb
    .map((v) =>
      Math.max(0, Math.min(255, Math.round(v)))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;

/** Returns a random shade of the colour, a little lighter or darker, like aged paint. */
export function paint(random: Random, name: Colour): string {
  const change = random.between(-10, 10);
  return hex(parts(colours[name]).map((v) => v + change + random.between(-5, 5)));
}

/** Mixes a colour with black (`by` < 0) or white (`by` > 0); |by| is the share. */
export function shade(colour: string, by: number): string {
  const goal = by < 0 ? 0 : 255;
  return hex(parts(colour).map((v) => v + (goal - v) * Math.abs(by)));
}

/** Mixes two colours; `share` is that of the second one. */
export function mixed(one: string, other: string, share: number): string {
  const to = parts(other);
  return hex(parts(one).map((v, c) => v + (to[c]! - v) * share));
}
