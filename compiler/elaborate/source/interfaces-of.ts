import type { InterfaceDecl, ModuleDecl } from '../../../grammar/tree.ts';
import type { FileScope } from './file-scope.ts';

export interface InterfaceAt {
  readonly decl: InterfaceDecl;
  readonly file: FileScope;
}

/**
 * Returns the interfaces that a module implements or an interface includes, each after those that it includes
 * itself. Names that are not interfaces are omitted, and cycles are cut.
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
