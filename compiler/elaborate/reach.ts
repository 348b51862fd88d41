import type { Span } from '../../grammar/span.ts';
import type { Session } from './body.ts';
import { nearest } from './did-you-mean.ts';
import { allMembers } from './members.ts';
import type { ModelGraph } from './model.ts';
import { childPath } from './paths.ts';
import { fail } from './report.ts';
import type { Call } from './template.ts';
import type { Instance, Val } from './values.ts';

/** Paths of the modules whose methods a model's body calls, through all calls. */
export function reachedPaths(model: ModelGraph): Set<string> {
  const reached = new Set<string>();
  const visited = new Set<string>();
  const walk = (calls: readonly Call[], path: string): void => {
    for (const call of calls) {
      const below = call.absolute ? call.path : childPath(path, call.path);
      const key = `${call.template.key}@${below}`;
      if (visited.has(key)) continue;
      visited.add(key);
      reached.add(below);
      walk(call.template.body?.calls ?? [], below);
    }
  };
  walk(model.calls, '');
  return reached;
}

function slotOf(model: ModelGraph, name: string): { span: Span; model: string } | undefined {
  const value = model.flat.values.get(name);
  if (value) return { span: value.decl.span, model: value.model };
  const param = model.flat.params.get(name);
  return param && { span: param.decl.name.span, model: param.model };
}

/** A part of the model that nothing reaches is a mistake: the topmost of each is reported. */
export function checkReached(session: Session, model: ModelGraph): void {
  const reached = reachedPaths(model);
  const uses = (instance: Instance): boolean => {
    if (reached.has(instance.path)) return true;
    return allMembers(session, instance).some((value) => anyUsed(value, instance));
  };
  const anyUsed = (value: Val, owner: Instance): boolean => {
    if (value.kind === 'list') return value.items.some((item) => anyUsed(item, owner));
    return (
      value.kind === 'instance' &&
      value.instance !== owner &&
      value.instance.path.startsWith(owner.path) &&
      uses(value.instance)
    );
  };
  for (const [name, value] of model.instances) {
    const instances = value.kind === 'list' ? value.items : [value];
    for (const item of instances) {
      if (item.kind !== 'instance' || uses(item.instance)) continue;
      const field = model.flat.fields.get(name);
      const part = field ? { span: field.decl.path.span, model: field.model } : slotOf(model, name);
      // A variant that uses less is to blame, not the base that declared the part.
      const own = part?.model === model.flat.name || !part;
      const span = own ? (part?.span ?? item.instance.span) : model.flat.decl.name.span;
      const others = [...model.flat.params.keys(), ...model.flat.fields.keys()].filter((other) => other !== name);
      const meant = nearest(name, others);
      fail(
        { session },
        'CROB2304',
        span,
        { path: item.instance.path, model: model.flat.name },
        {
          notes: own ? [] : [{ span: part.span, text: `declared in ${part.model}` }],
          help: meant
            ? `did you mean \`${meant}\`? Otherwise take it out: \`without ${name}\``
            : `use it, or take it out: \`without ${name}\``,
        },
      );
      break;
    }
  }
}
