import type { Random } from './random.ts';

/** The colours that phrases mention, far enough apart to be distinguished under noise and haze. */
export const colours = {
  white: '#efeee8',
  gray: '#8f9499',
  black: '#26272b',
  red: '#bf2f2a',
  orange: '#df7d22',
  yellow: '#e2c233',
  green: '#2f8f4e',
  blue: '#2b5fb4',
  brown: '#7a5033',
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
