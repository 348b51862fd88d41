import type { IToken } from 'chevrotain';
import { EOF } from 'chevrotain';
import type { Rule } from './base-parser.ts';
import { span } from './faults.ts';
import { foreignName } from './foreign.ts';
import { nearest } from './nearest.ts';
import type { Span } from './span.ts';
import { StatementParser } from './statements.ts';
import {
  All,
  Arrow,
  AtSign,
  BadNumber,
  Buffer,
  Colon,
  Comma,
  Dot,
  DotStar,
  Else,
  Equal,
  Eval,
  Except,
  Fix,
  From,
  Group,
  Identifier,
  If,
  Init,
  Input,
  LBrace,
  LBracket,
  Let,
  LParen,
  Method,
  MinusEqual,
  Only,
  Output,
  Param,
  PlusEqual,
  RBrace,
  RBracket,
  RParen,
  Separator,
  Star,
  Start,
  Static,
  Term,
  Then,
  Tilde,
  TimesEqual,
  Train,
  Via,
  Where,
  Without,
} from './tokens.ts';
import type {
  Attribute,
  Block,
  Expr,
  FactorLiteral,
  Ident,
  InputMember,
  ModelLet,
  ModelLetItems,
  ModelMember,
  ModuleMember,
  Param as ParamNode,
  Path,
  PathStep,
  RecipeMember,
  TensorType,
  Type,
} from './tree.ts';
import { nodesBelow } from './within.ts';

export interface Setting {
  readonly name: Ident;
  readonly value: Expr;
}

/** Docs and attributes before a declaration or member. */
export interface Front {
  readonly docs: readonly string[];
  readonly attributes: readonly Attribute[];
}

function factorsIn(node: object): readonly FactorLiteral[] {
  return nodesBelow(node).filter((one) => one.kind === 'factor');
}

/** Parses the parts of declarations: parameters, clauses, paths, and the members of modules, models and recipes. */
export abstract class MemberParser extends StatementParser {
  protected readonly attributes: Rule<Attribute[]> = this.RULE('attributes', (): Attribute[] => {
    const attributes: Attribute[] = [];
    this.MANY(() => {
      attributes.push(this.SUBRULE(this.attribute));
      this.OPTION(() => this.CONSUME(Separator));
    });
    return attributes;
  });

  protected readonly attribute: Rule<Attribute> = this.RULE('attribute', (): Attribute => {
    const start = this.mark();
    this.CONSUME(AtSign);
    const name = this.SUBRULE(this.name);
    const args = this.OPTION(() => this.SUBRULE(this.args)) ?? [];
    return { name, args, span: this.since(start) };
  });

  /** Reports attributes where none are allowed. */
  protected noAttributes(front: Front): void {
    const first = front.attributes[0];
    if (first) this.faults.add('CROB1027', first.span, { name: first.name.name });
  }

  protected readonly params: Rule<ParamNode[]> = this.RULE('params', (): ParamNode[] => {
    this.CONSUME(LParen);
    const params = this.commas(RParen, this.param, {
      starts: () => this.nextIs(Identifier) && this.nextIs(Colon, 2),
    });
    this.CONSUME(RParen);
    return params;
  });

  protected readonly param: Rule<ParamNode> = this.RULE('parameter', (): ParamNode => {
    const docs = this.docsHere();
    const start = this.mark();
    const name = this.SUBRULE(this.name);
    this.CONSUME(Colon);
    const type = this.SUBRULE(this.type);
    const value = this.OPTION(() => {
      this.CONSUME(Equal);
      return this.SUBRULE(this.expr);
    });
    return { docs, name, type, value, span: this.since(start) };
  });

