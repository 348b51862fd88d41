import type { IToken, TokenType } from 'chevrotain';
import { Lexer } from 'chevrotain';
import { type FaultSink, lineAround, span } from './faults.ts';
import { applyLineRule } from './lines.ts';
import { readMisspeltWords } from './misspelt.ts';
import {
  AndAnd,
  BadNumber,
  Bang,
  BlockComment,
  Comma,
  Dot,
  DoubleStar,
  describe,
  Equal,
  EqualEqual,
  False,
  Float,
  HashComment,
  Identifier,
  If,
  Int,
  LBrace,
  LBracket,
  LParen,
  Minus,
  Newline,
  None,
  OpenString,
  OrOr,
  Plus,
  RBracket,
  Return,
  RParen,
  SingleAnd,
  SingleOr,
  SingleQuoted,
  Slash,
  Star,
  StrictEqual,
  StringToken,
  Tilde,
  True,
  vocabulary,
  Where,
} from './tokens.ts';
import type { Comment } from './tree.ts';

const lexer = new Lexer([...vocabulary], {
  positionTracking: 'onlyOffset',
  skipValidations: true,
  ensureOptimizations: false,
});

/** One `///` line. */
export interface DocLine {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Only white space precedes it on its line. */
  readonly ownLine: boolean;
}

export interface Lexed {
  readonly tokens: IToken[];
  readonly docs: readonly DocLine[];
  readonly comments: readonly Comment[];
}

/** The replacement character, which decoders put in for invalid UTF-8, and NUL, which UTF-16 text is full of. */
const notText = /[\uFFFD\0]/;

/**
 * Splits a text into the tokens for the parser and applies the line rule; lexical errors and foreign spellings are
 * reported to `faults`.
 */
export function lex(file: string, text: string, faults: FaultSink): Lexed {
  const { tokens, groups, errors } = lexer.tokenize(text);
  const undecoded = text.search(notText);
  if (undecoded >= 0) faults.add('CROB1047', { file, start: undecoded, end: undecoded + 1 }, {});
  for (const error of errors) {
    const found = text.slice(error.offset, error.offset + error.length);
    if (notText.test(found)) continue;
    faults.add('CROB1002', { file, start: error.offset, end: error.offset + error.length }, { found });
  }
  for (const token of tokens) {
    if (token.tokenType !== OpenString) continue;
    faults.add('CROB1003', span(file, token), {});
    faults.cut(text, token.startOffset);
  }
  tokens.forEach((token, at) => {
    reportForeign(file, token, tokens[at - 1], faults);
    readWordOperator(file, token, tokens[at - 1], tokens[at + 1], faults);
    readForeignCall(file, token, tokens[at - 1], tokens[at + 1], faults);
  });
  readMisspeltWords(file, tokens, faults);
  const comments: Comment[] = [];
  for (const token of groups.foreign ?? []) {
    if (token.tokenType === HashComment)
      faults.add('CROB1010', span(file, token), { text: token.image.slice(1).trim() });
    if (token.tokenType === BlockComment) faults.add('CROB1011', span(file, token), {});
  }
  for (const token of groups.comments ?? []) {
    if (isDivision(text, token)) {
      faults.add('CROB1051', { ...span(file, token), end: token.startOffset + 2 }, {});
      faults.cut(text, token.startOffset);
    }
    comments.push({
      text: token.image.trimEnd(),
      ownLine: startsLine(text, token.startOffset),
      span: span(file, token),
    });
  }
  const docs = (groups.docs ?? []).map((token) => ({
    text: token.image.slice(3).replace(/^ /, '').trimEnd(),
    start: token.startOffset,
    end: token.startOffset + token.image.length,
    ownLine: startsLine(text, token.startOffset),
  }));
  for (const error of errors) faults.cut(text, error.offset);
  return { tokens: applyLineRule(file, text, tokens, faults), docs, comments };
}

/**
 * Whether a comment is meant as Python's division, `dim // 4`: it follows a value and holds only a number, and
 * perhaps closing brackets.
 */
function isDivision(text: string, { image, startOffset }: IToken): boolean {
  if (!/^\/\/[ \t]*\d+[ \t]*[)\],]*[ \t\r]*$/.test(image)) return false;
  return /[\w)\]][ \t]*$/.test(text.slice(lineAround(text, startOffset).start, startOffset));
}

