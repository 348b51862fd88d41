import type { IToken, TokenType } from 'chevrotain';
import {
  Arrow,
  At,
  AtSign,
  Colon,
  Dot,
  Else,
  Equal,
  Extends,
  Fn,
  For,
  Identifier,
  If,
  Interface,
  LBrace,
  LParen,
  Method,
  Model,
  Module,
  memberWords,
  Recipe,
  Return,
  Then,
  valueEnds,
  Weights,
  Where,
} from './tokens.ts';

/** Whether a statement that starts with this token has a body in braces. */
export function isHeader({ tokenType, image }: IToken): boolean {
  return headers.has(tokenType) || image === 'forward';
}

const headers: ReadonlySet<TokenType> = new Set([Module, Interface, Model, Recipe, Weights, Fn, Method, If, For]);

/** Whether a token of this type can end a value: an `if` after it is a condition and has no block. */
export function endsValue(type: TokenType | undefined): boolean {
  return (
    type !== undefined && (valueEnds.has(type) || (type.CATEGORIES ?? []).some((category) => valueEnds.has(category)))
  );
}

/** Whether a token is a name, or a word that can be used as one. */
export function isName(token: IToken | undefined): boolean {
  return (
    token !== undefined &&
    (token.tokenType === Identifier || (token.tokenType.CATEGORIES?.includes(Identifier) ?? false))
  );
}

/** Whether a line that starts with this token must be a new statement, however the previous line ends. */
export function begins(token: IToken, next: IToken | undefined): boolean {
  return token.tokenType === Return || (memberWords.has(token.tokenType) && isName(next));
}

/** Whether a line that starts with this token is a member, not a parameter (which has a type after its name). */
export function startsMember(token: IToken, next: IToken | undefined): boolean {
  if (token.tokenType === AtSign || memberWords.has(token.tokenType)) return isName(next);
  if (token.image === 'forward') return next?.tokenType === LParen || next?.tokenType === LBrace;
  return isName(token) && next?.tokenType === Equal;
}

/** Whether a line that starts with this token continues the previous line. */
export function continues(token: IToken, next: IToken | undefined, depth: number): boolean {
  const type = token.tokenType;
  if (type === Arrow || type === Equal || type === Where || type === Else || type === Then || type === LBrace)
    return true;
  const named = next?.tokenType === Equal || next?.tokenType === Dot;
  return depth === 0 && !named && (type === Colon || type === For || type === At || type === Extends);
}
