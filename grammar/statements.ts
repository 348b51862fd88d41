import type { IToken } from 'chevrotain';
import { EOF, isRecognitionException } from 'chevrotain';
import type { Rule } from './base-parser.ts';
import { DocLines } from './docs.ts';
import { ExpressionParser } from './expressions.ts';
import { offsetOf, span } from './faults.ts';
import { foreignMethod, foreignName } from './foreign.ts';
import { explainRest } from './recovery.ts';
import {
  AtSign,
  Comma,
  declarationWords,
  Else,
  Equal,
  Identifier,
  If,
  LBrace,
  Let,
  LParen,
  MinusEqual,
  memberWords,
  PlusEqual,
  RBrace,
  Return,
  RParen,
  Separator,
  TimesEqual,
  UpdateArrow,
} from './tokens.ts';
import type { AssignStatement, Block, Expr, Ident, ItemName, Statement } from './tree.ts';

/**
 * One entry of a block while it is parsed. Whether an `if` is a statement or the block's value is known only at the
 * end.
 */
type BlockItem =
  | { readonly kind: 'statement'; readonly statement: Statement }
  | { readonly kind: 'value'; readonly value: Expr }
  | {
      readonly kind: 'if';
      readonly condition: Expr;
      readonly then: Block;
      readonly otherwise: Block | undefined;
      readonly span: Block['span'];
    };

/** Parses statements and blocks, and separated items with error recovery. */
export abstract class StatementParser extends ExpressionParser {
  protected docs = new DocLines('', '', []);

  /** The `///` block above the next token. */
  protected docsHere(): readonly string[] {
    if (this.RECORDING_PHASE) return [];
    return this.docs.before(this.mark(), offsetOf(this.LA(0)));
  }

  /** The offset at which the first body of the current item begins. */
  #body: number | undefined;

  /**
   * Parses separated items up to the closing brace or the end of the file, which is not consumed. A syntax error
   * loses one item: parsing resumes at the next separator, and bodies on the way are parsed with `body` to report
   * their own errors. A rule may call this at most once (it uses fixed chevrotain indices).
   */
  protected items<T>(item: Rule<T>, body: (first: IToken) => Rule<unknown> | undefined): T[] {
    const items: T[] = [];
    if (this.RECORDING_PHASE) {
      this.SUBRULE8(item);
      return items;
    }
    const depth = this.depthOf(this.LA(1));
    const start = this.mark();
    const around = this.#body;
    while (!this.nextIs(RBrace) && !this.nextIs(EOF)) {
      if (this.nextIs(Separator)) {
        this.SKIP_TOKEN();
        continue;
      }
      const first = this.LA(1);
      this.#body = undefined;
      try {
        items.push(this.SUBRULE8(item));
        if (this.nextIs(Separator) || this.nextIs(RBrace) || this.nextIs(EOF)) {
          this.faults.settle(this.file, this.since(first.startOffset), this.#body);
          continue;
        }
        // An item with a fault may have ended early because of it: not reported again.
        if (!this.faults.anyOpen(first.startOffset, this.mark()))
          explainRest({ first, last: this.LA(0), found: this.LA(1), next: this.LA(2) }, this.file, this.faults);
      } catch (error) {
        if (!isRecognitionException(error as Error) || !this.faults.isCut(first.startOffset, this.mark()))
          this.report(error, first);
      }
      this.#resume(depth, first, body(first));
      this.faults.lose(this.file, this.since(first.startOffset));
    }
    this.#body = around ?? start;
    return items;
  }

  /** Skips to the start of the next item, and at least past `first`. */
  #resume(depth: number, first: IToken, body: Rule<unknown> | undefined): void {
    while (!this.nextIs(EOF)) {
      const token = this.LA(1);
      if (token.payload === depth - 1 && this.nextIs(RBrace)) return;
      if (token.payload === depth && token !== first && this.#startsItem(depth)) return;
      if (token.payload === depth && body && this.nextIs(LBrace)) this.SUBRULE7(body);
      else this.SKIP_TOKEN();
    }
  }

  #startsItem(depth: number): boolean {
    const named = this.nextIs(Identifier, 2);
    const type = this.LA(1).tokenType;
    if (depth === 0) {
      const next = this.nextIs(Separator) ? 2 : 1;
      return (
        this.nextIs(AtSign, next) ||
        (declarationWords.has(this.LA(next).tokenType) && this.nextIs(Identifier, next + 1))
      );
    }
    return (
      type === Separator ||
      type === Let ||
      type === Return ||
      (memberWords.has(type) && named && this.LA(0).tokenType === Equal)
    );
  }

