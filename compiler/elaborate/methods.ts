import type { Span } from '../../grammar/span.ts';
import type { Block, Expr, FnDecl, Param, Type } from '../../grammar/tree.ts';
import type { Note } from '../diagnostics/diagnostic.ts';
import type { Dim } from '../dims/dim.ts';
import * as dims from '../dims/dim.ts';
import { Facts } from '../dims/facts.ts';
import { Builder } from '../ir/builder.ts';
import type { Value } from '../ir/graph.ts';
import { fitStatic, matchArgs } from './arguments.ts';
import { type Body, type CallArgs, DimScope, fileBody, Locals, type Session } from './body.ts';
import { madeMember, overriddenAt } from './construct.ts';
import type { FileScope } from './program.ts';
import { axisWord, provenance, showShape } from './provenance.ts';
import {
  addWhere,
  argText,
  counted,
  fail,
  failing,
  requireClause,
  requireEqual,
  settlingText,
  shownClause,
  showType,
} from './report.ts';
import { type Read, readsTheSame } from './sharing.ts';
import { conditions, isDimType, isGraphType, ranksOf, resolveType, spreadKey, substituteClause } from './signature.ts';
import {
  type Call,
  type Condition,
  flatten,
  flattenType,
  type GraphType,
  mapTypes,
  type Template,
  unflatten,
} from './template.ts';
import {
  describe,
  dimVal,
  error,
  type Given,
  hasError,
  type Instance,
  keyOf,
  type Method,
  none,
  type Val,
} from './values.ts';

/** What is called: a method of an instance, or a function. */
interface Callee {
  readonly name: string;
  readonly what: string;
  readonly params: readonly Param[];
  readonly result: Type | undefined;
  readonly where: readonly Expr[];
  readonly body: Block | undefined;
  readonly span: Span;
  readonly file: FileScope;
  readonly self: Instance | undefined;
  readonly method: Method | undefined;
}

export function callMethod(body: Body, instance: Instance, method: Method, args: CallArgs, span: Span): Val {
  return call(body, calleeOf(instance, method), args, span);
}

function calleeOf(instance: Instance, method: Method): Callee {
  const { decl, file } = method;
  const what = decl.name.name === 'forward' ? instance.decl.name.name : `${instance.decl.name.name}.${decl.name.name}`;
  return {
    name: decl.name.name,
    what,
    params: decl.params,
    result: decl.result,
    where: decl.where,
    body: decl.body,
    span: decl.name.span,
    file,
    self: instance,
    method,
  };
}

export function callFunction(body: Body, decl: FnDecl, file: FileScope, args: CallArgs, span: Span): Val {
  return call(
    body,
    {
      name: decl.name.name,
      what: decl.name.name,
      params: decl.params,
      result: decl.result,
      where: decl.where,
      body: decl.body,
      span: decl.name.span,
      file,
      self: undefined,
      method: undefined,
    },
    args,
    span,
  );
}

function call(body: Body, callee: Callee, args: CallArgs, span: Span): Val {
  const { session } = body;
  const matched = matchArgs(session, callee.what, callee.params, args, span, callee.span);
  if (!matched) return error;
  if ([...matched.values()].some((given) => hasError(given.value))) return error;
  const inside = calleeBody(session, callee);
  const given = new Map<string, Given>();
  let sound = true;
  for (const param of callee.params) {
    const name = param.name.name;
    const own = matched.get(name) ?? { value: session.interpreter.evaluate(inside, param.value!), span };
    const fitted = isGraphType(param.type)
      ? graphArg(body, callee, param, own)
      : fitStatic(inside, own.value, param.type, own.span, param.span, callee.file);
    if (!fitted || fitted.kind === 'error') {
      sound = false;
      continue;
    }
    given.set(name, { value: fitted, span: own.span });
    inside.locals.declare(name, fitted);
  }
  if (!sound) return error;
  const isStatic = callee.result === undefined && !callee.params.some((param) => isGraphType(param.type));
  if (isStatic && !callee.self) return callStatic(body, callee, given, span);
  if (!callee.result || isStaticType(callee.result)) {
    if (callee.result) return callStatic(body, callee, given, span);
    return fail(
      body,
      'CROB2219',
      span,
      { name: callee.what },
      { notes: [{ span: callee.span, text: 'declared here' }] },
    );
  }
  if (!body.build) return fail(body, 'CROB2208', span, { what: `a call of ${callee.what}` });
  const template = templateFor(session, callee, given, span);
  if (!template) return error;
  recordCall(body, callee, given, template);
  return apply(body, callee, template, given, args, span);
}

