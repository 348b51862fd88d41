import type { Span } from '../../../grammar/span.ts';
import type { Block, Expr, FnDecl, InterfaceDecl, ModuleDecl, Param, Type } from '../../../grammar/tree.ts';
import type { FileScope, Found } from '../../elaborate/source/file-scope.ts';
import type { Kind } from './kinds.ts';
import type { NativeModule } from './natives.ts';
import type { Py, PyStatement } from './python/tree.ts';

/** A translated expression. */
export interface Value {
  readonly py: Py;
  readonly kind: Kind;
  /** Whether type checkers see no type, as for the results of calls of modules. */
  readonly any: boolean;
}

/** A parameter of a module, function or method with the file whose names its type uses. */
export interface SignatureParam {
  readonly decl: Param;
  readonly file: FileScope;
  /** The default, if it is not that of the declaration: a model's parameter may have a new one in a variant. */
  readonly value?: {
    readonly expr: Expr;
    readonly file: FileScope;
    readonly translate: (scope: Scope) => Value;
    readonly constant: boolean;
  };
}

/** What callers of a method or function need to know. */
export interface Signature {
  readonly name: string;
  readonly params: readonly SignatureParam[];
  readonly result: Type | undefined;
  readonly where: readonly Expr[];
  readonly file: FileScope;
  /** The kind of its result. */
  readonly kind: Kind;
}

/** A generated class. */
export interface ClassInfo {
  readonly name: string;
  /** What lines of a variant change inside it, as text; empty for the module as it is. */
  readonly version: string;
  readonly found: Found & { readonly decl: ModuleDecl | InterfaceDecl };
  /** The kind of a parameter, static, part or weight; undefined if there is none of that name. */
  readonly member: (name: string) => Kind | undefined;
  readonly method: (name: string) => Signature | undefined;
}

/** A generated function. */
export interface FnInfo {
  readonly name: string;
  readonly decl: FnDecl;
  readonly file: FileScope;
  readonly kind: Kind;
  /** Whether it makes tensors without being given any, so that it takes the device as a parameter. */
  readonly device: boolean;
}

/** Lines of a variant that change something inside a part. */
export interface Changes {
  readonly line:
    | { readonly text: string; readonly value: (scope: Scope, slot: Param | undefined) => Value }
    | undefined;
  readonly below: ReadonlyMap<string, Changes>;
  readonly span: Span;
}

/** What the translation of all bodies shares. */
export interface Package {
  /** The text of a span of the source. */
  readonly text: (span: Span) => string;
  readonly fn: (found: Found & { readonly decl: FnDecl }) => FnInfo;
  /** The class of a module or interface; `changes` are lines of a variant for its inside. */
  readonly classOf: (found: Found & { readonly decl: ModuleDecl | InterfaceDecl }, changes?: Changes) => ClassInfo;
  /** A class by the version that its info states. */
  readonly version: (found: Found & { readonly decl: ModuleDecl | InterfaceDecl }, version: string) => ClassInfo;
  /** The name of a class of named tuples for the results of `owner`. */
  readonly tuple: (owner: string, items: readonly { readonly name: string; readonly of: Kind }[]) => Kind;
  readonly native: (found: Found) => NativeModule | undefined;
  /** The class of a layer of PyTorch that takes initialisers. */
  readonly layer: (found: Found & { readonly decl: ModuleDecl }) => string;
  /** The function that fills offsets of sampling points. */
  readonly ring: () => string;
  readonly isTaken: (name: string) => boolean;
  /** Whether a name in a file is that of an interface with parameters. */
  readonly isHoleType: (name: string, file: string) => boolean;
  /** Reports what cannot be written for PyTorch; the value stands in its place. */
  readonly refuse: (span: Span, what: string) => Value;
  readonly hasRefused: () => boolean;
}

/** The translation of one body. */
export interface Scope {
  readonly pack: Package;
  readonly file: FileScope;
  readonly translate: (expr: Expr, hint?: string) => Value;
  readonly block: (block: Block, hint?: string) => Value;
  readonly emit: (statement: PyStatement) => void;
  /** Statements that a piece of translation emits, apart from those of the body. */
  readonly apart: <T>(work: () => T) => { readonly value: T; readonly statements: readonly PyStatement[] };
  /** Declares a variable for what follows within `work`, or in the body. */
  readonly declare: (name: string, kind: Kind, any: boolean) => string;
  readonly nested: <T>(work: () => T) => T;
  /** Gives a name a value within the innermost `nested`. */
  readonly bind: (name: string, value: Value) => void;
  /** Evaluates with the names of another file. */
  readonly within: <T>(file: FileScope, work: () => T) => T;
  /** The device of the tensors at hand. */
  readonly device: (span: Span) => Py;
  readonly lookup: (name: string) => Value | undefined;
  /** The class whose body this is. */
  readonly self: SelfScope | undefined;
}

export interface SelfScope {
  readonly method: (name: string) => Signature | undefined;
}
