import type { Span } from '../../../grammar/span.ts';
import type { Expr, InterfaceDecl } from '../../../grammar/tree.ts';
import { type Context, evaluatedMark, formAt, trainingSeen } from '../context/context.ts';
import type { Instance, Overrides, Spec, Val } from '../context/elaborated.ts';
import { childPath, type Place } from '../context/paths.ts';
import { showStatic } from '../context/show-value.ts';
import { error, keyOf } from '../context/values.ts';
import { conditions } from '../eval/signature.ts';
import { definitions, siteIn } from '../report/definitions.ts';
import { withinSteps } from '../report/limits.ts';
import { fail } from '../report/report.ts';
import { interfacesOf } from '../source/interfaces-of.ts';
import { declaredOf } from './declared.ts';
import { holdsModule, holdsSpec, makeApart, newInstance } from './instance.ts';
import { checkInterface } from './interfaces.ts';
import { moduleScope, staticMember } from './members.ts';
import { hasNames } from './overrides.ts';
import { checkPathsWithin } from './weight-paths.ts';

/** The maximum nesting depth of modules. A module that contains itself is detected earlier, by its repetition. */
const depthLimit = 64;

export function instantiate(
  context: Context,
  spec: Spec,
  place: Place,
  overrides: Overrides | undefined,
): Instance | undefined {
  const { decl, file } = spec;
  const stack = context.run.budget.constructions;
  const self = `${file.id}:${decl.name.name}`;
  const notes = [{ span: decl.name.span, text: 'declared here' }];
  if (stack.filter((entry) => entry === self).length >= 8) {
    context.run.budget.endless = true;
    fail({ context }, 'CROB2205', spec.span, { name: decl.name.name }, { notes });
    return undefined;
  }
  if (stack.length >= depthLimit) {
    context.run.budget.endless = true;
    fail({ context }, 'CROB2225', spec.span, { what: 'the nesting of modules', limit: depthLimit }, { notes });
    return undefined;
  }
  // A module costs about as many steps as this number of expressions.
  context.run.budget.steps += 50;
  stack.push(self);
  try {
    return construct(formAt(context, place.path), spec, place, overrides);
  } finally {
    stack.pop();
    if (stack.length === 0) context.run.budget.endless = false;
  }
}

function construct(context: Context, spec: Spec, place: Place, overrides: Overrides | undefined): Instance | undefined {
  const { decl } = spec;
  const { budget, store } = context.run;
  // The effect of an `eval` on a module depends on its path.
  const isPlain = (overrides === undefined || overrides.below.size === 0) && context.evaluated.length === 0;
  const exemplar = isPlain ? store.exemplars.get(spec.key) : undefined;
  if (exemplar && (exemplar.training ?? context.training) === context.training) {
    budget.steps += exemplar.steps;
    if (!withinSteps({ context }, spec.span)) return undefined;
    if (exemplar.training !== undefined) context.reads.push({ kind: 'training', value: exemplar.training });
    for (const one of exemplar.constructed) store.constructed.add(one);
    const instance = newInstance(context, spec, place, { overrides, shadow: false, plain: exemplar.plain });
    instance.identity = exemplar.identity;
    return instance;
  }
  const before = budget.steps;
  const around = store.constructed;
  const constructed = new Set([decl]);
  store.constructed = constructed;
  const { result, training, sound } = makeApart(context, (inner) => constructWhole(inner, spec, place, overrides));
  store.constructed = around;
  for (const one of constructed) around.add(one);
  if (result && isPlain && sound) {
    // Parts depend on paths, and modules to be constructed have the spans of their owner's arguments.
    const plain = new Map([...result.statics].filter(([, value]) => !holdsModule(value) && !holdsSpec(value)));
    const steps = budget.steps - before;
    store.exemplars.set(spec.key, { identity: result.identity, plain, training, steps, constructed });
  }
  return result;
}

/**
 * Constructs an instance with all its parts, and checks its conditions and its interfaces; undefined after a report.
 */
