import type { Span } from '../../../grammar/span.ts';
import type { ImplementationMember, InterfaceDecl, MethodMember, ModuleDecl } from '../../../grammar/tree.ts';
import { type Context, unjudged } from '../context/context.ts';
import type { MethodAlone } from '../context/declared.ts';
import { fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import type { FileScope } from '../source/file-scope.ts';
import { type InterfaceAt, interfacesOf } from '../source/interfaces-of.ts';

/**
 * Completes a method that is written without a signature with the one of its interface: parameters, result and
 * `where`. Undefined, after a report, unless exactly one interface has the method.
 */
export function implemented(
  context: Context,
  { decl, file }: { readonly decl: ModuleDecl | InterfaceDecl; readonly file: FileScope },
  member: ImplementationMember,
  interfaces: readonly InterfaceAt[],
): MethodAlone | undefined {
  const { name, span } = member.name;
  const having = interfaces.flatMap((one) =>
    one.decl.members.flatMap((promised) =>
      promised.kind === 'method' && promised.name.name === name ? [{ ...one, promised }] : [],
    ),
  );
  // An included interface has the same signature, so only the outermost one counts.
  const found = having.filter(
    (one) =>
      !having.some((other) => interfacesOf(other.decl, other.file).some(({ decl: within }) => within === one.decl)),
  );
  const [first, second] = found;
  if (first && !second) {
    const { implementations } = context.run.store;
    const known = implementations.get(member);
    const method = known?.promised === first.promised ? known.method : withSignature(member, first.promised);
    implementations.set(member, { promised: first.promised, method });
    const promised = { interface: first.decl.name.name, span: first.promised.name.span, file: first.file };
    return { decl: method, file, promised };
  }
  // `checkPromises` reports a name in the header that is unknown or not an interface.
  if (!first && interfaces.length < decl.implements.length) return undefined;
  // The method may be in the text that could not be parsed.
  const isLost = !first && interfaces.some((one) => one.file.doubt?.declarations.has(one.decl));
  const notes = found.map(({ promised, decl: { name: of } }) => ({
    span: promised.name.span,
    text: `that of ${of.name}`,
  }));
  refuse(
    isLost ? unjudged(context) : context,
    span,
    name,
    reasonFor(decl, found, interfaces),
    methodNames(interfaces),
    notes,
  );
  return undefined;
}

/** Checks default methods without a signature: they get that of an included interface. */
export function checkSignatures(context: Context, at: InterfaceAt): void {
  const included = interfacesOf(at.decl, at.file);
  for (const member of at.decl.members)
    if (member.kind === 'implementation') implemented(context, at, member, included);
}

function withSignature(
  { docs, name, body, span }: ImplementationMember,
  { params, result, where }: MethodMember,
): MethodMember {
  return { kind: 'method', docs, name, params, result, where, body, span };
}

function reasonFor(
  decl: ModuleDecl | InterfaceDecl,
  found: readonly InterfaceAt[],
  interfaces: readonly InterfaceAt[],
): string {
  if (found.length > 1) return `${found.map((one) => one.decl.name.name).join(' and ')} each give one`;
  if (interfaces.length === 0)
    return decl.kind === 'interface'
      ? `the interface ${decl.name.name} gives it none`
      : `${decl.name.name} implements no interface that declares one`;
  const names = interfaces.map((one) => one.decl.name.name).join(' and ');
  return `${names} ${interfaces.length === 1 ? 'has' : 'have'} no method of that name`;
}

function methodNames(interfaces: readonly InterfaceAt[]): readonly string[] {
  return interfaces.flatMap(({ decl }) =>
    decl.members.flatMap((member) => (member.kind === 'method' ? [member.name.name] : [])),
  );
}

function refuse(
  context: Context,
  span: Span,
  name: string,
  reason: string,
  names: readonly string[],
  notes: readonly { readonly span: Span; readonly text: string }[],
): void {
  const written = name === 'forward' ? name : `method ${name}`;
  const help =
    (notes.length === 0 ? didYouMean(name, names) : undefined) ?? `write it: \`${written}(x: f32[…]) -> f32[…] { … }\``;
  fail({ context }, 'CROB2240', span, { name, reason }, { help, notes });
}
