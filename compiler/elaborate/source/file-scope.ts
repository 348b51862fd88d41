import type { Declaration, SourceFile } from '../../../grammar/tree.ts';
import type { Doubt } from './doubt.ts';

/** The names of one file. */
export interface FileScope {
  readonly file: string;
  readonly tree: SourceFile;
  readonly declarations: ReadonlyMap<string, Declaration>;
  /** What a name means here: an own declaration, an import, or one of the prelude's. */
  lookup(name: string): Found | undefined;
  /** Names that a `use` promised and that could not be found: reported there, and nowhere else. Also what lost text may declare. */
  readonly unknown: ReadonlySet<string>;
  /** What its syntax errors leave in doubt; undefined where there are none. */
  readonly doubt: Doubt | undefined;
  /** Every name visible here, for did-you-mean. */
  names(): Iterable<string>;
}

/** A declaration, and the file that has it. */
export interface Found {
  readonly decl: Declaration;
  readonly file: FileScope;
}
