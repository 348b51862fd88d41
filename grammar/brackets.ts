import type { IToken, TokenType } from 'chevrotain';
import { isName } from './line-starts.ts';
import { declarationWords, LBrace, LBracket, LParen, Newline, RBrace, RBracket, RParen } from './tokens.ts';

/** `names` are the braces of `use path.{…}`, in which newlines are ignored. */
export type Bracket = 'round' | 'square' | 'brace' | 'names';

export const closers: Record<Bracket, TokenType> = { round: RParen, square: RBracket, brace: RBrace, names: RBrace };
export const spelling: Record<Bracket, string> = { round: ')', square: ']', brace: '}', names: '}' };

export function isCloser(type: TokenType): boolean {
  return type === RParen || type === RBracket || type === RBrace;
}

/** Whether all brackets match, with none left open where the next declaration starts. */
export function nest(tokens: readonly IToken[], counts: (type: TokenType) => boolean = () => true): boolean {
  const stack: TokenType[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const { tokenType: type } = tokens[i]!;
    if (stack.length > 0 && declarationWords.has(type) && tokens[i - 1]?.tokenType === Newline && isName(tokens[i + 1]))
      return false;
    if (!counts(type)) continue;
    if (type === LParen) stack.push(RParen);
    else if (type === LBracket) stack.push(RBracket);
    else if (type === LBrace) stack.push(RBrace);
    else if (isCloser(type) && stack.pop() !== type) return false;
  }
  return stack.length === 0;
}

/** The number of mismatched brackets if `open` are open and the brackets `ahead` follow. */
export function unmatched(open: readonly Bracket[], ahead: readonly TokenType[]): number {
  const stack = open.map((kind) => closers[kind]);
  let wrong = 0;
  for (const type of ahead) {
    if (type === LParen) stack.push(RParen);
    else if (type === LBracket) stack.push(RBracket);
    else if (stack[stack.length - 1] === type) stack.pop();
    else {
      wrong++;
      const depth = stack.lastIndexOf(type);
      if (depth >= 0) stack.length = depth;
    }
  }
  return wrong + stack.length;
}
