import type { Span } from '../../../grammar/span.ts';
import type { Context } from '../context/context.ts';
import type { Call, Instance } from '../context/elaborated.ts';
import { childPath, isWithin } from '../context/paths.ts';
import type { OwnPart } from '../context/store.ts';
import { ownParts, partsIn } from '../modules/own-parts.ts';
import { fail } from '../report/report.ts';
import type { ModelGraph } from './model.ts';
import { ownWeights, type PlacedWeight, placedWeights } from './placements.ts';

/**
 * Reports different weights with the same path, which would be one weight in every checkpoint and in the graph. A
 * shared part has its weights once.
 */
export function checkWeightPaths(context: Context, model: ModelGraph): void {
  if (!mayMeet(context, model)) return;
  const used = usedPaths(model);
  const first = new Map<string, PlacedWeight>();
  const conflicts = new Map<string, Conflict & { count: number }>();
  for (const weight of placedWeights(context, model)) {
    if (!used.has(weight.path)) continue;
    const other = first.get(weight.path);
    if (!other) {
      first.set(weight.path, weight);
      continue;
    }
    const conflict = { path: weight.path, ...placesOf(weight, other) };
    const key = `${place(conflict.span)} ${place(conflict.other)}`;
    const known = conflicts.get(key);
    if (known) known.count++;
    else conflicts.set(key, { ...conflict, count: 1 });
  }
  for (const { path, span, other, count } of conflicts.values()) {
    const more = count - 1;
    const details =
      more === 0 ? [] : [`${more} more of their weights ${more === 1 ? 'meets' : 'meet'} in the same way`];
    fail({ context }, 'CROB2014', span, { path }, { notes: [{ span: other, text: 'the other one' }], details });
  }
}

interface Conflict {
  readonly path: string;
  readonly span: Span;
  readonly other: Span;
}

/** Returns the innermost declarations in which the two weights differ, preferring the user's to the library's. */
function placesOf(one: PlacedWeight, two: PlacedWeight): Omit<Conflict, 'path'> {
  const shared = one.spans.findIndex((span, i) => !two.spans[i] || place(span) !== place(two.spans[i]));
  const [mine, others] = [one, two].map(({ spans }) => {
    const apart = spans.slice(Math.max(0, shared));
    return apart.filter(({ file }) => !file.startsWith('std/')).at(-1) ?? apart.at(-1) ?? spans.at(-1);
  });
  if (!mine || !others) throw new Error(`bug in crobc: ${one.path} has no place`);
  return { span: mine, other: others };
}

function place({ file, start }: Span): string {
  return `${file}:${start}`;
}

/** Returns the paths of weights that are read by the methods a model calls. */
function usedPaths({ calls }: ModelGraph): ReadonlySet<string> {
  const used = new Set<string>();
  const visited = new Set<string>();
  const walk = (inner: readonly Call[], path: string): void => {
    for (const { template, path: own, absolute } of inner) {
      const below = absolute ? own : childPath(path, own);
      const key = `${template.key}@${below}`;
      if (visited.has(key)) continue;
      visited.add(key);
      for (const node of template.body.weights) used.add(childPath(below, node.attributes.path));
      walk(template.body.calls, below);
    }
  };
  walk(calls, '');
  return used;
}

/** A part of an instance, or one of its own weights. */
interface Entry {
  /** Path relative to the instance. */
  readonly path: string;
  readonly part: OwnPart | undefined;
}

/**
 * Whether two weights may have the same path. Parts with separate paths are inspected once for each identity, so
 * this is fast, and `checkWeightPaths` rarely has to list all weights.
 */
function mayMeet(context: Context, model: ModelGraph): boolean {
  const seen = new Set<string>();
  const known = new Map<Instance, readonly Entry[]>();
  const entriesOf = (instance: Instance): readonly Entry[] => {
    let entries = known.get(instance);
    if (!entries) {
      const parts = ownParts(context, instance).map((part): Entry => ({ path: part.path, part }));
      const weights = ownWeights(context, instance).map(({ path }): Entry => ({ path, part: undefined }));
      entries = [...parts, ...weights];
      known.set(instance, entries);
    }
    return entries;
  };
  const meet = (a: Entry, b: Entry): boolean => {
    if (a.path.length > b.path.length) return meet(b, a);
    if (!isWithin(b.path, a.path)) return false;
    const inside = a.part ? entriesOf(a.part.instance) : [];
    if (a.path !== b.path) {
      const below: Entry = { ...b, path: a.path === '' ? b.path : b.path.slice(a.path.length + 1) };
      return inside.some((one) => meet(one, below));
    }
    if (!a.part && !b.part) return true;
    const others = b.part ? entriesOf(b.part.instance) : [];
    return inside.some((one) => others.some((other) => meet(one, other)));
  };
  const holds = (entries: readonly Entry[]): boolean =>
    entries.some((one, i) => entries.slice(i + 1).some((other) => meet(one, other))) ||
    entries.some(({ part }) => {
      if (!part || seen.has(part.instance.identity)) return false;
      seen.add(part.instance.identity);
      return holds(entriesOf(part.instance));
    });
  const tops = [...model.instances].flatMap(([name, value]) =>
    partsIn(value, { name, span: model.flat.decl.span, owner: undefined }).map(
      (part): Entry => ({ path: part.instance.path, part }),
    ),
  );
  return holds(tops);
}
