import type { Span } from '../../grammar/span.ts';
import type { ExampleDecl, FnDecl, ModuleDecl, Param } from '../../grammar/tree.ts';
import { type Body, type CallArgs, DimScope, fileBody, type Session } from './body.ts';
import type { FileScope } from './program.ts';
import { fail } from './report.ts';
import { isGraphType } from './signature.ts';
import { standIns } from './stand-ins.ts';
import { describe, type Instance, type Spec, type Val } from './values.ts';

/** Constructs the example and types every method of it whose static parameters have defaults. */
export function checkExample(session: Session, decl: ExampleDecl, file: FileScope): void {
  const value = session.interpreter.evaluate(fileBody(session, file), decl.value);
  if (value.kind === 'error') return;
  if (value.kind !== 'spec') {
    fail({ session }, 'CROB2201', decl.value.span, {
      expected: 'a module, such as `example Linear(3, 4)`',
      actual: describe(value),
    });
    return;
  }
  checkSpec(session, value.spec);
}

/** A module whose parameters all have defaults is checked with them. */
export function checkDefaults(session: Session, decl: ModuleDecl, file: FileScope, span: Span): void {
  checkSpec(session, { decl, file, args: new Map(), span });
}

/** A function is checked with fresh dims, its other parameters at their defaults; without defaults, where it is called. */
export function checkFunction(session: Session, decl: FnDecl, file: FileScope): void {
  if (!decl.result && decl.params.some((param) => isGraphType(param.type)))
    fail({ session }, 'CROB2219', decl.name.span, { name: decl.name.name });
  if (decl.params.some(isOpen)) return;
  const result = decl.result?.kind;
  if (result === undefined || result === 'named-type' || result === 'list-type') return;
  const body: Body = { ...fileBody(session, file), dims: new DimScope(true) };
  const args = standIns(body, decl.params, decl.where);
  const span = decl.name.span;
  if (args) session.interpreter.callFunction(args.inner, decl, file, handedIn(args.given, span), span);
}

/** Whether a parameter has to be given to know what a body does. */
function isOpen(param: Param): boolean {
  const { kind } = param.type;
  if (kind !== 'named-type' && kind !== 'list-type') return false;
  return !param.value && !(kind === 'named-type' && param.type.name.name === 'dim');
}

function handedIn(values: readonly Val[], span: Span): CallArgs {
  return { positional: values.map((value) => ({ value, span })), named: new Map(), source: [] };
}

function checkSpec(session: Session, spec: Spec): void {
  const instance = session.interpreter.instantiate(session, spec, { path: '', source: '' }, undefined);
  if (!instance) return;
  for (const [, method] of instance.methods) {
    if (!method.decl.params.some(isOpen) && method.decl.result) checkMethod(session, instance, method);
  }
}

function checkMethod(
  session: Session,
  instance: Instance,
  method: Parameters<Session['interpreter']['callMethod']>[2],
): void {
  const body: Body = {
    ...fileBody(session, method.file),
    member: (name) => session.interpreter.member(undefined, session, instance, name),
    dims: new DimScope(true),
  };
  const args = standIns(body, method.decl.params, method.decl.where);
  const span = method.decl.name.span;
  if (args) session.interpreter.callMethod(args.inner, instance, method, handedIn(args.given, span), span);
}
