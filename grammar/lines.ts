import type { IToken, TokenType } from 'chevrotain';
import { createTokenInstance } from './chevrotain.ts';
import { type FaultSink, span } from './faults.ts';
import type { Span } from './span.ts';
import {
  Arrow,
  At,
  Colon,
  Comma,
  continuing,
  Dot,
  declarationWords,
  Else,
  Equal,
  Extends,
  For,
  Identifier,
  infix,
  LBrace,
  LBracket,
  LParen,
  memberWords,
  Newline,
  RBrace,
  RBracket,
  Return,
  RParen,
  Semicolon,
  Separator,
  Then,
  Where,
} from './tokens.ts';

/** Deeper nesting than this is refused: no program needs it, and recursion has an end. */
const deepest = 100;

type Bracket = 'round' | 'square' | 'brace' | 'names';

interface Open {
  readonly token: IToken;
  /** `names` are the braces of `use path.{…}`: newlines inside mean nothing. */
  readonly kind: Bracket;
  /** Indentation of the line it stands on, and of the first line of the statement that it is part of. */
  readonly indent: number;
  readonly statement: number;
}

const closers: Record<Bracket, TokenType> = { round: RParen, square: RBracket, brace: RBrace, names: RBrace };
const spelling: Record<Bracket, string> = { round: ')', square: ']', brace: '}', names: '}' };

/**
 * The line rule: a statement ends at a newline or `;`, except inside `( )` and `[ ]` (the innermost bracket
 * decides), behind an operator or comma, and before `->`, `=`, `where`, `else`, `then`, `{`. Newlines and semicolons
 * become one `Separator` between two statements and at most one at the end of a block.
 *
 * Brackets that don't match are reported here and repaired with empty tokens, so that the parser sees a
 * balanced text and one mistake stays one message. A token's `payload` is its bracket depth.
 */
export function applyLineRule(file: string, text: string, tokens: readonly IToken[], faults: FaultSink): IToken[] {
  return new LineRule(file, text, faults).apply(tokens);
}

class LineRule {
  readonly #file: string;
  readonly #text: string;
  readonly #faults: FaultSink;
  readonly #out: IToken[] = [];
  readonly #open: Open[] = [];
  /** A brace closed at another indentation than its own line's: the likely one when a `}` is missing. */
  #suspect: Open | undefined;
  /** The newline or semicolon since the last token. */
  #pending: IToken | undefined;
  #newline: IToken | undefined;
  #indent = 0;
  /** Indentation of the current statement's first line. */
  #statement = 0;

  constructor(file: string, text: string, faults: FaultSink) {
    this.#file = file;
    this.#text = text;
    this.#faults = faults;
  }

  apply(tokens: readonly IToken[]): IToken[] {
    let starts = true;
    for (let at = 0; at < tokens.length; at++) {
      const token = tokens[at]!;
      if (token.tokenType === Newline) {
        starts = true;
        this.#newline = token;
        if (!this.#insideList()) this.#pending ??= token;
        continue;
      }
      if (starts) this.#indent = token.startOffset - (this.#newline ? this.#newline.startOffset + 1 : 0);
      const next = tokens[at + 1];
      if (starts) this.#closeWhatALineCloses(token, next);
      starts = false;
      if (token.tokenType === Semicolon) this.#semicolon(token);
      else if (isCloser(token.tokenType)) this.#close(token);
      else {
        this.#separate(token, next);
        if (token.tokenType === LBrace) this.#closeBeforeBody(token);
        const kind = this.#opens(token.tokenType);
        if (kind && this.#open.length >= deepest) {
          this.#faults.add('CROB1030', span(this.#file, token), {});
          this.#closeTo(0);
          return this.#out;
        }
        const last = this.#out[this.#out.length - 1]?.tokenType;
        if (last === undefined || last === Separator || last === LBrace) this.#statement = this.#indent;
        this.#push(token);
        if (kind) this.#open.push({ token, kind, indent: this.#indent, statement: this.#statement });
      }
    }
    this.#closeAll(undefined);
    return this.#out;
  }

  /** A new line can show that a bracket before it was never closed. */
  #closeWhatALineCloses(token: IToken, next: IToken | undefined): void {
    if (this.#open.length === 0) return;
    if (this.#indent === 0 && declarationWords.has(token.tokenType) && isName(next)) {
      this.#closeAll(token);
      this.#pending = this.#newline;
    } else if (this.#insideList() && this.#startsStatement(token, next)) {
      const depth = this.#segment();
      this.#report(this.#open[depth]!, token);
      this.#closeTo(depth);
      this.#pending = this.#newline;
    }
  }

  /** Whether a token at a line's start, inside an open `(` or `[`, can only be a new statement. */
  #startsStatement(token: IToken, next: IToken | undefined): boolean {
    if (begins(token, next)) return true;
    const last = this.#out[this.#out.length - 1];
    if (!isName(token) || !last || this.#indent > this.#statement) return false;
    if (last.tokenType === LParen || last.tokenType === LBracket) return next?.tokenType === Equal;
    return !continuing.has(last.tokenType);
  }

  /** `module A( {`: no expression starts with a brace, so a list that waits for one was meant to end. */
  #closeBeforeBody(token: IToken): void {
    const last = this.#out[this.#out.length - 1]?.tokenType;
    if (!this.#insideList() || !(last === LParen || last === LBracket || last === Comma)) return;
    const depth = this.#segment();
    this.#report(this.#open[depth]!, token);
    this.#closeTo(depth);
  }

  #semicolon(token: IToken): void {
    if (this.#insideList()) {
      const depth = this.#segment();
      this.#report(this.#open[depth]!, token);
      this.#closeTo(depth);
    }
    this.#pending = token;
  }

