import type { IToken } from 'chevrotain';
import type { Rule } from './base-parser.ts';
import { span } from './faults.ts';
import { newAxis } from './foreign.ts';
import type { Span } from './span.ts';
import { readString } from './strings.ts';
import {
  AndAnd,
  As,
  AtSign,
  Bang,
  Caret,
  Colon,
  Comma,
  Dot,
  DotDot,
  Else,
  Equal,
  EqualEqual,
  Factor,
  False,
  Float,
  For,
  Greater,
  GreaterEqual,
  Identifier,
  If,
  In,
  Int,
  LBracket,
  Less,
  LessEqual,
  LParen,
  Minus,
  None,
  NotEqual,
  OrOr,
  Percent,
  Plus,
  RBracket,
  RParen,
  SingleOr,
  Slash,
  Star,
  StringToken,
  Tensor,
  True,
} from './tokens.ts';
import type { Arg, BinaryOp, Block, Expr, ForClause, Ident, IndexItem } from './tree.ts';
import { TypeParser } from './types.ts';

/** Constants of other languages; each is reported and parsed as its crob counterpart. */
const foreignConstants: ReadonlyMap<string, 'true' | 'false' | 'none'> = new Map([
  ['True', 'true'],
  ['False', 'false'],
  ['None', 'none'],
  ['null', 'none'],
]);

/** Parses expressions. `StatementParser` adds statements and `Parser` declarations. */
export abstract class ExpressionParser extends TypeParser {
  /** `{ statements; value }`. */
  abstract readonly block: Rule<Block>;

  /**
   * Whether a recipe setting is being parsed: a factor such as `0.1x` is valid only there, where it scales an
   * inherited value.
   */
  protected inSetting = false;

  protected misplacedFactor(found: string, at: Span): void {
    this.faults.add('CROB1049', at, { found, number: found.slice(0, -1) });
  }

  // By precedence, lowest first.

  readonly expr: Rule<Expr> = this.RULE('expr', (): Expr => this.SUBRULE(this.disjunction));

