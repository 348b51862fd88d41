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

/** What every layer of the parser uses: places, names, lists with commas. */
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

  // Places.

  /** Where a node starts: the offset of the next token. */
  protected mark(): number {
    return offsetOf(this.LA(1));
  }

  /** From a mark to the end of the last token. */
  protected since(start: number): Span {
    const last = this.LA(0);
    return { file: this.file, start, end: Math.max(start, offsetOf(last) + last.image.length) };
  }

  /** What was written there. */
  protected slice({ start, end }: Span): string {
    return this.text.slice(start, end);
  }

  protected ident(token: IToken): Ident {
    return { kind: 'ident', name: token.image, span: span(this.file, token) };
  }

  protected nextIs(type: TokenType, ahead = 1): boolean {
    return tokenMatcher(this.LA(ahead), type);
  }

  /** The bracket depth of the list whose next token is `token`. */
  protected depthOf(token: IToken): number {
    const depth = (token.payload as number | undefined) ?? 0;
    return closing.has(token.tokenType) ? depth + 1 : depth;
  }

  /** Reports chevrotain's exception; whatever else was thrown goes on. */
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
   * Items with commas between them and one allowed after the last, up to `close`, which is not consumed; with
   * `continued`, what follows an item that is read already. A forgotten comma is reported and read over, and a
   * mistake costs one item. `starts` tells whether an item can start here, for a comma that is forgotten. Once a
   * rule at most.
   */
  protected commas<T>(
    close: TokenType,
    item: Rule<T>,
    { continued = false, starts = () => this.startsOperand() }: { continued?: boolean; starts?: () => boolean } = {},
  ): T[] {
    const items: T[] = [];
    if (this.RECORDING_PHASE) {
      // chevrotain need only know what can come first: the loop below decides by the closing bracket.
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
        // What stands after an item that is wrong itself, or had its comma put in, is no news.
        if (!(isBehind && this.faults.anyOpen(begin, start.startOffset) && isRecognitionException(error as Error)))
          this.report(error, start);
        // Where not an item is wrong but what stands after it, the list may be something else.
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