  /** `where a == b, c % d == 0`; `=` for `==` is reported and parsed as `==`, because no `=` can follow here. */
  protected readonly where: Rule<Expr[]> = this.RULE('where', (): Expr[] => {
    const clauses: Expr[] = [];
    this.OPTION(() => {
      this.CONSUME(Where);
      this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => clauses.push(this.SUBRULE(this.condition)) });
    });
    return clauses;
  });

  /** Like `where`, but before `= body`, so that `=` cannot be repaired. */
  protected readonly whereOfFn: Rule<Expr[]> = this.RULE('whereOfFn', (): Expr[] => {
    const clauses: Expr[] = [];
    this.OPTION(() => {
      this.CONSUME(Where);
      this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => clauses.push(this.SUBRULE(this.expr)) });
    });
    return clauses;
  });

  protected readonly result: Rule<Type> = this.RULE('result', (): Type => {
    this.CONSUME(Arrow);
    return this.SUBRULE(this.type);
  });

  protected readonly path: Rule<Path> = this.RULE('path', (): Path => {
    const start = this.mark();
    const steps: PathStep[] = [{ kind: 'name', name: this.SUBRULE(this.name) }];
    this.MANY(() => {
      steps.push(this.SUBRULE(this.pathStep));
    });
    return { steps, span: this.since(start) };
  });

  protected readonly pathStep: Rule<PathStep> = this.RULE('pathStep', (): PathStep => {
    const start = this.mark();
    return this.OR<PathStep>([
      {
        ALT: () => {
          this.CONSUME(Dot);
          return { kind: 'name', name: this.SUBRULE(this.name) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(DotStar);
          return { kind: 'any', span: this.since(start) };
        },
      },
      {
        ALT: () => {
          this.CONSUME(LBracket);
          const value = this.OR2<Expr | undefined>([
            {
              ALT: () => {
                this.CONSUME(Star);
                return undefined;
              },
            },
            { ALT: () => this.SUBRULE(this.expr) },
          ]);
          this.CONSUME(RBracket);
          return value ? { kind: 'at', value, span: this.since(start) } : { kind: 'any', span: this.since(start) };
        },
      },
      {
        // `.0`, the spelling of `[0]` in checkpoints; the lexer has reported it.
        ALT: () => {
          const token = this.CONSUME(BadNumber);
          const at = span(this.file, token);
          return {
            kind: 'at',
            value: { kind: 'int', value: Number.parseInt(token.image.slice(1), 10) || 0, span: at },
            span: at,
          };
        },
      },
    ]);
  });

  protected readonly setting: Rule<Setting> = this.RULE('setting', (): Setting => {
    const name = this.SUBRULE(this.name);
    this.CONSUME(Equal);
    return { name, value: this.SUBRULE(this.settingValue) };
  });

  /** The value of a setting: an expression or a factor. */
  private readonly settingValue: Rule<Expr> = this.RULE('settingValue', (): Expr => {
    this.inSetting = true;
    try {
      const value = this.SUBRULE(this.expr);
      this.ACTION(() => this.#wholeFactors(value));
      return value;
    } finally {
      this.inSetting = false;
    }
  });

  /** Reports factors inside a larger expression: a factor scales the inherited value and must be the whole value. */
  #wholeFactors(value: Expr): void {
    if (value.kind === 'factor') return;
    for (const factor of factorsIn(value)) this.misplacedFactor(factor.text, factor.span);
  }

  /** The value of a part: an expression, or `e if c`, which is `none` if `c` is false. */
  private readonly part: Rule<Expr> = this.RULE('part', (): Expr => {
    const start = this.mark();
    const value = this.SUBRULE(this.expr);
    const then: Block = { statements: [], value, span: this.since(start) };
    const condition = this.OPTION({
      GATE: () => this.nextIs(If) && !this.#elseFollows(),
      DEF: () => {
        this.CONSUME(If);
        return this.SUBRULE(this.condition);
      },
    });
    if (!condition) return value;
    const at = this.since(start);
    const end = { ...at, start: at.end };
    const otherwise: Block = { statements: [], value: { kind: 'none', span: end }, span: end };
    return { kind: 'if', condition, then, otherwise, suffix: true, span: at };
  });

  /** Whether Python's `if c else b` comes next. */
  #elseFollows(): boolean {
    const depth = this.LA(1).payload;
    for (let ahead = 2; ; ahead++) {
      const { tokenType: type, payload } = this.LA(ahead);
      if (type === EOF || (payload <= depth && (type === Separator || type === LBrace || type === RBrace)))
        return false;
      if (payload === depth && type === Else) return true;
    }
  }

  protected readonly moduleBody: Rule<ModuleMember[]> = this.RULE('moduleBody', (): ModuleMember[] => {
    this.CONSUME(LBrace);
    const members = this.items(this.moduleMember, () => this.block);
    this.CONSUME(RBrace);
    return members;
  });

  private readonly moduleMember: Rule<ModuleMember> = this.RULE('moduleMember', (): ModuleMember => {
    const docs = this.docsHere();
    const start = this.mark();
    const front: Front = { docs, attributes: this.SUBRULE(this.attributes) };
    return this.OR<ModuleMember>({
      MAX_LOOKAHEAD: 2,
      DEF: [
        {
          ALT: () => {
            this.CONSUME(Param);
            const name = this.SUBRULE(this.name);
            const type = this.SUBRULE(this.tensorType);
            const init = this.OPTION(() => {
              this.CONSUME(Tilde);
              return this.SUBRULE(this.expr);
            });
            return { kind: 'param', ...front, name, type, init, span: this.since(start) };
          },
        },
        {
          ALT: () => {
            this.CONSUME(Buffer);
            const name = this.SUBRULE2(this.name);
            const type = this.SUBRULE2(this.tensorType);
            this.CONSUME(Equal);
            const value = this.SUBRULE2(this.expr);
            return { kind: 'buffer', ...front, name, type, value, span: this.since(start) };
          },
        },
        {
          ALT: () => {
            this.CONSUME(Static);
            this.noAttributes(front);
            const name = this.SUBRULE3(this.name);
            const type = this.OPTION2(() => {
              this.CONSUME(Colon);
              return this.SUBRULE(this.type);
            });
            const value = this.OPTION3(() => {
              this.CONSUME2(Equal);
              return this.SUBRULE3(this.expr);
            });
            return { kind: 'static', docs, name, type, value, span: this.since(start) };
          },
        },
        {
          ALT: () => {
            this.noAttributes(front);
            const word = this.OPTION4(() => this.CONSUME(Method));
            const name = this.#methodName(word !== undefined, this.SUBRULE4(this.name));
            return this.OR2<ModuleMember>([
              {
                ALT: () => {
                  const params = this.SUBRULE(this.params);
                  const result = this.OPTION5(() => this.SUBRULE(this.result));
                  const where = this.SUBRULE(this.where);
                  const body = this.OPTION6(() => this.SUBRULE(this.block));
                  return { kind: 'method', docs, name, params, result, where, body, span: this.since(start) };
                },
              },
              {
                ALT: () => {
                  const body = this.SUBRULE2(this.block);
                  return { kind: 'implementation', docs, name, body, span: this.since(start) };
                },
              },
            ]);
          },
        },
        {
          ALT: () => {
            const name = this.SUBRULE5(this.name);
            this.CONSUME3(Equal);
            const value = this.SUBRULE(this.part);
            return { kind: 'field', ...front, name, value, span: this.since(start) };
          },
        },
      ],
    });
  });

  /** A method without the word `method` is `forward`, perhaps misspelt. */
  #methodName(hasWord: boolean, ident: Ident): Ident {
    return this.ACTION(() => {
      const { name, span: at } = ident;
      if (hasWord || name === 'forward') return ident;
      const instead = foreignName(name, 'x');
      if (instead !== undefined) {
        this.faults.add('CROB1032', at, { word: name, instead });
        return ident;
      }
      if (nearest(name, ['forward']) === undefined) {
        this.faults.add('CROB1042', at, { name });
        return ident;
      }
      this.faults.add('CROB1048', at, { found: name, meant: '`forward`' });
      return { ...ident, name: 'forward' };
    });
  }

  /** `: f32[…]`, the type of a weight or buffer; any other type is reported. */
  private readonly tensorType: Rule<TensorType> = this.RULE('tensorType', (): TensorType => {
    this.CONSUME(Colon);
    const type = this.SUBRULE(this.type);
    return this.ACTION(() => {
      if (type.kind === 'tensor-type') return type;
      this.faults.add('CROB1029', type.span, {});
      const dtype = { kind: 'ident', name: 'f32', span: type.span } as const;
      return { kind: 'tensor-type', dtype, shape: [], optional: false, span: type.span };
    });
  });

  protected readonly modelBody: Rule<ModelMember[]> = this.RULE('modelBody', (): ModelMember[] => {
    this.CONSUME(LBrace);
    const members = this.items(this.modelMember, () => this.block);
    this.CONSUME(RBrace);
    return members;
  });

  protected readonly recipeBody: Rule<RecipeMember[]> = this.RULE('recipeBody', (): RecipeMember[] => {
    this.CONSUME(LBrace);
    const members = this.items(this.recipeMember, () => undefined);
    this.CONSUME(RBrace);
    return members;
  });

  private readonly modelMember: Rule<ModelMember> = this.RULE('modelMember', (): ModelMember => {
    const docs = this.docsHere();
    const start = this.mark();
    const front: Front = { docs, attributes: this.SUBRULE(this.attributes) };
    const member = this.OR<ModelMember>({
      MAX_LOOKAHEAD: 2,
      DEF: [
        { ALT: () => this.SUBRULE(this.inputMember) },
        { GATE: () => this.opensItems(), ALT: () => this.SUBRULE(this.modelLetItems) },
        { ALT: () => this.SUBRULE(this.modelLet) },
        { ALT: () => this.SUBRULE(this.output) },
        {
          ALT: () => {
            this.CONSUME(Without);
            return { kind: 'without', path: this.SUBRULE(this.path), span: this.since(start) };
          },
        },
        {
          ALT: () => {
            const path = this.SUBRULE2(this.path);
            const op = this.OR2([
              { ALT: () => this.CONSUME(Equal) },
              { ALT: () => this.CONSUME(PlusEqual) },
              { ALT: () => this.CONSUME(MinusEqual) },
              { ALT: () => this.CONSUME(TimesEqual) },
            ]);
            const value = this.SUBRULE(this.part);
            const at = this.since(start);
            this.ACTION(() => this.#relativeTo(path, op, value, at));
            return { kind: 'model-field', ...front, path, value, span: at };
          },
        },
      ],
    });
    return this.ACTION(() => {
      if (member.kind !== 'model-field') this.noAttributes(front);
      return member.kind === 'without' || member.kind === 'model-field' ? member : { ...member, docs };
    });
  });

  /** `mid.layers -= 3` is reported: an override gives a whole value, which may refer to the base's value. */
  #relativeTo(path: Path, { tokenType, image }: IToken, value: Expr, at: Span): void {
    if (tokenType === Equal) return;
    const name = this.slice(path.span);
    const isSum = value.kind === 'binary' && /^[-+]$/.test(value.op);
    const operand = isSum ? `(${this.slice(value.span)})` : this.slice(value.span);
    const instead = `write \`${name} = ${name} ${image.slice(0, 1)} ${operand}\``;
    this.faults.add('CROB1052', at, { written: this.slice(at), instead });
  }

  private readonly inputMember: Rule<InputMember> = this.RULE('inputMember', (): InputMember => {
    const start = this.mark();
    this.CONSUME(Input);
    const name = this.SUBRULE(this.name);
    this.CONSUME(Colon);
    return { kind: 'input', docs: [], name, type: this.SUBRULE(this.type), span: this.since(start) };
  });

  private readonly modelLetItems: Rule<ModelLetItems> = this.RULE('modelLetItems', (): ModelLetItems => {
    const start = this.mark();
    const { names, value } = this.SUBRULE(this.letItems);
    return { kind: 'model-let-items', docs: [], names, value, span: this.since(start) };
  });

  private readonly modelLet: Rule<ModelLet> = this.RULE('modelLet', (): ModelLet => {
    const start = this.mark();
    this.CONSUME(Let);
    const name = this.SUBRULE(this.name);
    this.CONSUME(Equal);
    return { kind: 'model-let', docs: [], name, value: this.SUBRULE(this.expr), span: this.since(start) };
  });

  private readonly output: Rule<ModelMember> = this.RULE('output', (): ModelMember => {
    const start = this.mark();
    this.CONSUME(Output);
    const stage = this.OPTION(() => {
      this.CONSUME(LParen);
      const word = this.SUBRULE(this.name);
      this.CONSUME(RParen);
      return word;
    });
    const name = this.SUBRULE2(this.name);
    const type = this.OPTION2(() => {
      this.CONSUME(Colon);
      return this.SUBRULE(this.type);
    });
    const value = this.OPTION3(() => {
      this.CONSUME(Equal);
      return this.SUBRULE(this.expr);
    });
    return { kind: 'output', docs: [], stage, name, type, value, span: this.since(start) };
  });

  /** `backbone.*, text.layers[0].*`. */
  private readonly paths: Rule<readonly Path[]> = this.RULE('paths', () => {
    const paths: Path[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => paths.push(this.SUBRULE(this.path)) });
    return paths;
  });

  private readonly recipeMember: Rule<RecipeMember> = this.RULE('recipeMember', (): RecipeMember => {
    const docs = this.docsHere();
    const start = this.mark();
    const member = this.OR<RecipeMember>({
      MAX_LOOKAHEAD: 2,
      DEF: [
        { ALT: () => this.SUBRULE(this.inputMember) },
        { GATE: () => this.opensItems(), ALT: () => this.SUBRULE(this.modelLetItems) },
        { ALT: () => this.SUBRULE(this.modelLet) },
        {
          ALT: () => {
            this.CONSUME(Without);
            return { kind: 'without', name: this.SUBRULE3(this.name), span: this.since(start) };
          },
        },
        {
          ALT: () => {
            this.CONSUME(Term);
            const { name, value } = this.SUBRULE(this.setting);
            return { kind: 'term', docs, name, value, span: this.since(start) };
          },
        },
        {
          ALT: () => {
            this.CONSUME(Group);
            const path = this.SUBRULE(this.path);
            this.CONSUME(LBrace);
            const settings = this.items(this.setting, () => undefined);
            this.CONSUME(RBrace);
            return { kind: 'group', path, settings, span: this.since(start) };
          },
        },
        {
          ALT: () => {
            const word = this.OR2([{ ALT: () => this.CONSUME(Fix) }, { ALT: () => this.CONSUME(Eval) }]);
            const mode = word.tokenType === Fix ? 'fix' : 'eval';
            return { kind: 'freeze', mode, path: this.SUBRULE2(this.path), span: this.since(start) };
          },
        },
        {
          ALT: () => {
            this.CONSUME(Init);
            const path = this.SUBRULE3(this.path);
            this.CONSUME(From);
            const from = this.SUBRULE(this.expr);
            const via = this.OPTION(() => {
              this.CONSUME(Via);
              return this.SUBRULE(this.name);
            });
            const except = this.OPTION2(() => {
              this.CONSUME(Except);
              return this.SUBRULE(this.paths);
            });
            return { kind: 'init', path, from, via, except: except ?? [], span: this.since(start) };
          },
        },
        {
          ALT: () => {
            this.CONSUME(Train);
            const mode = this.OR3<'only' | 'except'>([
              {
                ALT: () => {
                  this.CONSUME(Only);
                  return 'only';
                },
              },
              {
                ALT: () => {
                  this.CONSUME(All);
                  this.CONSUME2(Except);
                  return 'except';
                },
              },
            ]);
            return { kind: 'train', mode, paths: this.SUBRULE2(this.paths), span: this.since(start) };
          },
        },
        {
          ALT: () => {
            this.CONSUME(Start);
            this.CONSUME2(From);
            return { kind: 'start', recipe: this.SUBRULE2(this.name), span: this.since(start) };
          },
        },
        {
          ALT: () => {
            const first = this.SUBRULE2(this.setting);
            const value = [first.value];
            this.MANY(() => {
              this.CONSUME(Then);
              value.push(this.SUBRULE(this.settingValue));
            });
            return { kind: 'setting', docs, name: first.name, value, span: this.since(start) };
          },
        },
      ],
    });
    return this.ACTION(() =>
      member.kind === 'input' || member.kind === 'model-let' || member.kind === 'model-let-items'
        ? { ...member, docs }
        : member,
    );
  });
}
