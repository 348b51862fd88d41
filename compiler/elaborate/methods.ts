import type { Span } from '../../grammar/span.ts';
import type { Block, Expr, FnDecl, Param, Type } from '../../grammar/tree.ts';
import * as dims from '../dims/dim.ts';
import type { Dim } from '../dims/dim.ts';
import { Facts } from '../dims/facts.ts';
import { Builder } from '../ir/builder.ts';
import type { Value } from '../ir/graph.ts';
import { fitStatic, matchArgs } from './arguments.ts';
import { type Body, type CallArgs, DimScope, fileBody, Locals, type Session } from './body.ts';
import { argText } from './evaluate.ts';
import type { FileScope } from './program.ts';
import { fail, requireClause, requireEqual, shownClause, showType, verdict } from './report.ts';
import { conditions, isDimType, isGraphType, ranksOf, resolveType, spreadKey, substituteClause } from './signature.ts';
import { type Call, type Condition, flatten, flattenType, type GraphType, mapTypes, type Template, unflatten } from './template.ts';
import { describe, dimVal, error, type Given, type Instance, keyOf, type Method, none, type Val } from './values.ts';

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
}

export function callMethod(body: Body, instance: Instance, method: Method, args: CallArgs, span: Span): Val {
  const { decl, file } = method;
  const what = decl.name.name === 'forward' ? instance.decl.name.name : `${instance.decl.name.name}.${decl.name.name}`;
  return call(body, { name: decl.name.name, what, params: decl.params, result: decl.result, where: decl.where, body: decl.body, span: decl.name.span, file, self: instance }, args, span);
}

export function callFunction(body: Body, decl: FnDecl, file: FileScope, args: CallArgs, span: Span): Val {
  return call(body, { name: decl.name.name, what: decl.name.name, params: decl.params, result: decl.result, where: decl.where, body: decl.body, span: decl.name.span, file, self: undefined }, args, span);
}

function call(body: Body, callee: Callee, args: CallArgs, span: Span): Val {
  const { session } = body;
  const matched = matchArgs(session, callee.what, callee.params, args, span, callee.span);
  if (!matched) return error;
  if ([...matched.values()].some((given) => given.value.kind === 'error')) return error;
  const inside = calleeBody(session, callee);
  const given = new Map<string, Given>();
  let sound = true;
  for (const param of callee.params) {
    const name = param.name.name;
    const own = matched.get(name) ?? { value: session.interpreter.evaluate(inside, param.value!), span };
    const fitted = isGraphType(param.type) ? graphArg(body, callee, param, own) : fitStatic(inside, own.value, param.type, own.span, param.span, callee.file);
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
    return fail(body, 'CROB2219', span, { name: callee.what }, { notes: [{ span: callee.span, text: 'declared here' }] });
  }
  if (!body.build) return fail(body, 'CROB2208', span, { what: `a call of ${callee.what}` });
  const template = templateFor(session, callee, given);
  return template ? apply(body, callee, template, given, args, span) : error;
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
    return fail(body, 'CROB2201', span, { expected: `a tensor for \`${param.name.name}\` of ${callee.what}`, actual: 'none' });
  }
  const isList = param.type.kind === 'pyramid-type' || param.type.kind === 'sequence-type';
  if (isList && value.kind === 'list') return value;
  if (!isList && value.kind === 'tensor') return value;
  if (param.type.kind === 'typeof-type' || (param.type.kind === 'tuple-type' && value.kind === 'tuple')) return value;
  return fail(body, 'CROB2201', span, { expected: `${isList ? 'a list of tensors' : 'a tensor'} for \`${param.name.name}\` of ${callee.what}`, actual: describe(value) }, {
    notes: [{ span: param.span, text: 'declared here' }],
  });
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
    self,
    member: (name) => (self ? session.interpreter.member(body, session, self, name) : undefined),
    memberNames: () => (self ? [...self.statics.keys(), ...self.fields.keys(), ...self.methods.keys()] : []),
  };
  return body;
}

function templateFor(session: Session, callee: Callee, given: ReadonlyMap<string, Given>): Template | undefined {
  const parts = callee.params.map((param) => {
    const { value } = given.get(param.name.name)!;
    if (isGraphType(param.type)) return value.kind === 'none' ? 'none' : `T${listShape(value)}${spreadKey(param.type, value)}`;
    if (isDimType(param.type)) return value.kind === 'list' ? `D${value.items.length}` : 'D';
    return keyOf(value);
  });
  const owner = callee.self ? callee.self.identity : callee.file.file;
  const key = `${owner}|${callee.file.file}:${callee.name}@${callee.span.start}(${parts.join(';')})`;
  const known = session.templates.get(key);
  if (known) return known;
  return makeTemplate(session, callee, given, key);
}

