import type { Span } from '../../grammar/span.ts';
import type { ExampleDecl, ModuleDecl } from '../../grammar/tree.ts';
import { Builder } from '../ir/builder.ts';
import { type Body, DimScope, fileBody, type Session } from './body.ts';
import { promisedArgs } from './interfaces.ts';
import type { FileScope } from './program.ts';
import { fail } from './report.ts';
import { conditions } from './signature.ts';
import { describe, type Instance, type Spec } from './values.ts';

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

function checkSpec(session: Session, spec: Spec): void {
  const instance = session.interpreter.instantiate(session, spec, '', undefined);
  if (!instance) return;
  for (const [, method] of instance.methods) {
    const { params } = method.decl;
    const isTensor = (kind: string) => kind !== 'named-type' && kind !== 'list-type';
    const open = params.some(
      (p) => !isTensor(p.type.kind) && !p.value && !(p.type.kind === 'named-type' && p.type.name.name === 'dim'),
    );
    if (open || !method.decl.result) continue;
    checkMethod(session, instance, method);
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
  for (const condition of conditions(body, method.decl.where, () => {}))
    body.facts = body.facts.assume(condition.clause);
  const inner: Body = { ...body, build: new Builder(body.facts) };
  const args = promisedArgs(inner, method.decl.params);
  if (!args) return;
  const span = method.decl.name.span;
  session.interpreter.callMethod(
    inner,
    instance,
    method,
    { positional: args.given.map((value) => ({ value, span })), named: new Map(), source: [] },
    span,
  );
}
