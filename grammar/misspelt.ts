import type { IToken, TokenType } from 'chevrotain';
import { type FaultSink, span } from './faults.ts';
import { foreignWords } from './foreign.ts';
import { isName } from './line-starts.ts';
import { allNearest } from './nearest.ts';
import {
  As,
  At,
  AtSign,
  Buffer,
  DotStar,
  declarationWords,
  Else,
  Eval,
  Except,
  Extends,
  False,
  Fix,
  Float,
  For,
  From,
  Group,
  Identifier,
  If,
  In,
  Init,
  Input,
  Int,
  LBrace,
  Let,
  Method,
  Newline,
  None,
  Output,
  Param,
  RBrace,
  RBracket,
  Return,
  RParen,
  Semicolon,
  Start,
  Static,
  StringToken,
  Tensor,
  Term,
  Then,
  Train,
  True,
  Typeof,
  Via,
  Where,
  Without,
} from './tokens.ts';

type Words = ReadonlyMap<string, TokenType>;

const words = (types: Iterable<TokenType>): Words =>
  new Map([...types].map((type) => [type.LABEL!.replaceAll('`', ''), type]));

/** Words that start declarations, members of each kind of declaration, and statements. */
const declaring = words(declarationWords);
const leading: ReadonlyMap<string, Words> = new Map<string, Words>([
  ['module', words([Param, Buffer, Static, Method])],
  ['interface', words([Param, Buffer, Static, Method])],
  ['model', words([Input, Output, Let, Without])],
  ['recipe', words([Input, Let, Without, Term, Group, Fix, Eval, Train, Init, Start])],
  ['weights', new Map()],
]);
const stating = words([Let, Return, If, For]);
/** Words that occur between two operands, and words that occur before one. */
const between = {
  list: words([As, Else, For, In]),
  header: words([As, At, Extends, For, Where]),
  body: words([As, At, Else, Except, From, In, Then, Via, Where]),
} as const;
const before = words([If, Tensor, Typeof]);
const otherwise = words([Else]);

const literals: readonly TokenType[] = [Int, Float, StringToken, True, False, None];
/** Soft keywords are not in these sets although they can be names: a name beside one is correct. */
const ends: ReadonlySet<TokenType> = new Set([Identifier, ...literals, RParen, RBracket, RBrace, DotStar]);
const starts: ReadonlySet<TokenType> = new Set([Identifier, ...literals]);

/**
 * Two adjacent names are never correct: if one of them is nearly a keyword, it is reported and parsed as that
 * keyword, so that the code around it keeps its meaning.
 */
export function readMisspeltWords(file: string, tokens: readonly IToken[], faults: FaultSink): void {
  let depth = 0;
  let first: IToken | undefined;
  /** The first tokens of the statements whose blocks enclose the current token. */
  const around: (IToken | undefined)[] = [];
  tokens.forEach((token, i) => {
    const previous = tokens[i - 1];
    const next = tokens[i + 1];
    const { image, tokenType } = token;
    if (startsItem(previous)) first = token;
    if (image === '(' || image === '[') depth++;
    if (image === ')' || image === ']') depth--;
    if (image === '{') around.push(first);
    if (image === '}') first = around.pop();
    // Two names at the start of a line, in the first column, start a declaration, whatever brackets are open.
    if (
      isName(next) &&
      (tokenType === Identifier || declarationWords.has(tokenType)) &&
      startsFirstColumn(token, previous)
    ) {
      depth = 0;
      around.length = 0;
    }
    if (tokenType !== Identifier || foreignWords.has(image)) return;
    const holder = around[around.length - 1];
    const meant = meantWord(token, depth > 0 && previous?.tokenType === Newline ? tokens[i - 2] : previous, next, {
      words: holder ? (leading.get(holder.image) ?? stating) : declaring,
      place: depth > 0 ? 'list' : holder ? 'body' : 'header',
      behindAttribute: first?.tokenType === AtSign,
    });
    if (!meant) return;
    const at = span(file, token);
    faults.add('CROB1048', at, { found: image, meant: meant.map(([word]) => `\`${word}\``).join(' or ') });
    const [[, type], ...others] = meant;
    if (others.length > 0) {
      // Ambiguous, so not repaired; the parser's error at the next token is a consequence.
      faults.spoil(at.start, next!.startOffset);
      return;
    }
    token.tokenType = type;
    token.tokenTypeIdx = type.tokenTypeIdx!;
  });
}

function startsFirstColumn({ startOffset }: IToken, previous: IToken | undefined): boolean {
  if (!previous) return startOffset === 0;
  return previous.tokenType === Newline && previous.startOffset + previous.image.length === startOffset;
}

function startsItem(previous: IToken | undefined): boolean {
  const type = previous?.tokenType;
  return type === undefined || type === Newline || type === LBrace || type === Semicolon;
}

/** The keywords at the same, smallest edit distance. */
type Meant = readonly [Choice, ...Choice[]];
type Choice = readonly [word: string, type: TokenType];

function meantWord(
  token: IToken,
  previous: IToken | undefined,
  next: IToken | undefined,
  {
    words,
    place,
    behindAttribute,
  }: { readonly words: Words; readonly place: keyof typeof between; readonly behindAttribute: boolean },
): Meant | undefined {
  const find = (among: Words) => {
    const [first, ...others] = allNearest(token.image, among.keys()).map((word) => [word, among.get(word)!] as const);
    return first && ([first, ...others] as const);
  };
  if (previous?.tokenType === RBrace && (next?.tokenType === LBrace || next?.tokenType === If)) return find(otherwise);
  const inList = place === 'list';
  if (startsItem(previous) && !inList) return isName(next) ? find(words) : undefined;
  if (previous?.tokenType === RParen && behindAttribute && !inList && isName(next)) return find(words);
  if (!next || !starts.has(next.tokenType)) return undefined;
  return ends.has(previous?.tokenType ?? Newline) ? find(between[place]) : find(before);
}
