import type { Param, Type, TypeDecl } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import { DimScope, fileScope, type Scope } from '../context/scope.ts';
import { fail } from '../report/report.ts';
import type { FileScope } from '../source/file-scope.ts';
import { behindNames, holdsItself, isKnownType, partsOfType, typeName } from '../source/type-names.ts';
import { reportUnknownName, reportUnknownType, typeScope } from './arguments.ts';
import { isGraphType, resolveType } from './signature.ts';

const plain: ReadonlySet<string> = new Set(['int', 'float', 'bool', 'string']);

/**
 * Checks a `type` declaration on its own. If it has parameters without defaults, its dims are checked where it is
 * used.
 */
export function checkTypeName(context: Context, decl: TypeDecl, file: FileScope): void {
  const scope: Scope = { ...fileScope(context, file), dims: new DimScope(true) };
  if (holdsItself({ decl, file })) {
    fail(scope, 'CROB2242', decl.name.span, { name: decl.name.name });
    return;
  }
  if (!isNameable(scope, decl.type) || decl.params.some((param) => !param.value)) return;
  const inner = typeScope(
    scope,
    { kind: 'alias-type', name: decl.name, args: [], optional: false, span: decl.name.span },
    { decl, file },
  );
  if (inner && isGraphType(decl.type, file)) resolveType(inner, decl.type, new Map(), { next: () => 4 });
}

/**
 * Whether a type can be declared by `type`: tensors, choices, ints, floats, bools and strings. Slots and types that
 * depend on a signature are reported.
 */
function isNameable(scope: Scope, written: Type): boolean {
  const { type, file } = behindNames(written, scope.file);
  switch (type.kind) {
    case 'tensor-type':
    case 'choice-type':
      return true;
    case 'alias-type':
      // A known alias is checked at its own declaration; only an unknown name is reported here.
      if (!typeName(type, file)) reportUnknownType(scope, type, file);
      return false;
    case 'typeof-type':
      return refuse(scope, type, 'the type of another parameter');
    case 'named-type': {
      const { name } = type.name;
      if (plain.has(name)) return true;
      if (!file.lookup(name) && !['dim', 'function', 'init'].includes(name)) {
        reportUnknownType(scope, type, file);
        return false;
      }
      return refuse(scope, type, `\`${name}\``);
    }
    case 'pyramid-type':
    case 'sequence-type':
    case 'tuple-type':
    case 'list-type':
      return partsOfType(type).every((part) => isNameable(scope, part));
  }
}

/**
 * Reports names in a signature that are not types. This is the only check of a method or function that is never
 * called.
 */
export function checkSignatureTypes(
  context: Context,
  { params, result }: { readonly params: readonly Param[]; readonly result: Type | undefined },
  file: FileScope,
): void {
  const scope = fileScope(context, file);
  const visit = (type: Type): void => {
    if (type.kind === 'alias-type' && !typeName(type, file)) reportUnknownType(scope, type, file);
    if (type.kind === 'named-type' && !isKnownType(type.name.name, file))
      reportUnknownName(scope, type.name.name, type, file);
    for (const part of partsOfType(type)) visit(part);
  };
  for (const { type } of params) visit(type);
  if (result) visit(result);
}

function refuse(scope: Scope, { span }: Type, actual: string): false {
  fail(scope, 'CROB2201', span, {
    expected: 'tensors, choices, or ints, floats, bools and strings as what a `type` names',
    actual,
  });
  return false;
}
