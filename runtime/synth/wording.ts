import {
  type Description,
  describes,
  isNamed,
  type Order,
  type Position,
  placesAnother,
  type Query,
  type Relation,
} from './facts.ts';
import type { Random } from './random.ts';
import type { SceneObject } from './scene.ts';

/** Extent of a corner: the maximum distance from both edges, as a share of the side. */
const CORNER = 0.3;

const frames = ['image', 'image', 'scene', 'picture'] as const;

/** Words a query in one of several ways, in lower case and without a full stop. */
export function wording(random: Random, query: Query, object: SceneObject, scene: readonly SceneObject[]): string {
  if (query.order !== undefined) return superlative(random, query, query.order, scene);
  const name = nounPhrase(random, query);
  if (query.relation !== undefined) {
    const { kind, to } = query.relation;
    const landmark = nounPhrase(random, to);
    if (query.position === undefined) return related(random, name, kind, landmark);
    const [where, words] = [place(random, query.position, object), random.pick(relationWords[kind])];
    return random.pick([
      `the ${name} ${where}, ${words} the ${landmark}`,
      ...(placesAnother(query, object, scene) ? [] : [`the ${name} ${words} the ${landmark} ${where}`]),
      `${where}, the ${name} ${words} the ${landmark}`,
    ]);
  }
  if (query.landmark !== undefined) return beside(random, name, query.landmark, object);
  if (query.position !== undefined) return positioned(random, name, place(random, query.position, object));
  return random.weighted(
    [`the ${name}`, `${article(name)} ${name}`, `the ${name} in the ${random.pick(frames)}`, name],
    (text) => (text.startsWith('the ') && !text.includes(' in the ') ? 6 : 1),
  );
}

function article(name: string): string {
  return /^[aeiou]|^l-/.test(name) ? 'an' : 'a';
}

/** Joins size, shape, colour and noun: `large round blue storage tank`. */
function nounPhrase(random: Random, { size, shape, colour, noun }: Description): string {
  const sizeWord = size === 'large' && random.chance(0.25) ? 'big' : size;
  return [sizeWord, shape, colour, noun].filter((word) => word !== undefined).join(' ');
}

function positioned(random: Random, name: string, where: string): string {
  return random.weighted(
    [
      `the ${name} ${where}`,
      `the ${name} located ${where}`,
      `the ${name} that is ${where}`,
      `${article(name)} ${name} ${where}`,
      `${name} ${where}`,
      `${where}, the ${name}`,
    ],
    (text) => (text.startsWith('the ') && !/ located | that is /.test(text) ? 5 : text.startsWith(name) ? 1.5 : 1),
  );
}

function place(random: Random, position: Position, { x, y }: SceneObject): string {
  const frame = random.chance(0.45) ? ` of the ${random.pick(frames)}` : '';
  if (position === 'center') return `in the ${random.pick(['center', 'middle'])}${frame}`;
  if (position.includes(' ')) {
    const [row, side] = position.split(' ') as [string, string];
    const corner = Math.max(Math.min(x, 1 - x), Math.min(y, 1 - y)) < CORNER ? ' corner' : '';
    return random.pick([
      `in the ${row} ${side}${frame}`,
      `at the ${row} ${side}${frame}`,
      `in the ${row} ${side}${corner}${frame}`,
      `in the ${row === 'top' ? 'upper' : 'lower'} ${side} part${frame}`,
    ]);
  }
  if (position === 'left' || position === 'right') {
    return random.pick([
      `on the ${position}${frame}`,
      `on the ${position} side${frame}`,
      `in the ${position} part${frame}`,
    ]);
  }
  return random.pick([
    `at the ${position}${frame}`,
    `in the ${position === 'top' ? 'upper' : 'lower'} part${frame}`,
    `at the ${position} side${frame}`,
  ]);
}

const relationWords: Readonly<Record<Relation, readonly string[]>> = {
  'left of': ['to the left of', 'on the left side of', 'left of'],
  'right of': ['to the right of', 'on the right side of', 'right of'],
  above: ['above'],
  below: ['below'],
  near: ['near', 'next to', 'close to', 'beside'],
  'larger than': ['larger than'],
  'smaller than': ['smaller than'],
};

function related(random: Random, name: string, kind: Relation, landmark: string): string {
  const words = random.pick(relationWords[kind]);
  const compares = kind === 'larger than' || kind === 'smaller than';
  return random.weighted(
    [
      `the ${name} ${words} the ${landmark}`,
      `the ${name} that is ${words} the ${landmark}`,
      `${article(name)} ${name} ${words} the ${landmark}`,
      `the ${name} located ${words} the ${landmark}`,
    ],
    (text) =>
      text.includes(' located ') && compares ? 0 : text.startsWith('the ') && !/ that is | located /.test(text) ? 4 : 1,
  );
}

/** Nouns of landmarks that have others than their own. */
const landmarkNouns: Readonly<Record<string, readonly string[]>> = {
  'car park': ['car park', 'car park', 'parking lot'],
  terminal: ['terminal', 'terminal building'],
  pier: ['pier', 'dock'],
};

function beside(
  random: Random,
  name: string,
  { kind, noun }: NonNullable<Query['landmark']>,
  { places }: SceneObject,
): string {
  const there = random.pick(landmarkNouns[noun] ?? [noun]);
  const words = {
    in: [places[noun]!.holds ?? 'in'],
    at: ['moored at', 'moored at', 'docked at'],
    near: relationWords.near,
    closest: ['closest to', 'nearest to'],
  }[kind];
  const where = `${random.pick(words)} the ${there}`;
  return random.weighted(
    [`the ${name} ${where}`, `${name} ${where}`, `${article(name)} ${name} ${where}`, `the ${name} that is ${where}`],
    (text) => (text.startsWith('the ') && !text.includes(' that is ') ? 6 : text.startsWith(name) ? 2 : 1),
  );
}

const ends: Readonly<Record<Exclude<Order, 'largest' | 'smallest'>, string>> = {
  topmost: 'top',
  bottommost: 'bottom',
  leftmost: 'left',
  rightmost: 'right',
};

function superlative(random: Random, query: Query, order: Order, scene: readonly SceneObject[]): string {
  const name = nounPhrase(random, query);
  const fitting = scene.filter((one) => describes(query, one) !== false);
  const plural = [query.shape, query.colour, pluralOf(query.noun, fitting)]
    .filter((word) => word !== undefined)
    .join(' ');
  if (order === 'largest' || order === 'smallest') {
    const pair = fitting.length === 2 ? [`the ${order === 'largest' ? 'larger' : 'smaller'} of the two ${plural}`] : [];
    return random.pick([`the ${order} ${name}`, `the ${order} ${name} in the ${random.pick(frames)}`, ...pair]);
  }
  const end = ends[order];
  return random.pick([
    `the ${order} ${name}`,
    `the ${name} closest to the ${end} of the ${random.pick(frames)}`,
    `the ${name} furthest to the ${end} among all the ${plural}`,
    end === 'left' || end === 'right' ? `the ${name} on the far ${end}` : `the ${name} at the very ${end}`,
  ]);
}

function pluralOf(noun: string, fitting: readonly SceneObject[]): string {
  const category = fitting.find((one) => isNamed(one, noun))!.category;
  return noun === category.nouns[0] ? category.plural : `${noun}s`.replace(/ys$/, 'ies');
}
