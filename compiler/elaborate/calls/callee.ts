import type { Span } from '../../../grammar/span.ts';
import type { Block, Expr, Param, Type } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import type { Method, Owner } from '../context/declared.ts';
import type { CallNames, Instance, Val } from '../context/elaborated.ts';
import { childSource } from '../context/paths.ts';
import { fileScope, type Scope } from '../context/scope.ts';
import { namesOf } from '../context/values.ts';
import { tensorNamed } from '../eval/signature.ts';
import { readMember, weightNamed } from '../modules/members.ts';
import { fail } from '../report/report.ts';
import type { FileScope } from '../source/file-scope.ts';

/** The target of a call: a method of an instance, or a function. */
export interface Callee {
  readonly name: string;
  readonly what: string;
  readonly params: readonly Param[];
  readonly result: Type | undefined;
  readonly where: readonly Expr[];
  readonly body: Block | undefined;
  readonly span: Span;
  readonly file: FileScope;
  /** The file in whose scope the parameters, the result and the `where` are resolved. */
  readonly signature: FileScope;
  /** The declaration to which a `where` would have to be added. */
  readonly owner: Owner;
  readonly self: Instance | undefined;
  readonly method: Method | undefined;
}

export function calleeOf(instance: Instance, method: Method): Callee {
  const { decl, file, promised } = method;
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
    signature: promised?.file ?? file,
    owner: method.owner,
    self: instance,
    method,
  };
}

export function calleeScope(context: Context, callee: Callee, file = callee.file): Scope {
  const { self, owner } = callee;
  const scope: Scope = fileScope(context, file, {
    owner,
    self,
    member: (name) => (self ? readMember(scope, context, self, name) : undefined),
    memberNames: () => (self ? namesOf(self) : []),
    later: (name) => tensorNamed(callee.params, callee.signature, name) ?? (self && weightNamed(self, name)),
  });
  return scope;
}

/** The scope in which the signature is evaluated; `calleeScope` is the one of the body. */
export function signatureScope(context: Context, callee: Callee): Scope {
  return calleeScope(context, callee, callee.signature);
}

/** Returns the path of the callee's weights, relative to the caller's module if the callee is inside it. */
export function placeOf(scope: Pick<Scope, 'self'>, callee: Instance | undefined): { path: string; absolute: boolean } {
  if (!callee) return { path: '', absolute: false };
  // Only a caller outside of all modules calls from the root; a module that is checked on its own has an empty path,
  // too.
  if (!scope.self) return { path: callee.path, absolute: true };
  const from = scope.self.path;
  if (from === '') return { path: callee.path, absolute: false };
  if (callee.path === from) return { path: '', absolute: false };
  if (callee.path.startsWith(`${from}.`)) return { path: callee.path.slice(from.length + 1), absolute: false };
  return { path: callee.path, absolute: true };
}

/**
 * Returns what the values of a callee are named by. A module has one source path, also if its weights are among those
 * of its owner.
 */
export function namesOfCall({ self: caller }: Pick<Scope, 'self'>, callee: Pick<Callee, 'self' | 'name'>): CallNames {
  const { self, name } = callee;
  if (!self) return { source: name, absolute: false, results: false };
  const from = caller?.source ?? '';
  const isInside = from === '' || self.source === from || self.source.startsWith(`${from}.`);
  const absolute = !caller || !isInside;
  const own = absolute || from === '' ? self.source : self.source.slice(from.length + 1);
  return { source: name === 'forward' ? own : childSource(own, name), absolute, results: true };
}

/** A key of the places of a callee relative to its caller, in weights files and in the source. */
export function placeKey(caller: Pick<Scope, 'self'>, callee: Instance): string {
  const { path, absolute } = placeOf(caller, callee);
  const names = namesOfCall(caller, { self: callee, name: 'forward' });
  return `${absolute ? '/' : ''}${path} ${names.absolute ? '/' : ''}${names.source}`;
}

/** Reports a body that ends without a result, with a note at its end. */
export function failWithoutResult(scope: Scope, { what, span, body }: Callee): Val {
  const notes = body ? [{ span: { ...body.span, start: body.span.end - 1 }, text: 'ends here' }] : [];
  return fail(scope, 'CROB2213', span, { name: what }, { notes });
}
