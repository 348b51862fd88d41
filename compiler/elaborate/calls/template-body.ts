import type { Span } from '../../../grammar/span.ts';
import type { Expr } from '../../../grammar/tree.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import * as dims from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import { Builder } from '../../graphs/builder.ts';
import type { Node, NodeOf, Value } from '../../ir/graph.ts';
import { type Context, collecting, formAt, ownerKey, reading, unjudged } from '../context/context.ts';
import type {
  Condition,
  Given,
  GraphType,
  Instance,
  Read,
  Template,
  TemplateBody,
  TemplateParam,
  Val,
} from '../context/elaborated.ts';
import type { Faults } from '../context/faults.ts';
import { bindsToInstance, dependsOnTraining } from '../context/reads.ts';
import { DimScope, type GraphScope, graphBody, Locals, type Scope } from '../context/scope.ts';
import type { Shared } from '../context/store.ts';
import { flattenType, sameSignature, unflatten } from '../context/template.ts';
import { dimVal, error, keyOf, none } from '../context/values.ts';
import { fitResult } from '../eval/fit-result.ts';
import { rowNumbersOf } from '../eval/row-numbers.ts';
import { assumeAll, conditions, isDimType, isGraphType, ranksOf, resolveType, spreadKey } from '../eval/signature.ts';
import { run } from '../eval/statements.ts';
import { madeMember, readMember } from '../modules/members.ts';
import { fail } from '../report/report.ts';
import { hasUnparsed } from '../source/doubt.ts';
import { type Callee, calleeOf, failWithoutResult, placeKey, signatureScope } from './callee.ts';
import { offer, offered, type Replaced, readsTheSame } from './sharing.ts';

/** The maximum nesting depth of calls. */
export const callLimit = 128;

/**
 * Returns the template of a call, elaborated or cached; undefined if the signature is wrong. The template's faults
 * are reported at every call; duplicates are dropped later.
 */
export function templateFor(
  context: Context,
  callee: Callee,
  given: ReadonlyMap<string, Given>,
  span: Span,
): Template | undefined {
  // A declaration that is checked on its own is called at its own name.
  const isOfItself = span.start === callee.span.start && span.file === callee.span.file;
  // Faults of a signature depend on the arguments of this call.
  const refused = (faults: Faults) => {
    for (const fault of faults.values()) context.report(isOfItself ? fault : withCall(fault, callee, span));
  };
  const template = foundOrMade(context, callee, given, span, refused);
  for (const fault of template?.faults.values() ?? [])
    context.report(fault.span.file === span.file ? fault : withCall(fault, callee, span));
  return template;
}

/** Finds or makes the template. `refused` receives the faults of a signature, for which there is no template. */
function foundOrMade(
  outer: Context,
  callee: Callee,
  given: ReadonlyMap<string, Given>,
  span: Span,
  refused: (faults: Faults) => void,
): Template | undefined {
  const context = callee.self ? formAt(outer, callee.self.path) : outer;
  const { run } = context;
  const parts = callee.params.map((param) => {
    const value = given.get(param.name.name)?.value ?? none;
    if (isGraphType(param.type, callee.signature))
      return value.kind === 'none' ? 'none' : `T${shapeKey(value)}${spreadKey(param.type, value, callee.signature)}`;
    return isDimType(param.type) && value.kind !== 'none' ? `D${shapeKey(value)}` : keyOf(value);
  });
  const method = `${callee.file.id}:${callee.name}@${callee.span.start}(${parts.join(';')})`;
  const { self } = callee;
  const settledKey = self ? `${self.identity}|${method}` : method;
  // Below an `eval`, code that reads `training` evaluates differently than elsewhere in the same run.
  const key = context.training ? settledKey : `eval|${settledKey}`;
  const keys: Keys = { key, settledKey, bucket: self && `${self.file.id}:${self.decl.name.name}|${method}` };
  // A template of one instance has its place in its key; which templates these are is known when they are made.
  const known = run.templates.get(key) ?? (self && run.templates.get(placedKey(key, self)));
  if (known === 'under elaboration') {
    const notes = [{ span: callee.span, text: 'declared here' }];
    fail({ context }, 'CROB2206', span, { name: callee.what }, { notes });
    return undefined;
  }
  return (
    known ??
    run.store.settled.get(settledKey) ??
    (self && run.store.settled.get(placedKey(settledKey, self))) ??
    (self ? sharedTemplate(context, self, keys) : undefined) ??
    makeTemplate(context, callee, given, keys, refused)
  );
}

