import { fromSyntax } from '../compiler/diagnostics/from-syntax.ts';
import { format as formatTree } from '../grammar/format.ts';
import { parse as parseSource } from '../grammar/parse.ts';
import type { SourceFile } from '../grammar/tree.ts';
import { type Diagnostic, plainDiagnostics } from './diagnostics.ts';

export type { Span } from '../grammar/span.ts';
export type * from '../grammar/tree.ts';
export type { Diagnostic, DiagnosticNote, Position, Range } from './diagnostics.ts';

/** The result of parsing a text. */
export interface Parsed {
  /** The tree of everything that could be parsed. If there are errors, parts of the text may be missing. */
  readonly tree: SourceFile;
  /** Every independent syntax error, in the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Parses the text of a `.crob` file. This does not resolve names or check shapes; for that, use `check` of `crobc`.
 *
 * @param file The file name in spans and diagnostics.
 * @example
 * import { parse } from 'crobc/grammar';
 *
 * const { tree } = parse('model Half {\n  input x: f32[N]\n  output y = 0.5 * x\n}\n');
 * for (const { kind, name } of tree.declarations) console.log(kind, name.name); // model Half
 */
export function parse(text: string, file = 'source.crob'): Parsed {
  const { tree, faults } = parseSource(file, text);
  return { tree, diagnostics: plainDiagnostics(faults.map(fromSyntax), () => text) };
}

/**
 * The text of a tree in the style of `crobc fmt`. Comments and order are kept, and lines are broken at 100 columns where possible.
 * Formatting a second time changes nothing. If the text had errors, parts may be missing from the tree: do not write the result back.
 */
export function format(tree: SourceFile): string {
  return formatTree(tree);
}
