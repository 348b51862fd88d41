import type { Span } from '../../../grammar/span.ts';
import type { Context } from '../context/context.ts';
import { childPath } from '../context/paths.ts';
import type { Call } from '../context/template.ts';
import { fail } from '../report/report.ts';
import type { ModelGraph } from './model.ts';
import { type PlacedWeight, placedWeights } from './placements.ts';

/** Two weights of one path would be one in every checkpoint and in the graph; a part that is shared has its weights once. */
export function checkWeightPaths(context: Context, model: ModelGraph): void {
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

/** The innermost declarations in which the two differ, those of the user before those of the library. */
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

/** Paths of the weights that methods read which a model calls. */
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
