import type { IToken } from 'chevrotain';
import { tokenMatcher } from 'chevrotain';

/** The tokens around a syntax error. */
export interface Around {
  /** The first token of the item that contains it. */
  readonly first: IToken;
  /** The last token that was consumed. */
  readonly last: IToken;
  /** The unexpected token, and the one after it. */
  readonly found: IToken;
  readonly next: IToken;
}

/** A syntax error. */
export interface Mistake extends Around {
  /** What was expected, as in a message: `` `{` ``, `an expression`. */
  readonly expected: string;
  /** The innermost active rule; '' if a whole item had been parsed. */
  readonly rule: string;
}

export const isA = (token: IToken, ...types: Parameters<typeof tokenMatcher>[1][]) =>
  types.some((type) => tokenMatcher(token, type));
export const adjacent = (a: IToken, b: IToken) => a.startOffset + a.image.length === b.startOffset;