interface Keys {
  readonly key: string;
  /** Without the form, for a template that does not read `training`. */
  readonly settledKey: string;
  /** Of the method and its static arguments, for instances of the module that read the same; undefined for functions. */
  readonly bucket: string | undefined;
}

/** A key for templates that only one instance has. */
function placedKey(key: string, { path, source }: Instance): string {
  return `${key} of ${path} ${source}`;
}

/**
 * Returns the template of another instance of the module if all that its elaboration read is the same for this
 * instance, except for the callees.
 */
function sharedTemplate(context: Context, self: Instance, keys: Keys): Template | undefined {
  const { key, bucket } = keys;
  if (bucket === undefined) return undefined;
  for (const one of offered(context.run.store, bucket, (name) => madeMember(context, self, name))) {
    const replaced = readsTheSame(context, one, self, {
      member: (instance, name) => madeMember(context, instance, name),
      // Faults are reported by the caller.
      template: (instance, method, given) =>
        foundOrMade(context, calleeOf(instance, method), given, method.decl.name.span, () => undefined),
      place: (from, to) => placeKey({ self: from }, to),
      alike: (a, b) =>
        a.faults.size + b.faults.size === 0 && a.updatesBuffers === b.updatesBuffers && sameSignature(a, b),
    });
    if (!replaced) continue;
    const template = replaced.size === 0 ? one.template : withCalls(context, one, replaced, keys, self);
    context.run.templates.set(template.isOfOneInstance ? placedKey(key, self) : key, template);
    return template;
  }
  return undefined;
}

/** Returns a template with the same body and other callees: blocks that differ only in a rate are elaborated once. */
function withCalls(
  context: Context,
  one: Shared,
  replaced: Replaced,
  { key, settledKey }: Keys,
  self: Instance,
): Template {
  const { body } = one.template;
  const calls = body.calls.map((call, i) => ({ ...call, template: replaced.get(i) ?? call.template }));
  const readsTraining = one.reads.some(
    (read) =>
      read.kind === 'training' || (read.kind === 'call' && (replaced.get(read.at) ?? read.template).readsTraining),
  );
  const isOfOneInstance = calls.some((call) => call.template.isOfOneInstance);
  const own = isOfOneInstance ? placedKey(key, self) : key;
  const inside = { ...body, calls };
  const template: Template = {
    ...one.template,
    key: own,
    body: { ...inside, rowNumbers: rowNumbersOf(inside) },
    readsTraining,
    isOfOneInstance,
  };
  if (!readsTraining)
    context.run.store.settled.set(isOfOneInstance ? placedKey(settledKey, self) : settledKey, template);
  return template;
}

/** A key of the lengths and names in nested lists and tuples, on which loops and indices of a body depend. */
function shapeKey(value: Val): string {
  if (value.kind === 'list') return `[${value.items.map(shapeKey).join()}]`;
  if (value.kind === 'tuple') return `(${[...value.items].map(([name, item]) => `${name}${shapeKey(item)}`).join()})`;
  return value.kind === 'none' ? 'none' : '';
}

/** Adds a note about the call to a fault in a body in another file. */
function withCall(fault: Diagnostic, callee: Callee, span: Span): Diagnostic {
  return { ...fault, notes: [...fault.notes.slice(0, 2), { span, text: `${callee.what} is called here` }] };
}

