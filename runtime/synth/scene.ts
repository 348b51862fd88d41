import type { Artwork, Category } from './categories/category.ts';
import { categories } from './categories/index.ts';
import { type Colour, paint } from './colours.ts';
import { bounds, type Placement, type Point, type Polygon, placed, scan } from './geometry.ts';
import { Occupancy, WORLD } from './ground.ts';
import type { Random } from './random.ts';
import { scenery } from './scenery.ts';
import type { Setting } from './settings.ts';
import { group, n, outlinePath } from './svg.ts';
import { type Theme, themes } from './themes.ts';

/** Difficulty of scenes: few large objects of simple categories, or more and smaller objects of all categories. */
export interface SceneForm {
  /** Number of pixels along each side. */
  readonly size: number;
  /** Minimum and maximum number of objects. */
  readonly objects: readonly [low: number, high: number];
  /** Relative length of objects; 1 is large. */
  readonly scale: number;
  /** Whether to include categories with thin parts. */
  readonly fine: boolean;
  /** Whether phrases often combine several properties. */
  readonly rich: boolean;
}

/** One object. Lengths are relative to the image's side, areas to its area; x and y are the centroid of the mask. */
export interface SceneObject {
  readonly category: Category;
  readonly colour: Colour | undefined;
  readonly shape: string | undefined;
  /** 0 for the smallest size of its category, 1 for the largest. */
  readonly size: number;
  readonly x: number;
  readonly y: number;
  readonly area: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly angle: number;
}

export interface Scene {
  readonly theme: string;
  readonly objects: readonly SceneObject[];
  /** [size, size], row-major: 0 is ground, i + 1 is object i. Objects do not overlap. */
  readonly labels: Uint8Array;
  readonly svg: string;
}

interface Standing {
  readonly category: Category;
  readonly colour: Colour | undefined;
  readonly at: Placement;
  readonly artwork: Artwork;
  readonly outline: readonly Polygon[];
}

/** Free space around each object, in scene units. */
const MARGIN = 22;
/** Minimum distance from the edge of the image, in scene units. */
const EDGE = 12;
/** Maximum number of places tried for an object. */
const TRIES = 80;

/** Draws a scene with as many objects as it should have; if they do not fit, draws its ground and objects again. */
export function drawScene(random: Random, form: SceneForm): Scene {
  for (;;) {
    const theme = random.weighted(themes, ({ weight }) => weight);
    const count = random.whole(...form.objects);
    const cast = drawCast(random, theme, count, form.fine);
    const setting = theme.lay(random, form.scale);
    for (let attempt = 0; attempt < 12; attempt++) {
      // If large objects do not fit together, they are drawn small.
      const scene = tryScene(random, form, theme, setting, cast, attempt >= 3);
      if (scene) return scene;
    }
  }
}

/** `cast` holds the categories of all objects; objects that belong to the ground replace some of them. */
function tryScene(
  random: Random,
  form: SceneForm,
  theme: Theme,
  setting: Setting,
  cast: readonly Category[],
  crowded: boolean,
): Scene | undefined {
  const taken = new Occupancy();
  const standing: Standing[] = [];
  for (const { category: name, at } of setting.fixtures) {
    const category = categories.find((one) => one.name === name)!;
    const colour = drawColour(random, category, standing);
    const artwork = category.draw(random, colour ? paint(random, colour) : '#888888');
    const object: Standing = { category, colour, at, artwork, outline: artwork.outline.map((p) => placed(p, at)) };
    if (fits(object.outline) && stands(object, taken)) standing.push(object);
  }
  for (const category of cast.slice(standing.length)) {
    const object = place(random, category, setting, taken, standing, form.scale, crowded);
    if (!object) return undefined;
    standing.push(object);
  }
  if (standing.length > cast.length) return undefined;
  const labels = paintLabels(standing, form.size);
  const objects = standing.map((object, i) => measure(object, labels, i + 1, form));
  return { theme: theme.name, objects, labels, svg: sceneSvg(random, setting, standing, taken, form.size) };
}

/**
 * Chooses the categories of the objects, mostly two or three of the same one, so that
 * a noun alone rarely identifies an object.
 */
function drawCast(random: Random, theme: Theme, count: number, fine: boolean): Category[] {
  const kinds = categories.filter((one) => theme.cast[one.name] !== undefined && (fine || !one.fine));
  const cast: Category[] = [];
  while (cast.length < count) {
    const kind = random.weighted(kinds, (one) => theme.cast[one.name]!);
    const again = random.weighted([1, 2, 3], (times) => [3, 5, 2][times - 1]!);
    for (let i = 0; i < again && cast.length < count; i++) cast.push(kind);
  }
  return random.shuffled(cast);
}

/** Objects of the same category usually get different colours. */
function drawColour(random: Random, category: Category, standing: readonly Standing[]): Colour | undefined {
  if (category.colours.length === 0) return undefined;
  const used = standing.filter((one) => one.category === category).map((one) => one.colour);
  const fresh = category.colours.filter((colour) => !used.includes(colour));
  return random.pick(fresh.length > 0 && random.chance(0.8) ? fresh : category.colours);
}

