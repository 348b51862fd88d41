import type { Span } from '../../../grammar/span.ts';
import type { FnDecl, Param, TupleType, Type } from '../../../grammar/tree.ts';
import type { Method } from '../context/declared.ts';
import type { Given, Instance, Template, TupleVal, Val } from '../context/elaborated.ts';
import { type CallArgs, type GraphScope, isGraphScope, type Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { error, hasError, keyOf, none } from '../context/values.ts';
import { fitStatic, matchArgs } from '../eval/arguments.ts';
import { evaluate } from '../eval/evaluate.ts';
import { ofKnownSize } from '../eval/known-sizes.ts';
import { isDimType, isGraphType } from '../eval/signature.ts';
import { forgetBuffers, run } from '../eval/statements.ts';
import { holdsModule } from '../modules/instance.ts';
import { definitions, siteIn } from '../report/definitions.ts';
import { fail } from '../report/report.ts';
import type { FileScope } from '../source/file-scope.ts';
import { behindNames } from '../source/type-names.ts';
import { type Callee, calleeOf, calleeScope, failWithoutResult, placeKey, signatureScope } from './callee.ts';
import { passArguments } from './pass-arguments.ts';
import { callLimit, templateFor } from './template-body.ts';

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
      signature: file,
      owner: { what: `fn ${decl.name.name}`, span: decl.name.span, isModel: false, promisedBy: undefined },
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
  const inside = signatureScope(context, callee);
  const given = new Map<string, Given>();
  let sound = true;
  for (const param of callee.params) {
    const name = param.name.name;
    const own = matched.get(name) ?? (param.value ? { value: evaluate(inside, param.value), span } : undefined);
    // `matchArgs` reports a missing argument without a default.
    if (!own) continue;
    const fitted = isGraphType(param.type, callee.signature)
      ? graphArg(scope, callee, param, own)
      : fitStatic(
          inside,
          isDimType(param.type) ? own.value : ofKnownSize(scope, own.value),
          param.type,
          own.span,
          param.span,
          callee.signature,
        );
    if (!fitted || fitted.kind === 'error') {
      sound = false;
      continue;
    }
    given.set(name, { value: fitted, span: own.span });
    inside.locals.declare(name, fitted);
  }
  if (!sound) return error;
  const isStatic =
    callee.result === undefined && !callee.params.some((param) => isGraphType(param.type, callee.signature));
  if (isStatic && !callee.self) return callStatic(scope, callee, given, span);
  if (!callee.result || !isGraphType(callee.result, callee.signature)) {
    if (callee.result) return callStatic(scope, callee, given, span);
    // The name of a method is the one by which its declaration is reported, so that there is one message.
    const name = callee.self ? `${callee.self.decl.name.name}.${callee.name}` : callee.what;
    return fail(scope, 'CROB2219', callee.span, { name });
  }
  if (!isGraphScope(scope)) return fail(scope, 'CROB2208', span, { what: `a call of ${callee.what}` });
  const template = templateFor(context, callee, given, span);
  if (!template) return error;
  recordCall(scope, callee, given, template);
  const result = passArguments(scope, callee, template, given, args, span);
  if (template.updatesBuffers) forgetBuffers(scope.graph.weights);
  return result;
}

function recordCall(scope: GraphScope, callee: Callee, given: ReadonlyMap<string, Given>, template: Template): void {
  const { context } = scope;
  const { reads } = context;
  // A module passed as a value is one specific instance, so the template cannot be shared.
  if ([...given.values()].some(({ value }) => holdsModule(value))) reads.push({ kind: 'exact' });
  if (callee.self && callee.method) {
    reads.push({
      kind: 'call',
      instance: callee.self,
      method: callee.method,
      given,
      place: placeKey(scope, callee.self),
      template,
      at: scope.graph.calls.length,
    });
  } else if (template.readsTraining) {
    reads.push({ kind: 'training', value: context.training });
  }
}

