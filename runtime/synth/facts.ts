import type { Colour } from './colours.ts';
import type { SceneObject } from './scene.ts';

/** Whether a statement is true of an object. Phrases that are `vague` for some object are not used. */
export type Truth = boolean | 'vague';

export function all(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes('vague') ? 'vague' : true;
}

/** Returns true from `yes` on, false from `no` on, and 'vague' between them. */
function clearly(value: number, yes: number, no: number): Truth {
  if (yes > no ? value >= yes : value <= yes) return true;
  return (yes > no ? value <= no : value >= no) ? false : 'vague';
}

export type Size = 'small' | 'large';
export type Side = 'top' | 'bottom' | 'left' | 'right';
export type Position = Side | 'top left' | 'top right' | 'bottom left' | 'bottom right' | 'center';
export type Direction = 'left of' | 'right of' | 'above' | 'below';
export type Relation = Direction | 'near' | 'larger than' | 'smaller than';
/** `at`: moored at. */
export type Nearness = 'in' | 'at' | 'near' | 'closest';
export type Order = 'topmost' | 'bottommost' | 'leftmost' | 'rightmost' | 'largest' | 'smallest';

export const positions: readonly Position[] = [
  'top',
  'bottom',
  'left',
  'right',
  'top left',
  'top right',
  'bottom left',
  'bottom right',
  'center',
];

/** The content of a noun phrase that refers only to the object itself. */
export interface Description {
  readonly noun: string;
  readonly colour?: Colour;
  readonly shape?: string;
  readonly size?: Size;
}

/** The content of a whole phrase. */
export interface Query extends Description {
  readonly position?: Position;
  /** The object is first in this order among all objects that fit the description. */
  readonly order?: Order;
  readonly relation?: { readonly kind: Relation; readonly to: Description };
  /** How it lies to something that is no object, but there once: in the car park, closest to the terminal. */
  readonly landmark?: { readonly kind: Nearness; readonly noun: string };
}

export function isNamed(object: SceneObject, noun: string): boolean {
  return object.category.nouns.includes(noun) || object.category.general === noun;
}

export function describes({ noun, colour, shape, size }: Description, object: SceneObject): Truth {
  return all([
    isNamed(object, noun),
    colour === undefined || (object.colour === undefined ? 'vague' : object.colour === colour),
    shape === undefined || (object.shape === undefined ? 'vague' : object.shape === shape),
    size === undefined || isSize(object, size, noun),
  ]);
}

/** Whether an object is small or large among all that the noun covers there: a large car is not a large vehicle. */
export function isSize(object: SceneObject, size: Size, noun: string): Truth {
  const share = sizeAs(object, noun);
  return size === 'large' ? clearly(share, 0.62, 0.38) : clearly(share, 0.38, 0.62);
}

/** Returns 0 for the shortest object that the noun covers in this landscape, and 1 for the longest. */
function sizeAs({ category, metres, lengths }: SceneObject, noun: string): number {
  const [shortest, longest] = category.general === noun ? lengths.general : lengths.own;
  return (metres - shortest) / (longest - shortest);
}

const SIDE_YES = 0.38;
const SIDE_NO = 0.5;

export function isAt({ x, y }: SceneObject, position: Position): Truth {
  if (position === 'center') return clearly(Math.max(Math.abs(x - 0.5), Math.abs(y - 0.5)), 0.12, 0.22);
  return all(
    position.split(' ').map((side) => {
      const distance = { top: y, bottom: 1 - y, left: x, right: 1 - x }[side as Side];
      return clearly(distance, SIDE_YES, SIDE_NO);
    }),
  );
}

/** Compares centres: a direction is true within 45°, and false beyond about 65°. */
function isTowards(object: SceneObject, direction: Direction, other: SceneObject): Truth {
  const dx = object.x - other.x;
  const dy = object.y - other.y;
  const [along, across] = {
    'left of': [-dx, Math.abs(dy)],
    'right of': [dx, Math.abs(dy)],
    above: [-dy, Math.abs(dx)],
    below: [dy, Math.abs(dx)],
  }[direction] as [number, number];
  if (along <= 0.04 || across >= along * 2.1) return false;
  return along >= 0.12 && across <= along ? true : 'vague';
}

/** Returns the distance between the bounding boxes. */
export function gap(a: SceneObject, b: SceneObject): number {
  const dx = Math.max(0, a.left - b.right, b.left - a.right);
  const dy = Math.max(0, a.top - b.bottom, b.top - a.bottom);
  return Math.hypot(dx, dy);
}

