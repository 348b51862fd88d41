import { colourNames } from './colours.ts';
import {
  type Description,
  describes,
  isAt,
  isSize,
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
  /** Index of what it names. */
  readonly object: number;
  readonly query: Query;
}

/** A text encoder takes 20 tokens at the paper's settings, two of them its own. */
export const MOST_TOKENS = 18;

/** `count` phrases for different objects of a scene, each true of exactly one object; undefined where there are not as many. */
export function drawPhrases(random: Random, scene: readonly SceneObject[], count: number): Phrase[] | undefined {
  const phrases: Phrase[] = [];
  for (const object of random.shuffled(scene.map((_, i) => i))) {
    const phrase = drawPhrase(random, scene, object);
    if (phrase) phrases.push(phrase);
    if (phrases.length === count) return phrases;
  }
  return undefined;
}

function drawPhrase(random: Random, scene: readonly SceneObject[], object: number): Phrase | undefined {
  for (let attempt = 0; attempt < 60; attempt++) {
    const query = drawQuery(random, scene, scene[object]!);
    if (query === undefined || referent(query, scene) !== object) continue;
    const text = wording(random, query, scene);
    if (tokens(text) <= MOST_TOKENS) return { text, object, query };
  }
  return undefined;
}

/** As BERT's tokenizer counts where it knows every word: hyphens and commas are tokens. */
export function tokens(text: string): number {
  return text.match(/[a-z0-9]+|[^\sa-z0-9]/g)?.length ?? 0;
}

function drawDescription(random: Random, object: SceneObject, share: number): Description {
  const { category, colour, shape } = object;
  const named = random.weighted([category.nouns[0]!, ...category.nouns.slice(1)], (noun) =>
    noun === category.nouns[0] ? 3 : 1,
  );
  const noun = category.general !== undefined && random.chance(0.4) ? category.general : named;
  const sizes = (['small', 'large'] as const).filter((size) => isSize(object, size) === true);
  return {
    noun,
    ...(colour !== undefined && colourNames.includes(colour) && random.chance(share) ? { colour } : {}),
    ...(shape !== undefined && random.chance(share * 0.7) ? { shape } : {}),
    ...(sizes.length > 0 && random.chance(share * 0.6) ? { size: sizes[0]! } : {}),
  };
}

const orders: readonly Order[] = ['topmost', 'bottommost', 'leftmost', 'rightmost', 'largest', 'smallest'];
const relations: readonly Relation[] = ['left of', 'right of', 'above', 'below', 'near', 'larger than', 'smaller than'];

type Kind = 'plain' | 'position' | 'order' | 'relation';

const kinds: Readonly<Record<Kind, number>> = { plain: 3, position: 4, order: 1.2, relation: 1.8 };

/** A query that is true of the object as far as it was looked at; whether of it alone is for `referent` to say. */
function drawQuery(random: Random, scene: readonly SceneObject[], object: SceneObject): Query | undefined {
  const kind = random.weighted(Object.keys(kinds) as Kind[], (one) => kinds[one]);
  switch (kind) {
    case 'plain':
      return drawDescription(random, object, 0.8);
    case 'position': {
      const fitting = positions.filter((position) => isAt(object, position) === true);
      if (fitting.length === 0) return undefined;
      // A corner says more than its two sides.
      const position = random.weighted<Position>(fitting, (one) => (one.includes(' ') ? 3 : 1));
      return { ...drawDescription(random, object, 0.45), position };
    }
    case 'order': {
      const { size: _, ...description } = drawDescription(random, object, 0.3);
      return { ...description, order: random.pick(orders) };
    }
    case 'relation': {
      const landmark = random.pick(scene);
      const to = drawDescription(random, landmark, 0.4);
      if (landmark === object || only(scene.map((one) => describes(to, one))) === undefined) return undefined;
      return { ...drawDescription(random, object, 0.35), relation: { kind: random.pick(relations), to } };
    }
  }
}

/** What evaluation may group samples by: what the phrase says of each, or `none`. */
export function attributes({ colour, shape, size, position, order, relation }: Query): Record<string, string> {
  const bySize = (text: string | undefined) => text !== undefined && /larg|small/.test(text);
  const place = position ?? (bySize(order) ? undefined : order);
  const kind = relation?.kind;
  return {
    color: colour ?? 'none',
    shape: shape ?? 'none',
    size: size ?? 'none',
    position: place ?? 'none',
    relation: kind !== undefined && !bySize(kind) ? kind : 'none',
    relative_size: bySize(kind) ? kind! : bySize(order) ? order! : 'none',
  };
}