/** Functions that look at `training`, in themselves or below. */
const trainingFunctions = new WeakSet<Template>();

function recordCall(body: Body, callee: Callee, given: ReadonlyMap<string, Given>, template: Template): void {
  const { session } = body;
  const reads = session.reads.at(-1);
  if (!reads) return;
  // A module handed in as a value is one certain module.
  if ([...given.values()].some(({ value }) => holdsModule(value))) reads.push({ kind: 'exact' });
  if (callee.self && callee.method) {
    reads.push({
      kind: 'call',
      instance: callee.self,
      method: callee.method,
      given,
      place: placeKey(placeOf(body, callee.self)),
      template,
    });
  } else if (trainingFunctions.has(template)) {
    reads.push({ kind: 'training', value: session.training });
  }
}

function holdsModule(value: Val): boolean {
  return (
    value.kind === 'instance' || value.kind === 'method' || (value.kind === 'list' && value.items.some(holdsModule))
  );
}

function isStaticType(type: Type): boolean {
  return type.kind === 'named-type' || type.kind === 'list-type';
}

/** A tensor argument: a number or dim becomes a scalar of the declared dtype. */
function graphArg(body: Body, callee: Callee, param: Param, given: Given): Val {
  const { value, span } = given;
  const optional = param.type.kind === 'tensor-type' && param.type.optional;
  if (value.kind === 'none') {
    if (optional) return none;
    return fail(body, 'CROB2201', span, {
      expected: `a tensor for \`${param.name.name}\` of ${callee.what}`,
      actual: 'none',
    });
  }
  const isList = param.type.kind === 'pyramid-type' || param.type.kind === 'sequence-type';
  if (isList && value.kind === 'list') return value;
  if (!isList && value.kind === 'tensor') return value;
  if (param.type.kind === 'typeof-type' || (param.type.kind === 'tuple-type' && value.kind === 'tuple')) return value;
  return fail(
    body,
    'CROB2201',
    span,
    {
      expected: `${isList ? 'a list of tensors' : 'a tensor'} for \`${param.name.name}\` of ${callee.what}`,
      actual: describe(value),
    },
    {
      notes: [{ span: param.span, text: 'declared here' }],
    },
  );
}

/** A function of statics runs in place. */
function callStatic(body: Body, callee: Callee, given: ReadonlyMap<string, Given>, span: Span): Val {
  const { session } = body;
  if (session.depth.calls >= 128) return fail(body, 'CROB2206', span, { name: callee.what });
  session.depth.calls++;
  try {
    const inside: Body = { ...calleeBody(session, callee), dims: body.dims, facts: body.facts };
    for (const [name, { value }] of given) inside.locals.declare(name, value);
    const result = callee.body && session.interpreter.run(inside, callee.body);
    return result ?? fail(body, 'CROB2213', callee.span, { name: callee.what });
  } finally {
    session.depth.calls--;
  }
}

function calleeBody(session: Session, callee: Callee): Body {
  const { self } = callee;
  const body: Body = {
    ...fileBody(session, callee.file),
    owner: { what: self ? `${self.decl.name.name}.${callee.name}` : `fn ${callee.name}`, span: callee.span },
    self,
    member: (name) => (self ? session.interpreter.member(body, session, self, name) : undefined),
    memberNames: () => (self ? [...self.statics.keys(), ...self.fields.keys(), ...self.methods.keys()] : []),
  };
  return body;
}

