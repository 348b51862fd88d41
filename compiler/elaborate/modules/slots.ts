import type { Param } from '../../../grammar/tree.ts';
import type { FileScope } from '../source/file-scope.ts';

/**
 * Whether a parameter is a slot, that is, its type is a module or an interface; `holes` is whether the owner passes
 * arguments to the module in it, which is the case if the interface has parameters.
 */
export function slotOf(param: Param, file: FileScope): { slot: boolean; holes: boolean } {
  if (param.type.kind !== 'named-type') return { slot: false, holes: false };
  const found = file.lookup(param.type.name.name);
  if (found?.decl.kind === 'module') return { slot: true, holes: false };
  if (found?.decl.kind === 'interface') return { slot: true, holes: found.decl.params.length > 0 };
  return { slot: false, holes: false };
}