  #close(token: IToken): void {
    const type = token.tokenType;
    const pending = this.#pending;
    this.#pending = undefined;
    let depth = this.#open.length - 1;
    while (depth >= 0 && closers[this.#open[depth]!.kind] !== type) depth--;
    if (type !== RBrace && depth < this.#segment() && this.#insideList()) {
      const wrong = this.#innermost()!;
      this.#faults.add(
        'CROB1012',
        span(this.#file, token),
        { open: wrong.token.image, close: spelling[wrong.kind], found: token.image },
        span(this.#file, wrong.token),
      );
      this.#closeTo(this.#open.length - 1);
      return;
    }
    if (depth < 0) {
      this.#faults.add('CROB1009', span(this.#file, token), { found: token.image });
      return;
    }
    if (depth < this.#open.length - 1) {
      this.#report(this.#innermost()!, token);
      this.#closeTo(depth + 1);
    }
    // Kept for messages: what is missing in front of a `}` is missing at its own line's end.
    const last = this.#out[this.#out.length - 1]!.tokenType;
    if (pending && last !== LBrace) this.#pushSeparator(pending);
    const closed = this.#open.pop()!;
    this.#statement = closed.statement;
    const own = token.startOffset - (this.#newline?.startOffset ?? -1) - 1 === this.#indent;
    if (own && closed.kind === 'brace' && this.#indent !== closed.indent) this.#suspect ??= closed;
    this.#push(token);
  }

  /** Puts the separator that stands in front of `token`, if the line really ended. */
  #separate(token: IToken, next: IToken | undefined): void {
    const pending = this.#pending;
    this.#pending = undefined;
    const last = this.#out[this.#out.length - 1];
    if (!pending || !last || this.#insideList() || last.tokenType === LBrace) return;
    if (pending.tokenType === Newline) {
      if (continuing.has(last.tokenType) && !begins(token, next)) return;
      if (continues(token, next, this.#open.length)) return;
      if (infix.has(token.tokenType)) {
        this.#faults.add('CROB1019', span(this.#file, token), { found: token.image });
        return;
      }
    }
    this.#pushSeparator(pending);
  }

  #pushSeparator(pending: IToken): void {
    const image = pending.tokenType === Newline ? '\n' : ';';
    this.#push(createTokenInstance(Separator, image, pending.startOffset, pending.startOffset, 0, 0, 0, 0));
  }

  /** Every token carries its bracket depth, a pair of brackets the depth around it: recovery goes by it. */
  #push(token: IToken): void {
    token.payload = this.#open.length;
    this.#out.push(token);
  }

  #opens(type: TokenType): Bracket | undefined {
    if (type === LParen) return 'round';
    if (type === LBracket) return 'square';
    if (type !== LBrace) return undefined;
    return this.#out[this.#out.length - 1]?.tokenType === Dot ? 'names' : 'brace';
  }

  #innermost(): Open | undefined {
    return this.#open[this.#open.length - 1];
  }

  #insideList(): boolean {
    const innermost = this.#innermost();
    return innermost !== undefined && innermost.kind !== 'brace';
  }

  /** The depth just inside the innermost brace. */
  #segment(): number {
    let depth = this.#open.length;
    while (depth > 0 && this.#open[depth - 1]!.kind !== 'brace') depth--;
    return depth;
  }

  #closeTo(depth: number): void {
    const last = this.#out[this.#out.length - 1];
    const at = last ? last.startOffset + last.image.length : 0;
    while (this.#open.length > depth) {
      const closed = this.#open.pop()!;
      this.#statement = closed.statement;
      this.#push(createTokenInstance(closers[closed.kind], '', at, at - 1, 0, 0, 0, 0));
    }
  }

  #closeAll(found: IToken | undefined): void {
    if (this.#open.length > 0) {
      const list = this.#open.find((bracket) => bracket.kind !== 'brace');
      this.#report(list ?? this.#suspect ?? this.#innermost()!, found);
    }
    this.#suspect = undefined;
    this.#closeTo(0);
  }

  #report(bracket: Open, found: IToken | undefined): void {
    const end = this.#text.trimEnd().length;
    const also: Span = found ? span(this.#file, found) : { file: this.#file, start: end, end };
    const before = found ? `\`${found.image}\`` : 'the end of the file';
    this.#faults.add(
      bracket.kind === 'brace' ? 'CROB1008' : 'CROB1007',
      span(this.#file, bracket.token),
      { open: bracket.token.image, close: spelling[bracket.kind], before },
      also,
    );
  }
}

function isName(token: IToken | undefined): boolean {
  return (
    token !== undefined &&
    (token.tokenType === Identifier || (token.tokenType.CATEGORIES?.includes(Identifier) ?? false))
  );
}

function isCloser(type: TokenType): boolean {
  return type === RParen || type === RBracket || type === RBrace;
}

/** Whether a line that starts so can only be a new statement, whatever the line before ends in. */
function begins(token: IToken, next: IToken | undefined): boolean {
  return token.tokenType === Return || (memberWords.has(token.tokenType) && isName(next));
}

/** Whether a line that starts so continues the one before. */
function continues(token: IToken, next: IToken | undefined, depth: number): boolean {
  const type = token.tokenType;
  if (type === Arrow || type === Equal || type === Where || type === Else || type === Then || type === LBrace)
    return true;
  const named = next?.tokenType === Equal || next?.tokenType === Dot;
  return depth === 0 && !named && (type === Colon || type === For || type === At || type === Extends);
}
