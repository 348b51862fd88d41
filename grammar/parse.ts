import type { IToken } from 'chevrotain';
import { DocLines } from './docs.ts';
import { FaultSink } from './faults.ts';
import { lex } from './lex.ts';
import { Parser } from './parser.ts';
import { Use } from './tokens.ts';
import type { Declaration, ParseResult, UseDecl } from './tree.ts';

/** The grammar is validated by a test, so not here: that would cost every command 50 ms. */
const parser = new Parser(true);

/**
 * Reads a `.crob` file. `file` is the name it is known under, in spans. Every independent mistake is a fault;
 * the tree holds whatever could be read. Never throws for what the text holds.
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

/** Brackets are bounded by the line rule, but chains like `- - - x` are not: there, recursion has an end too. */
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
