import type { Span } from '../../../grammar/span.ts';
import type { FnDecl, Param, Type } from '../../../grammar/tree.ts';
import type { CallArgs, Scope } from '../context/scope.ts';
import type { Template } from '../context/template.ts';
import {
  describe,
  error,
  type Given,
  hasError,
  type Instance,
  type Method,
  none,
  type Val,
} from '../context/values.ts';
import { fitStatic, matchArgs } from '../eval/arguments.ts';
import { isGraphType } from '../eval/signature.ts';
import { forgetBuffers } from '../eval/statements.ts';
import { fail } from '../report/report.ts';
import type { FileScope } from '../source/program.ts';
import { type Callee, calleeOf, calleeScope, placeKey, placeOf } from './callee.ts';
import { passArguments } from './pass-arguments.ts';
import { readsTraining, templateFor, updatesBuffers } from './template-body.ts';

export function callMethod(scope: Scope, instance: Instance, method: Method, args: CallArgs, span: Span): Val {
  return call(scope, calleeOf(instance, method), args, span);
}

export function callFunction(scope: Scope, decl: FnDecl, file: FileScope, args: CallArgs, span: Span): Val {
  return call(
    scope,
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

function call(scope: Scope, callee: Callee, args: CallArgs, span: Span): Val {
  const { context } = scope;
  const matched = matchArgs(context, callee.what, callee.params, args, span, callee.span);
  if (!matched) return error;
  if ([...matched.values()].some((given) => hasError(given.value))) return error;
  const inside = calleeScope(context, callee);
  const given = new Map<string, Given>();
  let sound = true;
  for (const param of callee.params) {
    const name = param.name.name;
    const own = matched.get(name) ?? { value: context.interpreter.evaluate(inside, param.value!), span };
    const fitted = isGraphType(param.type)
      ? graphArg(scope, callee, param, own)
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
  if (isStatic && !callee.self) return callStatic(scope, callee, given, span);
  if (!callee.result || isStaticType(callee.result)) {
    if (callee.result) return callStatic(scope, callee, given, span);
    return fail(scope, 'CROB2219', callee.span, { name: callee.what });
  }
  if (!scope.build) return fail(scope, 'CROB2208', span, { what: `a call of ${callee.what}` });
  const template = templateFor(context, callee, given, span);
  if (!template) return error;
  recordCall(scope, callee, given, template);
  const result = passArguments(scope, callee, template, given, args, span);
  if (updatesBuffers(template)) forgetBuffers(scope.weights);
  return result;
}

function recordCall(scope: Scope, callee: Callee, given: ReadonlyMap<string, Given>, template: Template): void {
  const { context } = scope;
  const reads = context.reads.at(-1);
  if (!reads) return;
  // A module handed in as a value is one certain module.
  if ([...given.values()].some(({ value }) => holdsModule(value))) reads.push({ kind: 'exact' });
  if (callee.self && callee.method) {
    reads.push({
      kind: 'call',
      instance: callee.self,
      method: callee.method,
      given,
      place: placeKey(placeOf(scope, callee.self)),
      template,
      at: scope.calls.length,
    });
  } else if (readsTraining(template)) {
    reads.push({ kind: 'training', value: context.training });
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
function graphArg(scope: Scope, callee: Callee, param: Param, given: Given): Val {
  const { value, span } = given;
  const optional = param.type.kind === 'tensor-type' && param.type.optional;
  if (value.kind === 'none') {
    if (optional) return none;
    return fail(scope, 'CROB2201', span, {
      expected: `a tensor for \`${param.name.name}\` of ${callee.what}`,
      actual: 'none',
    });
  }
  const isList = param.type.kind === 'pyramid-type' || param.type.kind === 'sequence-type';
  if (isList && value.kind === 'list') return value;
  if (!isList && value.kind === 'tensor') return value;
  if (param.type.kind === 'typeof-type' || (param.type.kind === 'tuple-type' && value.kind === 'tuple')) return value;
  return fail(
    scope,
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
function callStatic(scope: Scope, callee: Callee, given: ReadonlyMap<string, Given>, span: Span): Val {
  const { context } = scope;
  if (context.depth.calls >= 128) return fail(scope, 'CROB2206', span, { name: callee.what });
  context.depth.calls++;
  try {
    const inside: Scope = { ...calleeScope(context, callee), dims: scope.dims, facts: scope.facts };
    for (const [name, { value }] of given) inside.locals.declare(name, value);
    const result = callee.body && context.interpreter.run(inside, callee.body);
    return result ?? fail(scope, 'CROB2213', callee.span, { name: callee.what });
  } finally {
    context.depth.calls--;
  }
}
