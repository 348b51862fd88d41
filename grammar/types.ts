import { BaseParser, type Rule } from './base-parser.ts';
import { span } from './faults.ts';
import { foreignDtypes } from './foreign.ts';
import { readString } from './strings.ts';
import {
  Colon,
  For,
  In,
  LBracket,
  LParen,
  OrOr,
  Question,
  RBracket,
  RParen,
  Spread,
  StringToken,
  Typeof,
} from './tokens.ts';
import type { Arg, Expr, Ident, ShapeItem, StringLiteral, Type } from './tree.ts';

/** Element types: `[…]` after one is a shape. */
const dtypes: ReadonlySet<string> = new Set(['f32', 'i32', 'bool', 'i64', 'u8', 'f16']);

/** Parses types; their dims are expressions. */
export abstract class TypeParser extends BaseParser {
  abstract readonly expr: Rule<Expr>;
  abstract readonly iterable: Rule<Expr>;
  abstract readonly args: Rule<Arg[]>;

  readonly type: Rule<Type> = this.RULE('type', (): Type => {
    const start = this.mark();
    // `typeof(` also matches a type with arguments.
    return this.OR<Type>({
      IGNORE_AMBIGUITIES: true,
      MAX_LOOKAHEAD: 2,
      DEF: [
        { ALT: () => this.SUBRULE(this.listed) },
        {
          ALT: () => {
            this.CONSUME(LParen);
            const items = this.commas(RParen, this.tupleTypeItem);
            this.CONSUME(RParen);
            return { kind: 'tuple-type', items, span: this.since(start) };
          },
        },
        {
          ALT: () => {
            this.CONSUME(Typeof);
            this.CONSUME2(LParen);
            const name = this.SUBRULE(this.name);
            this.CONSUME2(RParen);
            return { kind: 'typeof-type', name, span: this.since(start) };
          },
        },
        { ALT: () => this.SUBRULE(this.choices) },
        { ALT: () => this.SUBRULE(this.namedType) },
      ],
    });
  });

  private readonly tupleTypeItem: Rule<{ name: Ident; type: Type }> = this.RULE(
    'tupleTypeItem',
    (): { name: Ident; type: Type } => {
      const name = this.SUBRULE(this.name);
      this.CONSUME(Colon);
      return { name, type: this.SUBRULE(this.type) };
    },
  );

  /** `[T for i in 0..4]`, or a list of types. */
  private readonly listed: Rule<Type> = this.RULE('listed', (): Type => {
    const start = this.mark();
    this.CONSUME(LBracket);
    const first = this.SUBRULE(this.type);
    return this.OR<Type>([
      {
        ALT: () => {
          this.CONSUME(For);
          const index = this.SUBRULE(this.name);
          this.CONSUME(In);
          const iterable = this.SUBRULE(this.iterable);
          this.CONSUME(RBracket);
          const optional = this.OPTION(() => this.CONSUME(Question)) !== undefined;
          return { kind: 'pyramid-type', element: first, index, iterable, optional, span: this.since(start) };
        },
      },
      {
        ALT: () => {
          const items = [first].concat(this.commas(RBracket, this.type, { continued: true }));
          this.CONSUME2(RBracket);
          const optional = this.OPTION2(() => this.CONSUME2(Question)) !== undefined;
          return { kind: 'sequence-type', items, optional, span: this.since(start) };
        },
      },
    ]);
  });

  /** `"tokens" | "channels"`; `||` is read as `|`, with a fault. */
  private readonly choices: Rule<Type> = this.RULE('choices', (): Type => {
    const start = this.mark();
    const choices: [StringLiteral, ...StringLiteral[]] = [this.SUBRULE(this.choice)];
    this.MANY(() => {
      const bar = this.CONSUME(OrOr);
      if (bar.tokenType === OrOr) this.faults.add('CROB1013', span(this.file, bar), { found: '||', counterpart: '|' });
      choices.push(this.SUBRULE2(this.choice));
    });
    const optional = this.OPTION(() => this.CONSUME(Question)) !== undefined;
    return { kind: 'choice-type', choices, optional, span: this.since(start) };
  });

  private readonly choice: Rule<StringLiteral> = this.RULE('choice', (): StringLiteral => {
    const start = this.mark();
    const value = readString(this.file, this.CONSUME(StringToken), this.faults);
    return { kind: 'string', value, span: this.since(start) };
  });

  /** `f32[B, C]?`, `int[4]`, `list[int]`, `VisualBackbone`, `Pyramid(channels)`. */
  private readonly namedType: Rule<Type> = this.RULE('namedType', (): Type => {
    const start = this.mark();
    const name = this.SUBRULE(this.name);
    let type: Type | undefined;
    let length: Expr | undefined;
    this.OPTION(() =>
      this.OR({
        IGNORE_AMBIGUITIES: true,
        DEF: [
          {
            // A dtype of another language is parsed as a dtype, so that the message is about its name.
            GATE: () => dtypes.has(name.name) || foreignDtypes.has(name.name),
            ALT: () => {
              const shape = this.SUBRULE(this.shape);
              const optional = this.OPTION2(() => this.CONSUME(Question)) !== undefined;
              type = { kind: 'tensor-type', dtype: name, shape, optional, span: this.since(start) };
            },
          },
          {
            GATE: () => name.name === 'list',
            ALT: () => {
              this.CONSUME(LBracket);
              const element = this.SUBRULE(this.type);
              this.CONSUME(RBracket);
              const optional = this.OPTION4(() => this.CONSUME3(Question)) !== undefined;
              type = { kind: 'list-type', element, optional, span: this.since(start) };
            },
          },
          {
            ALT: () => {
              this.CONSUME2(LBracket);
              length = this.SUBRULE(this.expr);
              this.CONSUME2(RBracket);
            },
          },
          {
            ALT: () => {
              const args = this.SUBRULE(this.args);
              const optional = this.OPTION5(() => this.CONSUME4(Question)) !== undefined;
              type = { kind: 'alias-type', name, args, optional, span: this.since(start) };
            },
          },
        ],
      }),
    );
    if (type && !this.RECORDING_PHASE) return type;
    const optional = this.OPTION3(() => this.CONSUME2(Question)) !== undefined;
    return { kind: 'named-type', name, length, optional, span: this.since(start) };
  });

  readonly shape: Rule<ShapeItem[]> = this.RULE('shape', (): ShapeItem[] => {
    this.CONSUME(LBracket);
    const items = this.commas(RBracket, this.shapeItem);
    this.CONSUME(RBracket);
    return items;
  });

  private readonly shapeItem: Rule<ShapeItem> = this.RULE('shapeItem', (): ShapeItem => {
    const start = this.mark();
    return this.OR<ShapeItem>([
      {
        ALT: () => {
          this.CONSUME(Spread);
          const name = this.OPTION(() => this.SUBRULE(this.name));
          return { kind: 'spread', name, span: this.since(start) };
        },
      },
      { ALT: () => ({ kind: 'dim', value: this.SUBRULE(this.expr), span: this.since(start) }) },
    ]);
  });
}
