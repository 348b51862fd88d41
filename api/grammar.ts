import { fromSyntax } from '../compiler/diagnostics/from-syntax.ts';
import { format as formatTree } from '../grammar/format.ts';
import { parse as parseSource } from '../grammar/parse.ts';
import type { SourceFile } from '../grammar/tree.ts';
import { type Diagnostic, plainDiagnostics } from './diagnostics.ts';

export type { Span } from '../grammar/span.ts';
export type * from '../grammar/tree.ts';
export type { Diagnostic, DiagnosticNote, Position, Range } from './diagnostics.ts';

/** A text as it was read. */
export interface Parsed {
  /** All that could be read. With an error, parts of the text may be missing from it. */
  readonly tree: SourceFile;
  /** Each independent mistake of syntax, in the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads the text of a `.crob` file. Names are not looked up and shapes are not checked: `check` of `crobc` does that.
 *
 * @param file The name under which the text goes in spans and diagnostics.
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
 * The text of a tree in the one style of `crobc fmt`: comments and order are kept, lines have 100 columns where they can break.
 * Formatting twice changes nothing more. Of a tree whose text has errors, what was not read is missing: do not write that back.
 */
export function format(tree: SourceFile): string {
  return formatTree(tree);
}
