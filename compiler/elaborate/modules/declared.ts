import type { Attribute, InterfaceDecl, ModuleDecl, ModuleMember, Param } from '../../../grammar/tree.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { type Context, collecting } from '../context/context.ts';
import type { Declared, Method, MethodAlone, Owner, OwnerName } from '../context/declared.ts';
import { fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import type { FileScope } from '../source/file-scope.ts';
import { type InterfaceAt, interfacesOf } from '../source/interfaces-of.ts';
import { implemented } from './implementation.ts';
import { checkPromises } from './promises.ts';

/**
 * Returns the data that all instances of a module share. Its faults are reported for every instance, so that every
 * model gets the faults of its modules; duplicates are dropped later.
 */
export function declaredOf(context: Context, decl: ModuleDecl, file: FileScope): Declared {
  const { declared } = context.run;
  let found = declared.get(decl);
  if (!found) {
    const faults = new Map<string, Diagnostic>();
    found = { ...declare(collecting(context, faults), decl, file), faults };
    declared.set(decl, found);
  }
  for (const fault of found.faults.values()) context.report(fault);
  return found;
}

function declare(context: Context, decl: ModuleDecl, file: FileScope): Omit<Declared, 'faults'> {
  const members = new Map<string, ModuleMember>();
  const alone = new Map<string, MethodAlone>();
  const interfaces = interfacesOf(decl, file);
  checkPromises(context, decl, file);
  let sound = true;
  for (const one of interfaces) {
    if (!checkPromises(context, one.decl, one.file)) sound = false;
    if (!checkParameters(context, decl, one.decl)) sound = false;
    for (const member of one.decl.members) {
      if (member.kind === 'method' && member.body)
        alone.set(member.name.name, { decl: member, file: one.file, promised: undefined });
      if (member.kind !== 'implementation') continue;
      const method = implemented(context, one, member, interfacesOf(one.decl, one.file));
      if (method) alone.set(member.name.name, method);
      else sound = false;
    }
  }
  for (const member of decl.members) {
    const earlier = members.get(member.name.name) ?? decl.params.find((param) => param.name.name === member.name.name);
    if (earlier) {
      fail(
        { context },
        'CROB2004',
        member.name.span,
        { name: member.name.name },
        { notes: [{ span: earlier.name.span, text: 'first declared here' }] },
      );
      continue;
    }
    members.set(member.name.name, member);
    if (member.kind === 'field') checkAttributes(context, member.attributes, ['path']);
    else if (member.kind === 'param' || member.kind === 'buffer')
      checkAttributes(context, member.attributes, ['path', 'no_decay', 'f32']);
    if (member.kind === 'implementation') {
      const method = implemented(context, { decl, file }, member, interfaces);
      if (method) alone.set(member.name.name, method);
      else sound = false;
    }
    if (member.kind !== 'method') continue;
    alone.set(member.name.name, { decl: member, file, promised: undefined });
    if (!member.result)
      fail({ context }, 'CROB2219', member.name.span, { name: `${decl.name.name}.${member.name.name}` });
  }
  const methods = new Map<string, Method>();
  for (const [name, method] of alone) methods.set(name, { ...method, owner: ownerOf(decl, interfaces, method) });
  return { members, methods, params: new Map(decl.params.map((param) => [param.name.name, param])), interfaces, sound };
}

function ownerOf(of: ModuleDecl, interfaces: readonly InterfaceAt[], { decl, promised }: MethodAlone): Owner {
  const { name, span } = decl.name;
  if (promised) {
    const own: OwnerName = { what: `${promised.interface}.${name}`, span: promised.span };
    return { ...own, isModel: false, promisedBy: own };
  }
  return { what: `${of.name.name}.${name}`, span, isModel: false, promisedBy: promisedBy(interfaces, decl) };
}

/** The interface method that a module's own method repeats, if there is one. */
function promisedBy(interfaces: readonly InterfaceAt[], { name }: MethodAlone['decl']): OwnerName | undefined {
  for (const { decl } of interfaces)
    for (const member of decl.members)
      if (member.kind === 'method' && member.name.name === name.name && member.name.span !== name.span)
        return { what: `${decl.name.name}.${name.name}`, span: member.name.span };
  return undefined;
}

/** Checks that a module has the parameters of an interface: the owner of a slot passes them. False after a report. */
function checkParameters(context: Context, { name, params }: ModuleDecl, of: InterfaceDecl): boolean {
  let sound = true;
  for (const wanted of of.params) {
    const own = params.find((param) => param.name.name === wanted.name.name);
    const notes = [{ span: wanted.span, text: 'declared by the interface here' }];
    const text = (param: Param) => context.run.program.text(param.type.span);
    if (own && text(own) === text(wanted)) continue;
    sound = false;
    if (!own) {
      const missing = `the parameter \`${wanted.name.name}: ${text(wanted)}\``;
      fail({ context }, 'CROB2218', name.span, { name: name.name, interface: of.name.name, missing }, { notes });
    } else {
      fail({ context }, 'CROB2201', own.type.span, { expected: text(wanted), actual: text(own) }, { notes });
    }
  }
  return sound;
}

/** Reports attributes that a member cannot have: all that are not in `known`. */
export function checkAttributes(context: Context, attributes: readonly Attribute[], known: readonly string[]): void {
  for (const { name } of attributes) {
    if (known.includes(name.name)) continue;
    if (name.name === 'no_decay' || name.name === 'f32') {
      const args = { name: `@${name.name}`, actual: 'mark of weights', expected: '`@path`' };
      fail({ context }, 'CROB2008', name.span, args);
    } else {
      const help = didYouMean(name.name, known) ?? `there are ${known.map((one) => `@${one}`).join(', ')}`;
      fail({ context }, 'CROB2001', name.span, { name: `@${name.name}` }, { help });
    }
  }
}