function makeTemplate(
  outer: Context,
  callee: Callee,
  given: ReadonlyMap<string, Given>,
  { key, settledKey, bucket }: Keys,
  refused: (faults: Faults) => void,
): Template | undefined {
  const faults = new Map<string, Diagnostic>();
  const reads: Read[] = [];
  const context = reading(collecting(outer, faults), reads);
  const { run } = context;
  run.templates.set(key, 'under elaboration');
  const made = elaborate(context, callee, given, faults);
  if (!made) {
    run.templates.delete(key);
    refused(faults);
    return undefined;
  }
  const { params, dimParams, where, result, facts } = made.signature;
  const { body } = made;
  const { depth, operators, updatesBuffers } = totalsOf(body);
  if (depth === callLimit + 1 && faults.size === 0) failTooDeep({ context }, callee);
  const isOfOneInstance = callee.self !== undefined && reads.some(bindsToInstance);
  const own = callee.self && isOfOneInstance ? placedKey(key, callee.self) : key;
  const template: Template = {
    key: own,
    label: callee.what,
    span: callee.span,
    params,
    dimParams,
    where,
    result,
    facts,
    faults,
    body,
    readsTraining: reads.some(dependsOnTraining),
    isOfOneInstance,
    updatesBuffers,
    self: callee.self,
    reads,
    depth,
    operators,
  };
  const { readsTraining } = template;
  if (own !== key) run.templates.delete(key);
  run.templates.set(own, template);
  if (!readsTraining)
    run.store.settled.set(callee.self && isOfOneInstance ? placedKey(settledKey, callee.self) : settledKey, template);
  // Reads do not include failed calls, so a template with faults is not shared: another instance might succeed.
  if (bucket !== undefined && callee.self && faults.size === 0)
    offer(run.store, bucket, { template, self: callee.self, reads });
  return template;
}

/** The totals of a body and its calls. */
function totalsOf({ nodes, updates, calls }: TemplateBody): Pick<Template, 'depth' | 'operators' | 'updatesBuffers'> {
  let depth = 1;
  let operators = nodes.length;
  let updatesBuffers = updates.length > 0;
  for (const { template } of calls) {
    depth = Math.max(depth, 1 + template.depth);
    operators += 1 + template.operators;
    updatesBuffers ||= template.updatesBuffers;
  }
  return { depth, operators, updatesBuffers };
}

/**
 * Reports calls that nest too deeply, at one location per program: a chain that is much too long is too long from
 * many of its links.
 */
function failTooDeep(scope: Pick<Scope, 'context'>, callee: Callee): void {
  const { store } = scope.context.run;
  store.tooDeep ??= callee.span;
  fail(scope, 'CROB2225', store.tooDeep, { what: 'the nesting of calls', limit: callLimit });
}

interface Signature {
  readonly params: readonly TemplateParam[];
  readonly dimParams: readonly string[];
  readonly where: readonly Condition[];
  /** Whether `where` has all conditions of the source: none has an error. */
  readonly areAll: boolean;
  readonly result: GraphType;
  readonly facts: Facts;
}

/**
 * Elaborates the signature and the body of a callee for given static arguments; undefined if the signature is wrong.
 */
function elaborate(
  context: Context,
  callee: Callee,
  given: ReadonlyMap<string, Given>,
  faults: Faults,
): { readonly signature: Signature; readonly body: TemplateBody } | undefined {
  const base: Scope = { ...signatureScope(context, callee), dims: new DimScope(true) };
  const dimParams: string[] = [];
  const fresh = (value: Val, name: string): Val => {
    if (value.kind === 'none') return value;
    if (value.kind === 'list')
      return { kind: 'list', items: value.items.map((item, i) => fresh(item, `${name}[${i}]`)) };
    dimParams.push(name);
    const dim = dims.variable(name);
    base.dims.known.set(name, dim);
    return dimVal(dim);
  };
  for (const param of callee.params) {
    const value = given.get(param.name.name)?.value;
    if (!value || isGraphType(param.type, callee.signature)) continue;
    base.locals.declare(param.name.name, isDimType(param.type) ? fresh(value, param.name.name) : value);
  }
  const signature = resolveSignature(base, callee, given, dimParams);
  if (!signature) return undefined;
  // Without a condition that has an error, the body would need what the condition says.
  const isWhole = signature.areAll && !hasUnparsed(callee.file, callee.span);
  const inner = isWhole ? context : unjudged(context);
  return {
    signature,
    body: elaborateBody({ ...base, context: inner, facts: signature.facts }, callee, signature, faults),
  };
}

