import type { IRecognitionException, IToken } from 'chevrotain';
import { EOF, tokenMatcher } from './chevrotain.ts';
import { type FaultSink, span } from './faults.ts';
import type { Span } from './span.ts';
import { describe, Identifier, reservedWords, Separator } from './tokens.ts';

/** Turns chevrotain's exception into a fault. Its `message` is what was expected. */
export function explain(error: IRecognitionException, previous: IToken, file: string, faults: FaultSink): void {
  const { token, message: expected } = error;
  faults.add('CROB1001', place(file, token, previous), { found: called(token), expected });
}

/** A whole item was read, and something stands behind it on its line. */
export function explainRest(
  _first: IToken,
  last: IToken,
  found: IToken,
  _after: IToken,
  file: string,
  faults: FaultSink,
): void {
  faults.add('CROB1001', place(file, found, last), { found: called(found), expected: 'the end of the line' });
}

/** How a message calls a token. */
export function called(token: IToken): string {
  if (token.tokenType === EOF) return 'the end of the file';
  if (token.tokenType === Separator) return token.image === ';' ? '`;`' : 'the end of the line';
  if (token.image === '') return describe(token.tokenType);
  if (reservedWords.has(token.tokenType)) return `the word \`${token.image}\``;
  return tokenMatcher(token, Identifier) ? `the name \`${token.image}\`` : `\`${token.image}\``;
}

/** Where a token stands; for the ends of lines and files, behind the token before. */
function place(file: string, token: IToken, previous: IToken | undefined): Span {
  if (token.tokenType !== EOF && token.tokenType !== Separator) return span(file, token);
  const end = previous && !Number.isNaN(previous.startOffset) ? previous.startOffset + previous.image.length : 0;
  return { file, start: end, end };
}