  readonly block: Rule<Block> = this.RULE('block', (): Block => {
    const start = this.mark();
    this.CONSUME(LBrace);
    const items = this.items(this.blockItem, () => this.block);
    this.CONSUME(RBrace);
    const at = this.since(start);
    return this.ACTION(() => this.#finish(items, at));
  });

  #finish(items: readonly BlockItem[], at: Block['span']): Block {
    const statements: Statement[] = [];
    let value: Expr | undefined;
    items.forEach((item, i) => {
      if (item.kind === 'statement') statements.push(item.statement);
      else if (item.kind === 'value') {
        if (i === items.length - 1) value = item.value;
        else this.#goesNowhere(item.value);
      } else if (i === items.length - 1 && item.then.value && item.otherwise?.value) {
        value = { kind: 'if', condition: item.condition, then: item.then, otherwise: item.otherwise, span: item.span };
      } else {
        const { condition, then, otherwise } = item;
        statements.push({
          kind: 'if-statement',
          condition,
          then: this.#statementsOf(then),
          otherwise: otherwise && this.#statementsOf(otherwise),
          span: item.span,
        });
      }
    });
    return { statements, value, span: at };
  }

  /** The statements of a block whose value is not used; a value there is reported. */
  #statementsOf(block: Block): readonly Statement[] {
    const value = block.value;
    if (!value) return block.statements;
    if (value.kind !== 'if') {
      this.#goesNowhere(value);
      return block.statements;
    }
    const { condition, then, otherwise, span: at } = value;
    return [
      ...block.statements,
      {
        kind: 'if-statement',
        condition,
        then: this.#statementsOf(then),
        otherwise: this.#statementsOf(otherwise),
        span: at,
      },
    ];
  }

  #goesNowhere(value: Expr): void {
    if (value.kind === 'binary' && value.op === '==' && value.left.kind === 'name') {
      this.faults.add('CROB1025', value.span, { name: value.left.name });
      return;
    }
    const foreign = value.kind === 'call' ? this.#foreignCall(value.callee) : undefined;
    if (foreign) this.faults.add('CROB1032', value.span, foreign);
    else this.faults.add('CROB1024', value.span, {});
  }

  /** Calls for a side effect (`print(x)`, `x.add_(y)`, `xs.append(x)`), which crob does not have. */
  #foreignCall(callee: Expr): { readonly word: string; readonly instead: string } | undefined {
    const [word, object] =
      callee.kind === 'name'
        ? [callee.name, 'x']
        : callee.kind === 'member'
          ? [callee.name.name, this.slice(callee.object.span)]
          : [];
    if (word === undefined || object === undefined) return undefined;
    const instead = callee.kind === 'name' ? foreignName(word, object) : foreignMethod(word, object);
    return instead === undefined ? undefined : { word, instead };
  }

  private readonly blockItem: Rule<BlockItem> = this.RULE(
    'statement',
    (): BlockItem =>
      this.OR<BlockItem>({
        IGNORE_AMBIGUITIES: true,
        DEF: [
          {
            GATE: () => this.opensItems(),
            ALT: () => ({ kind: 'statement', statement: this.SUBRULE(this.letItemsStatement) }),
          },
          { ALT: () => ({ kind: 'statement', statement: this.SUBRULE(this.letStatement) }) },
          { ALT: () => ({ kind: 'statement', statement: this.SUBRULE(this.returnStatement) }) },
          { ALT: () => this.SUBRULE(this.ifItem) },
          { ALT: () => ({ kind: 'statement', statement: this.SUBRULE(this.forStatement) }) },
          { ALT: () => this.SUBRULE(this.assignmentOrValue) },
        ],
      }),
  );

  /** Whether a destructuring `let` comes next: `let (a, b) = …`, or Python's `let a, b = …`. */
  protected opensItems(): boolean {
    return this.nextIs(LParen, 2) || (this.nextIs(Identifier, 2) && this.nextIs(Comma, 3));
  }

  private readonly letItemsStatement: Rule<Statement> = this.RULE('letItems', (): Statement => {
    const docs = this.docsHere();
    const start = this.mark();
    const { names, value } = this.SUBRULE(this.letItems);
    return { kind: 'let-items', docs, names, value, span: this.since(start) };
  });

  /** `let (vision = v, words) = e`; missing parentheses are reported and parsed as if present. */
  protected readonly letItems: Rule<{ names: ItemName[]; value: Expr }> = this.RULE(
    'itemsAndValue',
    (): { names: ItemName[]; value: Expr } => {
      this.CONSUME(Let);
      const names = this.OR([
        {
          ALT: () => {
            this.CONSUME(LParen);
            const given = this.commas(RParen, this.itemName, { starts: () => this.nextIs(Identifier) });
            const close = this.CONSUME(RParen);
            this.ACTION(() => {
              if (given.length === 0 && !this.faults.any(offsetOf(close), offsetOf(close)))
                this.faults.add('CROB1001', span(this.file, close), { found: '`)`', expected: 'a name' });
            });
            return given;
          },
        },
        { ALT: () => this.#bareItems(this.SUBRULE(this.bareNames)) },
      ]);
      this.CONSUME(Equal);
      return { names, value: this.SUBRULE(this.expr) };
    },
  );

  private readonly itemName: Rule<ItemName> = this.RULE('itemName', (): ItemName => {
    const item = this.SUBRULE(this.name);
    const name = this.OPTION(() => {
      this.CONSUME(Equal);
      return this.SUBRULE2(this.name);
    });
    return { item, name: name ?? item };
  });

  private readonly bareNames: Rule<Ident[]> = this.RULE('bareNames', (): Ident[] => {
    const names: Ident[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => names.push(this.SUBRULE(this.name)) });
    return names;
  });

  #bareItems(names: readonly Ident[]): ItemName[] {
    return this.ACTION(() => {
      const first = names[0]!.span;
      const at = { ...first, end: names[names.length - 1]!.span.end };
      this.faults.add('CROB1050', at, { names: names.map(({ name }) => name).join(', ') });
      return names.map((name) => ({ item: name, name }));
    });
  }

  private readonly letStatement: Rule<Statement> = this.RULE('let', (): Statement => {
    const docs = this.docsHere();
    const start = this.mark();
    this.CONSUME(Let);
    const name = this.SUBRULE(this.name);
    this.CONSUME(Equal);
    const value = this.SUBRULE(this.expr);
    return { kind: 'let', docs, name, value, span: this.since(start) };
  });

  private readonly returnStatement: Rule<Statement> = this.RULE('return', (): Statement => {
    const start = this.mark();
    this.CONSUME(Return);
    const value = this.SUBRULE(this.expr);
    return { kind: 'return', value, span: this.since(start) };
  });

  private readonly forStatement: Rule<Statement> = this.RULE('for', (): Statement => {
    const start = this.mark();
    const clause = this.SUBRULE(this.forClause);
    const body = this.SUBRULE(this.block);
    return this.ACTION(() => ({ kind: 'for', clause, body: this.#statementsOf(body), span: this.since(start) }));
  });

  private readonly ifItem: Rule<BlockItem> = this.RULE('ifItem', (): BlockItem => {
    const start = this.mark();
    this.CONSUME(If);
    const condition = this.SUBRULE(this.condition);
    const then = this.SUBRULE(this.block);
    const otherwise = this.OPTION(() => {
      this.CONSUME(Else);
      return this.OR<Block>([
        {
          ALT: () => {
            const from = this.mark();
            const nested = this.SUBRULE(this.ifItem);
            return this.ACTION(() => this.#finish([nested], this.since(from)));
          },
        },
        { ALT: () => this.SUBRULE2(this.block) },
      ]);
    });
    return { kind: 'if', condition, then, otherwise, span: this.since(start) };
  });

  /** `x = e`, `x += e`, `running_mean <- e`, or the value at the end of the block. */
  private readonly assignmentOrValue: Rule<BlockItem> = this.RULE('assignment', (): BlockItem => {
    const start = this.mark();
    const target = this.SUBRULE(this.expr);
    let item: BlockItem | undefined;
    this.OPTION(() => {
      const op = this.OR([
        { ALT: () => this.CONSUME(Equal) },
        { ALT: () => this.CONSUME(PlusEqual) },
        { ALT: () => this.CONSUME(MinusEqual) },
        { ALT: () => this.CONSUME(TimesEqual) },
        { ALT: () => this.CONSUME(UpdateArrow) },
      ]);
      const value = this.SUBRULE2(this.expr);
      const at = this.since(start);
      item = this.ACTION(() => ({ kind: 'statement', statement: this.#assignment(target, op, value, at) }));
    });
    return item ?? { kind: 'value', value: target };
  });

  #assignment(target: Expr, op: IToken, value: Expr, at: Block['span']): Statement {
    if (op.tokenType === UpdateArrow) {
      if (target.kind !== 'name') this.faults.add('CROB1026', target.span, { target: 'a buffer of this module' });
      const name = target.kind === 'name' ? target.name : '';
      return { kind: 'update', target: { kind: 'ident', name, span: target.span }, value, span: at };
    }
    let root = target;
    while (root.kind === 'index') root = root.object;
    if (root.kind !== 'name') this.faults.add('CROB1026', target.span, { target: 'a name, or a name with an index' });
    return { kind: 'assign', target, op: op.image as AssignStatement['op'], value, span: at };
  }
}