function templateFor(
  session: Session,
  callee: Callee,
  given: ReadonlyMap<string, Given>,
  span: Span,
): Template | undefined {
  const parts = callee.params.map((param) => {
    const { value } = given.get(param.name.name)!;
    if (isGraphType(param.type))
      return value.kind === 'none' ? 'none' : `T${listShape(value)}${spreadKey(param.type, value)}`;
    if (isDimType(param.type)) return value.kind === 'list' ? `D${value.items.length}` : 'D';
    return keyOf(value);
  });
  const method = `${callee.file.file}:${callee.name}@${callee.span.start}(${parts.join(';')})`;
  const { self } = callee;
  const key = self ? `${self.identity}|${method}` : method;
  const known =
    session.templates.get(key) ??
    (self && sharedTemplate(session, self, `${self.file.file}:${self.decl.name.name}|${method}`, key));
  if (known && !known.body) {
    // Its body is being elaborated: the call is inside of it.
    fail(
      { session },
      'CROB2206',
      span,
      { name: callee.what },
      { notes: [{ span: callee.span, text: 'declared here' }] },
    );
    return undefined;
  }
  return (
    known ??
    makeTemplate(session, callee, given, key, self && `${self.file.file}:${self.decl.name.name}|${method}`, span)
  );
}

/** One of another instance of the module that looked at nothing in which the two differ. */
function sharedTemplate(session: Session, self: Instance, bucket: string, key: string): Template | undefined {
  const found = session.shared.get(bucket)?.find((one) =>
    readsTheSame(session, one, self, {
      member: (instance, name) => madeMember(session, instance, name),
      template: (instance, method, given) =>
        templateFor(session, calleeOf(instance, method), given, method.decl.name.span),
      place: (from, to) => placeKey(placeOf({ self: from }, to)),
    }),
  );
  if (found) session.templates.set(key, found.template);
  return found?.template;
}

function placeKey({ path, absolute }: { path: string; absolute: boolean }): string {
  return `${absolute ? '/' : ''}${path}`;
}

function listShape(value: Val): string {
  return value.kind === 'list'
    ? `[${value.items.map(listShape).join()}]`
    : value.kind === 'tuple'
      ? `(${value.items.size})`
      : '';
}

/** Where a body fails that another file calls, the message names the call too, and what a variant changed in it. */
function blaming(session: Session, callee: Callee, span: Span): Session {
  const override = callee.self && overriddenAt(callee.self);
  return {
    ...session,
    report(d) {
      const more: Note[] = [];
      if (d.span.file !== span.file) more.push({ span, text: `${callee.what} is called here` });
      if (override && !d.notes.some((note) => note.span === override))
        more.push({ span: override, text: 'its parts are set here' });
      session.report(more.length === 0 ? d : { ...d, notes: [...d.notes.slice(0, 3 - more.length), ...more] });
    },
  };
}

function makeTemplate(
  outer: Session,
  callee: Callee,
  given: ReadonlyMap<string, Given>,
  key: string,
  bucket: string | undefined,
  span: Span,
): Template | undefined {
  const session = blaming(outer, callee, span);
  const reads: Read[] = [];
  session.reads.push(reads);
  try {
    const template = elaborateTemplate(session, callee, given, key);
    if (template && !callee.self && reads.some((read) => read.kind === 'training')) trainingFunctions.add(template);
    if (template && bucket !== undefined) {
      const shared = session.shared.get(bucket) ?? [];
      shared.push({ template, self: callee.self!, reads });
      session.shared.set(bucket, shared);
    }
    return template;
  } finally {
    session.reads.pop();
  }
}

function elaborateTemplate(
  session: Session,
  callee: Callee,
  given: ReadonlyMap<string, Given>,
  key: string,
): Template | undefined {
  const base = calleeBody(session, callee);
  const scope = new DimScope(true);
  const body: Body = { ...base, dims: scope, member: base.member, build: new Builder(Facts.none) };
  const dimParams: string[] = [];
  for (const param of callee.params) {
    const { value } = given.get(param.name.name)!;
    if (isGraphType(param.type)) continue;
    const fresh = (v: Val, name: string): Val => {
      if (v.kind === 'list') return { kind: 'list', items: v.items.map((item, i) => fresh(item, `${name}[${i}]`)) };
      dimParams.push(name);
      const dim = dims.variable(name);
      scope.known.set(name, dim);
      return dimVal(dim);
    };
    body.locals.declare(param.name.name, isDimType(param.type) ? fresh(value, param.name.name) : value);
  }
  const signature = resolveSignature(body, callee, given);
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
    facts: body.facts,
    body: undefined,
  };
  session.templates.set(key, template);
  elaborateBody(session, callee, body, template);
  return template;
}

