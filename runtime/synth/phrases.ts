import { colourNames } from './colours.ts';
import {
  type Description,
  describes,
  isAt,
  isRelated,
  isSize,
  isTrueOf,
  type Nearness,
  type Order,
  only,
  type Position,
  positions,
  type Query,
  type Relation,
  referent,
} from './facts.ts';
import type { Random } from './random.ts';
import type { SceneObject } from './scene.ts';
import { wording } from './wording.ts';

export interface Phrase {
  readonly text: string;
  /** Index of the object that it refers to. */
  readonly object: number;
  readonly query: Query;
}

/** Maximum number of tokens: the paper's 20, minus the text encoder's two special tokens. */
export const MOST_TOKENS = 18;

/**
 * Draws `count` phrases for different objects of a scene, each of which is true of exactly one object; undefined if
 * there are not enough. `rich` phrases combine several properties more often.
 */
export function drawPhrases(
  random: Random,
  scene: readonly SceneObject[],
  count: number,
  rich: boolean,
): Phrase[] | undefined {
  const phrases: Phrase[] = [];
  for (const object of random.shuffled(scene.map((_, i) => i))) {
    const phrase = drawPhrase(random, scene, object, rich);
    if (phrase) phrases.push(phrase);
    if (phrases.length === count) return phrases;
  }
  return undefined;
}

const TRIES = 40;

/** Tries each kind of phrase many times before it tries another, so that difficult kinds do not become rarer. */
function drawPhrase(random: Random, scene: readonly SceneObject[], object: number, rich: boolean): Phrase | undefined {
  const left = new Set(kindNames);
  while (left.size > 0) {
    const kind = random.weighted([...left], (one) => kinds[one][rich ? 1 : 0]);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const query = drawQuery(random, scene, scene[object]!, kind);
      if (query === undefined || referent(query, scene) !== object) continue;
      const text = wording(random, query, scene[object]!, scene);
      if (tokens(text) <= MOST_TOKENS) return { text, object, query };
    }
    left.delete(kind);
  }
  return undefined;
}

/** Counts tokens as BERT's tokenizer does when it knows every word; hyphens and commas are tokens. */
export function tokens(text: string): number {
  return text.match(/[a-z0-9]+|[^\sa-z0-9]/g)?.length ?? 0;
}

function drawDescription(random: Random, object: SceneObject, share: number): Description {
  const { category, colour, shape } = object;
  const named = random.weighted([category.nouns[0]!, ...category.nouns.slice(1)], (noun) =>
    noun === category.nouns[0] ? 3 : 1,
  );
  const noun = category.general !== undefined && random.chance(0.4) ? category.general : named;
  const sizes = (['small', 'large'] as const).filter((size) => isSize(object, size, noun) === true);
  return {
    noun,
    ...(colour !== undefined && colourNames.includes(colour) && random.chance(share) ? { colour } : {}),
    ...(shape !== undefined && random.chance(share * 0.7) ? { shape } : {}),
    ...(sizes.length > 0 && random.chance(share * 0.6) ? { size: sizes[0]! } : {}),
  };
}

const orders: readonly Order[] = ['topmost', 'bottommost', 'leftmost', 'rightmost', 'largest', 'smallest'];
const relations: readonly Relation[] = ['left of', 'right of', 'above', 'below', 'near', 'larger than', 'smaller than'];

type Kind = 'plain' | 'position' | 'order' | 'relation' | 'landmark' | 'full';

/** Weight of each kind, for plain and for rich phrases. */
const kinds: Readonly<Record<Kind, readonly [plain: number, rich: number]>> = {
  plain: [3.2, 1.5],
  position: [4, 3],
  order: [1, 1.2],
  relation: [1.4, 2],
  landmark: [1.2, 2],
  full: [0.7, 2.5],
};

const kindNames = Object.keys(kinds) as Kind[];

/** Draws a query that may be true of the object; `referent` checks that it is, and of no other object. */
function drawQuery(random: Random, scene: readonly SceneObject[], object: SceneObject, kind: Kind): Query | undefined {
  switch (kind) {
    case 'plain':
      return drawDescription(random, object, 0.8);
    case 'position': {
      const position = drawPosition(random, object);
      return position && { ...drawDescription(random, object, 0.45), position };
    }
    case 'order': {
      const { size: _, ...description } = drawDescription(random, object, 0.3);
      return { ...description, order: random.pick(orders) };
    }
    case 'relation': {
      const relation = drawRelation(random, scene, object);
      return relation && { ...drawDescription(random, object, 0.35), relation };
    }
    case 'landmark': {
      const { size: _, ...description } = drawDescription(random, object, 0.35);
      const landmark = drawLandmark(random, scene, object, description);
      return landmark && { ...description, landmark };
    }
    case 'full': {
      const position = drawPosition(random, object);
      const relation = drawRelation(random, scene, object);
      return position && relation && { ...drawDescription(random, object, 0.6), position, relation };
    }
  }
}

/** Draws how the object lies to one of the scene's landmarks, of what is true of it. */
function drawLandmark(
  random: Random,
  scene: readonly SceneObject[],
  object: SceneObject,
  description: Description,
): Query['landmark'] {
  const nouns = Object.keys(object.places);
  if (nouns.length === 0) return undefined;
  const noun = random.pick(nouns);
  const fitting = nearnesses(object.category.name, noun).filter(
    (kind) => isTrueOf({ ...description, landmark: { kind, noun } }, object, scene) === true,
  );
  return fitting.length === 0 ? undefined : { kind: random.pick(fitting), noun };
}

/** What people say: ships are moored at piers and quays, and these always lie at the shore. */
function nearnesses(category: string, landmark: string): readonly Nearness[] {
  const mooring = landmark === 'pier' || landmark === 'quay';
  if (category === 'harbor') return [];
  if (category === 'ship') return mooring ? ['at', 'closest'] : ['closest'];
  return landmark === 'pier' ? [] : ['in', 'near', 'closest'];
}

/** Prefers corners, which are more specific than their two sides. */
function drawPosition(random: Random, object: SceneObject): Position | undefined {
  const fitting = positions.filter((position) => isAt(object, position) === true);
  return fitting.length === 0 ? undefined : random.weighted(fitting, (one) => (one.includes(' ') ? 3 : 1));
}

/** Draws a relation to another object that is identified by its description alone. */
function drawRelation(random: Random, scene: readonly SceneObject[], object: SceneObject): Query['relation'] {
  const landmark = random.pick(scene.filter((one) => one !== object));
  if (landmark === undefined) return undefined;
  const to = drawDescription(random, landmark, 0.4);
  const fitting = relations.filter((kind) => isRelated(object, kind, landmark) === true);
  if (fitting.length === 0 || only(scene.map((one) => describes(to, one))) === undefined) return undefined;
  return { kind: random.pick(fitting), to };
}

/** Returns the attributes by which evaluation groups samples: the value that the phrase mentions, or `none`. */
export function attributes({
  colour,
  shape,
  size,
  position,
  order,
  relation,
  landmark,
}: Query): Record<string, string> {
  const bySize = (text: string | undefined) => text !== undefined && /larg|small/.test(text);
  const place = position ?? (bySize(order) ? undefined : order);
  const kind = relation?.kind;
  return {
    color: colour ?? 'none',
    shape: shape ?? 'none',
    size: size ?? 'none',
    position: place ?? 'none',
    relation: kind !== undefined && !bySize(kind) ? kind : (landmark?.kind ?? 'none'),
    relative_size: bySize(kind) ? kind! : bySize(order) ? order! : 'none',
  };
}