  #binary(start: number, op: string, left: Expr, right: Expr): Expr {
    return { kind: 'binary', op: op as BinaryOp, left, right, span: this.since(start) };
  }

  /** `a @ b` is reported and parsed as `matmul(a, b)`. */
  #matmul(start: number, op: IToken, left: Expr, right: Expr): Expr {
    this.faults.add('CROB1013', span(this.file, op), { found: '@', counterpart: 'matmul(a, b)' });
    const callee: Expr = { kind: 'name', name: 'matmul', span: span(this.file, op) };
    const args = [left, right].map((value) => ({ name: undefined, value }));
    return { kind: 'call', callee, args, span: this.since(start) };
  }

  private readonly disjunction: Rule<Expr> = this.RULE('disjunction', (): Expr => {
    const start = this.mark();
    let left = this.SUBRULE(this.conjunction);
    this.MANY(() => {
      const op = this.CONSUME(OrOr);
      if (op.tokenType === SingleOr)
        this.faults.add('CROB1013', span(this.file, op), { found: '|', counterpart: '||' });
      left = this.#binary(start, '||', left, this.SUBRULE2(this.conjunction));
    });
    return left;
  });

  private readonly conjunction: Rule<Expr> = this.RULE('conjunction', (): Expr => {
    const start = this.mark();
    let left = this.SUBRULE(this.comparison);
    this.MANY(() => {
      this.CONSUME(AndAnd);
      left = this.#binary(start, '&&', left, this.SUBRULE2(this.comparison));
    });
    return left;
  });

  /** Comparisons don't chain: `a < b < c` is reported and parsed as `a < b`. */
  private readonly comparison: Rule<Expr> = this.RULE('comparison', (): Expr => {
    const start = this.mark();
    let left = this.SUBRULE(this.cast);
    let first: IToken | undefined;
    this.MANY(() => {
      const op = this.OR([
        { ALT: () => this.CONSUME(EqualEqual) },
        { ALT: () => this.CONSUME(NotEqual) },
        { ALT: () => this.CONSUME(Less) },
        { ALT: () => this.CONSUME(LessEqual) },
        { ALT: () => this.CONSUME(Greater) },
        { ALT: () => this.CONSUME(GreaterEqual) },
      ]);
      const right = this.SUBRULE2(this.cast);
      if (first) this.faults.add('CROB1021', span(this.file, op), { first: first.image, second: op.image });
      else left = this.#binary(start, op.image === '===' ? '==' : op.image, left, right);
      first = op;
    });
    return left;
  });

  /** `as` has a lower precedence than arithmetic, as in TypeScript: `a + b as T` casts the sum. */
  private readonly cast: Rule<Expr> = this.RULE('cast', (): Expr => {
    const start = this.mark();
    let operand = this.SUBRULE(this.sum);
    this.MANY(() => {
      this.CONSUME(As);
      operand = { kind: 'cast', operand, type: this.SUBRULE(this.type), span: this.since(start) };
    });
    return operand;
  });

  private readonly sum: Rule<Expr> = this.RULE('sum', (): Expr => {
    const start = this.mark();
    let left = this.SUBRULE(this.product);
    this.MANY(() => {
      const op = this.OR([{ ALT: () => this.CONSUME(Plus) }, { ALT: () => this.CONSUME(Minus) }]);
      left = this.#binary(start, op.image, left, this.SUBRULE2(this.product));
    });
    return left;
  });

  private readonly product: Rule<Expr> = this.RULE('product', (): Expr => {
    const start = this.mark();
    let left = this.SUBRULE(this.unary);
    this.MANY(() => {
      const op = this.OR([
        { ALT: () => this.CONSUME(Star) },
        { ALT: () => this.CONSUME(Slash) },
        { ALT: () => this.CONSUME(Percent) },
        { ALT: () => this.CONSUME(AtSign) },
      ]);
      const right = this.SUBRULE2(this.unary);
      left =
        op.tokenType === AtSign ? this.#matmul(start, op, left, right) : this.#binary(start, op.image, left, right);
    });
    return left;
  });

  /** `-x^2` is `-(x^2)`, and `-H % w` is `(-H) % w`. */
  private readonly unary: Rule<Expr> = this.RULE('unary', (): Expr => {
    const start = this.mark();
    return this.OR<Expr>([
      {
        ALT: () => {
          const op = this.OR2([{ ALT: () => this.CONSUME(Minus) }, { ALT: () => this.CONSUME(Bang) }]);
          const operand = this.SUBRULE(this.unary);
          return { kind: 'unary', op: op.tokenType === Minus ? '-' : '!', operand, span: this.since(start) };
        },
      },
      { ALT: () => this.SUBRULE(this.power) },
    ]);
  });

  /** Right-associative. */
  private readonly power: Rule<Expr> = this.RULE('power', (): Expr => {
    const start = this.mark();
    let base = this.SUBRULE(this.postfix);
    this.OPTION(() => {
      this.CONSUME(Caret);
      base = this.#binary(start, '^', base, this.SUBRULE(this.unary));
    });
    return base;
  });

  readonly postfix: Rule<Expr> = this.RULE('postfix', (): Expr => {
    const start = this.mark();
    let object = this.SUBRULE(this.primary);
    this.MANY(() => {
      object = this.OR<Expr>([
        { ALT: () => ({ kind: 'call', callee: object, args: this.SUBRULE(this.args), span: this.since(start) }) },
        { ALT: () => ({ kind: 'index', object, items: this.SUBRULE(this.indices), span: this.since(start) }) },
        {
          ALT: () => {
            this.CONSUME(Dot);
            return { kind: 'member', object, name: this.SUBRULE(this.name), span: this.since(start) };
          },
        },
      ]);
    });
    return object;
  });

  readonly args: Rule<Arg[]> = this.RULE('args', (): Arg[] => {
    const start = this.mark();
    this.CONSUME(LParen);
    const args = this.commas(RParen, this.arg);
    this.CONSUME(RParen);
    const at = this.since(start);
    this.ACTION(() => {
      // With another fault in the list, an argument may have lost its name: no second report.
      if (this.faults.any(at.start, at.end)) return;
      const named = args.findIndex((arg) => arg.name);
      const late = named < 0 ? undefined : args.slice(named).find((arg) => !arg.name);
      if (late)
        this.faults.add('CROB1035', late.value.span, { name: args[named]!.name!.name }, args[named]!.name!.span);
    });
    return args;
  });

  private readonly arg: Rule<Arg> = this.RULE('arg', (): Arg => {
    let name: Ident | undefined;
    this.OPTION({
      GATE: () => this.nextIs(Equal, 2),
      DEF: () => {
        name = this.SUBRULE(this.name);
        this.CONSUME(Equal);
      },
    });
    return { name, value: this.SUBRULE(this.expr) };
  });

  private readonly indices: Rule<IndexItem[]> = this.RULE('indices', (): IndexItem[] => {
    this.CONSUME(LBracket);
    const items = this.commas(RBracket, this.indexItem);
    this.CONSUME(RBracket);
    return items;
  });

  private readonly indexItem: Rule<IndexItem> = this.RULE('indexItem', (): IndexItem => {
    const start = this.mark();
    this.ACTION(() => this.#newAxis(this.LA(1), this.LA(2)));
    return this.OR<IndexItem>([
      {
        ALT: () => {
          this.CONSUME(Star);
          return { kind: 'any', span: this.since(start) };
        },
      },
      {
        ALT: () => {
          const colon = this.CONSUME(Colon);
          let stop: Expr | undefined;
          this.OPTION(() => {
            this.faults.add('CROB1015', span(this.file, colon), {});
            stop = this.SUBRULE(this.expr);
          });
          return stop
            ? { kind: 'range', start: undefined, stop, span: this.since(start) }
            : { kind: 'all', span: this.since(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(DotDot);
          const stop = this.OPTION2(() => this.SUBRULE2(this.expr));
          return { kind: 'range', start: undefined, stop, span: this.since(start) };
        },
      },
      {
        ALT: () => {
          const value = this.SUBRULE3(this.expr);
          let item: IndexItem | undefined;
          this.OPTION3(() => {
            const between = this.OR2([{ ALT: () => this.CONSUME2(DotDot) }, { ALT: () => this.CONSUME2(Colon) }]);
            if (between.tokenType === Colon) this.faults.add('CROB1015', span(this.file, between), {});
            const stop = this.OPTION4(() => this.SUBRULE4(this.expr));
            item = { kind: 'range', start: value, stop, span: this.since(start) };
          });
          return item ?? { kind: 'at', value, span: this.since(start) };
        },
      },
    ]);
  });

  /** `x[:, None]`. */
  #newAxis(item: IToken, following: IToken): void {
    if (
      foreignConstants.get(item.image) !== 'none' ||
      (following.tokenType !== Comma && following.tokenType !== RBracket)
    )
      return;
    this.faults.add('CROB1052', span(this.file, item), { written: `[${item.image}]`, instead: newAxis });
  }

  private readonly primary: Rule<Expr> = this.RULE('primary', (): Expr => {
    const start = this.mark();
    return this.OR<Expr>([
      { ALT: () => this.#int(this.CONSUME(Int)) },
      {
        ALT: () => {
          const { image: text } = this.CONSUME(Float);
          return { kind: 'float', value: Number(text), text, span: this.since(start) };
        },
      },
      {
        ALT: () => {
          const token = this.CONSUME(Factor);
          const { image: text } = token;
          if (!this.inSetting) this.misplacedFactor(text, span(this.file, token));
          return { kind: 'factor', value: Number(text.slice(0, -1)), text, span: this.since(start) };
        },
      },
      {
        ALT: () => ({
          kind: 'string',
          value: readString(this.file, this.CONSUME(StringToken), this.faults),
          span: this.since(start),
        }),
      },
      {
        ALT: () => {
          this.CONSUME(True);
          return { kind: 'bool', value: true, span: this.since(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(False);
          return { kind: 'bool', value: false, span: this.since(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(None);
          return { kind: 'none', span: this.since(start) };
        },
      },
      { GATE: () => this.nextIs(Identifier, 2) && this.nextIs(LBracket, 3), ALT: () => this.SUBRULE(this.tensor) },
      { ALT: () => this.#named(this.CONSUME(Identifier)) },
      { ALT: () => this.SUBRULE(this.list) },
      { ALT: () => this.SUBRULE(this.parenthesised) },
      { ALT: () => this.SUBRULE(this.ifExpr) },
    ]);
  });

  #int(token: IToken): Expr {
    const value = Number(token.image);
    if (value > Number.MAX_SAFE_INTEGER) this.faults.add('CROB1016', span(this.file, token), { found: token.image });
    return { kind: 'int', value, span: span(this.file, token) };
  }

  #named(token: IToken): Expr {
    const at = span(this.file, token);
    const meant = foreignConstants.get(token.image);
    if (!meant) return { kind: 'name', name: token.image, span: at };
    this.faults.add('CROB1017', at, { found: token.image, meant });
    return meant === 'none' ? { kind: 'none', span: at } : { kind: 'bool', value: meant === 'true', span: at };
  }

  /** A list, or a comprehension once `for` follows the first item. */
  private readonly list: Rule<Expr> = this.RULE('list', (): Expr => {
    const start = this.mark();
    this.CONSUME(LBracket);
    let items: Expr[] = [];
    const clauses: ForClause[] = [];
    let condition: Expr | undefined;
    this.OPTION(() => {
      const first = this.SUBRULE(this.expr);
      this.OR([
        {
          ALT: () => {
            this.AT_LEAST_ONE(() => {
              clauses.push(this.SUBRULE(this.forClause));
            });
            this.OPTION2(() => {
              this.CONSUME(If);
              condition = this.SUBRULE2(this.expr);
            });
            items = [first];
          },
        },
        { ALT: () => (items = [first].concat(this.commas(RBracket, this.expr, { continued: true }))) },
      ]);
    });
    this.CONSUME(RBracket);
    const at = this.since(start);
    if (clauses.length > 0) return { kind: 'comprehension', element: items[0]!, clauses, condition, span: at };
    return { kind: 'list', items, span: at };
  });

  /** `(e)`, `(a, b)` or `(a = x, b = y)`. */
  private readonly parenthesised: Rule<Expr> = this.RULE('parenthesised', (): Expr => {
    const start = this.mark();
    this.CONSUME(LParen);
    const args = this.commas(RParen, this.arg);
    const pair = args.length > 1 || this.LA(0).tokenType === Comma;
    const close = this.CONSUME(RParen);
    const at = this.since(start);
    return this.ACTION((): Expr => {
      if (args.length === 0 && !this.faults.any(at.start, at.end))
        this.faults.add('CROB1001', span(this.file, close), { found: '`)`', expected: 'an expression' });
      const unnamed = args.find((arg) => !arg.name);
      if (!unnamed && args.length > 0) {
        return { kind: 'tuple', items: args.map(({ name, value }) => ({ name: name!, value })), span: at };
      }
      const named = args.find((arg) => arg.name)?.name;
      if (named && !this.faults.any(at.start, at.end))
        this.faults.add('CROB1018', named.span, { name: named.name }, unnamed!.value.span);
      if (!pair && args.length === 1) return { ...args[0]!.value, span: at };
      return { kind: 'list', items: args.map((arg) => arg.value), round: true, span: at };
    });
  });

  private readonly ifExpr: Rule<Expr> = this.RULE('ifExpr', (): Expr => {
    const start = this.mark();
    const keyword = this.CONSUME(If);
    const condition = this.SUBRULE(this.condition);
    const then = this.SUBRULE(this.block);
    let otherwise: Block | undefined;
    this.OPTION(() => {
      this.CONSUME(Else);
      otherwise = this.OR<Block>([
        {
          ALT: () => {
            const from = this.mark();
            const value = this.SUBRULE(this.ifExpr);
            return { statements: [], value, span: this.since(from) };
          },
        },
        { ALT: () => this.SUBRULE2(this.block) },
      ]);
    });
    const at = this.since(start);
    if (!otherwise) this.faults.add('CROB1022', span(this.file, keyword), {});
    return {
      kind: 'if',
      condition,
      then,
      otherwise: otherwise ?? { statements: [], value: undefined, span: at },
      span: at,
    };
  });

  /** The condition of an `if`; `=` in place of `==` is reported and parsed as `==`. */
  readonly condition: Rule<Expr> = this.RULE('condition', (): Expr => {
    const start = this.mark();
    let condition = this.SUBRULE(this.expr);
    this.OPTION(() => {
      const equal = this.CONSUME(Equal);
      this.faults.add('CROB1023', span(this.file, equal), {});
      condition = this.#binary(start, '==', condition, this.SUBRULE2(this.expr));
    });
    return condition;
  });

  private readonly tensor: Rule<Expr> = this.RULE('tensor', (): Expr => {
    const start = this.mark();
    this.CONSUME(Tensor);
    const dtype = this.SUBRULE(this.name);
    this.CONSUME(LBracket);
    const indices = this.commas(RBracket, this.tensorIndex);
    this.CONSUME(RBracket);
    const body = this.SUBRULE(this.block);
    return { kind: 'tensor', dtype, indices, body, span: this.since(start) };
  });

  private readonly tensorIndex: Rule<{ name: Ident; extent: Expr }> = this.RULE(
    'tensorIndex',
    (): { name: Ident; extent: Expr } => {
      const name = this.SUBRULE(this.name);
      this.CONSUME(In);
      return { name, extent: this.SUBRULE(this.expr) };
    },
  );

  /** `for x in xs`, `for j, x in xs`. */
  readonly forClause: Rule<ForClause> = this.RULE('forClause', (): ForClause => {
    this.CONSUME(For);
    const first = this.SUBRULE(this.name);
    const second = this.OPTION(() => {
      this.CONSUME(Comma);
      return this.SUBRULE2(this.name);
    });
    this.CONSUME(In);
    const iterable = this.SUBRULE(this.iterable);
    return { index: second && first, item: second ?? first, iterable };
  });

  /** An expression, or a range `a..b`. */
  readonly iterable: Rule<Expr> = this.RULE('iterable', (): Expr => {
    const start = this.mark();
    let value = this.SUBRULE(this.expr);
    this.OPTION(() => {
      this.CONSUME(DotDot);
      value = { kind: 'range', start: value, stop: this.SUBRULE2(this.expr), span: this.since(start) };
    });
    return value;
  });
}
