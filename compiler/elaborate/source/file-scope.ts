import type { Declaration, SourceFile } from '../../../grammar/tree.ts';
import type { Doubt } from './doubt.ts';

/** The scope of one file. */
export interface FileScope {
  readonly file: string;
  readonly tree: SourceFile;
  readonly declarations: ReadonlyMap<string, Declaration>;
  /** Resolves a name: a declaration of the file, an import, or one of the prelude. */
  lookup(name: string): Found | undefined;
  /**
   * Names that a `use` imports but that do not exist (reported only there), and names that unparsed text may
   * declare.
   */
  readonly unknown: ReadonlySet<string>;
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
