import type { Span } from '../../../grammar/span.ts';
import type { Expr } from '../../../grammar/tree.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import * as dims from '../../dims/dim.ts';
import { Facts } from '../../dims/facts.ts';
import { Builder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import { collecting, type Faults } from '../context/faults.ts';
import { sessionAt } from '../context/form.ts';
import { type Context, DimScope, Locals, type Scope } from '../context/scope.ts';
import { flattenType, type GraphType, sameSignature, type Template, unflatten } from '../context/template.ts';
import { dimVal, error, type Given, type Instance, keyOf, type Val } from '../context/values.ts';
import { fitResult } from '../eval/fit-result.ts';
import { assumeAll, conditions, isDimType, isGraphType, ranksOf, resolveType, spreadKey } from '../eval/signature.ts';
import { madeMember } from '../modules/members.ts';
import { fail } from '../report/report.ts';
import { type Callee, calleeOf, calleeScope, placeKey, placeOf } from './callee.ts';
import { offer, offered, type Read, type Replaced, readsTheSame, type Shared } from './sharing.ts';

/** What looks at `training`, in itself or below. */
const trainingTemplates = new WeakSet<Template>();

export function readsTraining(template: Template): boolean {
  return trainingTemplates.has(template);
}

export function dependsOnTraining(read: Read): boolean {
  return read.kind === 'training' || (read.kind === 'call' && readsTraining(read.template));
}

const updating = new WeakMap<Template, boolean>();

/** Whether a call of it changes buffers, its own or those of modules that it calls. */
export function updatesBuffers(template: Template): boolean {
  if (!template.body || !readsTraining(template)) return false;
  let known = updating.get(template);
  if (known === undefined) {
    known = template.body.updates.length > 0 || template.body.calls.some((call) => updatesBuffers(call.template));
    updating.set(template, known);
  }
  return known;
}

/** The template of a call. What is wrong with it is said at every call: who hears it twice drops it. */
export function templateFor(
  context: Context,
  callee: Callee,
  given: ReadonlyMap<string, Given>,
  span: Span,
): Template | undefined {
  const report = (faults: Faults) => {
    for (const fault of faults.values()) context.report(calledHere(fault, callee, span));
  };
  const template = foundOrMade(context, callee, given, span, report);
  if (template) report(template.faults);
  return template;
}

/** `refused` takes what is wrong with a signature, of which there is no template. */
function foundOrMade(
  outer: Context,
  callee: Callee,
  given: ReadonlyMap<string, Given>,
  span: Span,
  refused: (faults: Faults) => void,
): Template | undefined {
  const context = callee.self ? sessionAt(outer, callee.self.path) : outer;
  const parts = callee.params.map((param) => {
    const { value } = given.get(param.name.name)!;
    if (isGraphType(param.type))
      return value.kind === 'none' ? 'none' : `T${listShape(value)}${spreadKey(param.type, value)}`;
    if (isDimType(param.type)) return value.kind === 'list' ? `D${value.items.length}` : 'D';
    return keyOf(value);
  });
  const method = `${callee.file.file}:${callee.name}@${callee.span.start}(${parts.join(';')})`;
  const { self } = callee;
  // Below an `eval`, what looks at `training` comes out otherwise than elsewhere in the same context.
  const form = context.training ? '' : 'eval|';
  const key = self ? `${form}${self.identity}|${method}` : `${form}${method}`;
  const bucket = self && `${self.file.file}:${self.decl.name.name}|${method}`;
  const known =
    context.templates.get(key) ??
    context.shared.settled.get(key) ??
    (self && sharedTemplate(context, self, bucket!, key));
  if (known && !known.body) {
    // Its body is being elaborated: the call is inside of it.
    fail(
      { context },
      'CROB2206',
      span,
      { name: callee.what },
      { notes: [{ span: callee.span, text: 'declared here' }] },
    );
    return undefined;
  }
  return known ?? makeTemplate(context, callee, given, { key, bucket }, refused);
}

/** One of another instance of the module that looked at nothing in which the two differ, but for what it calls. */
function sharedTemplate(context: Context, self: Instance, bucket: string, key: string): Template | undefined {
  for (const one of offered(context.shared, bucket, (name) => madeMember(context, self, name))) {
    const replaced = readsTheSame(context, one, self, {
      member: (instance, name) => madeMember(context, instance, name),
      // Whoever calls it will hear what is wrong with it.
      template: (instance, method, given) =>
        foundOrMade(context, calleeOf(instance, method), given, method.decl.name.span, () => undefined),
      place: (from, to) => placeKey(placeOf({ self: from }, to)),
      alike: (a, b) => isSound(a) && isSound(b) && updatesBuffers(a) === updatesBuffers(b) && sameSignature(a, b),
    });
    if (!replaced) continue;
    const template = replaced.size === 0 ? one.template : withCalls(context, one, replaced, key);
    context.templates.set(key, template);
    return template;
  }
  return undefined;
}

function isSound({ body, faults }: Template): boolean {
  return body !== undefined && faults.size === 0;
}

/** The same body with other callees: blocks that differ in a rate alone are elaborated once. */
function withCalls(context: Context, one: Shared, replaced: Replaced, key: string): Template {
  const body = one.template.body!;
  const calls = body.calls.map((call, i) => ({ ...call, template: replaced.get(i) ?? call.template }));
  const template = { ...one.template, key, body: { ...body, calls } };
  const dependent = one.reads.some(
    (read) =>
      read.kind === 'training' || (read.kind === 'call' && readsTraining(replaced.get(read.at) ?? read.template)),
  );
  if (dependent) trainingTemplates.add(template);
  else context.shared.settled.set(key, template);
  return template;
}

function listShape(value: Val): string {
  return value.kind === 'list'
    ? `[${value.items.map(listShape).join()}]`
    : value.kind === 'tuple'
      ? `(${value.items.size})`
      : '';
}

/** Where a body fails that another file calls, the message names the call too. */
function calledHere(fault: Diagnostic, callee: Callee, span: Span): Diagnostic {
  if (fault.span.file === span.file) return fault;
  return { ...fault, notes: [...fault.notes.slice(0, 2), { span, text: `${callee.what} is called here` }] };
}

function makeTemplate(
  outer: Context,
  callee: Callee,
  given: ReadonlyMap<string, Given>,
  { key, bucket }: { readonly key: string; readonly bucket: string | undefined },
  refused: (faults: Faults) => void,
): Template | undefined {
  const faults = new Map<string, Diagnostic>();
  const context = collecting(outer, faults);
  const reads: Read[] = [];
  context.reads.push(reads);
  try {
    const template = elaborateTemplate(context, callee, given, key, faults);
    if (template) share(context, callee, key, bucket, template, reads);
    else refused(faults);
    return template;
  } finally {
    context.reads.pop();
  }
}

function share(
  context: Context,
  callee: Callee,
  key: string,
  bucket: string | undefined,
  template: Template,
  reads: readonly Read[],
): void {
  if (reads.some(dependsOnTraining)) trainingTemplates.add(template);
  else context.shared.settled.set(key, template);
  // A call that failed is not among what was read: another instance might do better.
  if (bucket === undefined || !callee.self || !isSound(template)) return;
  offer(context.shared, bucket, { template, self: callee.self, reads });
}

function elaborateTemplate(
  context: Context,
  callee: Callee,
  given: ReadonlyMap<string, Given>,
  key: string,
  faults: Faults,
): Template | undefined {
  const base = calleeScope(context, callee);
  const dimScope = new DimScope(true);
  const scope: Scope = { ...base, dims: dimScope, member: base.member, build: new Builder(Facts.none) };
  const dimParams: string[] = [];
  for (const param of callee.params) {
    const { value } = given.get(param.name.name)!;
    if (isGraphType(param.type)) continue;
    const fresh = (v: Val, name: string): Val => {
      if (v.kind === 'list') return { kind: 'list', items: v.items.map((item, i) => fresh(item, `${name}[${i}]`)) };
      dimParams.push(name);
      const dim = dims.variable(name);
      dimScope.known.set(name, dim);
      return dimVal(dim);
    };
    scope.locals.declare(param.name.name, isDimType(param.type) ? fresh(value, param.name.name) : value);
  }
  const signature = resolveSignature(scope, callee, given);
  if (!signature) return undefined;
  const { params, where, result } = signature;
  const template: Template = {
    key,
    label: callee.what,
    span: callee.span,
    params,
    dimParams,
    where,
    result,
    facts: scope.facts,
    faults,
    body: undefined,
  };
  context.templates.set(key, template);
  elaborateBody(context, callee, scope, template);
  return template;
}

function resolveSignature(scope: Scope, callee: Callee, given: ReadonlyMap<string, Given>) {
  const types = new Map<string, GraphType>();
  // Spreads are as long as the arguments make them, so parameters come first, without the facts of `where`;
  // what a `where` must establish for a parameter's own type (`H/4`) is decided with it, so `where` comes first of all
  // when it names no spread.
  const failedWhere = (expr: Expr) => {
    fail(scope, 'CROB2207', expr.span, { clause: scope.context.program.text(expr.span), what: callee.what });
  };
  const where = conditions(scope, callee.where, failedWhere);
  if (!assumeAll(scope, where)) return undefined;
  (scope as { build: Builder }).build = new Builder(scope.facts);
  const params: { name: string; type: GraphType; span: Span }[] = [];
  for (const param of callee.params) {
    if (!isGraphType(param.type)) continue;
    const { value } = given.get(param.name.name)!;
    const type: GraphType | undefined =
      value.kind === 'none' ? { kind: 'none' } : resolveType(scope, param.type, types, ranksOf(value));
    if (!type) return undefined;
    types.set(param.name.name, type);
    params.push({ name: param.name.name, type, span: param.span });
  }
  const bound = new Set<string>();
  for (const param of params) {
    for (const { type } of flattenType(param.type, param.name)) {
      for (const d of type.shape) {
        const variable = dims.asVariable(d);
        if (variable) bound.add(variable);
      }
    }
  }
  for (const name of scopeDimParams(callee)) bound.add(name);
  for (const name of scope.dims.known.keys()) {
    if (
      bound.has(name) ||
      callee.params.some((param) => name === param.name.name || name.startsWith(`${param.name.name}[`))
    )
      continue;
    fail(scope, 'CROB2101', callee.span, { name, what: callee.what });
    return undefined;
  }
  scope.dims.open = false;
  const result = resolveType(scope, callee.result!, types);
  return result && { params, where, result };
}

function scopeDimParams(callee: Callee): string[] {
  return callee.params.filter((param) => isDimType(param.type)).map((param) => param.name.name);
}

function elaborateBody(context: Context, callee: Callee, scope: Scope, template: Template): void {
  const build = scope.build!;
  const before = template.faults.size;
  const isRight = () => template.faults.size === before;
  const linked: Scope = {
    ...scope,
    locals: new Locals(scope.locals),
    member: (name) => (callee.self ? context.interpreter.member(linked, linked.context, callee.self, name) : undefined),
  };
  const placeholders: Value[] = [];
  for (const param of template.params) {
    const value = unflatten(param.type, (type) => {
      build.origin = { span: param.span, path: '', label: `parameter ${param.name}` };
      const placeholder = build.input(`${placeholders.length}`, type);
      placeholders.push(placeholder);
      return placeholder;
    });
    linked.locals.declare(param.name, value);
  }
  context.depth.calls++;
  let result: Val | undefined;
  if (context.depth.calls > 128) fail(linked, 'CROB2225', callee.span, { what: 'the nesting of calls', limit: 128 });
  else result = callee.body && context.interpreter.run(linked, callee.body);
  context.depth.calls--;
  if (result === undefined && isRight()) fail(linked, 'CROB2213', callee.span, { name: callee.what });
  const fitted =
    result && isRight()
      ? fitResult(
          linked,
          result,
          template.result,
          linked.trace.result ?? callee.body!.span,
          `the result of ${callee.what}`,
        )
      : error;
  template.body = {
    placeholders,
    nodes: build.nodes,
    calls: linked.calls,
    result: fitted,
    updates: linked.updates,
  };
}
