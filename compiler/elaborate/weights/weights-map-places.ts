import type { Declaration, Ident, ModelDecl, WeightsDecl } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import type { Instance, Val } from '../context/elaborated.ts';
import { isWithin } from '../context/paths.ts';
import type { ModelGraph } from '../models/model.ts';
import type { Selection } from '../models/selection.ts';
import { allMembers, fieldPath } from '../modules/members.ts';
import { notFound } from '../report/not-found.ts';
import { fail } from '../report/report.ts';
import type { FileScope } from '../source/file-scope.ts';
import { mapTarget, readWeightsMap, type WeightsMap } from './weights-map.ts';

/** A part of a model to which a map applies. */
export interface MapPlace {
  /** The path of the part; '' is the model. */
  readonly path: string;
  /** Paths of all weights declared within it, including those that no method reads. */
  readonly declared: ReadonlySet<string>;
}

/** A map with the parts of one model to which it applies. */
export interface PlacedMap extends WeightsMap {
  readonly places: readonly MapPlace[];
}

/**
 * Returns the map of that name for a selection of weights; undefined, after a report, if there is none or its target
 * is not in the selection.
 */
export function placedMap(
  context: Context,
  { name, span }: Ident,
  file: FileScope,
  { model, pattern, roots }: Selection & { readonly model: ModelGraph },
): PlacedMap | undefined {
  const found = file.lookup(name);
  if (found?.decl.kind !== 'weights') return notFound(context, { name, span }, found?.decl.kind, 'a weights map', file);
  const placed = mapAt(context, found.decl, found.file, { model, roots });
  if (!placed || placed.places.length > 0) return placed;
  const target = found.decl.target.name;
  fail({ context }, 'CROB2331', span, { map: name, target, path: pattern, model: model.flat.name });
  return undefined;
}

interface Within {
  readonly model: ModelGraph;
  readonly roots: readonly string[];
}

/** Returns a map with the parts to which it applies, if any; undefined, after a report, if it is wrong. */
function mapAt(context: Context, decl: WeightsDecl, file: FileScope, { model, roots }: Within): PlacedMap | undefined {
  const map = readWeightsMap(context, decl, file);
  const target = map && mapTarget(context, decl, file)?.decl;
  return map && target && { ...map, places: mapPlaces(context, target, model, roots) };
}

/**
 * Returns the maps that apply to parts within or around `roots`: those in the scope of a file, and those declared beside the
 * modules of the parts or beside a model that the model extends. Maps with errors are left out: the check of their file reports them.
 */
export function knownMaps(context: Context, file: FileScope, within: Within): readonly PlacedMap[] {
  const silent = { ...context, report: () => undefined };
  const found = new Map<WeightsDecl, FileScope>();
  for (const name of file.names()) {
    const at = file.lookup(name);
    if (at?.decl.kind === 'weights') found.set(at.decl, at.file);
  }
  const instances = [...within.model.instances.values()].flatMap((value) => instancesIn(silent, value));
  const scopes = new Set([...instances, ...basesOf(within.model)].map(({ file }) => file));
  for (const scope of scopes)
    for (const decl of scope.tree.declarations) if (decl.kind === 'weights') found.set(decl, scope);
  return [...found].flatMap(([decl, scope]) => {
    const map = mapAt(silent, decl, scope, within);
    return map && map.places.length > 0 ? [map] : [];
  });
}

/** The parts within or around `roots` that are instances of the map's target. */
function mapPlaces(
  context: Context,
  target: Declaration,
  model: ModelGraph,
  roots: readonly string[],
): readonly MapPlace[] {
  const instances = [...model.instances.values()].flatMap((value) => instancesIn(context, value));
  const paths = new Set(instances.filter(({ decl }) => decl === target).map(({ path }) => path));
  if (isOrExtends(model, target)) paths.add('');
  const weights = new Set(instances.flatMap((instance) => weightsOf(context, instance)));
  return [...paths]
    .filter((path) => roots.some((root) => isWithin(root, path) || isWithin(path, root)))
    .map((path) => ({ path, declared: new Set([...weights].filter((weight) => isWithin(weight, path))) }));
}

function instancesIn(context: Context, value: Val): Instance[] {
  if (value.kind === 'list') return value.items.flatMap((item) => instancesIn(context, item));
  if (value.kind !== 'instance') return [];
  return [value.instance, ...allMembers(context, value.instance).flatMap((part) => instancesIn(context, part))];
}

/** Whether the parts of a model declare a param whose path satisfies `isWanted`, even if no method reads it. */
export function declaresParam(context: Context, model: ModelGraph, isWanted: (path: string) => boolean): boolean {
  return declaresWeight(context, model, { isWanted, kinds: ['param'] });
}

interface Wanted {
  readonly isWanted: (path: string) => boolean;
  readonly kinds: readonly ('param' | 'buffer')[];
  /** Only parts within or around these paths are searched. */
  readonly roots?: readonly string[];
}

export function declaresWeight(context: Context, model: ModelGraph, { isWanted, kinds, roots }: Wanted): boolean {
  const leadsTo = (path: string) => !roots || roots.some((root) => isWithin(root, path) || isWithin(path, root));
  const hasWeight = (value: Val): boolean => {
    if (value.kind === 'list') return value.items.some(hasWeight);
    if (value.kind !== 'instance' || !leadsTo(value.instance.path)) return false;
    const { instance } = value;
    return weightsOf(context, instance, kinds).some(isWanted) || allMembers(context, instance).some(hasWeight);
  };
  return [...model.instances.values()].some(hasWeight);
}

function weightsOf(context: Context, instance: Instance, kinds: readonly string[] = ['param', 'buffer']): string[] {
  return instance.decl.members.flatMap((member) =>
    (member.kind === 'param' || member.kind === 'buffer') && kinds.includes(member.kind)
      ? [fieldPath(context, instance, member.name.name, member.attributes, undefined)]
      : [],
  );
}

function isOrExtends(model: ModelGraph, target: Declaration): boolean {
  return basesOf(model).some(({ decl }) => decl === target);
}

/** Returns a model and those that it extends, nearest first, each with its file. */
function basesOf({ flat }: ModelGraph): readonly { readonly decl: ModelDecl; readonly file: FileScope }[] {
  const found: { decl: ModelDecl; file: FileScope }[] = [];
  let [decl, file]: [Declaration | undefined, FileScope] = [flat.decl, flat.file];
  while (decl?.kind === 'model') {
    found.push({ decl, file });
    const base: ReturnType<FileScope['lookup']> = decl.base && file.lookup(decl.base.name);
    [decl, file] = [base?.decl, base?.file ?? file];
  }
  return found;
}
