import { shade } from '../colours.ts';
import { type Point, type Polygon, rectangle } from '../geometry.ts';
import { crops, type Plot, soils } from '../plot.ts';
import { box, line } from '../svg.ts';

/** Joints of concrete slabs over a rectangle of the plot. */
export function joints(plot: Plot, area: Polygon, step: number, colour: string): void {
  const [[left, top], , [right, bottom]] = area as [Point, Point, Point, Point];
  const { random } = plot;
  let svg = '';
  // Slabs of slightly different age.
  for (let x = left; x < right; x += step) {
    for (let y = top; y < bottom; y += step) {
      if (random.chance(0.14))
        svg += box(
          x,
          y,
          Math.min(step, right - x),
          Math.min(step, bottom - y),
          shade(colour, random.between(-0.1, 0.07)),
        );
    }
  }
  const width = Math.max(0.12, plot.metres * 0.0012);
  for (let x = left + step; x < right; x += step)
    svg += line(
      [
        [x, top],
        [x, bottom],
      ],
      shade(colour, -0.2),
      width,
    );
  for (let y = top + step; y < bottom; y += step)
    svg += line(
      [
        [left, y],
        [right, y],
      ],
      shade(colour, -0.2),
      width,
    );
  plot.mark(svg);
}

/** Trees at places that are free of roads, roofs and water. */
export function scatterTrees(plot: Plot, count: number, [least, most]: readonly [number, number]): void {
  const { random, half } = plot;
  for (let i = 0; i < count; i++) {
    const [x, y, r] = [
      random.between(-half, half) * 1.15,
      random.between(-half, half) * 1.15,
      random.between(least, most),
    ];
    tryTree(plot, x, y, r);
  }
}

export function tryTree(plot: Plot, x: number, y: number, r: number): void {
  const around = plot.world(rectangle(x - r, y - r, 2 * r, 2 * r));
  if (plot.ground.isAll([around], ['grass', 'crop', 'soil', 'sand'])) plot.tree(x, y, r);
}

/** A row of trees or bushes along a line. */
export function hedge(plot: Plot, [ax, ay]: Point, [bx, by]: Point, [least, most]: readonly [number, number]): void {
  const { random } = plot;
  const length = Math.hypot(bx - ax, by - ay);
  for (let at = 0; at < length; at += random.between(least, most * 2.4)) {
    const r = random.between(least, most);
    tryTree(
      plot,
      ax + ((bx - ax) * at) / length + random.between(-r, r) * 0.4,
      ay + ((by - ay) * at) / length + random.between(-r, r) * 0.4,
      r,
    );
  }
}

/** A field with the furrows or rows of what grows on it, and the tracks of its machines. */
export function field(plot: Plot, x: number, y: number, width: number, height: number): void {
  const { random } = plot;
  const bare = random.chance(0.35);
  const colour = random.pick(bare ? soils : crops);
  plot.cover(bare ? 'soil' : 'crop', rectangle(x, y, width, height), colour);
  const lying = random.chance(0.5);
  const [along, across] = lying ? [width, height] : [height, width];
  const step = Math.max(1.2, plot.metres * random.between(0.012, 0.024));
  const end = (at: number, t: number): Point => (lying ? [x + t, y + at] : [x + at, y + t]);
  let rows = '';
  for (let at = step / 2; at < across; at += step) {
    rows += line(
      [end(at, 0), end(at, along)],
      shade(colour, random.between(-0.3, -0.16)),
      step * random.between(0.3, 0.5),
    );
  }
  plot.mark(rows, random.between(0.25, 0.6));
  let tracks = '';
  for (let at = across * random.between(0.1, 0.3); at < across; at += across * random.between(0.3, 0.5)) {
    for (const side of [-1, 1]) tracks += line([end(at + side, 0), end(at + side, along)], shade(colour, 0.22), 0.5);
  }
  plot.mark(tracks, 0.5);
}

/** Fields side by side over the whole image, with hedges between some of them. */
export function farmland(plot: Plot): void {
  const { random, far } = plot;
  const [columns, rows] = [random.whole(2, 3), random.whole(2, 3)];
  const [w, h] = [(far * 2) / columns, (far * 2) / rows];
  const gap = Math.max(1.5, plot.metres * 0.012);
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < rows; j++) field(plot, -far + i * w + gap / 2, -far + j * h + gap / 2, w - gap, h - gap);
  }
}

/** A wavy line along x from side to side of the plot. */
export function shore(plot: Plot, y: number, swing: number): Point[] {
  const { random, far } = plot;
  const [a, b, c] = [random.between(0, 6.3), random.between(0, 6.3), random.between(0, 6.3)];
  const steps = 48;
  return Array.from({ length: steps + 1 }, (_, i): Point => {
    const t = i / steps;
    return [
      -far + 2 * far * t,
      y + swing * (Math.sin(a + t * 5) + 0.45 * Math.sin(b + t * 14) + 0.2 * Math.sin(c + t * 37)),
    ];
  });
}

/** Containers in rows, from one corner of a rectangle. */
export function containers(plot: Plot, x: number, y: number, columns: number, rows: number): void {
  const { random } = plot;
  const boxes = ['#87443a', '#425f82', '#8f9596', '#5e7355', '#a9834c', '#b9b6ae', '#6b4a44'];
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < rows; j++) {
      if (random.chance(0.2)) continue;
      const [u, v] = [x + i * 12.8, y + j * 3];
      plot.shade([rectangle(u, v, 12.2, 2.44)], 2.6 * random.whole(1, 3));
      const colour = random.pick(boxes);
      plot.mark(
        box(u, v, 12.2, 2.44, colour) +
          line(
            [
              [u, v + 1.2],
              [u + 12.2, v + 1.2],
            ],
            shade(colour, 0.15),
            0.5,
          ),
      );
    }
  }
  plot.ground.declare('roof', plot.world(rectangle(x - 1, y - 1, columns * 12.8 + 2, rows * 3 + 2)));
}
