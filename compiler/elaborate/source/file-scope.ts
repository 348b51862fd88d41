import type { Declaration, SourceFile, UseDecl } from '../../../grammar/tree.ts';
import type { Doubt } from './doubt.ts';

/** The scope of one file. */
export interface FileScope {
  readonly file: string;
  /**
   * The path, followed by a number where an earlier scope of the path was another one. Equal for scopes with the same
   * text in which every name of a module, function, interface or type has the same meaning, so keys of what these
   * declare contain it. Names of models, recipes and weights maps may differ.
   */
  readonly id: string;
  readonly tree: SourceFile;
  /** The `use`s, and the path of the file that each refers to, which may not exist. */
  readonly uses: readonly { readonly use: UseDecl; readonly target: string }[];
  readonly declarations: ReadonlyMap<string, Declaration>;
  /** Resolves a name: a declaration of the file, an import, or one of the prelude. */
  lookup(name: string): Found | undefined;
  /**
   * Names that a `use` imports but that do not exist (reported only there), and names that unparsed text may
   * declare.
   */
  readonly unknown: ReadonlySet<string>;
  /** Whether a name is unknown in this sense here or in the prelude: what it names may exist. */
  mayHave(name: string): boolean;
  /** The uncertain parts of the file; undefined without syntax errors. */
  readonly doubt: Doubt | undefined;
  /** Every name in scope, for did-you-mean. */
  names(): Iterable<string>;
}

/** A declaration and its file. */
export interface Found {
  readonly decl: Declaration;
  readonly file: FileScope;
}
