import type { SyntaxFault } from '../../grammar/tree.ts';
import type { Diagnostic } from './diagnostic.ts';
import { diagnostic } from './diagnostic.ts';
import { syntaxMessages } from './messages/syntax.ts';

type SyntaxCode = keyof typeof syntaxMessages;

/** The text of the note at a fault's second location. */
const second: Partial<Record<SyntaxCode, string>> = {
  CROB1007: 'still open here',
  CROB1008: 'still open here',
  CROB1012: 'opened here',
  CROB1018: 'this one has no name',
  CROB1035: 'named here',
};

/** Converts a syntax fault of the parser to a diagnostic. */
export function fromSyntax(fault: SyntaxFault): Diagnostic {
  if (!(fault.code in syntaxMessages)) throw new Error(`bug in crobc: no message ${fault.code}; please report it`);
  const code = fault.code as SyntaxCode;
  const text = second[code];
  const notes = fault.also && text ? [{ span: fault.also, text }] : [];
  return diagnostic(code, fault.span, fault.args as never, { notes });
}
