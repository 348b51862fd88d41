import type { Span } from '../../../grammar/span.ts';
import type { NodeOf, TensorType } from '../../ir/graph.ts';
import { identicalTypes } from '../../ir/shapes.ts';
import { childPath } from '../context/paths.ts';
import type { Context } from '../context/scope.ts';
import type { Call, Template } from '../context/template.ts';
import type { Instance, Val } from '../context/values.ts';
import type { ModelGraph } from '../models/model.ts';
import { fail } from '../report/report.ts';
import { fieldPath } from './members.ts';

/** What has a path, and where that was given. */
interface Placed {
  readonly path: string;
  readonly span: Span;
}

function reportTwice(context: Context, placed: readonly Placed[]): boolean {
  const seen = new Map<string, Span>();
  let sound = true;
  for (const { path, span } of placed) {
    const earlier = seen.get(path);
    if (earlier) {
      fail({ context }, 'CROB2014', span, { path }, { notes: [{ span: earlier, text: 'the other one' }] });
      sound = false;
    } else seen.set(path, span);
  }
  return sound;
}

/** Paths of a module's own parts and weights, which only a `@path` can make equal. False after a report. */
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
  return reportTwice(context, placed);
}

/** Paths of the modules in a value that were constructed below `root`, and not elsewhere. */
function ownPaths(value: Val | undefined, root: string): string[] {
  if (value?.kind === 'list') return value.items.flatMap((item) => ownPaths(item, root));
  const path = value?.kind === 'instance' ? value.instance.path : undefined;
  return path?.startsWith(childPath(root, '')) ? [path] : [];
}

/** The same for the parts of a model, and for weights whose paths meet further down. */
export function checkWeightPaths(context: Context, model: ModelGraph): void {
  const fields = [...model.flat.fields];
  const placed = fields.flatMap(([name, { decl }]) =>
    ownPaths(model.instances.get(name), '').map((path) => ({ path, span: decl.span })),
  );
  if (fields.some(([, { decl }]) => decl.attributes.length > 0) && !reportTwice(context, placed)) return;
  const weights = new Map<string, { readonly span: Span | undefined; readonly type: TensorType }>();
  const visited = new Set<string>();
  const walk = (calls: readonly Call[], path: string): void => {
    for (const { template, path: own, absolute } of calls) {
      const below = absolute ? own : childPath(path, own);
      const key = `${template.key}@${below}`;
      if (visited.has(key)) continue;
      visited.add(key);
      for (const node of weightsOf(template)) {
        const at = childPath(below, node.attributes.path);
        const { type } = node.outputs[0]!;
        const { span } = node.origin;
        const earlier = weights.get(at);
        if (!earlier) weights.set(at, { span, type });
        else if (span && earlier.span && (earlier.span.start !== span.start || !identicalTypes(earlier.type, type)))
          fail({ context }, 'CROB2014', span, { path: at }, { notes: [{ span: earlier.span, text: 'the other one' }] });
      }
      walk(template.body?.calls ?? [], below);
    }
  };
  walk(model.calls, '');
}

const known = new WeakMap<Template, readonly NodeOf<'weight'>[]>();

function weightsOf(template: Template): readonly NodeOf<'weight'>[] {
  let found = known.get(template);
  if (!found) {
    found = (template.body?.nodes ?? []).filter((node): node is NodeOf<'weight'> => node.op === 'weight');
    known.set(template, found);
  }
  return found;
}
