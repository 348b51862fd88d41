import type { IToken } from 'chevrotain';
import { tokenMatcher } from 'chevrotain';

/** The tokens around a mistake. */
export interface Around {
  /** Where the item starts that holds it. */
  readonly first: IToken;
  /** The last one that was read. */
  readonly last: IToken;
  /** The one that does not fit, and the one after it. */
  readonly found: IToken;
  readonly next: IToken;
}

/** Where reading stopped. */
export interface Mistake extends Around {
  /** As a message says it: `` `{` ``, `an expression`. */
  readonly expected: string;
  /** The innermost rule that was being read; '' when a whole item had been. */
  readonly rule: string;
}

export const isA = (token: IToken, ...types: Parameters<typeof tokenMatcher>[1][]) =>
  types.some((type) => tokenMatcher(token, type));
export const adjacent = (a: IToken, b: IToken) => a.startOffset + a.image.length === b.startOffset;
