import type { Param } from '../../../grammar/tree.ts';
import type { FileScope } from '../source/file-scope.ts';

/** A parameter whose type is a module or an interface is a slot; the host fills the holes of an interface with parameters. */
export function slotOf(param: Param, file: FileScope): { slot: boolean; holes: boolean } {
  if (param.type.kind !== 'named-type') return { slot: false, holes: false };
  const found = file.lookup(param.type.name.name);
  if (found?.decl.kind === 'module') return { slot: true, holes: false };
  if (found?.decl.kind === 'interface') return { slot: true, holes: found.decl.params.length > 0 };
  return { slot: false, holes: false };
}
