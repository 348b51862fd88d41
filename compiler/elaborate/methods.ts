import type { Span } from '../../grammar/span.ts';
import type { FnDecl, Param, Type } from '../../grammar/tree.ts';
import { fitStatic, matchArgs } from './arguments.ts';
import type { Body, CallArgs } from './body.ts';
import { type Callee, calleeBody, calleeOf, placeKey, placeOf } from './callee.ts';
import { passArguments } from './pass-arguments.ts';
import type { FileScope } from './program.ts';
import { fail } from './report.ts';
import { isGraphType } from './signature.ts';
import { forgetBuffers } from './statements.ts';
import type { Template } from './template.ts';
import { readsTraining, templateFor, updatesBuffers } from './template-body.ts';
import { describe, error, type Given, hasError, type Instance, type Method, none, type Val } from './values.ts';

export function callMethod(body: Body, instance: Instance, method: Method, args: CallArgs, span: Span): Val {
  return call(body, calleeOf(instance, method), args, span);
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
    return fail(body, 'CROB2219', callee.span, { name: callee.what });
  }
  if (!body.build) return fail(body, 'CROB2208', span, { what: `a call of ${callee.what}` });
  const template = templateFor(session, callee, given, span);
  if (!template) return error;
  recordCall(body, callee, given, template);
  const result = passArguments(body, callee, template, given, args, span);
  if (updatesBuffers(template)) forgetBuffers(body.weights);
  return result;
}

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
      at: body.calls.length,
    });
  } else if (readsTraining(template)) {
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
