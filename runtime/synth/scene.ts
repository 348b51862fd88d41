import type { Artwork, Category } from './categories/category.ts';
import { categories } from './categories/index.ts';
import { type Colour, paint } from './colours.ts';
import { bounds, clipped, distanceTo, type Placement, type Polygon, placed, scan } from './geometry.ts';
import { type Area, type Landmark, Occupancy, type Site, WORLD } from './ground.ts';
import { landscapes } from './landscapes/index.ts';
import type { Landscape, Part } from './landscapes/landscape.ts';
import { greens, Plot, waters } from './plot.ts';
import type { Random } from './random.ts';
import { drawSun, lightOn, shadowOf, shadows } from './sun.ts';
import { group, outlinePath } from './svg.ts';

/** Difficulty of scenes: few large objects of simple categories, or more and smaller objects of all categories. */
export interface SceneForm {
  /** Number of pixels along each side. */
  readonly size: number;
  /** Minimum and maximum number of objects. */
  readonly objects: readonly [low: number, high: number];
  /** Of a view of the metres that a landscape states: at 0.6 the image shows 1/0.6 as many, and objects are smaller in it. */
  readonly scale: number;
  /** Smallest area of an object, as a share of the image. */
  readonly least: number;
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
  /** Length in metres. */
  readonly metres: number;
  /** Lengths of its category in this landscape, and of all that its general noun covers there, in metres. */
  readonly lengths: { readonly own: Lengths; readonly general: Lengths };
  readonly x: number;
  readonly y: number;
  readonly area: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly angle: number;
  /** How it lies to each landmark of the scene, by the landmark's noun. */
  readonly places: Readonly<Record<string, Place>>;
}

export type Lengths = readonly [shortest: number, longest: number];

export interface Place {
  /** Share of the object's mask that lies in the landmark. */
  readonly inside: number;
  /** Distance between the outlines, relative to the image's side; 0 if they overlap. */
  readonly distance: number;
  /** `in` or `on` if the landmark is an area that objects may be in. */
  readonly holds: Landmark['holds'];
}

