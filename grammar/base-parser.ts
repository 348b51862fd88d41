import type { IRecognitionException, IToken, ParserMethod, TokenType } from 'chevrotain';
import { EmbeddedActionsParser, EOF, isRecognitionException, tokenMatcher } from 'chevrotain';
import { expectations } from './expectations.ts';
import { FaultSink, offsetOf, span } from './faults.ts';
import { foreignWords } from './foreign.ts';
import { LazyLookahead } from './lazy-lookahead.ts';
import { explain } from './recovery.ts';
import type { Span } from './span.ts';
import {
  Comma,
  False,
  Float,
  Identifier,
  Int,
  None,
  RBrace,
  RBracket,
  RParen,
  StringToken,
  True,
  vocabulary,
} from './tokens.ts';
import type { Ident } from './tree.ts';

export type Rule<T> = ParserMethod<[], T>;

const closing: ReadonlySet<TokenType> = new Set([RParen, RBracket, RBrace]);

/** Base of every parser layer: spans, names and comma-separated lists. */
export abstract class BaseParser extends EmbeddedActionsParser {
  protected file = '';
  protected text = '';
  protected faults = new FaultSink();

  constructor(skipValidations: boolean) {
    super([...vocabulary], {
      maxLookahead: 1,
      lookaheadStrategy: new LazyLookahead({ maxLookahead: 1 }),
      recoveryEnabled: false,
      skipValidations,
      errorMessageProvider: expectations,
    });
  }

  /** The offset of the next token, where a node starts. */
  protected mark(): number {
    return offsetOf(this.LA(1));
  }

  /** The span from a mark to the end of the last consumed token. */
  protected since(start: number): Span {
    const last = this.LA(0);
    return { file: this.file, start, end: Math.max(start, offsetOf(last) + last.image.length) };
  }

  /** The source text of a span. */
  protected slice({ start, end }: Span): string {
    return this.text.slice(start, end);
  }

  protected ident(token: IToken): Ident {
    return { kind: 'ident', name: token.image, span: span(this.file, token) };
  }

  protected nextIs(type: TokenType, ahead = 1): boolean {
    return tokenMatcher(this.LA(ahead), type);
  }

  /** The bracket depth inside the list whose next token is `token`. */
  protected depthOf(token: IToken): number {
    const depth = (token.payload as number | undefined) ?? 0;
    return closing.has(token.tokenType) ? depth + 1 : depth;
  }

  /** Reports a chevrotain exception as a fault; rethrows any other error. */
  protected report(error: unknown, first: IToken): void {
    if (!isRecognitionException(error as Error)) throw error;
    explain(
      error as IRecognitionException,
      { first, last: this.LA(0), found: this.LA(1), next: this.LA(2) },
      this.file,
      this.faults,
    );
  }

  /**
   * Parses comma-separated items up to `close`, which is not consumed; a trailing comma is allowed. With
   * `continued`, the first item has already been parsed, so a comma comes first. A missing comma is reported and
   * parsing continues as if it were there; a syntax error skips only the item it is in. `starts` tells whether the
   * next token can start an item, which is how a missing comma is recognised. A rule may call this at most once (it
   * uses fixed chevrotain indices).
   */
  protected commas<T>(
    close: TokenType,
    item: Rule<T>,
    { continued = false, starts = () => this.startsOperand() }: { continued?: boolean; starts?: () => boolean } = {},
  ): T[] {
    const items: T[] = [];
    if (this.RECORDING_PHASE) {
      // While recording, chevrotain only needs the possible first tokens; the loop below decides by the closing
      // bracket.
      if (continued) this.OPTION9(() => this.CONSUME9(Comma));
      else items.push(this.SUBRULE9(item));
      return items;
    }
    const depth = this.depthOf(this.LA(1));
    const begin = this.LA(0).startOffset;
    for (let first = !continued; !this.nextIs(close); first = false) {
      const start = this.LA(1);
      let isBehind = false;
      try {
        if (!first) {
          isBehind = true;
          if (this.nextIs(Comma) || !starts() || foreignWords.has(this.LA(0).image)) this.CONSUME9(Comma);
          else this.faults.add('CROB1014', this.between(), { after: this.LA(0).image, before: this.LA(1).image });
          isBehind = false;
          if (this.nextIs(close)) break;
        }
        items.push(this.SUBRULE9(item));
      } catch (error) {
        // An error right after an item that is itself faulty, or after an inserted comma, is a consequence: not
        // reported.
        if (!(isBehind && this.faults.anyOpen(begin, start.startOffset) && isRecognitionException(error as Error)))
          this.report(error, start);
        // If the error is after an item, skip the whole rest of the list: it may not be a list of such items at all.
        while (
          (isBehind || !(this.LA(1).payload === depth && this.nextIs(Comma))) &&
          !(this.LA(1).payload === depth - 1) &&
          !this.nextIs(EOF)
        )
          this.SKIP_TOKEN();
      }
    }
    return items;
  }

  protected startsOperand(): boolean {
    return [Identifier, Int, Float, StringToken, True, False, None].some((type) => this.nextIs(type));
  }

  /** The empty span after the last token. */
  private between(): Span {
    const last = this.LA(0);
    const end = last.startOffset + last.image.length;
    return { file: this.file, start: end, end };
  }

  readonly name: Rule<Ident> = this.RULE('name', (): Ident => this.ident(this.CONSUME(Identifier)));
}
