import type { AliasType, NamedType, Type, TypeDecl } from '../../../grammar/tree.ts';
import type { FileScope } from './file-scope.ts';

/** A `type` declaration, and the file whose names it is written in. */
export interface TypeName {
  readonly decl: TypeDecl;
  readonly file: FileScope;
}

const plain: ReadonlySet<string> = new Set(['int', 'float', 'bool', 'string', 'dim', 'function', 'init']);

/** Whether a name may stand for a type: of static values, of what is in a slot, or one that is declared. */
export function isKnownType(name: string, file: FileScope): boolean {
  return plain.has(name) || file.lookup(name) !== undefined;
}

/** The `type` declaration that a type is the name of; undefined for every other type, and for a list of them. */
export function typeName(type: Type, file: FileScope): TypeName | undefined {
  if (!isName(type) || plain.has(type.name.name)) return undefined;
  const found = file.lookup(type.name.name);
  return found?.decl.kind === 'type' ? { decl: found.decl, file: found.file } : undefined;
}

function isName(type: Type): type is AliasType | NamedType {
  return type.kind === 'alias-type' || (type.kind === 'named-type' && !type.length);
}

/** A type behind all names, the file it is written in, and whether it or one of its names has a `?`. */
export interface Named {
  readonly type: Type;
  readonly file: FileScope;
  readonly optional: boolean;
}

/** A name that stands for itself in the end is left as it is. */
export function behindNames(type: Type, file: FileScope): Named {
  // Few types are names of others, and this is asked at every call.
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

/** The type alone. */
export function typeBehind(type: Type, file: FileScope): Type {
  return typeName(type, file) ? behindNames(type, file).type : type;
}

export function isOptional(type: Type): boolean {
  return 'optional' in type && type.optional;
}

/** Whether a name is among the types that it stands for. */
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

/** The types that a type is made of. */
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
