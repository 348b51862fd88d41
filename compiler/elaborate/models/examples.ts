import type { Span } from '../../../grammar/span.ts';
import type { ExampleDecl, FnDecl, ModuleDecl, Param } from '../../../grammar/tree.ts';
import { callFunction, callMethod } from '../calls/methods.ts';
import type { Context } from '../context/context.ts';
import type { Method } from '../context/declared.ts';
import type { Instance, Spec, Val } from '../context/elaborated.ts';
import { type CallArgs, DimScope, fileScope, type Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { specOf } from '../context/values.ts';
import { evaluate } from '../eval/evaluate.ts';
import { isGraphType } from '../eval/signature.ts';
import { standIns } from '../eval/stand-ins.ts';
import { instantiate } from '../modules/construct.ts';
import { staticMember, weightNamed } from '../modules/members.ts';
import { reportSettled } from '../report/needs.ts';
import { fail } from '../report/report.ts';
import type { FileScope } from '../source/file-scope.ts';

/** Constructs an example and checks every method whose static parameters have defaults. */
export function checkExample(context: Context, decl: ExampleDecl, file: FileScope): void {
  const value = evaluate(fileScope(context, file), decl.value);
  if (value.kind === 'error') return;
  if (value.kind !== 'spec') {
    fail({ context }, 'CROB2201', decl.value.span, {
      expected: 'a module, such as `example Linear(3, 4)`',
      actual: describe(value),
    });
    return;
  }
  reportSettled(context, (under) => checkSpec(under, value.spec));
}

/** Checks a module whose parameters all have defaults. */
export function checkDefaults(context: Context, decl: ModuleDecl, file: FileScope, span: Span): void {
  reportSettled(context, (under) =>
    checkSpec(under, specOf({ decl, file }, new Map(), { span, writer: { self: undefined, model: undefined } })),
  );
}

/**
 * Checks a function with fresh dims and its other parameters at their defaults; a function without defaults is
 * checked where it is called.
 */
export function checkFunction(context: Context, decl: FnDecl, file: FileScope): void {
  if (!decl.result && decl.params.some((param) => isGraphType(param.type, file)))
    fail({ context }, 'CROB2219', decl.name.span, { name: decl.name.name });
  if (decl.params.some((param) => isOpen(param, file))) return;
  if (!decl.result || !isGraphType(decl.result, file)) return;
  const span = decl.name.span;
  reportSettled(context, (under) => {
    const scope: Scope = { ...fileScope(under, file), dims: new DimScope(true) };
    const args = standIns(scope, decl);
    if (args) callFunction(args.inner, decl, file, handedIn(args.given, span), span);
  });
}

/** Whether a static parameter has no default, so that the body cannot be checked without an argument. */
function isOpen({ type, value }: Param, file: FileScope): boolean {
  if (value || isGraphType(type, file)) return false;
  return !(type.kind === 'named-type' && type.name.name === 'dim');
}

function signatureFile({ file, promised }: Method): FileScope {
  return promised?.file ?? file;
}

function handedIn(values: readonly Val[], span: Span): CallArgs {
  return { positional: values.map((value) => ({ value, span })), named: new Map(), source: [] };
}

function checkSpec(context: Context, spec: Spec): void {
  const instance = instantiate(context, spec, { path: '', source: '' }, undefined);
  if (!instance) return;
  for (const method of instance.declared.methods.values()) {
    if (!method.decl.params.some((param) => isOpen(param, signatureFile(method))) && method.decl.result)
      checkMethod(context, instance, method);
  }
}

function checkMethod(context: Context, instance: Instance, method: Method): void {
  const scope: Scope = {
    ...fileScope(context, signatureFile(method)),
    member: (name) => staticMember(context, instance, name),
    later: (name) => weightNamed(instance, name),
    dims: new DimScope(true),
  };
  const args = standIns(scope, method.decl);
  const span = method.decl.name.span;
  if (args) callMethod(args.inner, instance, method, handedIn(args.given, span), span);
}
