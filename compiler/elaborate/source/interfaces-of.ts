import type { InterfaceDecl, ModuleDecl } from '../../../grammar/tree.ts';
import type { FileScope } from './file-scope.ts';

export interface InterfaceAt {
  readonly decl: InterfaceDecl;
  readonly file: FileScope;
}

/**
 * The interfaces that a module promises to fill, or that an interface includes, each after those that it includes itself.
 * Names that are no interfaces are left out, and a cycle ends where it began.
 */
export function interfacesOf(decl: ModuleDecl | InterfaceDecl, file: FileScope): readonly InterfaceAt[] {
  const found = new Map<InterfaceDecl, FileScope>();
  const open = new Set<ModuleDecl | InterfaceDecl>();
  const visit = (at: ModuleDecl | InterfaceDecl, within: FileScope): void => {
    open.add(at);
    for (const { name } of at.implements) {
      const named = within.lookup(name);
      if (named?.decl.kind !== 'interface' || open.has(named.decl)) continue;
      visit(named.decl, named.file);
      found.set(named.decl, named.file);
    }
    open.delete(at);
  };
  visit(decl, file);
  return [...found].map(([one, at]) => ({ decl: one, file: at }));
}
