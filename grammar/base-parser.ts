import type { IToken, ParserMethod, TokenType } from 'chevrotain';
import { EmbeddedActionsParser, tokenMatcher } from './chevrotain.ts';
import { expectations } from './expectations.ts';
import { FaultSink, span } from './faults.ts';
import type { Span } from './span.ts';
import { Comma, False, Float, Identifier, Int, None, StringToken, True, vocabulary } from './tokens.ts';
import type { Ident } from './tree.ts';

export type Rule<T> = ParserMethod<[], T>;

/** What every layer of the parser uses: places, names, lists with commas. */
export abstract class BaseParser extends EmbeddedActionsParser {
  protected file = '';
  protected faults = new FaultSink();

  constructor(skipValidations: boolean) {
    super([...vocabulary], {
      maxLookahead: 2,
      recoveryEnabled: false,
      skipValidations,
      errorMessageProvider: expectations,
    });
  }

  // Places.

  /** Where a node starts: the offset of the next token. */
  protected mark(): number {
    return this.LA(1).startOffset;
  }

  /** From a mark to the end of the last token. */
  protected since(start: number): Span {
    const last = this.LA(0);
    return { file: this.file, start, end: Math.max(start, last.startOffset + last.image.length) };
  }

  protected ident(token: IToken): Ident {
    return { kind: 'ident', name: token.image, span: span(this.file, token) };
  }

  protected nextIs(type: TokenType, ahead = 1): boolean {
    return tokenMatcher(this.LA(ahead), type);
  }

  /**
   * Items with commas between them and one allowed behind the last, up to `close`, which is not consumed; with
   * `behind`, what follows an item that is read already. A forgotten comma between two items is reported and
   * read over. Once a rule at most.
   */
  protected commas<T>(close: TokenType, item: Rule<T>, behind = false): T[] {
    const items: T[] = [];
    if (this.RECORDING_PHASE) {
      this.MANY9(() => {
        this.OPTION9(() => this.CONSUME9(Comma));
        items.push(this.SUBRULE9(item));
      });
      this.OPTION8(() => this.CONSUME8(Comma));
      return items;
    }
    for (let first = !behind; !this.nextIs(close); first = false) {
      if (!first) {
        if (this.nextIs(Comma) || !this.startsOperand()) this.CONSUME9(Comma);
        else this.faults.add('CROB1014', this.#between(), { after: this.LA(0).image, before: this.LA(1).image });
        if (this.nextIs(close)) break;
      }
      items.push(this.SUBRULE9(item));
    }
    return items;
  }

  private startsOperand(): boolean {
    return [Identifier, Int, Float, StringToken, True, False, None].some((type) => this.nextIs(type));
  }

  /** The empty span behind the last token. */
  #between(): Span {
    const last = this.LA(0);
    const end = last.startOffset + last.image.length;
    return { file: this.file, start: end, end };
  }

  readonly name: Rule<Ident> = this.RULE('name', (): Ident => this.ident(this.CONSUME(Identifier)));
}