export interface Scene {
  readonly theme: string;
  /** Length of the image's side in metres. */
  readonly metres: number;
  readonly objects: readonly SceneObject[];
  /** [size, size], row-major: 0 is ground, i + 1 is object i. Objects do not overlap. */
  readonly labels: Uint8Array;
  /** What phrases may mention beside the objects, as far as it is in the image; in scene units. */
  readonly landmarks: readonly Landmark[];
  /** The surfaces of the ground, in scene units; later ones cover earlier ones. */
  readonly areas: readonly Area[];
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
const MARGIN = 20;
/** Minimum distance from the edge of the image, in scene units. */
const EDGE = 12;
/** Maximum number of places tried for an object. */
const TRIES = 90;

/** Number of grounds drawn for a landscape until one has room for its objects. */
const GROUNDS = 40;

/** Draws a scene with as many objects as it should have. */
export function drawScene(random: Random, form: SceneForm): Scene {
  for (;;) {
    const landscape = random.weighted(landscapes, ({ weight }) => weight);
    const count = random.whole(...form.objects);
    for (let i = 0; i < GROUNDS; i++) {
      const scene = tryScene(random, form, landscape, count);
      if (scene) return scene;
    }
  }
}

/** Draws the ground, and tries some ways to place `count` objects on it, including those that belong to the ground. */
function tryScene(random: Random, form: SceneForm, landscape: Landscape, count: number): Scene | undefined {
  const cast = drawCast(random, landscape, count, form.fine);
  const plot = drawPlot(random, landscape, form.scale);
  landscape.lay(plot);
  for (let attempt = 0; attempt < 6; attempt++) {
    const [taken, standing] = [new Occupancy(), [] as Standing[]];
    // The ground is drawn for its bridges and roundabouts: without room for them, it is drawn anew.
    if (plot.fixtures.length > count || !placeFixtures(random, plot, taken, standing)) return undefined;
    // If large objects do not fit together, they are drawn small.
    const crowded = attempt >= 3;
    const full = cast.slice(standing.length).every((category) => {
      const object = place(random, category, landscape.parts[category.name]!, plot, taken, standing, crowded);
      if (object) standing.push(object);
      return object !== undefined;
    });
    const scene = full ? finished(plot, landscape, standing, form.size) : undefined;
    if (scene?.objects.every(({ area }) => area >= form.least)) return scene;
  }
  return undefined;
}

function drawPlot(random: Random, landscape: Landscape, scale: number): Plot {
  const metres = random.between(...landscape.metres) / scale;
  const angle = random.pick(landscape.angles ?? [0, 45, 90, 135, 180, 225, 270, 315]) + random.between(-20, 20);
  const base = {
    meadow: { surface: 'grass', colour: random.pick(greens) },
    water: { surface: 'water', colour: random.pick(waters) },
    concrete: { surface: 'paved', colour: '#a19e95' },
  } as const;
  return new Plot(random, metres, angle, drawSun(random), base[landscape.base]);
}

/** Returns whether all of them fit into the image. */
function placeFixtures(random: Random, plot: Plot, taken: Occupancy, standing: Standing[]): boolean {
  return plot.fixtures.every(({ category: name, at }) => {
    const category = categories.find((one) => one.name === name)!;
    const colour = drawColour(random, category, standing);
    const artwork = draw(random, category, colour, at.length / plot.unit);
    const outline = artwork.outline.map((polygon) => placed(polygon, at));
    standing.push({ category, colour, at, artwork, outline });
    return fits(outline) && taken.take(outline, MARGIN);
  });
}

function finished(plot: Plot, landscape: Landscape, standing: readonly Standing[], size: number): Scene {
  const labels = paintLabels(standing, size);
  const landmarks = landmarksIn([...plot.landmarks, ...onlyPier(standing)], size);
  const objects = standing.map((object, i) => measure(object, labels, i + 1, size, landscape, plot, landmarks));
  const svg = sceneSvg(plot, standing, size);
  return { theme: landscape.name, metres: plot.metres, objects, labels, landmarks, areas: plot.ground.areas, svg };
}

/**
 * Chooses the categories of the objects, mostly two or three of the same one, so that
 * a noun alone rarely identifies an object.
 */
function drawCast(random: Random, { parts }: Landscape, count: number, fine: boolean): Category[] {
  const kinds = categories.filter((one) => (parts[one.name]?.weight ?? 0) > 0 && (fine || !one.fine));
  const cast: Category[] = [];
  while (cast.length < count) {
    const kind = random.weighted(kinds, (one) => parts[one.name]!.weight);
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

function draw(random: Random, category: Category, colour: Colour | undefined, metres: number): Artwork {
  return category.draw(random, colour ? paint(random, colour) : '#888888', metres);
}

function place(
  random: Random,
  category: Category,
  { metres: [low, high], free }: Part,
  plot: Plot,
  taken: Occupancy,
  standing: readonly Standing[],
  crowded: boolean,
): Standing | undefined {
  const colour = drawColour(random, category, standing);
  const small = random.between(0, 0.25);
  const drawn = random.weighted([small, random.between(0.75, 1), random.next()], (u) =>
    u === small ? 3 : u >= 0.75 ? 6 : 2,
  );
  const sites = plot.sites.filter((site) => site.categories.includes(category.name));
  const loose = sites.length === 0 || random.chance(free ?? 0);
  let share = -1;
  let [length, artwork] = [0, undefined as Artwork | undefined];
  for (let attempt = 0; attempt < TRIES; attempt++) {
    // An object that does not fit becomes smaller after half of the tries.
    const now = crowded || attempt >= TRIES / 2 ? Math.min(small, drawn) : drawn;
    if (now !== share || artwork === undefined) {
      share = now;
      const metres = low + (high - low) * share;
      length = metres * plot.unit;
      artwork = draw(random, category, colour, metres);
    }
    const at = loose ? anywhere(random, category, plot, artwork, length) : onSite(random, random.pick(sites), length);
    if (at === undefined) continue;
    const outline = artwork.outline.map((polygon) => placed(polygon, at));
    if (!fits(outline) || !plot.ground.isAll(outline, category.on) || !taken.take(outline, MARGIN)) continue;
    return { category, colour, at, artwork, outline };
  }
  return undefined;
}

function anywhere(random: Random, category: Category, plot: Plot, artwork: Artwork, length: number): Placement {
  const angle =
    category.turn === 'square'
      ? plot.angle + random.pick([0, 90]) + random.between(-5, 5)
      : category.name === 'ship' && plot.landmarks.some(({ noun }) => noun === 'river')
        ? plot.angle + random.pick([90, 270]) + random.between(-12, 12)
        : random.between(0, 360);
  const { left, top, right, bottom } = bounds(
    artwork.outline.map((polygon) => placed(polygon, { x: 0, y: 0, angle, length })),
  );
  const x = random.between(EDGE - left, WORLD - EDGE - right);
  const y = random.between(EDGE - top, WORLD - EDGE - bottom);
  return { x, y, angle, length };
}

/** Nothing stands exactly in the middle of its place. */
function onSite(random: Random, { x, y, angle, room, turns }: Site, length: number): Placement | undefined {
  if (length > room) return undefined;
  const slip = () => random.between(-0.04, 0.04) * length;
  const turn = (turns ? random.pick([0, 180]) : 0) + random.between(-2.5, 2.5);
  return { x: x + slip(), y: y + slip(), angle: angle + turn, length };
}

/** Whether the whole object is inside the image, with a minimum distance from its edge. */
function fits(outline: readonly Polygon[]): boolean {
  const { left, top, right, bottom } = bounds(outline);
  return left >= EDGE && top >= EDGE && right <= WORLD - EDGE && bottom <= WORLD - EDGE;
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

/** A pier, if there is one, is what ships are moored at. */
function onlyPier(standing: readonly Standing[]): readonly Landmark[] {
  const piers = standing.filter(({ category }) => category.name === 'harbor');
  return piers.length === 1 ? [{ noun: 'pier', polygons: piers[0]!.outline }] : [];
}

interface Seen extends Landmark {
  readonly pixels: Uint8Array;
}

/** The landmarks of which a part is in the image: that part, and its pixels. */
function landmarksIn(landmarks: readonly Landmark[], size: number): readonly Seen[] {
  return landmarks.flatMap((landmark) => {
    const pixels = new Uint8Array(size * size);
    const polygons = landmark.polygons.flatMap((polygon) =>
      [clipped(polygon, WORLD) ?? []].filter(({ length }) => length > 0),
    );
    for (const polygon of polygons) {
      scan(polygon, size, size, size / WORLD, (y, from, to) => {
        pixels.fill(1, y * size + from, y * size + to);
      });
    }
    const area = pixels.reduce((sum, pixel) => sum + pixel, 0);
    return area >= pixels.length * LEAST_LANDMARK ? [{ ...landmark, polygons, pixels }] : [];
  });
}

/** Smallest share of the image that a landmark must cover to be mentioned. */
const LEAST_LANDMARK = 0.015;

function measure(
  { category, colour, artwork, at, outline }: Standing,
  labels: Uint8Array,
  label: number,
  size: number,
  landscape: Landscape,
  plot: Plot,
  landmarks: readonly Seen[],
): SceneObject {
  let [count, sumX, sumY] = [0, 0, 0];
  let [left, top, right, bottom] = [size, size, 0, 0];
  const inside = landmarks.map(() => 0);
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
    for (const [k, { pixels }] of landmarks.entries()) inside[k]! += pixels[i]!;
  }
  const metres = at.length / plot.unit;
  return {
    category,
    colour,
    shape: artwork.shape,
    metres,
    lengths: { own: lengthsOf([category], landscape), general: lengthsOf(kin(category), landscape) },
    x: sumX / count / size,
    y: sumY / count / size,
    area: count / (size * size),
    left: left / size,
    top: top / size,
    right: right / size,
    bottom: bottom / size,
    angle: at.angle,
    places: Object.fromEntries(
      landmarks.map(({ noun, polygons, holds }, k) => [
        noun,
        { inside: inside[k]! / count, distance: inside[k]! > 0 ? 0 : between(outline, polygons) / WORLD, holds },
      ]),
    ),
  };
}

/** The categories that its general noun covers; itself if it has none. */
function kin(category: Category): readonly Category[] {
  return category.general === undefined ? [category] : categories.filter(({ general }) => general === category.general);
}

/** The shortest and the longest that categories are in a landscape. */
function lengthsOf(of: readonly Category[], { parts }: Landscape): Lengths {
  const found = of.flatMap(({ name }) => parts[name]?.metres ?? []);
  return [Math.min(...found), Math.max(...found)];
}

/** The least distance between two outlines, by the corners of each. */
function between(one: readonly Polygon[], other: readonly Polygon[]): number {
  const corners = (from: readonly Polygon[], to: readonly Polygon[]) =>
    from.flatMap((polygon) => polygon.flatMap((point) => to.map((one) => distanceTo(one, point))));
  return Math.min(...corners(one, other), ...corners(other, one));
}

function sceneSvg(plot: Plot, standing: readonly Standing[], size: number): string {
  const thrown = standing.map(({ category, at, outline }) => {
    const height = category.height(at.length / plot.unit);
    return height === 0
      ? ''
      : outlinePath(shadows(outline, shadowOf(plot.sun, height * plot.unit), category.raised === true));
  });
  const objects = standing.map(({ at, artwork }) => group(at, artwork.svg(lightOn(plot.sun, at.angle))));
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="0 0 ${WORLD} ${WORLD}">` +
    `${plot.ground.svg}<path d="${thrown.join('')}" fill="#10141c" opacity="0.42"/>${objects.join('')}</svg>`
  );
}
