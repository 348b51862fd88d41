import type { Span } from '../../../grammar/span.ts';
import type { MethodMember, ModuleMember, Param } from '../../../grammar/tree.ts';
import type { FileScope } from '../source/file-scope.ts';
import type { InterfaceAt } from '../source/interfaces-of.ts';
import type { Faults } from './faults.ts';

/** A declaration that can have a `where`. */
export interface OwnerName {
  /** `model Seg`, `fn resize`, `Linear.forward`. */
  readonly what: string;
  /** Of its name. */
  readonly span: Span;
}

/** The declaration that a `where` would have to be added to. */
export interface Owner extends OwnerName {
  readonly isModel: boolean;
  /** The method of an interface that this one fills, and which must ask for no less. */
  readonly promisedBy: OwnerName | undefined;
}

/** A method with the file whose names its body sees (an interface's file for a default body). */
export interface Method {
  readonly decl: MethodMember;
  readonly file: FileScope;
  /** The interface whose signature it has, where it is written without one. */
  readonly promised: Promised | undefined;
  readonly owner: Owner;
}

/** A method without what depends on the module around it. */
export type MethodAlone = Omit<Method, 'owner'>;

/** A method of an interface, as what gives a signature. */
export interface Promised {
  readonly interface: string;
  readonly span: Span;
  /** The file whose names the signature sees. */
  readonly file: FileScope;
}

/** What every instance of a module has in common. */
export interface Declared {
  readonly members: ReadonlyMap<string, ModuleMember>;
  readonly methods: ReadonlyMap<string, Method>;
  readonly params: ReadonlyMap<string, Param>;
  readonly interfaces: readonly InterfaceAt[];
  /** False where a parameter lacks that an interface fills in: the text of the interface would only fail. */
  readonly sound: boolean;
  /** What is wrong with the declaration itself. */
  readonly faults: Faults;
}
