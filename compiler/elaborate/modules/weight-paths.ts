import type { Span } from '../../../grammar/span.ts';
import type { Context } from '../context/context.ts';
import type { Instance, Val } from '../context/elaborated.ts';
import { childPath } from '../context/paths.ts';
import { fail } from '../report/report.ts';
import { fieldPath } from './members.ts';

/** A path, and the span that gives it. */
interface Placed {
  readonly path: string;
  readonly span: Span;
}

/**
 * Reports duplicate paths, relative to their module, so that all of its instances give the same message; false after
 * a report.
 */
function reportTwice(context: Context, placed: readonly Placed[], root: string): boolean {
  const seen = new Map<string, Span>();
  let sound = true;
  for (const { path, span } of placed) {
    const earlier = seen.get(path);
    if (earlier) {
      const below = root === '' ? path : path.slice(root.length + 1);
      fail({ context }, 'CROB2014', span, { path: below }, { notes: [{ span: earlier, text: 'the other one' }] });
      sound = false;
    } else seen.set(path, span);
  }
  return sound;
}

/**
 * Checks that the paths of a module's own parts and weights differ; only a `@path` can make them equal. False after
 * a report.
 */
export function checkPathsWithin(context: Context, instance: Instance): boolean {
  const { members } = instance.decl;
  if (!members.some((member) => 'attributes' in member && member.attributes.some(({ name }) => name.name === 'path')))
    return true;
  const placed = members.flatMap((member): readonly Placed[] => {
    if (member.kind === 'param' || member.kind === 'buffer') {
      const { name, attributes } = member;
      return [{ path: fieldPath(context, instance, name.name, attributes, undefined), span: name.span }];
    }
    if (member.kind !== 'field') return [];
    const paths = ownPaths(instance.fields.get(member.name.name), instance.path);
    return paths.map((path) => ({ path, span: member.name.span }));
  });
  return reportTwice(context, placed, instance.path);
}

/** Paths of the modules in a value that were constructed below `root`. */
function ownPaths(value: Val | undefined, root: string): string[] {
  if (value?.kind === 'list') return value.items.flatMap((item) => ownPaths(item, root));
  const path = value?.kind === 'instance' ? value.instance.path : undefined;
  return path?.startsWith(childPath(root, '')) ? [path] : [];
}