function resolveSignature(body: Body, callee: Callee, given: ReadonlyMap<string, Given>) {
  const types = new Map<string, GraphType>();
  // Spreads are as long as the arguments make them, so parameters come first, without the facts of `where`;
  // what a `where` must establish for a parameter's own type (`H/4`) is decided with it, so `where` comes first of all
  // when it names no spread.
  const failedWhere = (expr: Expr) => {
    fail(body, 'CROB2207', expr.span, { clause: body.session.program.text(expr.span), what: callee.what });
  };
  const where = conditions(body, callee.where, failedWhere);
  for (const condition of where) body.facts = body.facts.assume(condition.clause);
  (body as { build: Builder }).build = new Builder(body.facts);
  const params: { name: string; type: GraphType; span: Span }[] = [];
  for (const param of callee.params) {
    if (!isGraphType(param.type)) continue;
    const { value } = given.get(param.name.name)!;
    const type: GraphType | undefined =
      value.kind === 'none' ? { kind: 'none' } : resolveType(body, param.type, types, ranksOf(value));
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
  for (const name of body.dims.known.keys()) {
    if (
      bound.has(name) ||
      callee.params.some((param) => name === param.name.name || name.startsWith(`${param.name.name}[`))
    )
      continue;
    fail(body, 'CROB2101', callee.span, { name, what: callee.what });
    return undefined;
  }
  body.dims.open = false;
  const result = resolveType(body, callee.result!, types);
  return result && { params, where, result };
}

function scopeDimParams(callee: Callee): string[] {
  return callee.params.filter((param) => isDimType(param.type)).map((param) => param.name.name);
}

function elaborateBody(session: Session, callee: Callee, body: Body, template: Template): void {
  const build = body.build!;
  let errors = 0;
  const inner: Body = {
    ...body,
    locals: new Locals(body.locals),
    session: {
      ...session,
      report: (d) => {
        if (d.severity === 'error') errors++;
        session.report(d);
      },
    },
  };
  const linked: Body = {
    ...inner,
    member: (name) => (callee.self ? session.interpreter.member(linked, linked.session, callee.self, name) : undefined),
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
  if (!callee.body) {
    fail(linked, 'CROB2218', callee.span, {
      name: callee.self?.decl.name.name ?? callee.what,
      missing: `the method ${callee.name}`,
      interface: callee.what,
    });
  }
  session.depth.calls++;
  let result: Val | undefined;
  if (session.depth.calls > 128) fail(linked, 'CROB2206', callee.span, { name: callee.what });
  else result = callee.body && session.interpreter.run(linked, callee.body);
  session.depth.calls--;
  if (result === undefined && errors === 0) fail(linked, 'CROB2213', callee.span, { name: callee.what });
  const fitted =
    result && errors === 0
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
    sound: errors === 0,
  };
}

/** The returned value against the declared type; shapes must be proved equal. */
export function fitResult(body: Body, value: Val, type: GraphType, span: Span, what: string): Val {
  if (value.kind === 'error') return error;
  if (type.kind === 'list' && value.kind === 'list') {
    if (value.items.length !== type.items.length) {
      return fail(body, 'CROB2102', span, {
        what,
        expected: counted(type.items.length, 'tensor'),
        actual: String(value.items.length),
      });
    }
    return {
      kind: 'list',
      items: value.items.map((item, i) => fitResult(body, item, type.items[i]!, span, `${what}[${i}]`)),
    };
  }
  if (type.kind === 'tuple' && value.kind === 'tuple') {
    const items = new Map<string, Val>();
    for (const [name, item] of type.items) {
      const given = value.items.get(name);
      if (!given) return fail(body, 'CROB2005', span, { name, what });
      items.set(name, fitResult(body, given, item, span, `${what}.${name}`));
    }
    return { kind: 'tuple', items };
  }
  if (type.kind !== 'tensor' || value.kind !== 'tensor') {
    return fail(body, 'CROB2201', span, {
      expected: `${type.kind === 'tensor' ? 'a tensor' : `a ${type.kind}`} as ${what}`,
      actual: describe(value),
    });
  }
  const actual = value.value.type;
  if (actual.dtype !== type.type.dtype) {
    return fail(
      body,
      'CROB2103',
      span,
      { what: `give this as ${what}`, left: showType(actual, body.facts), right: showType(type.type, body.facts) },
      {
        help: conversion(actual.dtype, type.type.dtype, shortText(body, span)),
      },
    );
  }
  const tensors = [{ name: 'value   ', value: value.value }];
  const declared = `declared : ${showShape(type.type, body.facts)}`;
  if (actual.shape.length !== type.type.shape.length) {
    return fail(
      body,
      'CROB2102',
      span,
      { what, expected: counted(type.type.shape.length, 'axis'), actual: String(actual.shape.length) },
      {
        details: [...provenance(body, tensors), declared],
      },
    );
  }
  const same = actual.shape.every((d, i) =>
    requireEqual(
      body,
      d,
      type.type.shape[i]!,
      span,
      `${what} is not as declared: ${axisWord(actual.shape, i, d, type.type.shape[i]!)}`,
      { tensors, details: [declared] },
    ),
  );
  return same ? value : error;
}

function declaredAt(span: Span): { span: Span; text: string }[] {
  return [{ span, text: 'the parameter is declared here' }];
}

/** No dtype turns into another by itself; those inside a graph have functions that do it. */
function shortText(body: Body, span: Span): string {
  const text = body.session.program.text(span);
  return text.length > 24 || text.includes('\n') ? '…' : text;
}

function conversion(from: string, to: string, name: string): string | undefined {
  return from !== to && ['f32', 'i32', 'bool'].includes(to) ? `convert it: ${to}(${name})` : undefined;
}

function apply(
  body: Body,
  callee: Callee,
  template: Template,
  given: ReadonlyMap<string, Given>,
  args: CallArgs,
  span: Span,
): Val {
  const bound = new Map<string, Dim>();
  const values: Value[] = [];
  const checks: {
    declared: Dim;
    actual: Dim;
    axis: number;
    what: string;
    value: Value;
    name: string;
    span: Span;
    param: Span;
  }[] = [];
  for (const param of callee.params) {
    if (!isDimType(param.type)) continue;
    const { value, span: at } = given.get(param.name.name)!;
    if (!bindDims(body, value, param.name.name, bound, at)) return error;
  }
  for (const param of template.params) {
    const { value, span: at } = given.get(param.name)!;
    const arg = args.source.find((a) => a.value.span === at)?.value;
    const name = argText(body, arg);
    const types = flattenType(param.type, param.name);
    const tensors = flatten(value);
    if (types.length !== tensors.length) {
      return fail(
        body,
        'CROB2102',
        at,
        {
          what: `\`${param.name}\` of ${callee.what}`,
          expected: counted(types.length, 'tensor'),
          actual: String(tensors.length),
        },
        {
          notes: declaredAt(param.span),
        },
      );
    }
    for (const [i, { name: part, type }] of types.entries()) {
      const actual = tensors[i]!;
      values.push(actual);
      if (actual.type.dtype !== type.dtype) {
        return fail(
          body,
          'CROB2103',
          at,
          {
            what: `pass \`${name}\` as \`${part}\` of ${callee.what}`,
            left: showType(actual.type, body.facts),
            right: type.dtype,
          },
          {
            notes: declaredAt(param.span),
            help: conversion(actual.type.dtype, type.dtype, name),
          },
        );
      }
      if (actual.type.shape.length !== type.shape.length) {
        return fail(
          body,
          'CROB2102',
          at,
          {
            what: `\`${part}\` of ${callee.what}`,
            expected: counted(type.shape.length, 'axis'),
            actual: String(actual.type.shape.length),
          },
          {
            notes: declaredAt(param.span),
            details: [...provenance(body, [{ name, value: actual }])],
          },
        );
      }
      for (const [axis, declared] of type.shape.entries()) {
        const variable = dims.asVariable(declared);
        const size = actual.type.shape[axis]!;
        if (variable && !bound.has(variable)) bound.set(variable, size);
        else
          checks.push({
            declared,
            actual: size,
            axis,
            what: `cannot pass \`${name}\` as \`${part}\` of ${callee.what}:`,
            value: actual,
            name,
            span: at,
            param: param.span,
          });
      }
    }
  }
  for (const check of checks) {
    const expected = dims.substitute(check.declared, bound);
    const what = `${check.what} ${axisWord(check.value.type.shape, check.axis, check.actual, expected)}`;
    const tensors = [{ name: check.name, value: check.value }];
    if (!requireEqual(body, check.actual, expected, check.span, what, { tensors, notes: declaredAt(check.param) }))
      return error;
  }
  for (const condition of template.where) if (!requireWhere(body, callee, condition, bound, span)) return error;
  const build = body.build!;
  const results: Value[] = [];
  const type = mapTypes(template.result, (t) => ({
    dtype: t.dtype,
    shape: t.shape.map((d) => dims.substitute(d, bound)),
  }));
  const at = build.nodes.length;
  const value = unflatten(type, (t) => {
    build.origin = { span, path: '', label: callee.what };
    const placeholder = build.input(`call ${body.calls.length}.${results.length}`, t);
    results.push(placeholder);
    return placeholder;
  });
  const place = placeOf(body, callee.self);
  const made: Call = {
    template,
    path: place.path,
    absolute: place.absolute,
    dims: bound,
    args: values,
    results,
    span,
    at,
  };
  body.calls.push(made);
  return value;
}

function bindDims(body: Body, value: Val, name: string, into: Map<string, Dim>, span: Span): boolean {
  if (value.kind === 'list') return value.items.every((item, i) => bindDims(body, item, `${name}[${i}]`, into, span));
  if (value.kind !== 'dim') return false;
  if (!requireClause(body, { kind: 'le', left: dims.one, right: value.dim }, span, `\`${name}\` is a size, at least 1`))
    return false;
  into.set(name, value.dim);
  return true;
}

/** A failed `where` blames the caller. */
function requireWhere(
  body: Body,
  callee: Callee,
  condition: Condition,
  bound: ReadonlyMap<string, Dim>,
  span: Span,
): boolean {
  const clause = substituteClause(condition.clause, bound);
  const answer = body.facts.holds(clause);
  if (answer.answer === 'proved') return true;
  const text = body.session.program.text(condition.span);
  const details = [`here it reads ${shownClause(body.facts, clause)}`, ...failing(answer)];
  const settling = settlingText(body.facts, clause, answer);
  const help = settling && addWhere(body, settling);
  fail(
    body,
    answer.answer === 'refuted' ? 'CROB2108' : 'CROB2109',
    span,
    { callee: callee.what, clause: text },
    {
      notes: [{ span: condition.span, text: 'required here' }],
      details,
      help,
    },
  );
  return false;
}

/** Where the callee's weights are, seen from the caller. */
function placeOf(body: Pick<Body, 'self'>, callee: Instance | undefined): { path: string; absolute: boolean } {
  if (!callee) return { path: '', absolute: false };
  // Only what is outside of all modules calls from the root; a module that is checked alone has no path either.
  if (!body.self) return { path: callee.path, absolute: true };
  const from = body.self.path;
  if (from === '') return { path: callee.path, absolute: false };
  if (callee.path === from) return { path: '', absolute: false };
  if (callee.path.startsWith(`${from}.`)) return { path: callee.path.slice(from.length + 1), absolute: false };
  return { path: callee.path, absolute: true };
}
