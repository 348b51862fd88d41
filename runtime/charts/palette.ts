/** Colours that differ also for people who do not see all of them, and on paper (after Okabe and Ito). */
export const colours = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#000000',
  '#8c6d31',
] as const;

export const first = colours[0];
/** For what stands out from what is drawn in the first colour. */
export const accent = colours[1];
/** Axes and their numbers, and the lines behind what is drawn. */
export const axisColour = '#57606a';
export const gridColour = '#e3e7ec';

export const shapes = ['circle', 'square', 'triangle', 'diamond'] as const;
export type Shape = (typeof shapes)[number];

/** How a series looks: the first eight differ by colour, and all by dashes and by the shape of their marks as well. */
export interface Look {
  readonly colour: string;
  readonly dash: readonly number[] | undefined;
  readonly shape: Shape;
}

export function lookOf(i: number): Look {
  const round = Math.floor(i / colours.length);
  const dashes = [undefined, [6, 3], [2, 3]] as const;
  return {
    colour: colours[i % colours.length] ?? first,
    dash: dashes[round % dashes.length],
    shape: shapes[(i + round) % shapes.length] ?? 'circle',
  };
}
