import type { InterfaceDecl, MethodMember, ModuleDecl } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import { fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import type { FileScope } from '../source/file-scope.ts';
import { interfacesOf } from '../source/interfaces-of.ts';
import { importHelp } from '../source/unknown-names.ts';

/**
 * Checks the interfaces listed in the header of a module or interface: the names are interfaces, and an interface
 * does not change the signature of a method that it includes. False after a report.
 */
export function checkPromises(context: Context, decl: ModuleDecl | InterfaceDecl, file: FileScope): boolean {
  let sound = true;
  for (const name of decl.implements) {
    const found = file.lookup(name.name);
    if (found?.decl.kind === 'interface') {
      const circular = interfacesOf(found.decl, found.file).some((one) => one.decl === decl) || found.decl === decl;
      if (!circular) continue;
      fail({ context }, 'CROB2303', name.span, { name: decl.name.name });
    } else {
      fail(
        { context },
        found ? 'CROB2008' : 'CROB2001',
        name.span,
        { name: name.name, actual: found?.decl.kind ?? '', expected: 'an interface' },
        {
          help: found
            ? undefined
            : (importHelp(context.run.program, file, name.name) ?? didYouMean(name.name, file.names())),
        },
      );
    }
    sound = false;
  }
  if (decl.kind === 'module') return sound;
  for (const member of decl.members) {
    if (member.kind !== 'method') continue;
    for (const included of interfacesOf(decl, file)) {
      const earlier = methodOf(included.decl, member.name.name);
      if (!earlier || signature(context, earlier) === signature(context, member)) continue;
      const reason = `its signature is not the one of ${included.decl.name.name}`;
      const args = { name: decl.name.name, interface: included.decl.name.name, method: member.name.name, reason };
      fail({ context }, 'CROB2117', member.name.span, args, {
        notes: [{ span: earlier.name.span, text: 'declared by the interface here' }],
      });
      sound = false;
    }
  }
  return sound;
}

/** Returns the method of that name that an interface declares itself. */
export function methodOf(decl: InterfaceDecl, name: string): MethodMember | undefined {
  return decl.members.find((member): member is MethodMember => member.kind === 'method' && member.name.name === name);
}

/** The text of parameters, result and conditions without white space, for comparison. */
function signature({ run: { program } }: Context, { params, result, where }: MethodMember): string {
  const texts = [...params.map(({ span }) => span), ...(result ? [result.span] : []), ...where.map(({ span }) => span)];
  return texts.map((span) => program.text(span).replace(/\s+/g, '')).join(' ');
}
