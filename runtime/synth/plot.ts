import type { Surface } from './categories/category.ts';
import { mixed, shade } from './colours.ts';
import { type Placement, type Point, type Polygon, rectangle, turned } from './geometry.ts';
import { type Fixture, Ground, type Landmark, type Site, WORLD, whole } from './ground.ts';
import type { Random } from './random.ts';
import { lightOn, type Sun, shadowOf, shadows } from './sun.ts';
import { box, disc, group, line, outlinePath, shape } from './svg.ts';

/**
 * A piece of land while it is laid out. Places are in metres from the centre of the image, x along the grain of the
 * land (its roads and quays), y across it; `angle` is the direction of the grain in the image, clockwise in degrees.
 */
export class Plot {
  readonly ground: Ground;
  readonly fixtures: Fixture[] = [];
  readonly sites: Site[] = [];
  readonly landmarks: Landmark[] = [];
  /** Scene units per metre: the one resolution of everything in a scene. */
  readonly unit: number;
  /** Half the diagonal of the image: nothing beyond it is seen. */
  readonly far: number;

  constructor(
    readonly random: Random,
    readonly metres: number,
    readonly angle: number,
    readonly sun: Sun,
    base: { readonly surface: Surface; readonly colour: string },
  ) {
    this.unit = WORLD / metres;
    this.far = metres * 0.72;
    this.ground = new Ground().cover(base.surface, whole, base.colour);
  }

  /** Half of the side of the image, in metres. */
  get half(): number {
    return this.metres / 2;
  }

  /** Returns points of the plot in scene units. */
  world(points: readonly Point[]): Polygon {
    return turned(
      points.map(([x, y]): Point => [x * this.unit, y * this.unit]),
      this.angle,
      WORLD / 2,
      WORLD / 2,
    );
  }

  cover(surface: Surface, points: Polygon, fill: string): this {
    this.ground.cover(surface, this.world(points), fill);
    return this;
  }

  /** Draws svg whose unit is the metre and whose axes are the plot's. */
  mark(svg: string, opacity = 1): this {
    const drawn = group({ x: WORLD / 2, y: WORLD / 2, angle: this.angle, length: this.unit }, svg);
    this.ground.mark(opacity === 1 ? drawn : `<g opacity="${opacity}">${drawn}</g>`);
    return this;
  }

  /** Throws the shadow of polygons of this height, both in metres. */
  shade(polygons: readonly Polygon[], height: number, raised = false): this {
    const [dx, dy] = shadowOf(this.sun, height * this.unit);
    const thrown = shadows(
      polygons.map((polygon) => this.world(polygon)),
      [dx, dy],
      raised,
    );
    this.ground.mark(`<path d="${outlinePath(thrown)}" fill="#10141c" opacity="0.42"/>`);
    return this;
  }

  /** The direction towards the sun along the plot's axes. */
  get light(): Point {
    return lightOn(this.sun, this.angle);
  }

  site(categories: readonly string[], x: number, y: number, angle: number, room: number, turns = false): void {
    const [[wx, wy]] = this.world([[x, y]]) as [Point];
    this.sites.push({
      categories,
      x: wx,
      y: wy,
      angle: angle + this.angle,
      room: room * this.unit,
      ...(turns ? { turns } : {}),
    });
  }

  fixture(category: string, x: number, y: number, angle: number, metres: number): void {
    const [[wx, wy]] = this.world([[x, y]]) as [Point];
    this.fixtures.push({ category, at: { x: wx, y: wy, angle: angle + this.angle, length: metres * this.unit } });
  }

  landmark(noun: string, polygons: readonly Polygon[], holds?: 'in' | 'on'): void {
    this.landmarks.push({ noun, polygons: polygons.map((p) => this.world(p)), ...(holds ? { holds } : {}) });
  }