function resolveSignature(
  base: Scope,
  callee: Callee,
  given: ReadonlyMap<string, Given>,
  dimParams: readonly string[],
): Signature | undefined {
  // Conditions come first, since a parameter's own type (`H/4`) may depend on what the `where` establishes.
  const failedWhere = (expr: Expr) => {
    fail(base, 'CROB2207', expr.span, { clause: base.context.run.program.text(expr.span), what: callee.what });
  };
  const assumed = base.context.run.assumed.get(ownerKey(callee.span)) ?? [];
  const { found, areAll } = conditions(base, callee.where, failedWhere);
  const where = [...found, ...assumed.map((clause): Condition => ({ clause, span: callee.span, atSizes: false }))];
  const { facts, sound } = assumeAll(base, where);
  if (!sound) return undefined;
  const scope: Scope = { ...base, facts };
  const types = new Map<string, GraphType>();
  const params: TemplateParam[] = [];
  for (const param of callee.params) {
    const value = given.get(param.name.name)?.value;
    if (!value || !isGraphType(param.type, callee.signature)) continue;
    // The arguments determine the lengths of spreads.
    const type: GraphType | undefined =
      value.kind === 'none' ? { kind: 'none' } : resolveType(scope, param.type, types, ranksOf(value));
    if (!type) return undefined;
    types.set(param.name.name, type);
    params.push({ name: param.name.name, type, span: param.span });
  }
  const bound = new Set(dimParams);
  for (const { type, name } of params)
    for (const tensor of flattenType(type, name))
      for (const d of tensor.type.shape) {
        const variable = dims.asVariable(d);
        if (variable !== undefined) bound.add(variable);
      }
  for (const name of scope.dims.known.keys()) {
    if (bound.has(name)) continue;
    fail(scope, 'CROB2101', callee.span, { name, what: callee.what });
    return undefined;
  }
  scope.dims.open = false;
  const result = callee.result && resolveType(scope, callee.result, types);
  return result && { params, dimParams, where, areAll, result, facts };
}

/** `faults` are the faults collected so far. */
function elaborateBody(
  base: Scope,
  callee: Callee,
  { params, result: type, facts }: Signature,
  faults: Faults,
): TemplateBody {
  const { context } = base;
  const { budget } = context.run;
  const before = faults.size;
  const graph = graphBody(new Builder(facts));
  const scope: GraphScope = {
    ...base,
    file: callee.file,
    locals: new Locals(base.locals),
    graph,
    member: (name) => (callee.self ? readMember(scope, context, callee.self, name) : undefined),
  };
  const { build } = graph;
  const placeholders: Value[] = [];
  for (const param of params) {
    const value = unflatten(param.type, (tensor) => {
      build.origin = { span: param.span, path: '', label: `parameter ${param.name}` };
      const placeholder = build.input(`${placeholders.length}`, tensor);
      placeholders.push(placeholder);
      return placeholder;
    });
    scope.locals.declare(param.name, value);
  }
  budget.calls++;
  let result: Val | undefined;
  if (budget.calls > callLimit) failTooDeep(scope, callee);
  else result = callee.body && run(scope, callee.body);
  budget.calls--;
  if (result === undefined && faults.size === before) failWithoutResult(scope, callee);
  const at = scope.trace.result ?? callee.body?.span ?? callee.span;
  const fitted =
    result && faults.size === before
      ? fitResult(scope, result, type, at, `the result of ${callee.what}`, callee.result?.span)
      : error;
  const { calls, updates, named } = graph;
  const { nodes } = build;
  const inside = { placeholders, nodes, calls, result: fitted, updates, weights: nodes.filter(isWeight), named };
  return { ...inside, rowNumbers: rowNumbersOf(inside) };
}

function isWeight(node: Node): node is NodeOf<'weight'> {
  return node.op === 'weight';
}
