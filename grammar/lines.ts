import type { IToken, TokenType } from 'chevrotain';
import { createTokenInstance } from 'chevrotain';
import { type Bracket, closers, isCloser, nest, spelling, unmatched } from './brackets.ts';
import { type FaultSink, lineAround, span } from './faults.ts';
import { begins, continues, endsValue, isHeader, isName, startsMember } from './line-starts.ts';
import type { Span } from './span.ts';
import {
  Arrow,
  AtSign,
  Colon,
  Comma,
  continuing,
  Dot,
  declarationWords,
  Else,
  Equal,
  For,
  If,
  Interface,
  infix,
  LBrace,
  LBracket,
  Let,
  LParen,
  Model,
  Module,
  memberWords,
  Newline,
  OpenString,
  RBrace,
  Return,
  Semicolon,
  Separator,
  StringToken,
  Tensor,
  Where,
} from './tokens.ts';

/** The maximum nesting depth, which bounds recursion; no real program needs more. */
const deepest = 100;

interface Open {
  readonly token: IToken;
  /** `names` are the braces of `use path.{…}`, in which newlines are ignored. */
  readonly kind: Bracket;
  /** Indentation of its line. */
  readonly indent: number;
  /** The statement that contains it. */
  readonly statement: Statement;
  /** Whether it is a shape: `f32[`, an element type before the bracket. */
  readonly isShape: boolean;
  /** The number of `if`, `else` and `tensor` inside it whose block has not come yet. */
  awaitedBlocks: number;
  /** Contains an unterminated string, which may include the closing bracket. */
  swallowed: boolean;
  /** Contains a reported fault; further faults inside it are suppressed. */
  spoilt: boolean;
}

interface Statement {
  readonly first: IToken | undefined;
  /** Indentation of its first line. */
  readonly indent: number;
  /** Whether it already has a block, or an `=` in place of one. */
  hasBody: boolean;
  /** As in `Open`, but outside of its brackets. */
  awaitedBlocks: number;
  swallowed: boolean;
}

const elementTypes: ReadonlySet<string> = new Set(['f32', 'i32', 'bool', 'i64', 'u8', 'f16']);

/**
 * Applies the line rule: a statement ends at a newline or `;`, except inside `( )` and `[ ]` (the innermost bracket
 * decides), after an operator or comma, and before `->`, `=`, `where`, `else`, `then`, `{`. Newlines and semicolons
 * become one `Separator` between two statements and at most one at the end of a block.
 *
 * Mismatched brackets are reported here and repaired with empty tokens, so that the parser gets balanced brackets
 * and one mistake gives one message. A token's `payload` is its bracket depth.
 */
export function applyLineRule(file: string, text: string, tokens: readonly IToken[], faults: FaultSink): IToken[] {
  return new LineRule(file, text, tokens, faults).apply();
}

class LineRule {
  readonly #file: string;
  readonly #text: string;
  readonly #tokens: readonly IToken[];
  readonly #faults: FaultSink;
  readonly #out: IToken[] = [];
  readonly #open: Open[] = [];
  /** The newline or semicolon since the last token. */
  #pending: IToken | undefined;
  #newline: IToken | undefined;
  /** The newline after the last token. */
  #lineEnd: IToken | undefined;
  #indent = 0;
  #nested: boolean | undefined;
  #nestedBraces: boolean | undefined;
  #statement: Statement = { first: undefined, indent: 0, hasBody: true, awaitedBlocks: 0, swallowed: false };

  constructor(file: string, text: string, tokens: readonly IToken[], faults: FaultSink) {
    this.#file = file;
    this.#text = text;
    this.#tokens = tokens;
    this.#faults = faults;
  }

  apply(): IToken[] {
    let starts = true;
    for (let at = 0; at < this.#tokens.length; at++) {
      const token = this.#tokens[at]!;
      if (token.tokenType === Newline) {
        if (!starts) this.#lineEnd = token;
        starts = true;
        this.#newline = token;
        if (!this.#insideList()) this.#pending ??= token;
        continue;
      }
      if (starts) this.#indent = this.#columnOf(token);
      const next = this.#tokens[at + 1];
      if (starts) this.#closeWhatALineCloses(token, next);
      if (this.#insideList()) this.#closeWhatATokenCloses(token, next);
      starts = false;
      if (token.tokenType === Semicolon) this.#semicolon(token);
      else if (isCloser(token.tokenType)) this.#close(token, at);
      else {
        this.#separate(token, at);
        if (token.tokenType === Else) this.#closeBeforeElse(token);
        const last = this.#last();
        if (token.tokenType === LBrace && last?.tokenType === LBrace && last.image !== '') {
          this.#faults.add('CROB1001', span(this.#file, token), {
            found: '`{`',
            expected: 'what stands in the braces',
          });
          continue;
        }
        const kind = this.#opens(token.tokenType);
        if (kind && this.#open.length >= deepest) {
          this.#faults.add('CROB1030', span(this.#file, token), {});
          this.#closeTo(0);
          return this.#out;
        }
        this.#take(token);
        if (kind) this.#enter(token, kind, this.#indent, last);
      }
    }
    this.#closeAll(undefined);
    return this.#out;
  }