export function isRelated(object: SceneObject, relation: Relation, other: SceneObject): Truth {
  switch (relation) {
    case 'near':
      return clearly(gap(object, other), 0.12, 0.25);
    case 'larger than':
      return clearly(object.area / other.area, 1.4, 1.05);
    case 'smaller than':
      return clearly(other.area / object.area, 1.4, 1.05);
    default:
      return isTowards(object, relation, other);
  }
}

/** Whether it lies so to a landmark; `closest` is among the objects that fit the description. */
function isPlaced(
  object: SceneObject,
  { kind, noun }: NonNullable<Query['landmark']>,
  fitting: readonly SceneObject[],
): Truth {
  const place = object.places[noun];
  if (place === undefined) return 'vague';
  const { inside, distance, holds } = place;
  switch (kind) {
    case 'in':
      return holds === undefined ? 'vague' : clearly(inside, 0.98, 0.02);
    case 'at':
      return clearly(distance, 0.035, 0.12);
    case 'near':
      // What is on a road is not beside it.
      if (holds !== undefined && inside > 0) return inside > 0.98 ? false : 'vague';
      return clearly(distance, 0.06, 0.18);
    case 'closest': {
      const others = fitting.filter((one) => one !== object).map((one) => one.places[noun]!.distance);
      return others.length === 0 ? 'vague' : clearly(Math.min(...others) - distance, 0.06, -0.06);
    }
  }
}

/** Whether the object is clearly first among at least two objects that fit the description. */
function isFirst(object: SceneObject, order: Order, fitting: readonly SceneObject[]): Truth {
  const rank = (one: SceneObject): number => {
    switch (order) {
      case 'topmost':
        return one.y / 0.08;
      case 'bottommost':
        return -one.y / 0.08;
      case 'leftmost':
        return one.x / 0.08;
      case 'rightmost':
        return -one.x / 0.08;
      case 'largest':
        return -Math.log(one.area) / Math.log(1.4);
      case 'smallest':
        return Math.log(one.area) / Math.log(1.4);
    }
  };
  const others = fitting.filter((one) => one !== object);
  if (others.length === 0) return 'vague';
  const lead = Math.min(...others.map(rank)) - rank(object);
  return clearly(lead, 1, -1);
}

/** Whether a query is true of an object in a scene. */
export function isTrueOf(query: Query, object: SceneObject, scene: readonly SceneObject[]): Truth {
  const own = describes(query, object);
  if (own === false) return false;
  const truths: Truth[] = [own];
  if (query.position !== undefined) truths.push(isAt(object, query.position));
  if (query.order !== undefined) {
    const fitting = scene.filter((one) => describes(query, one) !== false);
    truths.push(isFirst(object, query.order, fitting));
  }
  if (query.landmark !== undefined) {
    const fitting = scene.filter((one) => describes(query, one) !== false);
    truths.push(isPlaced(object, query.landmark, fitting));
  }
  if (query.relation !== undefined) {
    const { kind, to } = query.relation;
    const landmark = only(scene.map((one) => describes(to, one)));
    if (landmark === undefined || scene[landmark] === object) truths.push(landmark === undefined ? 'vague' : false);
    else truths.push(isRelated(object, kind, scene[landmark]!));
  }
  return all(truths);
}

/** Returns the index of the true item if all others are false; undefined otherwise. */
export function only(truths: readonly Truth[]): number | undefined {
  const index = truths.indexOf(true);
  return index >= 0 && truths.every((truth, i) => i === index || truth === false) ? index : undefined;
}

/**
 * Returns the index of the only object that a query is true of; undefined if there
 * is none, or if others are true or vague.
 */
export function referent(query: Query, scene: readonly SceneObject[]): number | undefined {
  return only(scene.map((object) => isTrueOf(query, object, scene)));
}

/**
 * Whether a query may refer to another object if its position is read as that of the landmark: in `the ship near the
 * pier on the left`, the pier may be on the left instead of the ship.
 */
export function placesAnother(query: Query, object: SceneObject, scene: readonly SceneObject[]): boolean {
  const { position, relation } = query;
  if (position === undefined || relation === undefined) return false;
  const { kind, to } = relation;
  const there = scene.filter((one) => describes(to, one) !== false && isAt(one, position) !== false);
  return scene.some(
    (one) =>
      one !== object &&
      describes(query, one) !== false &&
      there.some((landmark) => landmark !== one && isRelated(one, kind, landmark) !== false),
  );
}
