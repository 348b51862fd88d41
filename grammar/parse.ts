import type { IToken } from 'chevrotain';
import { DocLines } from './docs.ts';
import { FaultSink } from './faults.ts';
import { lex } from './lex.ts';
import { Parser } from './parser.ts';
import { Use } from './tokens.ts';
import type { Declaration, ParseResult, UseDecl } from './tree.ts';

/** A test validates the grammar; doing it here would cost every command 50 ms. */
const parser = new Parser(true);

/**
 * Parses a `.crob` file. `file` is the name used in spans. Returns the tree of everything that could be parsed, and
 * one fault for each independent mistake. Never throws, whatever the text.
 */
export function parse(file: string, text: string): ParseResult {
  const faults = new FaultSink();
  const { tokens, docs: docLines, comments } = lex(file, text, faults);
  const docs = new DocLines(file, text, docLines);
  const fileDocs = docs.ofFile(tokens[0]?.startOffset ?? text.length, tokens[0]?.tokenType === Use);
  const items = read(file, text, tokens, docs, faults);
  const uses: UseDecl[] = [];
  const declarations: Declaration[] = [];
  for (const item of items) {
    if (item.kind !== 'use') declarations.push(item);
    else {
      uses.push(item);
      if (declarations.length > 0) faults.add('CROB1028', item.span, {});
    }
  }
  const all = [...comments, ...docs.rest()].sort((a, b) => a.span.start - b.span.start);
  const tree = { file, text, docs: fileDocs, uses, declarations, comments: all, unread: faults.unread() };
  return { tree, faults: faults.inOrder() };
}

/**
 * Parses the tokens. The line rule bounds the nesting of brackets, but not chains like `- - - x`, which may overflow
 * the stack: that is reported as a fault.
 */
function read(
  file: string,
  text: string,
  tokens: IToken[],
  docs: DocLines,
  faults: FaultSink,
): readonly (Declaration | UseDecl)[] {
  try {
    return parser.read(file, text, tokens, docs, faults);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    faults.add('CROB1030', { file, start: 0, end: 0 }, {});
    faults.lose(file, { start: 0, end: text.length });
    return [];
  }
}