function constructWhole(
  context: Context,
  spec: Spec,
  place: Place,
  overrides: Overrides | undefined,
): Instance | undefined {
  const { decl, file } = spec;
  if (!declaredOf(context, decl, file).sound) return undefined;
  const instance = newInstance(context, spec, place, { overrides, shadow: false });
  if (!hasNames(context, instance)) return undefined;
  for (const param of decl.params) if (!staticMember(context, instance, param.name.name)) return undefined;
  if (!checkWhere(context, instance, spec.span)) return undefined;
  for (const member of decl.members) {
    if (member.kind === 'static' || member.kind === 'field') staticMember(context, instance, member.name.name);
  }
  if (context.run.budget.endless || !checkPathsWithin(context, instance)) return undefined;
  const marks = `${trainingMark(context)}${evaluatedMark(context, place.path)}`;
  instance.identity = interned(context, `${identityOf(instance)}${marks}`);
  // Code that relies on a broken interface would only fail again.
  const broken = new Set<InterfaceDecl>();
  for (const one of instance.declared.interfaces) {
    const relies = interfacesOf(one.decl, one.file).some((included) => broken.has(included.decl));
    if (relies || !checkInterface(context, instance, one)) broken.add(one.decl);
  }
  return broken.size === 0 ? instance : undefined;
}

/** The part of an identity for instances whose construction read `training`: their methods depend on its value. */
function trainingMark({ reads }: Context): string {
  const seen = trainingSeen(reads);
  return seen === undefined ? '' : `training(${seen})`;
}

/**
 * The documentation of the function that a condition calls, since `are_stages(stages)` alone does not explain the
 * problem.
 */
function conditionDocs({ file }: Instance, expr: Expr): string | undefined {
  const name = expr.kind === 'call' && expr.callee.kind === 'name' ? expr.callee.name : undefined;
  const found = name === undefined ? undefined : file.lookup(name)?.decl;
  const docs = found?.kind === 'fn' ? found.docs.join(' ').trim().replace(/\.$/, '') : '';
  return docs === '' ? undefined : `${docs.charAt(0).toLowerCase()}${docs.slice(1)}`;
}

function checkWhere(context: Context, instance: Instance, span: Span): boolean {
  const scope = moduleScope(context, instance);
  let sound = true;
  const { found } = conditions(scope, instance.decl.where, (expr) => {
    sound = false;
    const names = instance.decl.params
      .map((p) => p.name.name)
      .filter((n) => new RegExp(`\\b${n}\\b`).test(context.run.program.text(expr.span)));
    const values = names.map((n) => `${n} is ${showStatic(instance.statics.get(n))}`);
    const details = [...values, ...definitions(scope, [siteIn(scope, expr.span)])];
    fail(
      scope,
      'CROB2207',
      span,
      { clause: context.run.program.text(expr.span), what: instance.decl.name.name },
      {
        notes: [{ span: expr.span, text: 'required here' }],
        details,
        help: conditionDocs(instance, expr),
      },
    );
  });
  for (const condition of found) {
    sound = false;
    fail(scope, 'CROB2203', condition.span, { dim: context.run.program.text(condition.span) });
  }
  return sound;
}

/** Returns a short name for an identity: identities are looked up at every call, and those of a backbone are long. */
function interned({ run }: Context, identity: string): string {
  const { identities } = run.store;
  let short = identities.get(identity);
  if (short === undefined) {
    short = `#${identities.size}`;
    identities.set(identity, short);
  }
  return short;
}

/** Parts that the instance owns are identified by their identities, shared instances by their paths. */
function identityOf(instance: Instance): string {
  const owned = (value: Val): string => {
    if (value.kind === 'instance' && value.instance.path.startsWith(childPath(instance.path, '')))
      return `!${value.instance.identity}`;
    if (value.kind === 'list') return `[${value.items.map(owned).join()}]`;
    return keyOf(value);
  };
  const { params, members } = instance.declared;
  const named = [...params.keys()].map((name) => `${name}=${owned(instance.statics.get(name) ?? error)}`);
  const changed: string[] = [];
  for (const member of members.values()) {
    if (member.kind !== 'field' || !instance.overrides?.below.has(member.name.name)) continue;
    changed.push(`${member.name.name}=${owned(instance.fields.get(member.name.name) ?? error)}`);
  }
  return `${instance.file.id}:${instance.decl.name.name}(${named.join()})${changed.length ? `{${changed.join()}}` : ''}`;
}