  /** A straight road along x at `y`, with kerbs or verges, edge lines and a dashed centre line. Returns its area. */
  road(y: number, width: number, { lanes = 2, dirt = false, vertical = false } = {}): Polygon {
    const far = this.far;
    const along = (polygon: Polygon): Polygon => (vertical ? polygon.map(([a, b]): Point => [b, a]) : polygon);
    const strip = (w: number) => along(rectangle(-far, y - w / 2, far * 2, w));
    const verge = dirt ? '#8d8064' : '#a19d92';
    const area = strip(width);
    this.cover('road', strip(width * 1.12), verge);
    this.cover('road', area, dirt ? '#a3937a' : this.random.pick(asphalts));
    const across = (at: number, w: number, colour: string, more = '') =>
      line(
        along([
          [-far, y + at],
          [far, y + at],
        ]),
        colour,
        w,
        more,
      );
    let marks = '';
    if (dirt) {
      marks = across(-width * 0.22, width * 0.14, '#b6a78c') + across(width * 0.22, width * 0.14, '#b6a78c');
    } else {
      const paint = '#cfccc0';
      const thin = Math.max(0.18, this.metres * 0.0016);
      for (let i = 0; i < lanes; i++) {
        const middle = width * ((i + 0.5) / lanes - 0.5);
        marks += across(middle, width * 0.16, '#00000010');
      }
      for (let i = 1; i < lanes; i++)
        marks += across(width * (i / lanes - 0.5), thin, paint, 'stroke-dasharray="3 4.5"');
      if (width > 5.5) marks += across(-width * 0.46, thin * 0.8, paint) + across(width * 0.46, thin * 0.8, paint);
    }
    this.mark(marks);
    return area;
  }

  /** A house with a gabled roof, or a hall with a flat one; its size in metres. Returns its area. */
  building(
    x: number,
    y: number,
    width: number,
    depth: number,
    height: number,
    roof: 'gabled' | 'flat',
    turn = 0,
  ): Polygon {
    const { random } = this;
    const area = turned(rectangle(-width / 2, -depth / 2, width, depth), turn, x, y);
    this.shade([area], height);
    this.ground.declare('roof', this.world(area));
    const at: Placement = { x, y, angle: turn, length: 1 };
    const light = lightOn(this.sun, this.angle + turn);
    this.mark(group(at, roof === 'gabled' ? gabled(random, width, depth, light) : flat(random, width, depth, light)));
    return area;
  }

  tree(x: number, y: number, radius: number): void {
    const { random } = this;
    const crown = blob(random, x, y, radius, 11, 0.16);
    this.shade([blob(random, x, y, radius * 0.9, 9, 0.1)], radius * 1.5);
    const colour = random.pick(foliage);
    const [lx, ly] = this.light;
    let svg = shape([crown], shade(colour, -0.2));
    for (let i = random.whole(4, 6); i > 0; i--) {
      const [t, r] = [random.between(0, 2 * Math.PI), radius * random.between(0.1, 0.55)];
      const [u, v] = [x + r * Math.cos(t) + lx * radius * 0.16, y + r * Math.sin(t) + ly * radius * 0.16];
      // Leaves that face the sun are lighter.
      const facing = (Math.cos(t) * lx + Math.sin(t) * ly) * (r / radius);
      svg += shape(
        [blob(random, u, v, radius * random.between(0.26, 0.42), 7, 0.2)],
        shade(colour, 0.06 + facing * 0.42),
        'opacity="0.8"',
      );
    }
    this.mark(svg);
    this.ground.declare('canopy', this.world(crown));
  }

  /** Irregular lighter and darker patches of the ground; drawn under what comes later. */
  patches(count: number, colour: string, [least, most]: readonly [number, number]): this {
    const { random, half } = this;
    let svg = '';
    for (let i = 0; i < count; i++) {
      const r = random.between(least, most);
      const form = blob(random, random.between(-half, half) * 1.2, random.between(-half, half) * 1.2, r, 12, 0.4);
      svg += shape([form], shade(colour, random.between(-0.14, 0.12)), 'opacity="0.5"');
    }
    return this.mark(svg);
  }

  /** A car that belongs to the surroundings; only where no vehicle is an object. */
  parked(x: number, y: number, angle: number, metres = 4.5): void {
    const colour = this.random.pick(['#d9d9d5', '#c9cbcc', '#8e9296', '#4a4d52', '#2b2d30', '#7f3734', '#3f5577']);
    const at: Placement = { x, y, angle, length: 1 };
    this.shade([turned(rectangle(-0.85, -metres / 2, 1.7, metres), angle, x, y)], 1.3);
    this.mark(
      group(
        at,
        box(-0.9, -metres / 2, 1.8, metres, colour, 'rx="0.4"') +
          box(-0.7, -metres * 0.2, 1.4, metres * 0.12, '#2c333a') +
          box(-0.7, metres * 0.24, 1.4, metres * 0.1, '#2c333a'),
      ),
    );
  }
}

