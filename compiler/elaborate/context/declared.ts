import type { Span } from '../../../grammar/span.ts';
import type { MethodMember, ModuleMember, Param } from '../../../grammar/tree.ts';
import type { FileScope } from '../source/file-scope.ts';
import type { InterfaceAt } from '../source/interfaces-of.ts';
import type { Faults } from './faults.ts';

/** A declaration that can have a `where`. */
export interface OwnerName {
  /** `model Seg`, `fn resize`, `Linear.forward`. */
  readonly what: string;
  /** The span of its name. */
  readonly span: Span;
}

/** The declaration to which a `where` would have to be added. */
export interface Owner extends OwnerName {
  readonly isModel: boolean;
  /** The interface method that this one implements and must not be stricter than. */
  readonly promisedBy: OwnerName | undefined;
}

/** A method with the file in whose scope its body is resolved (an interface's file for a default body). */
export interface Method {
  readonly decl: MethodMember;
  readonly file: FileScope;
  /** The interface that declares its signature, if it is written without one. */
  readonly promised: Promised | undefined;
  readonly owner: Owner;
}

/** A method without the data that depends on the module around it. */
export type MethodAlone = Omit<Method, 'owner'>;

/** The interface method that provides a signature. */
export interface Promised {
  readonly interface: string;
  readonly span: Span;
  /** The file in whose scope the signature is resolved. */
  readonly file: FileScope;
}

/** The data that all instances of a module share. */
export interface Declared {
  readonly members: ReadonlyMap<string, ModuleMember>;
  readonly methods: ReadonlyMap<string, Method>;
  readonly params: ReadonlyMap<string, Param>;
  readonly interfaces: readonly InterfaceAt[];
  /** False if a parameter that an interface requires is missing: the interface's own code would then only fail. */
  readonly sound: boolean;
  /** Faults of the declaration itself. */
  readonly faults: Faults;
}