function listShape(value: Val): string {
  return value.kind === 'list' ? `[${value.items.map(listShape).join()}]` : value.kind === 'tuple' ? `(${value.items.size})` : '';
}

function makeTemplate(session: Session, callee: Callee, given: ReadonlyMap<string, Given>, key: string): Template | undefined {
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
  const template: Template = { key, label: callee.what, span: callee.span, params, dimParams, where, result, facts: body.facts, body: undefined };
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
    const type: GraphType | undefined = value.kind === 'none' ? { kind: 'none' } : resolveType(body, param.type, types, ranksOf(value));
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
    if (bound.has(name) || callee.params.some((param) => name === param.name.name || name.startsWith(`${param.name.name}[`))) continue;
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
    session: { ...session, report: (d) => { if (d.severity === 'error') errors++; session.report(d); } },
  };
  const linked: Body = { ...inner, member: (name) => (callee.self ? session.interpreter.member(linked, linked.session, callee.self, name) : undefined) };
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
    fail(linked, 'CROB2218', callee.span, { name: callee.self?.decl.name.name ?? callee.what, missing: `the method ${callee.name}`, interface: callee.what });
  }
  session.depth.calls++;
  let result: Val | undefined;
  if (session.depth.calls > 128) fail(linked, 'CROB2206', callee.span, { name: callee.what });
  else result = callee.body && session.interpreter.run(linked, callee.body);
  session.depth.calls--;
  if (result === undefined && errors === 0) fail(linked, 'CROB2213', callee.span, { name: callee.what });
  const fitted = result && errors === 0 ? fitResult(linked, result, template.result, callee.body!.span, callee.what) : error;
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
      return fail(body, 'CROB2102', span, { what: `the result of ${what}`, expected: type.items.length, actual: value.items.length });
    }
    return { kind: 'list', items: value.items.map((item, i) => fitResult(body, item, type.items[i]!, span, `${what}[${i}]`)) };
  }
  if (type.kind === 'tuple' && value.kind === 'tuple') {
    const items = new Map<string, Val>();
    for (const [name, item] of type.items) {
      const given = value.items.get(name);
      if (!given) return fail(body, 'CROB2005', span, { name, what: `the result of ${what}` });
      items.set(name, fitResult(body, given, item, span, `${what}.${name}`));
    }
    return { kind: 'tuple', items };
  }
  if (type.kind !== 'tensor' || value.kind !== 'tensor') {
    return fail(body, 'CROB2201', span, { expected: type.kind === 'tensor' ? `a tensor as the result of ${what}` : `${type.kind} as the result of ${what}`, actual: describe(value) });
  }
  const actual = value.value.type;
  const at = value.value.node.origin.span ?? span;
  if (actual.dtype !== type.type.dtype) {
    return fail(body, 'CROB2103', at, { what: `return from ${what}`, left: showType(actual, body.facts), right: showType(type.type, body.facts) });
  }
  const tensors = [{ name: 'value', value: value.value }];
  if (actual.shape.length !== type.type.shape.length) {
    return fail(body, 'CROB2102', at, { what: `the result of ${what}`, expected: type.type.shape.length, actual: actual.shape.length }, {
      details: [`value    : ${showType(actual, body.facts)}`, `declared : ${showType(type.type, body.facts)}`],
    });
  }
  const same = actual.shape.every((d, i) =>
    requireEqual(body, d, type.type.shape[i]!, at, `${what} does not return what it declares: axis ${i}`, {
      tensors,
      details: [`declared : ${showType(type.type, body.facts)}`],
    }),
  );
  return same ? value : error;
}

