import type { AliasType, NamedType, Type, TypeDecl } from '../../../grammar/tree.ts';
import type { FileScope } from './file-scope.ts';

/** A `type` declaration, and the file in whose scope it is resolved. */
export interface TypeName {
  readonly decl: TypeDecl;
  readonly file: FileScope;
}

const plain: ReadonlySet<string> = new Set(['int', 'float', 'bool', 'string', 'dim', 'function', 'init']);

/** Whether a name may be a type: a built-in static type, or a declared name. */
export function isKnownType(name: string, file: FileScope): boolean {
  return plain.has(name) || file.lookup(name) !== undefined;
}

/** Returns the `type` declaration that a type names; undefined for other types, including lists of a named type. */
export function typeName(type: Type, file: FileScope): TypeName | undefined {
  if (!isName(type) || plain.has(type.name.name)) return undefined;
  const found = file.lookup(type.name.name);
  return found?.decl.kind === 'type' ? { decl: found.decl, file: found.file } : undefined;
}

function isName(type: Type): type is AliasType | NamedType {
  return type.kind === 'alias-type' || (type.kind === 'named-type' && !type.length);
}

/** A type with all names resolved, its file, and whether it or one of the names has a `?`. */
export interface Named {
  readonly type: Type;
  readonly file: FileScope;
  readonly optional: boolean;
}

/** Resolves the names of a type. A circular name is left as it is. */
export function behindNames(type: Type, file: FileScope): Named {
  // Fast path: few types are names, and this function is called for every call.
  const first = type.kind === 'alias-type' || type.kind === 'named-type' ? typeName(type, file) : undefined;
  if (!first) return { type, file, optional: 'optional' in type && type.optional };
  let optional = isOptional(type);
  let at = { type, file };
  const seen = new Set<TypeDecl>();
  for (
    let found: ReturnType<typeof typeName> = first;
    found && !seen.has(found.decl);
    found = typeName(at.type, at.file)
  ) {
    seen.add(found.decl);
    at = { type: found.decl.type, file: found.file };
    optional ||= isOptional(at.type);
  }
  return { ...at, optional };
}

/** Like `behindNames`, but returns only the type. */
export function typeBehind(type: Type, file: FileScope): Type {
  return typeName(type, file) ? behindNames(type, file).type : type;
}

export function isOptional(type: Type): boolean {
  return 'optional' in type && type.optional;
}

/** Whether a type refers to itself. */
export function holdsItself({ decl, file }: TypeName): boolean {
  const seen = new Set<TypeDecl>();
  const reaches = (type: Type, from: FileScope): boolean => {
    const found = typeName(type, from);
    if (!found) return partsOfType(type).some((part) => reaches(part, from));
    if (found.decl === decl) return true;
    if (seen.has(found.decl)) return false;
    seen.add(found.decl);
    return reaches(found.decl.type, found.file);
  };
  return reaches(decl.type, file);
}

/** Returns the component types of a type. */
export function partsOfType(type: Type): readonly Type[] {
  switch (type.kind) {
    case 'pyramid-type':
    case 'list-type':
      return [type.element];
    case 'sequence-type':
      return type.items;
    case 'tuple-type':
      return type.items.map((item) => item.type);
    case 'named-type':
      return type.length ? [{ ...type, length: undefined }] : [];
    case 'tensor-type':
    case 'choice-type':
    case 'alias-type':
    case 'typeof-type':
      return [];
  }
}