  /** Outputs a token and updates the state of its statement and bracket. */
  #take(token: IToken): void {
    const last = this.#last()?.tokenType;
    if (last === undefined || last === Separator || last === LBrace)
      this.#statement = { first: token, indent: this.#indent, hasBody: false, awaitedBlocks: 0, swallowed: false };
    const holder = this.#insideList() ? this.#innermost()! : this.#statement;
    const { tokenType: type } = token;
    const awaitsBlock = type === If ? last !== Else && !endsValue(last) : type === Else || type === Tensor;
    if (awaitsBlock) holder.awaitedBlocks++;
    if (type === LBrace && holder.awaitedBlocks > 0) holder.awaitedBlocks--;
    if (type === OpenString) {
      this.#statement.swallowed = true;
      for (const bracket of this.#open) bracket.swallowed = true;
    }
    if (type === Equal && !this.#insideList()) this.#statement.hasBody = true;
    this.#push(token);
    // `"b c,` in a list.
    if (type === OpenString && this.#insideList() && /,\s*$/.test(token.image)) {
      const end = this.#end();
      this.#push(createTokenInstance(Comma, '', end, end - 1, 0, 0, 0, 0));
    }
  }

  #enter(token: IToken, kind: Bracket, indent: number, before: IToken | undefined): void {
    if (kind === 'brace') this.#statement.hasBody = true;
    this.#open.push({
      token,
      kind,
      indent,
      statement: this.#statement,
      isShape: kind === 'square' && before !== undefined && elementTypes.has(before.image),
      awaitedBlocks: 0,
      swallowed: false,
      spoilt: false,
    });
  }

  /** Closes brackets that the start of a new line proves to be unclosed. */
  #closeWhatALineCloses(token: IToken, next: IToken | undefined): void {
    if (this.#open.length === 0) return;
    if (this.#declares(token, next)) {
      this.#closeAll(token);
      this.#pending = this.#lineEnd;
      return;
    }
    if (this.#insideList() && this.#startsStatement(token, next)) {
      this.#closeLists(token);
      this.#pending = this.#lineEnd;
    }
    if (!this.#insideList()) this.#closeBraces(token, next);
  }

  /** Closes blocks that are indented further than the new line. */
  #closeBraces(token: IToken, next: IToken | undefined): void {
    const innermost = this.#innermost();
    if (!innermost || innermost.statement.indent < this.#indent || this.#bracesNest()) return;
    const isCloses = isCloser(token.tokenType);
    const last = this.#last()!.tokenType;
    if (!isCloses && (continuing.has(last) || infix.has(token.tokenType) || continues(token, next, this.#open.length)))
      return;
    let depth = this.#open.length;
    // A closing brace closes at least one block, whatever its indentation.
    while (depth > (isCloses ? 1 : 0)) {
      const { kind, statement } = this.#open[depth - 1]!;
      if (kind !== 'brace' || statement.indent < this.#indent + (isCloses ? 1 : 0)) break;
      depth--;
    }
    if (depth === this.#open.length) return;
    this.#report(innermost, token);
    this.#closeTo(depth);
    this.#pending = this.#lineEnd;
  }

  /** Whether a token at the start of a line, inside an open `(` or `[`, must be a new statement. */
  #startsStatement(token: IToken, next: IToken | undefined): boolean {
    const last = this.#last();
    const innermost = this.#innermost()!;
    if (token.tokenType === Let || token.tokenType === Return) return true;
    if (this.#isParameterList() && startsMember(token, next)) return true;
    if (!last || this.#indent > this.#statement.indent || isCloser(token.tokenType)) return false;
    // The closing bracket is inside the unterminated string.
    if (innermost.swallowed || begins(token, next) || (token.tokenType === AtSign && isName(next))) return true;
    if (token.tokenType === If || (token.tokenType === For && innermost.kind === 'round'))
      return !continuing.has(last.tokenType) && last !== innermost.token;
    if (!isName(token)) return false;
    if (last.tokenType === LParen || last.tokenType === LBracket) return next?.tokenType === Equal;
    return !continuing.has(last.tokenType);
  }

  /** Whether the innermost bracket holds the parameters of a module, model or interface. */
  #isParameterList(): boolean {
    const first = this.#open.length === 1 ? this.#statement.first?.tokenType : undefined;
    return first === Module || first === Model || first === Interface;
  }

  /** Closes lists before a token that cannot be in a list. */
  #closeWhatATokenCloses(token: IToken, next: IToken | undefined): void {
    const type = token.tokenType;
    if (type === Arrow || type === Where) this.#closeLists(token);
    // `@path("bias" param b: …`
    else if (this.#statement.first?.tokenType === AtSign && this.#startsBehindAttribute(token, next))
      this.#closeLists(token);
    // No expression starts with a brace.
    else if (type === LBrace) this.#closeLists(token, (bracket) => bracket.awaitedBlocks > 0);
    else if (isName(token) && (next?.tokenType === Equal || next?.tokenType === Colon))
      this.#closeBeforeName(token, next);
  }

  #startsBehindAttribute(token: IToken, next: IToken | undefined): boolean {
    const last = this.#last()!;
    if (last === this.#innermost()!.token || last.tokenType === Comma) return false;
    return isName(token) && (memberWords.has(token.tokenType) ? isName(next) : next?.tokenType === Equal);
  }

  /**
   * `f32[B, C, mask: …`, `[1, 2, depths = …`: a name with a type or a value belongs to the enclosing list, not to
   * this one.
   */
  #closeBeforeName(token: IToken, next: IToken): void {
    const [outer, innermost] = this.#open.slice(-2);
    const last = this.#last();
    if (innermost?.kind !== 'square' || last?.tokenType !== Comma) return;
    if ((next.tokenType === Colon && !innermost.isShape) || this.#nests()) return;
    this.#report(innermost, token);
    if (outer?.kind === 'round') {
      // The comma belongs to the enclosing list.
      this.#out.pop();
      this.#closeTo(this.#open.length - 1);
      this.#push(last);
    } else if (outer?.kind !== 'square') {
      this.#closeTo(this.#open.length - 1);
      this.#pending = this.#lineEnd;
    }
  }

  /** Closes the enclosing lists up to, and without, the first for which `keeps` holds. */
  #closeLists(found: IToken, keeps: (bracket: Open) => boolean = () => false): void {
    let depth = this.#open.length;
    while (depth > 0 && this.#open[depth - 1]!.kind !== 'brace' && !keeps(this.#open[depth - 1]!)) depth--;
    if (depth === this.#open.length || (found.tokenType !== Semicolon && this.#nests())) return;
    const bracket = this.#open[depth]!;
    this.#report(bracket, found);
    // `a(x` before a new line can only be repaired in one way.
    const { startOffset: start } = bracket.token;
    const inside = this.#text.slice(start + 1, found.startOffset);
    if (this.#columnOf(found) === this.#indent && !/[()[\]{}]/.test(inside)) this.#faults.mend(start);
    this.#closeTo(depth);
  }

  #semicolon(token: IToken): void {
    if (this.#insideList()) this.#closeLists(token);
    this.#pending = token;
  }

  #close(token: IToken, at: number): void {
    const type = token.tokenType;
    const pending = this.#pending;
    this.#pending = undefined;
    let depth = this.#open.length - 1;
    while (depth >= 0 && closers[this.#open[depth]!.kind] !== type) depth--;
    if (type !== RBrace) {
      depth = this.#listToClose(token, at, depth);
      if (depth < 0) return;
    } else if (depth < 0 || this.#isBraceTooMany(token, at, this.#open[depth]!)) {
      this.#faults.add('CROB1009', span(this.#file, token), { found: token.image });
      this.#spoilLine(token);
      return;
    }
    if (depth < this.#open.length - 1) {
      this.#report(this.#innermost()!, token);
      this.#closeTo(depth + 1);
    }
    // Kept for messages: if something is missing before a `}`, the message points to the end of that line.
    if (pending && this.#last()!.tokenType !== LBrace) this.#pushSeparator(pending);
    const closed = this.#open.pop()!;
    this.#leave(closed, token.startOffset + token.image.length);
    this.#push(token);
  }

  /**
   * Returns the depth of the list that a `)` or `]` closes, or -1 if the token was surplus or of the wrong kind and
   * has been handled. Of all interpretations, the one with the fewest mismatched brackets in the text ahead wins;
   * layout breaks ties.
   */
  #listToClose(token: IToken, at: number, nearest: number): number {
    const inner = this.#open.length - 1;
    const isPlain = nearest === inner && inner >= 0;
    if (isPlain && (this.#fitsLayout(token, this.#open[inner]!) || this.#nests())) return nearest;
    const segment = this.#segment();
    const lists = this.#open.slice(segment).map(({ kind }) => kind);
    if (lists.length === 0 && nearest >= 0 && !this.#blockEnds(at)) return nearest;
    const ahead = this.#bracketsAhead(at);
    let best = { depth: -1, wrong: 1 + unmatched(lists, ahead), fits: nearest === inner };
    if (lists.length > 0 && nearest < inner) {
      const wrong = 1 + unmatched(lists.slice(0, -1), ahead);
      if (wrong <= best.wrong) best = { depth: inner, wrong, fits: false };
    }
    for (let depth = segment; depth <= inner; depth++) {
      const bracket = this.#open[depth]!;
      if (closers[bracket.kind] !== token.tokenType) continue;
      const wrong = (depth < inner ? 1 : 0) + unmatched(lists.slice(0, depth - segment), ahead);
      const fits = this.#fitsLayout(token, bracket);
      if (wrong < best.wrong || (wrong === best.wrong && (fits || !best.fits))) best = { depth, wrong, fits };
    }
    if (best.depth >= 0 && closers[this.#open[best.depth]!.kind] === token.tokenType) return best.depth;
    const innermost = this.#innermost();
    if (best.depth >= 0) {
      const { token: opener, kind } = innermost!;
      const args = { open: opener.image, close: spelling[kind], found: token.image };
      this.#faults.add('CROB1012', span(this.#file, token), args, span(this.#file, opener));
      this.#closeTo(inner);
      return -1;
    }
    this.#faults.add('CROB1009', span(this.#file, token), { found: token.image });
    if (innermost && segment <= inner && nearest !== inner) innermost.spoilt = true;
    else this.#spoilBefore(token);
    return -1;
  }

  /** Whether the innermost block is closed on this line. */
  #blockEnds(at: number): boolean {
    let depth = 0;
    for (const { tokenType: type } of this.#tokens.slice(at)) {
      if (type === Newline) return false;
      if (type === LBrace) depth++;
      if (type === RBrace && --depth < 0) return true;
    }
    return false;
  }

  /**
   * Whether the position of a closing bracket agrees with the layout: on the opener's line, or at the indentation of
   * that line.
   */
  #fitsLayout(token: IToken, { token: opener, indent }: Open): boolean {
    const line = (this.#newline?.startOffset ?? -1) + 1;
    if (token.startOffset - line === this.#indent) return indent === this.#indent;
    return opener.startOffset >= line || !this.#endsLine(opener);
  }

  #endsLine({ startOffset, image }: IToken): boolean {
    const end = startOffset + image.length;
    return /^[ \t\r]*(\/\/.*)?$/.test(this.#text.slice(end, lineAround(this.#text, end).end));
  }

  /** Whether a `}` at the end of a line or within it is surplus, because the block continues after it. */
  #isBraceTooMany(token: IToken, at: number, { token: opener, statement: { indent } }: Open): boolean {
    const line = (this.#newline?.startOffset ?? -1) + 1;
    if (this.#bracesNest()) return false;
    if (this.#insideList() && this.#innermost()!.awaitedBlocks > 0) return true;
    if (token.startOffset - line === this.#indent || opener.startOffset >= line || indent >= this.#indent) return false;
    if (this.#statement.awaitedBlocks > 0) return true;
    const following = this.#tokens.slice(at + 1).find(({ tokenType }) => tokenType !== Newline);
    if (!following) return false;
    const column = this.#columnOf(following);
    return (
      this.#tokens[at + 1] === following || column > indent || (column === indent && following.tokenType === RBrace)
    );
  }

  /** Whether all brackets of the file match; layout is then ignored. */
  #nests(): boolean {
    this.#nested ??= nest(this.#tokens);
    return this.#nested;
  }

  /** Whether all braces of the file match. */
  #bracesNest(): boolean {
    this.#nestedBraces ??= nest(this.#tokens, (type) => type === LBrace || type === RBrace);
    return this.#nestedBraces;
  }

  /** `{ a else { b }`: the block before an `else` must be closed. */
  #closeBeforeElse(token: IToken): void {
    const innermost = this.#innermost();
    if (innermost?.kind !== 'brace' || this.#last()?.tokenType === RBrace) return;
    const line = token.startOffset - this.#columnOf(token);
    if (innermost.token.startOffset < line && innermost.indent !== this.#indent) return;
    this.#report(innermost, token);
    this.#closeTo(this.#open.length - 1);
  }

  /** Suppresses further faults before a surplus brace on its line. */
  #spoilLine(token: IToken): void {
    const line = token.startOffset - this.#columnOf(token);
    if (this.#insideList()) this.#innermost()!.spoilt = true;
    if (token.startOffset - line > this.#indent)
      this.#faults.spoil(Math.max(line, this.#statement.first?.startOffset ?? 0), token.startOffset);
  }

  /**
   * Suppresses further faults before a closing bracket without an opener, back to where the opener may have been: on
   * this line, or from the last line above with the same or less indentation.
   */
  #spoilBefore(token: IToken): void {
    const column = this.#columnOf(token);
    const lineStart = token.startOffset - column;
    const startsLine = this.#text.slice(lineStart, token.startOffset).trim() === '';
    let start = startsLine ? lineStart : (this.#statement.first?.startOffset ?? lineStart);
    if (startsLine) {
      const above = this.#text.slice(0, lineStart).split('\n');
      const line = above.findLastIndex((text) => text.trim() !== '' && text.length - text.trimStart().length <= column);
      start = above.slice(0, Math.max(0, line)).reduce((sum, text) => sum + text.length + 1, 0);
    }
    const end = token.startOffset + token.image.length;
    this.#faults.spoil(start, end + /^[ \t]*/.exec(this.#text.slice(end))![0].length);
  }

  /** The round and square brackets after a token, up to where the statement must end. */
  #bracketsAhead(at: number): TokenType[] {
    const found: TokenType[] = [];
    for (let i = at + 1; i < this.#tokens.length && found.length < 200; i++) {
      const token = this.#tokens[i]!;
      const type = token.tokenType;
      if (type === LBrace || type === RBrace || type === Arrow || type === Where || type === Semicolon) break;
      if (type === Newline) {
        const next = this.#tokens[i + 1];
        if (next && !isCloser(next.tokenType) && this.#columnOf(next) <= this.#statement.indent) break;
      } else if (isCloser(type) || type === LParen || type === LBracket) found.push(type);
    }
    return found;
  }

  /** Outputs the pending separator before a token, if the line has really ended. */
  #separate(token: IToken, at: number): void {
    const next = this.#tokens[at + 1];
    const pending = this.#pending;
    this.#pending = undefined;
    const last = this.#last();
    if (!pending || !last || this.#insideList() || last.tokenType === LBrace) return;
    if (pending.tokenType === Newline) {
      const isNew = begins(token, next) || this.#declares(token, next);
      if (continues(token, next, this.#open.length)) return;
      if (!isNew && infix.has(token.tokenType)) {
        if (!continuing.has(last.tokenType))
          this.#faults.add('CROB1019', span(this.#file, token), { found: token.image });
        return;
      }
      if (this.#awaitsBody(token, isNew)) {
        const column = this.#endOfBody(at);
        if (column !== undefined) this.#openBody(column);
        return;
      }
      // `->` is missing between the two strings of a weights rule, or is inside the first.
      const isHalf = last === this.#statement.first && last.tokenType === token.tokenType;
      const isString = last.tokenType === OpenString || (isHalf && token.tokenType === StringToken);
      const isOpen = isString && this.#indent > this.#statement.indent;
      if (!isNew && (isOpen || continuing.has(last.tokenType))) return;
    }
    this.#pushSeparator(pending);
  }

  /** Whether a token in the first column starts a declaration. */
  #declares(token: IToken, next: IToken | undefined): boolean {
    return this.#indent === 0 && declarationWords.has(token.tokenType) && isName(next);
  }

  /**
   * Whether the previous lines are a header without its brace and this line, indented further, is part of it or of
   * its body.
   */
  #awaitsBody(token: IToken, isNew: boolean): boolean {
    const { first, indent, hasBody, awaitedBlocks } = this.#statement;
    if (first === undefined || this.#indent <= indent) return false;
    if (awaitedBlocks > 0) return true;
    if (hasBody || !isHeader(first)) return false;
    // Methods of an interface may have no body.
    if (declarationWords.has(first.tokenType) || token.tokenType === Let || token.tokenType === Return) return true;
    return !isNew && token.tokenType !== AtSign && token.image !== 'forward';
  }

  /** The column of the next `}` that has no opener, if it is where the statement's closing brace would be. */
  #endOfBody(at: number): number | undefined {
    if (this.#bracesNest()) return undefined;
    const least = this.#statement.indent;
    const most = Math.min(this.#indent - 1, this.#indentOf(this.#last()!));
    let depth = 0;
    let starts = true;
    for (let i = at; i < this.#tokens.length; i++) {
      const token = this.#tokens[i]!;
      const type = token.tokenType;
      if (type === Newline) {
        starts = true;
        continue;
      }
      const column = this.#columnOf(token);
      if (type === RBrace && depth === 0) return starts && column >= least && column <= most ? column : undefined;
      if (starts && column <= least && !isCloser(type)) return undefined;
      starts = false;
      if (type === LBrace) depth++;
      if (type === RBrace) depth--;
    }
    return undefined;
  }

  #openBody(column: number): void {
    const { first, swallowed } = this.#statement;
    const what = declarationWords.has(first!.tokenType) ? `the ${first!.image}` : 'this';
    if (!swallowed) this.#faults.add('CROB1041', span(this.#file, first!), { what });
    const end = this.#end();
    const brace = createTokenInstance(LBrace, '', end, end - 1, 0, 0, 0, 0);
    this.#take(brace);
    this.#enter(brace, 'brace', column, undefined);
  }

  #pushSeparator(pending: IToken): void {
    const image = pending.tokenType === Newline ? '\n' : ';';
    this.#push(createTokenInstance(Separator, image, pending.startOffset, pending.startOffset, 0, 0, 0, 0));
  }

  /** Outputs a token with its bracket depth, which error recovery uses; a bracket has the depth outside of it. */
  #push(token: IToken): void {
    token.payload = this.#open.length;
    this.#out.push(token);
  }

  #last(): IToken | undefined {
    return this.#out[this.#out.length - 1];
  }

  /** The end offset of the last output token. */
  #end(): number {
    const last = this.#last();
    return last ? last.startOffset + last.image.length : 0;
  }

  /** Indentation of a token's line. */
  #indentOf({ startOffset }: IToken): number {
    const { start, end } = lineAround(this.#text, startOffset);
    return this.#text.slice(start, end).search(/\S/);
  }

  #columnOf(token: IToken): number {
    return token.startOffset - (this.#text.lastIndexOf('\n', token.startOffset - 1) + 1);
  }

  #opens(type: TokenType): Bracket | undefined {
    if (type === LParen) return 'round';
    if (type === LBracket) return 'square';
    if (type !== LBrace) return undefined;
    return this.#last()?.tokenType === Dot ? 'names' : 'brace';
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
    const at = this.#end();
    while (this.#open.length > depth) {
      const closed = this.#open.pop()!;
      this.#leave(closed, at);
      this.#push(createTokenInstance(closers[closed.kind], '', at, at - 1, 0, 0, 0, 0));
    }
  }

  #leave({ token, statement, spoilt }: Open, end: number): void {
    this.#statement = statement;
    if (spoilt) this.#faults.spoil(token.startOffset, end);
  }

  #closeAll(found: IToken | undefined): void {
    if (this.#open.length > 0) {
      const list = this.#open.find((bracket) => bracket.kind !== 'brace');
      this.#report(list ?? this.#innermost()!, found);
    }
    this.#closeTo(0);
  }

  #report(bracket: Open, found: IToken | undefined): void {
    const { token, kind } = bracket;
    if (bracket.swallowed || token.image === '') return;
    const end = this.#text.trimEnd().length;
    const also: Span = found ? span(this.#file, found) : { file: this.#file, start: end, end };
    const name = found?.tokenType === RBrace && kind === 'brace' ? 'the `}` further out' : `\`${found?.image}\``;
    const before = found ? name : 'the end of the file';
    this.#faults.add(
      kind === 'brace' ? 'CROB1008' : 'CROB1007',
      span(this.#file, token),
      { open: token.image, close: spelling[kind], before },
      also,
    );
    if (kind !== 'brace') bracket.spoilt = true;
  }
}