/** Evaluates a tensor argument; a number or dim becomes a scalar of the declared dtype. */
function graphArg(scope: Scope, callee: Callee, param: Param, given: Given): Val {
  const { value, span } = given;
  const { type, optional } = behindNames(param.type, callee.signature);
  if (value.kind === 'none') {
    if (optional) return none;
    return fail(scope, 'CROB2201', span, {
      expected: `a tensor for \`${param.name.name}\` of ${callee.what}`,
      actual: 'none',
    });
  }
  const isList = type.kind === 'pyramid-type' || type.kind === 'sequence-type';
  if (isList && value.kind === 'list') return value;
  if (!isList && type.kind !== 'tuple-type' && value.kind === 'tensor') return value;
  if (type.kind === 'tuple-type' && value.kind === 'tuple') return byNames(scope, type, value, given.span);
  // `resolveType` reports a name that is not a type.
  if (type.kind === 'typeof-type' || type.kind === 'alias-type') return value;
  return fail(
    scope,
    'CROB2201',
    span,
    {
      expected: `${wantedFor(type)} for \`${param.name.name}\` of ${callee.what}`,
      actual: describe(value),
    },
    {
      details: definitions(scope, [siteIn(scope, span)]),
      notes: [{ span: param.span, text: 'declared here' }],
    },
  );
}

function wantedFor(type: Type): string {
  switch (type.kind) {
    case 'pyramid-type':
    case 'sequence-type':
      return 'a list of tensors';
    case 'tuple-type':
      return namedTuple(type);
    default:
      return 'a tensor';
  }
}

function namedTuple({ items }: TupleType): string {
  return `a tuple (${items.map(({ name }) => name.name).join(', ')})`;
}

/** Sorts the items of a tuple into the declared order; reports a tuple without exactly the declared names. */
function byNames(scope: Scope, type: TupleType, value: TupleVal, span: Span): Val {
  const names = type.items.map(({ name }) => name.name);
  const lacking = names.find((name) => !value.items.has(name));
  const extra = [...value.items.keys()].find((name) => !names.includes(name));
  if (lacking === undefined && extra === undefined)
    return { kind: 'tuple', items: new Map(names.flatMap((name) => [...value.items].filter(([own]) => own === name))) };
  return fail(scope, 'CROB2201', span, { expected: namedTuple(type), actual: describe(value) });
}

/** Calls a function of static values by evaluating its body. */
function callStatic(scope: Scope, callee: Callee, given: ReadonlyMap<string, Given>, span: Span): Val {
  const { context } = scope;
  const { budget } = context.run;
  if (budget.calls >= callLimit) return failTooDeep(scope, callee, given, span);
  budget.calls++;
  budget.statics.push({ callee: callee.span, given });
  try {
    const inside: Scope = { ...calleeScope(context, callee), dims: scope.dims, facts: scope.facts };
    for (const [name, { value }] of given) inside.locals.declare(name, value);
    const result = callee.body && run(inside, callee.body);
    return result ?? failWithoutResult(scope, callee);
  } finally {
    budget.statics.pop();
    budget.calls--;
  }
}

/**
 * Reports calls of static functions that nest too deeply: as infinite recursion if a call has the same arguments as
 * one around it, otherwise by the limit.
 */
function failTooDeep(scope: Scope, callee: Callee, given: ReadonlyMap<string, Given>, span: Span): Val {
  const { statics } = scope.context.run.budget;
  const same = statics.filter((one) => one.callee === callee.span);
  const key = argumentsKey(given);
  if (same.some((one) => argumentsKey(one.given) === key)) return fail(scope, 'CROB2206', span, { name: callee.what });
  const help = same.length > 0 ? `repeat what \`${callee.what}\` does with a \`for\` over a static range` : undefined;
  return fail(scope, 'CROB2225', span, { what: 'the nesting of calls', limit: callLimit }, { help });
}

function argumentsKey(given: ReadonlyMap<string, Given>): string {
  return [...given].map(([name, { value }]) => `${name}=${keyOf(value)}`).join();
}
