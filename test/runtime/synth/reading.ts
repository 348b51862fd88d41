import { categories } from '../../../runtime/synth/categories/index.ts';
import { colourNames } from '../../../runtime/synth/colours.ts';
import type { SceneObject } from '../../../runtime/synth/scene.ts';

/**
 * What phrases mean, read from their words alone, and judged by the facts of a scene's objects: a plain reading, without the
 * margins that the generator keeps.
 */

/** True of some objects of a scene. */
type Meaning = (object: SceneObject, scene: readonly SceneObject[]) => boolean;

interface NounPhrase {
  readonly size: string | undefined;
  readonly shape: string | undefined;
  readonly colour: string | undefined;
  readonly noun: string;
}

const nouns = [...new Set(categories.flatMap(({ nouns, general }) => [...nouns, ...(general ? [general] : [])]))];
/** The noun that a plural is of. */
const plurals = new Map<string, string>([
  ...categories.map(({ nouns, plural }) => [plural, nouns[0]!] as const),
  ...nouns.map((noun) => [noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`, noun] as const),
]);
const longestFirst = (words: Iterable<string>) => [...words].sort((a, b) => b.length - a.length).join('|');

const adjectives = `(?:(?<size>small|large|big) )?(?:(?<shape>round|oval|rectangular|[lt]-shaped|square) )?(?:(?<colour>${longestFirst(colourNames)}) )?`;
const nounPhrase = new RegExp(`^${adjectives}(?<noun>${longestFirst(nouns)})(?![\\w-])`);
const pluralPhrase = new RegExp(`^${adjectives}(?<noun>${longestFirst(plurals.keys())})(?![\\w-])`);
const frame = '(?:image|scene|picture)';
const place = new RegExp(
  `^(?:(?:in|at) the (?<row>top|bottom) (?<side>left|right)(?: corner)?|in the (?<half>upper|lower) (?<side2>left|right) part|in the (?<centre>center|middle)|on the (?<side3>left|right)(?: side)?(?! side| of the (?!${frame}))|in the (?<part>left|right|upper|lower) part|at the (?<row2>top|bottom)(?: side)?)(?: of the ${frame})?(?=$|,| )`,
);
const relation =
  /^(?<kind>to the left of|on the left side of|left of|to the right of|on the right side of|right of|above|below|near|next to|close to|beside|larger than|smaller than) the /;

const site =
  /^(?<how>in|on|moored at|docked at|near|next to|close to|beside|closest to|nearest to) the (?<noun>car park|parking lot|terminal building|terminal|hangar|quay|warehouse|barn|track|road|street|river|(?<=(?:moored|docked) at the |(?:closest|nearest) to the )(?:pier|dock))(?=$)/;
const landmarkNouns = new Map([
  ['parking lot', 'car park'],
  ['terminal building', 'terminal'],
  ['dock', 'pier'],
]);

/** The objects that a phrase is true of, in any way that it can be read. */
export function referents(text: string, scene: readonly SceneObject[]): readonly number[] {
  const found = new Set<number>();
  for (const meaning of readings(text))
    for (const [i, object] of scene.entries()) if (meaning(object, scene)) found.add(i);
  return [...found];
}

function readings(text: string): readonly Meaning[] {
  const reader = new Reader(text);
  const main: Meaning[] = [];
  const before = reader.take(place);
  if (before) {
    main.push(placed(before));
    reader.expect(/^, /);
  }
  const two = reader.take(/^the (?<order>larger|smaller) of the two /);
  if (two) {
    const phrase = singular(reader.expect(pluralPhrase));
    reader.end();
    return [all([named(phrase), ranked(two.order!, phrase), paired(phrase)])];
  }
  reader.take(/^(?:the|an?) /);
  const order = reader.take(/^(?<order>\w+most|largest|smallest) /)?.order;
  const phrase = description(reader.expect(nounPhrase));
  main.push(named(phrase));
  if (order) main.push(ranked(order, phrase));
  const end = reader.take(new RegExp(`^ closest to the (?<end>top|bottom|left|right) of the ${frame}`));
  if (end) main.push(ranked(`${end.end}most`, phrase));
  const among = reader.take(/^ furthest to the (?<end>top|bottom|left|right) among all the /);
  if (among) {
    const { colour, shape, noun } = singular(reader.expect(pluralPhrase));
    // Those that it is one of are described as it is, but for the size.
    if (colour !== phrase.colour || shape !== phrase.shape || noun !== phrase.noun) reader.fail();
    main.push(ranked(`${among.end}most`, phrase));
  }
  const far = reader.take(/^ (?:on the far (?<end>left|right)|at the very (?<end2>top|bottom))$/);
  if (far) return [all([...main, ranked(`${far.end ?? far.end2}most`, phrase)])];
  if (reader.take(new RegExp(`^ in the ${frame}$`))) return [all(main)];
  reader.take(/^ (?:that is|located)(?= )/);
  for (let left = reader.take(/^,? /); left; left = reader.take(/^,? /)) {
    const there = reader.take(place);
    if (there) {
      main.push(placed(there));
      continue;
    }
    const by = reader.take(site);
    if (by) {
      main.push(beside(by.how!, by.noun!, phrase));
      continue;
    }
    const { kind } = reader.expect(relation);
    const landmark = description(reader.expect(nounPhrase));
    const close = related(kind!, [named(landmark)]);
    if (!reader.take(/^ (?=\w)/)) {
      main.push(close);
      continue;
    }
    // `the ship near the pier on the left`: the ship or the pier.
    const behind = placed(reader.expect(place));
    reader.end();
    return [all([...main, close, behind]), all([...main, related(kind!, [named(landmark), behind])])];
  }
  reader.end();
  return [all(main)];
}

class Reader {
  readonly #text: string;
  #rest: string;

  constructor(text: string) {
    this.#text = text;
    this.#rest = text;
  }

  take(pattern: RegExp): Readonly<Record<string, string | undefined>> | undefined {
    const match = pattern.exec(this.#rest);
    if (!match) return undefined;
    this.#rest = this.#rest.slice(match[0].length);
    return match.groups ?? {};
  }

  expect(pattern: RegExp): Readonly<Record<string, string | undefined>> {
    return this.take(pattern) ?? this.fail();
  }

  end(): void {
    if (this.#rest !== '') this.fail();
  }

  fail(): never {
    throw new Error(`cannot read "${this.#text}" at "${this.#rest}"`);
  }
}

function description({ size, shape, colour, noun }: Readonly<Record<string, string | undefined>>): NounPhrase {
  return { size, shape, colour, noun: noun! };
}

function singular(read: Readonly<Record<string, string | undefined>>): NounPhrase {
  return description({ ...read, noun: plurals.get(read.noun!) });
}

const all =
  (meanings: readonly Meaning[]): Meaning =>
  (object, scene) =>
    meanings.every((meaning) => meaning(object, scene));

/** What the noun covers, and its colour, shape, and size among all that it covers. */
function named({ noun, colour, shape, size }: NounPhrase): Meaning {
  const covered = categories.filter(({ nouns, general }) => nouns.includes(noun) || general === noun);
  return ({ category, colour: ofColour, shape: ofShape, metres, lengths }) => {
    if (!covered.includes(category)) return false;
    if ((colour !== undefined && colour !== ofColour) || (shape !== undefined && shape !== ofShape)) return false;
    const [shortest, longest] = category.general === noun ? lengths.general : lengths.own;
    return size === undefined || metres > (shortest + longest) / 2 === (size !== 'small');
  };
}

function ranked(order: string, phrase: NounPhrase): Meaning {
  const rank = (one: SceneObject): number => {
    switch (order) {
      case 'topmost':
        return one.y;
      case 'bottommost':
        return -one.y;
      case 'leftmost':
        return one.x;
      case 'rightmost':
        return -one.x;
      case 'largest':
      case 'larger':
        return -one.area;
      case 'smallest':
      case 'smaller':
        return one.area;
      default:
        throw new Error(`no order ${order}`);
    }
  };
  const fits = named(phrase);
  return (object, scene) => rank(object) === Math.min(...scene.filter((one) => fits(one, scene)).map(rank));
}

/** In or on it, at it or near it, or nearer to it than all others of the description. */
function beside(how: string, noun: string, phrase: NounPhrase): Meaning {
  const fits = named(phrase);
  const to = ({ places }: SceneObject) => {
    const place = places[landmarkNouns.get(noun) ?? noun];
    if (place === undefined) throw new Error(`there is no ${noun}`);
    return place;
  };
  return (object, scene) => {
    const { inside, distance, holds } = to(object);
    if (how === 'in' || how === 'on') return inside > 0.5 && holds === how;
    if (how.endsWith('est to'))
      return distance === Math.min(...scene.filter((one) => fits(one, scene)).map((one) => to(one).distance));
    if (how.endsWith(' at')) return distance < 0.08;
    return distance < 0.12 && !(holds !== undefined && inside > 0.5);
  };
}

function paired(phrase: NounPhrase): Meaning {
  const fits = named(phrase);
  return (_, scene) => scene.filter((one) => fits(one, scene)).length === 2;
}

function placed(read: Readonly<Record<string, string | undefined>>): Meaning {
  const row = read.row ?? read.row2 ?? read.half ?? read.part;
  const side = read.side ?? read.side2 ?? read.side3 ?? read.part;
  return ({ x, y }) => {
    if (read.centre) return Math.abs(x - 0.5) < 0.17 && Math.abs(y - 0.5) < 0.17;
    if ((row === 'top' || row === 'upper') && y >= 0.5) return false;
    if ((row === 'bottom' || row === 'lower') && y <= 0.5) return false;
    return side === 'left' ? x < 0.5 : side === 'right' ? x > 0.5 : true;
  };
}

/** To the one object that is meant; people differ between 45° and 65° off a direction, and half way is this reading. */
function related(kind: string, landmark: readonly Meaning[]): Meaning {
  const steep = Math.tan((57 * Math.PI) / 180);
  return (object, scene) => {
    const meant = scene.filter((one) => landmark.every((meaning) => meaning(one, scene)));
    const [other] = meant;
    if (other === undefined || meant.length > 1 || other === object) return false;
    const [dx, dy] = [object.x - other.x, object.y - other.y];
    if (kind.includes('left')) return dx < 0 && Math.abs(dy) < -dx * steep;
    if (kind.includes('right')) return dx > 0 && Math.abs(dy) < dx * steep;
    switch (kind) {
      case 'above':
        return dy < 0 && Math.abs(dx) < -dy * steep;
      case 'below':
        return dy > 0 && Math.abs(dx) < dy * steep;
      case 'larger than':
        return object.area > other.area * 1.2;
      case 'smaller than':
        return object.area * 1.2 < other.area;
      default: {
        const across = Math.max(0, object.left - other.right, other.left - object.right);
        const along = Math.max(0, object.top - other.bottom, other.top - object.bottom);
        return Math.hypot(across, along) < 0.18;
      }
    }
  };
}
