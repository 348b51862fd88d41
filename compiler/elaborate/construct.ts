import type { Span } from '../../grammar/span.ts';
import type { Overrides, Session } from './body.ts';
import { declaredOf } from './declared.ts';
import { checkInterface } from './interfaces.ts';
import { withinSteps } from './limits.ts';
import { apart, empty, holdsModule, type Making, makings } from './making.ts';
import { moduleBody, staticMember } from './members.ts';
import { hasNames } from './overrides.ts';
import { childPath, type Place } from './paths.ts';
import { fail } from './report.ts';
import { evaluatedMark, sessionAt } from './session-at.ts';
import { conditions } from './signature.ts';
import { error, type Instance, keyOf, type Spec, showStatic, specKey, type Val } from './values.ts';
import { checkPathsWithin } from './weight-paths.ts';

/** Deepest nesting of modules, and the mark of a module that contains itself. */
const depthLimit = 64;

export function instantiate(
  session: Session,
  spec: Spec,
  place: Place,
  overrides: Overrides | undefined,
): Instance | undefined {
  const { decl, file } = spec;
  const stack = session.depth.constructions;
  const self = `${file.file}:${decl.name.name}`;
  if (stack.length >= depthLimit || stack.filter((entry) => entry === self).length >= 8) {
    session.depth.endless = true;
    fail(
      { session },
      'CROB2205',
      spec.span,
      { name: decl.name.name },
      { notes: [{ span: decl.name.span, text: 'declared here' }] },
    );
    return undefined;
  }
  // A module costs about as much as this many expressions.
  session.depth.steps += 50;
  stack.push(self);
  session.shared.constructed.add(decl);
  try {
    return construct(sessionAt(session, place.path), spec, place, overrides);
  } finally {
    stack.pop();
    if (stack.length === 0) session.depth.endless = false;
  }
}

function construct(session: Session, spec: Spec, place: Place, overrides: Overrides | undefined): Instance | undefined {
  // What an `eval` makes of a module depends on its path.
  const isPlain = (overrides === undefined || overrides.below.size === 0) && session.evaluated.length === 0;
  const key = isPlain ? specKey(spec) : undefined;
  const exemplar = key === undefined ? undefined : session.shared.exemplars.get(key);
  if (exemplar && (exemplar.training ?? session.training) === session.training) {
    session.depth.steps += exemplar.steps;
    if (!withinSteps({ session }, spec.span)) return undefined;
    if (exemplar.training !== undefined) session.reads.at(-1)?.push({ kind: 'training', value: exemplar.training });
    const instance = empty(session, spec, place, overrides, new Map(exemplar.plain));
    instance.identity = exemplar.identity;
    return instance;
  }
  const { steps: before, reported } = session.depth;
  const { result: instance, training } = apart(session, () => whole(session, spec, place, overrides));
  if (instance && key !== undefined && reported === session.depth.reported) {
    const plain = new Map([...instance.statics].filter(([, value]) => !holdsModule(value)));
    const steps = session.depth.steps - before;
    session.shared.exemplars.set(key, { identity: instance.identity, plain, training, steps });
  }
  return instance;
}

function whole(session: Session, spec: Spec, place: Place, overrides: Overrides | undefined): Instance | undefined {
  const { decl, file } = spec;
  if (!declaredOf(session, decl, file).sound) return undefined;
  const instance = empty(session, spec, place, overrides, undefined);
  const { interfaces } = instance;
  const making = makings.get(instance)!;
  if (!hasNames(session, instance, making)) return undefined;
  for (const param of decl.params) if (!staticMember(session, instance, param.name.name)) return undefined;
  if (!checkWhere(session, instance, spec.span)) return undefined;
  for (const member of decl.members) {
    if (member.kind === 'static' || member.kind === 'field') staticMember(session, instance, member.name.name);
  }
  if (session.depth.endless || !checkPathsWithin(session, instance)) return undefined;
  const marks = `${trainingMark(session)}${evaluatedMark(session, place.path)}`;
  instance.identity = interned(session, `${identityOf(instance, making)}${marks}`);
  // What does not keep its promises would only fail again wherever they are relied on.
  const kept = interfaces.map((one) => checkInterface(session, instance, one.decl, one.file));
  return kept.every((one) => one) ? instance : undefined;
}

/** What of it looked at `training` while it was made is as one of the two has it: its methods are then of that one. */
function trainingMark({ reads }: Session): string {
  const read = reads.at(-1)?.find((one) => one.kind === 'training');
  return read ? `training(${read.value})` : '';
}

function checkWhere(session: Session, instance: Instance, span: Span): boolean {
  const body = moduleBody(session, instance);
  let sound = true;
  const found = conditions(body, instance.decl.where, (expr) => {
    sound = false;
    const names = instance.decl.params
      .map((p) => p.name.name)
      .filter((n) => new RegExp(`\\b${n}\\b`).test(session.program.text(expr.span)));
    const details = names.map((n) => `${n} is ${showStatic(instance.statics.get(n))}`);
    fail(
      body,
      'CROB2207',
      span,
      { clause: session.program.text(expr.span), what: instance.decl.name.name },
      {
        notes: [{ span: expr.span, text: 'required here' }],
        details,
      },
    );
  });
  for (const condition of found) {
    sound = false;
    fail(body, 'CROB2203', condition.span, { dim: session.program.text(condition.span) });
  }
  return sound;
}

/** Short names for identities: they are looked up at every call, and those of a backbone are long. */
function interned({ shared: { identities } }: Session, identity: string): string {
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