function startsLine(text: string, offset: number): boolean {
  for (let at = offset - 1; at >= 0 && text[at] !== '\n'; at--) if (!/\s/.test(text[at]!)) return false;
  return true;
}

const counterparts = new Map([
  [DoubleStar, '^'],
  [StrictEqual, '=='],
  [SingleAnd, '&&'],
]);

/** Reports spellings of other languages, which are parsed as their crob counterparts. */
function reportForeign(file: string, token: IToken, before: IToken | undefined, faults: FaultSink): void {
  const counterpart = counterparts.get(token.tokenType);
  if (counterpart) faults.add('CROB1013', span(file, token), { found: token.image, counterpart });
  else if (token.tokenType === SingleQuoted) {
    faults.add('CROB1004', span(file, token), { text: token.image.slice(1, -1).replaceAll('"', '\\"') });
  } else if (token.tokenType === BadNumber) {
    const step =
      before &&
      token.image.startsWith('.') &&
      before.startOffset + before.image.length === token.startOffset &&
      (before.tokenType === Identifier || before.tokenType.CATEGORIES?.includes(Identifier));
    if (step) faults.add('CROB1006', span(file, token), { found: token.image, index: token.image.slice(1) });
    else faults.add('CROB1005', span(file, token), { found: token.image, repaired: repairNumber(token.image) });
  }
}

/** Turns `a and b`, `a or b` and `not a` into operators, where a name is impossible. */
function readWordOperator(
  file: string,
  token: IToken,
  before: IToken | undefined,
  after: IToken | undefined,
  faults: FaultSink,
): void {
  if (token.tokenType !== Identifier || !after || !operandStart.has(after.tokenType)) return;
  const type = wordOperators.get(token.image);
  if (!type || operandEnd.has(before?.tokenType ?? Newline) !== (type !== Bang)) return;
  faults.add('CROB1013', span(file, token), { found: token.image, counterpart: describe(type).replaceAll('`', '') });
  readAs(token, type);
}

function readAs(token: IToken, type: TokenType): void {
  token.tokenType = type;
  token.tokenTypeIdx = type.tokenTypeIdx!;
}

/** Turns `where` of the call `where(c, a, b)` into an (unknown) name, and `~mask` into `!mask`. */
function readForeignCall(
  file: string,
  token: IToken,
  before: IToken | undefined,
  after: IToken | undefined,
  faults: FaultSink,
): void {
  if (!before || !after || !opensOperand.has(before.tokenType)) return;
  if (token.tokenType === Where && after.tokenType === LParen) readAs(token, Identifier);
  if (token.tokenType !== Tilde || !operandStart.has(after.tokenType)) return;
  faults.add('CROB1013', span(file, token), { found: '~', counterpart: '!' });
  readAs(token, Bang);
}

const wordOperators = new Map([
  ['and', AndAnd],
  ['or', OrOr],
  ['not', Bang],
]);
const operandStart: ReadonlySet<TokenType> = new Set([Identifier, Int, Float, LParen, True, False, None]);
/** Tokens after which an operand must follow: neither a `where` clause nor an initialiser. */
const opensOperand: ReadonlySet<TokenType> = new Set([
  Equal,
  Comma,
  LParen,
  LBracket,
  LBrace,
  Dot,
  Return,
  Plus,
  Minus,
  Star,
  Slash,
  AndAnd,
  OrOr,
  SingleAnd,
  SingleOr,
  EqualEqual,
  If,
  Bang,
]);
const operandEnd: ReadonlySet<TokenType> = new Set([
  Identifier,
  Int,
  Float,
  StringToken,
  RParen,
  RBracket,
  True,
  False,
  None,
]);

function repairNumber(image: string): string {
  if (/^\d+\.$/.test(image)) return `${image}0`;
  if (/^\.\d+$/.test(image)) return `0${image}`;
  const plain = image.replaceAll('_', '');
  if (/^\d+(\.\d+)?$/.test(plain)) return plain;
  if (/^0[xXbBoO]/.test(plain) && Number.isFinite(Number(plain))) return String(Number(plain));
  const digits = /^\d*(?:\.\d+)?/.exec(plain)?.[0] ?? '';
  return digits.startsWith('.') ? `0${digits}` : digits;
}