export const greens = ['#6f7d50', '#7a8658', '#66764a', '#8a8c62', '#75844f'];
export const crops = ['#778a4c', '#98975f', '#b3a573', '#5f7645', '#889457', '#a09363'];
export const soils = ['#8d7b60', '#99876a', '#7d6c55', '#a09076'];
export const concretes = ['#a5a299', '#9b9993', '#aba79b', '#929290'];
export const asphalts = ['#606163', '#6a6a6a', '#585a5d', '#727170'];
export const waters = ['#34555d', '#3d626a', '#2f4f60', '#47685f', '#4a6d6e', '#3a5a57'];
export const foliage = ['#46572f', '#4f6136', '#3d4f2d', '#586740', '#4a5e3c'];
const roofs = ['#8d5d4c', '#7c574a', '#6f6a66', '#94705d', '#625f5e', '#9c8168', '#81614f'];
const flats = ['#b5b3ad', '#a19f9a', '#c2c0ba', '#8c8c8b', '#b0aba0', '#98a0a4'];

/** A closed irregular form of about this radius. */
export function blob(random: Random, x: number, y: number, radius: number, points: number, rough: number): Polygon {
  const from = random.between(0, 2 * Math.PI);
  return Array.from({ length: points }, (_, i): Point => {
    const t = from + (2 * Math.PI * i) / points;
    const r = radius * (1 + random.between(-rough, rough));
    return [x + r * Math.cos(t), y + r * Math.sin(t)];
  });
}

/** Two slopes with the ridge along x; the one that faces the sun is lighter. */
function gabled(random: Random, width: number, depth: number, [, ly]: Point): string {
  const colour = random.pick(roofs);
  const by = 0.2 * ly;
  const rows = Array.from({ length: 6 }, (_, i) =>
    line(
      [
        [-width / 2, -depth / 2 + (depth * (i + 0.5)) / 6],
        [width / 2, -depth / 2 + (depth * (i + 0.5)) / 6],
      ],
      '#00000018',
      depth * 0.02,
    ),
  );
  return (
    box(-width / 2, -depth / 2, width, depth / 2, shade(colour, -by)) +
    box(-width / 2, 0, width, depth / 2, shade(colour, by)) +
    rows.join('') +
    line(
      [
        [-width / 2, 0],
        [width / 2, 0],
      ],
      shade(colour, 0.22),
      depth * 0.025,
    ) +
    (random.chance(0.5) ? box(width * 0.22, -depth * 0.22, width * 0.06, width * 0.06, shade(colour, -0.45)) : '') +
    (random.chance(0.25)
      ? box(-width * 0.3, ly > 0 ? depth * 0.1 : -depth * 0.4, width * 0.34, depth * 0.3, '#2f3a4c')
      : '')
  );
}

/** A parapet, its shadow on the roof, and plant. */
function flat(random: Random, width: number, depth: number, [lx, ly]: Point): string {
  const colour = random.pick(flats);
  const edge = Math.min(width, depth) * 0.03;
  let plant = '';
  for (let i = random.whole(2, 7); i > 0; i--) {
    const [w, d] = [random.between(0.03, 0.09) * width, random.between(0.05, 0.14) * depth];
    const [u, v] = [random.between(-0.4, 0.4) * width, random.between(-0.36, 0.36) * depth];
    plant +=
      box(u - lx * d * 0.4, v - ly * d * 0.4, w, d, '#14181e', 'opacity="0.35"') +
      box(u, v, w, d, mixed(colour, '#d8d8d4', random.between(0.2, 0.9)));
  }
  return (
    box(-width / 2, -depth / 2, width, depth, shade(colour, 0.22)) +
    box(-width / 2 + edge, -depth / 2 + edge, width - edge * 2, depth - edge * 2, shade(colour, -0.18)) +
    box(
      -width / 2 + edge - lx * edge * 0.8,
      -depth / 2 + edge - ly * edge * 0.8,
      width - edge * 2,
      depth - edge * 2,
      colour,
    ) +
    plant +
    disc(0, 0, 0, colour)
  );
}
