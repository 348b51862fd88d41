import { childPath } from '../../compiler/elaborate/context/paths.ts';
import { filled, type Match, matcher } from '../../compiler/elaborate/source/name-pattern.ts';
import type { MapRule } from '../../compiler/elaborate/weights/weights-map.ts';
import type { PlacedMap } from '../../compiler/elaborate/weights/weights-map-places.ts';
import { UserError } from '../files/user-error.ts';
import { type ShapedValues, transformed, transformedShapes } from '../tensors/tensor-transforms.ts';
import { openTensorFile } from './open-tensors.ts';
import type { FileTensor } from './tensor-file.ts';
import {
  acceptsDtype,
  type FileWeights,
  hinted,
  listed,
  type MissingHint,
  openWeights,
  sameShape,
  type WantedWeight,
} from './weights.ts';

/** Published tensors to which one rule applies together, in the order of its left side. */
interface Group {
  readonly rule: MapRule;
  readonly match: Match;
  readonly sources: (FileTensor | undefined)[];
}

/** The origin of a weight: a result of a group's transforms, by index. */
interface Origin {
  readonly group: Group;
  readonly index: number;
}

/**
 * Opens a published file as the weights of a model, with names and tensors converted by a weights map.
 * Weights are read and transformed on request. Throws a UserError that names what does not fit: weights without a
 * tensor, tensors that the map does not mention or that it maps to no weight of the model, and wrong shapes.
 */
export async function openMappedWeights(
  path: string,
  wanted: readonly WantedWeight[],
  map: PlacedMap,
  { hint }: MissingHint = {},
): Promise<FileWeights> {
  const file = await openTensorFile(path);
  const { origins, missing, fault } = matched(file.tensors, wanted, map);
  if (fault !== undefined) {
    await file.close();
    const more = hinted(hint, missing);
    throw new UserError(`the weights in ${path} do not fit the model by the map ${map.name}: ${fault}${more}`);
  }
  const used = new Set([...origins.values()].flatMap(({ group }) => group.sources));
  return {
    file,
    unused: file.tensors.size - used.size,
    async read(weight) {
      const origin = origins.get(weight);
      if (!origin) throw new Error(`bug in crobc: no tensor was found for ${weight}`);
      const { rule, sources } = origin.group;
      let tensors: readonly ShapedValues[] = await Promise.all(
        sources.map(async (entry) => ({ shape: entry!.shape, data: await file.float32(entry!.name) })),
      );
      for (const transform of rule.transforms) tensors = transformed(tensors, transform, rule.to.length);
      return tensors[origin.index]!.data;
    },
    close: () => file.close(),
  };
}

/** The names that may occur in a model's weights file. */
interface WeightNames {
  readonly via?: PlacedMap | undefined;
  readonly declaredWeights: () => ReadonlySet<string>;
}

/**
 * Opens the weights of a whole model from a file with crob's names, or by a map, which has its own declared weights.
 */
export function openWeightsVia(
  path: string,
  wanted: readonly WantedWeight[],
  { via, declaredWeights }: WeightNames,
): Promise<FileWeights> {
  return via ? openMappedWeights(path, wanted, via) : openWeights(path, wanted, { declared: declaredWeights });
}

function matched(
  tensors: ReadonlyMap<string, FileTensor>,
  wanted: readonly WantedWeight[],
  map: PlacedMap,
): {
  readonly origins: ReadonlyMap<string, Origin>;
  readonly missing: readonly string[];
  readonly fault: string | undefined;
} {
  const { groups, unmatched } = grouped(tensors, map);
  const known = new Map(wanted.map((weight) => [weight.path, weight]));
  const origins = new Map<string, Origin>();
  const incomplete = new Map<string, string>();
  const unknown: string[] = [];
  const unfit: string[] = [];
  const shapes: string[] = [];
  const dtypes: string[] = [];
  const doubled: string[] = [];
  for (const group of groups) {
    const { rule, match, sources } = group;
    const lacking = rule.from.filter((_, i) => sources[i] === undefined).map((from) => filled(from, match));
    const results = lacking.length > 0 ? [] : resultShapes(group);
    for (const [index, to] of rule.to.entries()) {
      const name = filled(to, match);
      const paths = map.places.map((place) => ({ place, path: childPath(place.path, name) }));
      if (paths.every(({ place, path }) => !place.declared.has(path))) {
        unknown.push(`${sources.find((entry) => entry)!.name} as ${name}`);
        continue;
      }
      for (const { path } of paths) {
        const weight = known.get(path);
        if (!weight) continue;
        if (origins.has(path)) doubled.push(path);
        else if (lacking.length > 0) incomplete.set(path, `${path} for want of ${lacking.join(' and ')}`);
        else if (typeof results === 'string') unfit.push(`${path}: ${results}`);
        else if (!sameShape(results[index]!, weight.shape)) {
          const [found, here] = [results[index]!, weight.shape].map((shape) => `[${shape.join(', ')}]`);
          shapes.push(`${path}: ${found} by the file, ${here} in the model`);
        } else {
          const odd = sources.find((entry) => !acceptsDtype(weight.dtype, entry!.dtype));
          if (odd) dtypes.push(`${path}: ${odd.dtype} in the file, ${weight.dtype} in the model`);
        }
        if (lacking.length === 0) origins.set(path, { group, index });
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
  return { origins, missing, fault: parts.length === 0 ? undefined : parts.join('; ') };
}

/** Groups the tensors of a file by the first rule that matches each. */
function grouped(tensors: ReadonlyMap<string, FileTensor>, { rules }: PlacedMap) {
  const matchers = rules.map((rule) => rule.from.map(matcher));
  const groups = new Map<string, Group>();
  const unmatched: string[] = [];
  for (const entry of tensors.values()) {
    const found = firstMatch(matchers, entry.name);
    if (!found) {
      unmatched.push(entry.name);
      continue;
    }
    const rule = rules[found.rule]!;
    if (rule.to.length === 0) continue;
    const key = JSON.stringify([found.rule, [...found.match.holes].sort(), found.match.choices]);
    const group = groups.get(key) ?? { rule, match: found.match, sources: rule.from.map(() => undefined) };
    groups.set(key, group);
    group.sources[found.from] = entry;
  }
  return { groups: [...groups.values()], unmatched };
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

/** Returns the shapes of a group's results, or why it cannot be transformed. */
function resultShapes({ rule, sources }: Group): readonly (readonly number[])[] | string {
  let shapes: readonly (readonly number[])[] = sources.map((entry) => entry!.shape);
  for (const transform of rule.transforms) {
    const next = transformedShapes(shapes, transform, rule.to.length);
    if (typeof next === 'string') return next;
    shapes = next;
  }
  return shapes;
}