function place(
  random: Random,
  category: Category,
  setting: Setting,
  taken: Occupancy,
  standing: readonly Standing[],
  scale: number,
  crowded: boolean,
): Standing | undefined {
  const colour = drawColour(random, category, standing);
  const artwork = category.draw(random, colour ? paint(random, colour) : '#888888');
  const [low, high] = category.length;
  const small = random.between(0, 0.25);
  const drawn = random.weighted([small, random.between(0.75, 1), random.next()], (u) =>
    u === small ? 3 : u >= 0.75 ? 6 : 2,
  );
  for (let attempt = 0; attempt < TRIES; attempt++) {
    // An object that does not fit becomes smaller after half of the tries.
    const share = crowded || attempt >= TRIES / 2 ? Math.min(small, drawn) : drawn;
    const length = WORLD * scale * (low + (high - low) * share);
    const angle = drawAngle(random, category, setting);
    const centred = artwork.outline.map((polygon) => placed(polygon, { x: 0, y: 0, angle, length }));
    const { left, top, right, bottom } = bounds(centred);
    const x = random.between(EDGE - left, WORLD - EDGE - right);
    const y = random.between(EDGE - top, WORLD - EDGE - bottom);
    const outline = centred.map((polygon) => polygon.map(([u, v]): Point => [x + u, y + v]));
    const object: Standing = { category, colour, at: { x, y, angle, length }, artwork, outline };
    if (setting.ground.isAll(outline, category.on) && stands(object, taken)) return object;
  }
  return undefined;
}

function drawAngle(random: Random, category: Category, { flow, grain = 0 }: Setting): number {
  if (category.turn === 'square') return grain + random.pick([0, 90]) + random.between(-8, 8);
  if (flow !== undefined && category.name === 'ship') return flow + random.pick([0, 180]) + random.between(-14, 14);
  return random.between(0, 360);
}

/** Whether the whole object is inside the image, with a minimum distance from its edge. */
function fits(outline: readonly Polygon[]): boolean {
  const { left, top, right, bottom } = bounds(outline);
  return left >= EDGE && top >= EDGE && right <= WORLD - EDGE && bottom <= WORLD - EDGE;
}

/** Occupies the object's place, unless part of it is occupied. */
function stands({ outline, at, category }: Standing, taken: Occupancy): boolean {
  return taken.take(outline, MARGIN, fall(category, at));
}

/** The offset of the shadow, equal to the right and downwards. */
function fall({ height }: Category, { length }: Placement): number {
  return height * length * 0.45;
}

function paintLabels(standing: readonly Standing[], size: number): Uint8Array {
  const labels = new Uint8Array(size * size);
  for (const [i, { outline }] of standing.entries()) {
    for (const polygon of outline) {
      scan(polygon, size, size, size / WORLD, (y, from, to) => {
        labels.fill(i + 1, y * size + from, y * size + to);
      });
    }
  }
  return labels;
}

function measure(
  { category, colour, artwork, at }: Standing,
  labels: Uint8Array,
  label: number,
  form: SceneForm,
): SceneObject {
  const { size, scale } = form;
  let [count, sumX, sumY] = [0, 0, 0];
  let [left, top, right, bottom] = [size, size, 0, 0];
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] !== label) continue;
    const x = i % size;
    const y = (i - x) / size;
    count++;
    sumX += x + 0.5;
    sumY += y + 0.5;
    left = Math.min(left, x);
    right = Math.max(right, x + 1);
    top = Math.min(top, y);
    bottom = y + 1;
  }
  const [low, high] = category.length;
  const share = (at.length / WORLD / scale - low) / (high - low);
  return {
    category,
    colour,
    shape: artwork.shape,
    size: Math.max(0, Math.min(1, share)),
    x: sumX / count / size,
    y: sumY / count / size,
    area: count / (size * size),
    left: left / size,
    top: top / size,
    right: right / size,
    bottom: bottom / size,
    angle: at.angle,
  };
}

function sceneSvg(
  random: Random,
  setting: Setting,
  standing: readonly Standing[],
  taken: Occupancy,
  size: number,
): string {
  const decor = scenery(random, setting, taken);
  const shadows = standing.map(({ category, at, outline }) => {
    const reach = fall(category, at);
    // Tall objects get several copies, so that the shadow is a continuous streak.
    const copies = category.height >= 1 ? 6 : category.height > 0 ? 1 : 0;
    return Array.from({ length: copies }, (_, i) => {
      const by = n((reach * (i + 1)) / copies);
      return `<path d="${outlinePath(outline)}" transform="translate(${by},${by})"/>`;
    }).join('');
  });
  const objects = standing.map(({ at, artwork }) => group(at, artwork.svg));
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 ${WORLD} ${WORLD}">` +
    `${setting.ground.svg}${decor}<g fill="#000" opacity="0.38">${shadows.join('')}</g>${objects.join('')}</svg>`
  );
}
