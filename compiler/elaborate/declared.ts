import type { Attribute, ModuleDecl, ModuleMember, Param } from '../../grammar/tree.ts';
import type { Session } from './body.ts';
import { didYouMean } from './did-you-mean.ts';
import { checkPromises } from './interfaces.ts';
import type { FileScope } from './program.ts';
import { fail } from './report.ts';
import type { Instance, Method } from './values.ts';

/** What every instance of a module has in common. */
export interface Declared {
  readonly members: ReadonlyMap<string, ModuleMember>;
  readonly methods: ReadonlyMap<string, Method>;
  readonly params: ReadonlyMap<string, Param>;
  readonly interfaces: Instance['interfaces'];
}
/** By session: the first instance reports what is wrong with the declaration. */
const declarations = new WeakMap<Session['reads'], Map<ModuleDecl, Declared>>();

export function declaredOf(session: Session, decl: ModuleDecl, file: FileScope): Declared {
  let known = declarations.get(session.reads);
  if (!known) {
    known = new Map();
    declarations.set(session.reads, known);
  }
  let declared = known.get(decl);
  if (!declared) {
    declared = declare(session, decl, file);
    known.set(decl, declared);
  }
  return declared;
}

function declare(session: Session, decl: ModuleDecl, file: FileScope): Declared {
  const members = new Map<string, ModuleMember>();
  const methods = new Map<string, Method>();
  const interfaces: Instance['interfaces'][number][] = [];
  for (const name of decl.implements) {
    const found = file.lookup(name.name);
    if (found?.decl.kind === 'interface') interfaces.push({ decl: found.decl, file: found.file });
  }
  checkPromises(session, decl, file);
  for (const one of interfaces) {
    for (const member of one.decl.members)
      if (member.kind === 'method' && member.body) methods.set(member.name.name, { decl: member, file: one.file });
  }
  for (const member of decl.members) {
    const earlier = members.get(member.name.name) ?? decl.params.find((param) => param.name.name === member.name.name);
    if (earlier) {
      fail(
        { session },
        'CROB2004',
        member.name.span,
        { name: member.name.name },
        { notes: [{ span: earlier.name.span, text: 'first declared here' }] },
      );
      continue;
    }
    members.set(member.name.name, member);
    if (member.kind === 'field') checkAttributes(session, member.attributes, ['path']);
    else if (member.kind === 'param' || member.kind === 'buffer')
      checkAttributes(session, member.attributes, ['path', 'no_decay', 'f32']);
    if (member.kind === 'method') methods.set(member.name.name, { decl: member, file });
  }
  return { members, methods, params: new Map(decl.params.map((param) => [param.name.name, param])), interfaces };
}

/** What can be said of a member in front of it. */
export function checkAttributes(session: Session, attributes: readonly Attribute[], known: readonly string[]): void {
  for (const { name } of attributes) {
    if (known.includes(name.name)) continue;
    if (name.name === 'no_decay' || name.name === 'f32') {
      const args = { name: `@${name.name}`, actual: 'mark of weights', expected: '`@path`' };
      fail({ session }, 'CROB2008', name.span, args);
    } else {
      const help = didYouMean(name.name, known) ?? `there are ${known.map((one) => `@${one}`).join(', ')}`;
      fail({ session }, 'CROB2001', name.span, { name: `@${name.name}` }, { help });
    }
  }
}
