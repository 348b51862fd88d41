import type { Declaration, Ident } from '../../grammar/tree.ts';
import type { Session } from './body.ts';
import { didYouMean } from './did-you-mean.ts';
import { allMembers, fieldPath } from './members.ts';
import type { ModelGraph } from './model.ts';
import type { FileScope } from './program.ts';
import type { Selection } from './recipe-paths.ts';
import { fail } from './report.ts';
import { isWithin } from './session-at.ts';
import type { Instance, Val } from './values.ts';
import { mapTarget, readWeightsMap, type WeightsMap } from './weights-map.ts';

/** A part of a model that a map fits. */
export interface MapPlace {
  /** '' is the model. */
  readonly path: string;
  /** Paths of all weights that are declared within, those too that no method reads. */
  readonly declared: ReadonlySet<string>;
}

/** A map with the parts of one model that it gives weights to. */
export interface PlacedMap extends WeightsMap {
  readonly places: readonly MapPlace[];
}

/** The map of that name for a selection of weights; undefined, with a message, where there is none or it is for others. */
export function placedMap(
  session: Session,
  { name, span }: Ident,
  file: FileScope,
  { model, pattern, roots }: Selection & { readonly model: ModelGraph },
): PlacedMap | undefined {
  const found = file.lookup(name);
  if (found?.decl.kind !== 'weights') {
    if (found) fail({ session }, 'CROB2008', span, { name, actual: found.decl.kind, expected: 'a weights map' });
    else fail({ session }, 'CROB2001', span, { name }, { help: didYouMean(name, file.names()) });
    return undefined;
  }
  const map = readWeightsMap(session, found.decl, found.file);
  const target = map && mapTarget(session, found.decl, found.file)?.decl;
  if (!map || !target) return undefined;
  const places = mapPlaces(session, target, model, roots);
  if (places.length > 0) return { ...map, places };
  fail({ session }, 'CROB2331', span, { map: name, target: target.name.name, path: pattern, model: model.flat.name });
  return undefined;
}

/** The parts within `roots`, and those around them, that are what a map is for. */
function mapPlaces(
  session: Session,
  target: Declaration,
  model: ModelGraph,
  roots: readonly string[],
): readonly MapPlace[] {
  const instances = [...model.instances.values()].flatMap((value) => instancesIn(session, value));
  const paths = new Set(instances.filter(({ decl }) => decl === target).map(({ path }) => path));
  if (isOrExtends(model, target)) paths.add('');
  const weights = new Set(instances.flatMap((instance) => weightsOf(session, instance)));
  return [...paths]
    .filter((path) => roots.some((root) => isWithin(root, path) || isWithin(path, root)))
    .map((path) => ({ path, declared: new Set([...weights].filter((weight) => isWithin(weight, path))) }));
}

function instancesIn(session: Session, value: Val): Instance[] {
  if (value.kind === 'list') return value.items.flatMap((item) => instancesIn(session, item));
  if (value.kind !== 'instance') return [];
  return [value.instance, ...allMembers(session, value.instance).flatMap((part) => instancesIn(session, part))];
}

function weightsOf(session: Session, instance: Instance): string[] {
  return instance.decl.members.flatMap((member) =>
    member.kind === 'param' || member.kind === 'buffer'
      ? [fieldPath(session, instance, member.name.name, member.attributes, undefined)]
      : [],
  );
}

function isOrExtends({ flat }: ModelGraph, target: Declaration): boolean {
  let [decl, file]: [Declaration | undefined, ModelGraph['flat']['file']] = [flat.decl, flat.file];
  while (decl?.kind === 'model') {
    if (decl === target) return true;
    const base: ReturnType<typeof file.lookup> = decl.base && file.lookup(decl.base.name);
    [decl, file] = [base?.decl, base?.file ?? file];
  }
  return false;
}