function apply(body: Body, callee: Callee, template: Template, given: ReadonlyMap<string, Given>, args: CallArgs, span: Span): Val {
  const bound = new Map<string, Dim>();
  const values: Value[] = [];
  const checks: { declared: Dim; actual: Dim; what: string; value: Value; name: string; span: Span }[] = [];
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
      return fail(body, 'CROB2102', at, { what: `\`${param.name}\` of ${callee.what}`, expected: types.length, actual: tensors.length }, {
        notes: [{ span: param.span, text: 'declared here' }],
      });
    }
    for (const [i, { name: part, type }] of types.entries()) {
      const actual = tensors[i]!;
      values.push(actual);
      if (actual.type.dtype !== type.dtype) {
        return fail(body, 'CROB2103', at, { what: `pass \`${name}\` as \`${part}\` of ${callee.what}`, left: showType(actual.type, body.facts), right: showType(type, template.facts) }, {
          notes: [{ span: param.span, text: 'declared here' }],
        });
      }
      if (actual.type.shape.length !== type.shape.length) {
        return fail(body, 'CROB2102', at, { what: `\`${part}\` of ${callee.what}`, expected: type.shape.length, actual: actual.type.shape.length }, {
          notes: [{ span: param.span, text: 'declared here' }],
          details: [`given    : ${showType(actual.type, body.facts)}`, `declared : ${showType(type, template.facts)}`],
        });
      }
      for (const [axis, declared] of type.shape.entries()) {
        const variable = dims.asVariable(declared);
        const size = actual.type.shape[axis]!;
        if (variable && !bound.has(variable)) bound.set(variable, size);
        else checks.push({ declared, actual: size, what: `cannot pass \`${name}\` as \`${part}\` of ${callee.what}: axis ${axis}`, value: actual, name, span: at });
      }
    }
  }
  const declaredAt = [{ span: callee.span, text: `${callee.what} is declared here` }];
  for (const check of checks) {
    const expected = dims.substitute(check.declared, bound);
    if (!requireEqual(body, check.actual, expected, check.span, check.what, { tensors: [{ name: check.name, value: check.value }], notes: declaredAt })) return error;
  }
  for (const condition of template.where) if (!requireWhere(body, callee, condition, bound, span)) return error;
  const build = body.build!;
  const results: Value[] = [];
  const type = mapTypes(template.result, (t) => ({ dtype: t.dtype, shape: t.shape.map((d) => dims.substitute(d, bound)) }));
  const at = build.nodes.length;
  const value = unflatten(type, (t) => {
    build.origin = { span, path: '', label: callee.what };
    const placeholder = build.input(`call ${body.calls.length}.${results.length}`, t);
    results.push(placeholder);
    return placeholder;
  });
  const place = placeOf(body, callee.self);
  const made: Call = { template, path: place.path, absolute: place.absolute, dims: bound, args: values, results, span, at };
  body.calls.push(made);
  return value;
}

function bindDims(body: Body, value: Val, name: string, into: Map<string, Dim>, span: Span): boolean {
  if (value.kind === 'list') return value.items.every((item, i) => bindDims(body, item, `${name}[${i}]`, into, span));
  if (value.kind !== 'dim') return false;
  if (!requireClause(body, { kind: 'le', left: dims.one, right: value.dim }, span, `\`${name}\` is a size, at least 1`)) return false;
  into.set(name, value.dim);
  return true;
}

/** A failed `where` blames the caller. */
function requireWhere(body: Body, callee: Callee, condition: Condition, bound: ReadonlyMap<string, Dim>, span: Span): boolean {
  const clause = substituteClause(condition.clause, bound);
  const answer = body.facts.holds(clause);
  if (answer.answer === 'proved') return true;
  const text = body.session.program.text(condition.span);
  const shown = shownClause(body.facts, clause);
  const details = [`here it reads ${shown}`];
  let help: string | undefined;
  if (answer.answer === 'refuted') {
    const at = [...answer.witness].map(([name, n]) => `${name} = ${n}`).join(', ');
    if (at) details.push(`fails at ${at}`);
  }
  if (answer.answer === 'unknown' && answer.settledBy) help = `add \`where ${answer.settledBy}\` where the dims are declared`;
  else if (clause.kind === 'mod' || clause.kind === 'eq') {
    const { clause: settling } = clause.kind === 'eq' ? verdict(body.facts, answer, clause.left, clause.right) : { clause: shown };
    if (settling && dims.variables(clause.kind === 'mod' ? clause.value : clause.left).size > 0) help = `add \`where ${settling}\` where the dims are declared`;
  }
  fail(body, answer.answer === 'refuted' ? 'CROB2108' : 'CROB2109', span, { callee: callee.what, clause: text }, {
    notes: [{ span: condition.span, text: 'required here' }],
    details,
    help,
  });
  return false;
}

/** Where the callee's weights are, seen from the caller. */
function placeOf(body: Body, callee: Instance | undefined): { path: string; absolute: boolean } {
  if (!callee) return { path: '', absolute: false };
  const from = body.self?.path ?? '';
  if (from === '') return { path: callee.path, absolute: true };
  if (callee.path === from) return { path: '', absolute: false };
  if (callee.path.startsWith(`${from}.`)) return { path: callee.path.slice(from.length + 1), absolute: false };
  return { path: callee.path, absolute: true };
}
