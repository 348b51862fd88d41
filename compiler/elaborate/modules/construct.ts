import type { Span } from '../../../grammar/span.ts';
import { evaluatedMark, sessionAt } from '../context/form.ts';
import { withinSteps } from '../context/limits.ts';
import { childPath, type Place } from '../context/paths.ts';
import type { Context, Overrides } from '../context/scope.ts';
import { error, type Instance, keyOf, type Spec, showStatic, specKey, type Val } from '../context/values.ts';
import { conditions } from '../eval/signature.ts';
import { fail } from '../report/report.ts';
import { declaredOf } from './declared.ts';
import { checkInterface } from './interfaces.ts';
import { apart, empty, holdsModule, type Making, makings } from './making.ts';
import { moduleScope, staticMember } from './members.ts';
import { hasNames } from './overrides.ts';
import { checkPathsWithin } from './weight-paths.ts';

/** Deepest nesting of modules, and the mark of a module that contains itself. */
const depthLimit = 64;

export function instantiate(
  context: Context,
  spec: Spec,
  place: Place,
  overrides: Overrides | undefined,
): Instance | undefined {
  const { decl, file } = spec;
  const stack = context.depth.constructions;
  const self = `${file.file}:${decl.name.name}`;
  if (stack.length >= depthLimit || stack.filter((entry) => entry === self).length >= 8) {
    context.depth.endless = true;
    fail(
      { context },
      'CROB2205',
      spec.span,
      { name: decl.name.name },
      { notes: [{ span: decl.name.span, text: 'declared here' }] },
    );
    return undefined;
  }
  // A module costs about as much as this many expressions.
  context.depth.steps += 50;
  stack.push(self);
  context.shared.constructed.add(decl);
  try {
    return construct(sessionAt(context, place.path), spec, place, overrides);
  } finally {
    stack.pop();
    if (stack.length === 0) context.depth.endless = false;
  }
}

function construct(context: Context, spec: Spec, place: Place, overrides: Overrides | undefined): Instance | undefined {
  // What an `eval` makes of a module depends on its path.
  const isPlain = (overrides === undefined || overrides.below.size === 0) && context.evaluated.length === 0;
  const key = isPlain ? specKey(spec) : undefined;
  const exemplar = key === undefined ? undefined : context.shared.exemplars.get(key);
  if (exemplar && (exemplar.training ?? context.training) === context.training) {
    context.depth.steps += exemplar.steps;
    if (!withinSteps({ context }, spec.span)) return undefined;
    if (exemplar.training !== undefined) context.reads.at(-1)?.push({ kind: 'training', value: exemplar.training });
    const instance = empty(context, spec, place, overrides, new Map(exemplar.plain));
    instance.identity = exemplar.identity;
    return instance;
  }
  const { steps: before, reported } = context.depth;
  const { result: instance, training } = apart(context, () => whole(context, spec, place, overrides));
  if (instance && key !== undefined && reported === context.depth.reported) {
    const plain = new Map([...instance.statics].filter(([, value]) => !holdsModule(value)));
    const steps = context.depth.steps - before;
    context.shared.exemplars.set(key, { identity: instance.identity, plain, training, steps });
  }
  return instance;
}

function whole(context: Context, spec: Spec, place: Place, overrides: Overrides | undefined): Instance | undefined {
  const { decl, file } = spec;
  if (!declaredOf(context, decl, file).sound) return undefined;
  const instance = empty(context, spec, place, overrides, undefined);
  const { interfaces } = instance;
  const making = makings.get(instance)!;
  if (!hasNames(context, instance, making)) return undefined;
  for (const param of decl.params) if (!staticMember(context, instance, param.name.name)) return undefined;
  if (!checkWhere(context, instance, spec.span)) return undefined;
  for (const member of decl.members) {
    if (member.kind === 'static' || member.kind === 'field') staticMember(context, instance, member.name.name);
  }
  if (context.depth.endless || !checkPathsWithin(context, instance)) return undefined;
  const marks = `${trainingMark(context)}${evaluatedMark(context, place.path)}`;
  instance.identity = interned(context, `${identityOf(instance, making)}${marks}`);
  // What does not keep its promises would only fail again wherever they are relied on.
  const kept = interfaces.map((one) => checkInterface(context, instance, one.decl, one.file));
  return kept.every((one) => one) ? instance : undefined;
}

/** What of it looked at `training` while it was made is as one of the two has it: its methods are then of that one. */
function trainingMark({ reads }: Context): string {
  const read = reads.at(-1)?.find((one) => one.kind === 'training');
  return read ? `training(${read.value})` : '';
}

function checkWhere(context: Context, instance: Instance, span: Span): boolean {
  const scope = moduleScope(context, instance);
  let sound = true;
  const found = conditions(scope, instance.decl.where, (expr) => {
    sound = false;
    const names = instance.decl.params
      .map((p) => p.name.name)
      .filter((n) => new RegExp(`\\b${n}\\b`).test(context.program.text(expr.span)));
    const details = names.map((n) => `${n} is ${showStatic(instance.statics.get(n))}`);
    fail(
      scope,
      'CROB2207',
      span,
      { clause: context.program.text(expr.span), what: instance.decl.name.name },
      {
        notes: [{ span: expr.span, text: 'required here' }],
        details,
      },
    );
  });
  for (const condition of found) {
    sound = false;
    fail(scope, 'CROB2203', condition.span, { dim: context.program.text(condition.span) });
  }
  return sound;
}

/** Short names for identities: they are looked up at every call, and those of a backbone are long. */
function interned({ shared: { identities } }: Context, identity: string): string {
  let short = identities.get(identity);
  if (short === undefined) {
    short = `#${identities.size}`;
    identities.set(identity, short);
  }
  return short;
}

/** Owned slots count by what they are, shared instances by where they are. */
function identityOf(instance: Instance, making: Making): string {
  const owned = (value: Val): string => {
    if (value.kind === 'instance' && value.instance.path.startsWith(childPath(instance.path, '')))
      return `!${value.instance.identity}`;
    if (value.kind === 'list') return `[${value.items.map(owned).join()}]`;
    return keyOf(value);
  };
  const params = [...making.params.keys()].map((name) => `${name}=${owned(instance.statics.get(name) ?? error)}`);
  const changed: string[] = [];
  for (const member of making.members.values()) {
    if (member.kind !== 'field' || !making.overrides?.below.has(member.name.name)) continue;
    changed.push(`${member.name.name}=${owned(instance.fields.get(member.name.name) ?? error)}`);
  }
  return `${instance.file.file}:${instance.decl.name.name}(${params.join()})${changed.length ? `{${changed.join()}}` : ''}`;
}
