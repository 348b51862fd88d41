import { childPath } from '../../compiler/elaborate/context/paths.ts';
import { filled, type Match, matcher } from '../../compiler/elaborate/source/name-pattern.ts';
import type { MapRule, WeightsMap } from '../../compiler/elaborate/weights/weights-map.ts';
import type { PlacedMap } from '../../compiler/elaborate/weights/weights-map-places.ts';
import { transformedShapes } from '../tensors/tensor-transforms.ts';
import type { FileTensor } from './tensor-file.ts';
import { acceptsDtype, listed, sameShape, type WantedWeight } from './weights-match.ts';

/** Published tensors to which one rule applies together, in the order of its left side. */
interface Group {
  readonly rule: MapRule;
  readonly match: Match;
  readonly sources: (FileTensor | undefined)[];
}

/** The origin of a weight: a result of the transforms of some tensors, by index. */
export interface Origin {
  readonly rule: MapRule;
  readonly sources: readonly FileTensor[];
  readonly index: number;
}

/** A weight of another shape than its tensor in the file. */
export interface Resized {
  readonly path: string;
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** What a map makes of the tensors of a file for the wanted weights of a model. */
export interface MapFit {
  readonly map: PlacedMap;
  /** By the path of the weight. */
  readonly origins: ReadonlyMap<string, Origin>;
  readonly resized: readonly Resized[];
  /** Names of the tensors that a rule skips. */
  readonly skipped: readonly string[];
  /** Paths of weights that the file does not give. */
  readonly missing: readonly string[];
  /** Tensors that no rule mentions, or that have no place in the model. */
  readonly strange: number;
  /** What does not fit, in one line; undefined if everything fits. */
  readonly fault: string | undefined;
}

/** Returns the map that gives most weights; of several, the one that leaves the fewest tensors over. */
export function bestFit(
  tensors: ReadonlyMap<string, FileTensor>,
  wanted: readonly WantedWeight[],
  maps: readonly PlacedMap[],
): MapFit | undefined {
  const fits = maps.map((map) => mapFit(tensors, wanted, map));
  const [best] = fits.toSorted((a, b) => b.origins.size - a.origins.size || a.strange - b.strange);
  return best && best.origins.size > 0 ? best : undefined;
}

/** Matches the tensors of a file with the weights of a model by the rules of a map. */
export function mapFit(
  tensors: ReadonlyMap<string, FileTensor>,
  wanted: readonly WantedWeight[],
  map: PlacedMap,
): MapFit {
  const { groups, unmatched, skipped } = grouped(tensors, map);
  const known = new Map(wanted.map((weight) => [weight.path, weight]));
  const origins = new Map<string, Origin>();
  const resized: Resized[] = [];
  const incomplete = new Map<string, string>();
  const unknown: string[] = [];
  const unfit: string[] = [];
  const shapes: string[] = [];
  const dtypes: string[] = [];
  const doubled: string[] = [];
  for (const group of groups) {
    const { rule, match, sources } = group;
    const given = sources.flatMap((entry) => (entry ? [entry] : []));
    const lacking = rule.from.filter((_, i) => sources[i] === undefined).map((from) => filled(from, match));
    for (const [index, to] of rule.to.entries()) {
      const name = filled(to, match);
      const paths = map.places.map((place) => ({ place, path: childPath(place.path, name) }));
      if (paths.every(({ place, path }) => !place.declared.has(path))) {
        unknown.push(`${given[0]!.name} as ${name}`);
        continue;
      }
      for (const { path } of paths) {
        const weight = known.get(path);
        if (!weight) continue;
        if (origins.has(path)) doubled.push(path);
        else if (lacking.length > 0) incomplete.set(path, `${path} for want of ${lacking.join(' and ')}`);
        if (lacking.length > 0) continue;
        origins.set(path, { rule, sources: given, index });
        const results = resultShapes(rule, given, weight);
        const odd = given.find((entry) => !acceptsDtype(weight.dtype, entry.dtype));
        if (typeof results === 'string') unfit.push(`${path}: ${results}`);
        else if (!sameShape(results[index]!, weight.shape)) {
          const [found, here] = [results[index]!, weight.shape].map((shape) => `[${shape.join(', ')}]`);
          shapes.push(`${path}: ${found} by the file, ${here} in the model`);
        } else if (odd) dtypes.push(`${path}: ${odd.dtype} in the file, ${weight.dtype} in the model`);
        else if (isResized(rule, given, weight)) resized.push({ path, from: given[0]!.shape, to: weight.shape });
      }
    }
  }
  const missing = wanted.flatMap(({ path }) => (origins.has(path) ? [] : [path]));
  const lacking = missing.map((path) => incomplete.get(path) ?? path);
  const say = (text: string) => text;
  const parts = [
    listed('missing', lacking, say),
    listed('of another shape', shapes, say),
    listed('of another dtype', dtypes, say),
    listed('that cannot be transformed', unfit, say),
    listed('given more than once', doubled, say),
    listed('in the file that the map does not mention', unmatched, say),
    listed('that the map brings to no weight of the model', unknown, say),
  ].filter((text) => text !== undefined);
  const fault = parts.length === 0 ? undefined : parts.join('; ');
  return { map, origins, resized, skipped, missing, strange: unmatched.length + unknown.length, fault };
}

/** Groups the tensors of a file by the first rule that matches each. */
export function grouped(tensors: ReadonlyMap<string, FileTensor>, { rules }: WeightsMap) {
  const matchers = rules.map((rule) => rule.from.map(matcher));
  const groups = new Map<string, Group>();
  const unmatched: string[] = [];
  const skipped: string[] = [];
  for (const entry of tensors.values()) {
    const found = firstMatch(matchers, entry.name);
    if (!found) {
      unmatched.push(entry.name);
      continue;
    }
    const rule = rules[found.rule]!;
    if (rule.to.length === 0) {
      skipped.push(entry.name);
      continue;
    }
    const { holes, choices, options } = found.match;
    const key = JSON.stringify([found.rule, [...holes].sort(), choices, options]);
    const group = groups.get(key) ?? { rule, match: found.match, sources: rule.from.map(() => undefined) };
    groups.set(key, group);
    group.sources[found.from] = entry;
  }
  return { groups: [...groups.values()], unmatched, skipped };
}

function firstMatch(matchers: readonly (readonly ReturnType<typeof matcher>[])[], name: string) {
  for (const [rule, patterns] of matchers.entries()) {
    for (const [from, match] of patterns.entries()) {
      const found = match(name);
      if (found) return { rule, from, match: found };
    }
  }
  return undefined;
}

/** Returns the shapes that a rule makes of tensors for a weight, or why it cannot be applied. */
function resultShapes(
  { transforms, to }: MapRule,
  sources: readonly FileTensor[],
  { shape: wanted }: WantedWeight,
): readonly (readonly number[])[] | string {
  let shapes: readonly (readonly number[])[] = sources.map((entry) => entry.shape);
  for (const transform of transforms) {
    const next = transformedShapes(shapes, transform, { parts: to.length, wanted });
    if (typeof next === 'string') return next;
    shapes = next;
  }
  return shapes;
}

/** Whether a weight is interpolated from a tensor of another size. */
function isResized({ transforms }: MapRule, sources: readonly FileTensor[], { shape }: WantedWeight): boolean {
  const resizes = transforms.some(({ kind }) => kind === 'resize' || kind === 'resize_square');
  const count = (sizes: readonly number[]) => sizes.reduce((product, n) => product * n, 1);
  return resizes && sources.some((entry) => count(entry.shape) !== count(shape));
}
