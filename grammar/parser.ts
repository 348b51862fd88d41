import type { IToken } from 'chevrotain';
import type { Rule } from './base-parser.ts';
import type { DocLines } from './docs.ts';
import type { FaultSink } from './faults.ts';
import { type Front, MemberParser, type Setting } from './members.ts';
import {
  Arrow,
  As,
  At,
  Colon,
  Comma,
  Dot,
  Equal,
  Example,
  Extends,
  Fn,
  For,
  Interface,
  LBrace,
  Model,
  Module,
  RBrace,
  Recipe,
  Type,
  Use,
  Weights,
} from './tokens.ts';
import type { Block, Declaration, Ident, UseDecl, WeightsDecl } from './tree.ts';

type Item = Declaration | UseDecl;

/** Parses declarations, and with them the whole language. */
export class Parser extends MemberParser {
  constructor(skipValidations: boolean) {
    super(skipValidations);
    this.performSelfAnalysis();
  }

  /** Parses a lexed file. Never throws a syntax error; a `RangeError` if the stack overflows. */
  read(file: string, text: string, tokens: IToken[], docs: DocLines, faults: FaultSink): readonly Item[] {
    this.file = file;
    this.text = text;
    this.docs = docs;
    this.faults = faults;
    this.input = tokens;
    return this.fileItems();
  }

  private readonly fileItems: Rule<Item[]> = this.RULE('file', (): Item[] =>
    this.items(this.item, (first) => this.#bodyOf(first)),
  );

  private readonly item: Rule<Item> = this.RULE('declaration', (): Item => {
    const start = this.mark();
    const docs = this.docsHere();
    const attributes = this.SUBRULE(this.attributes);
    const front: Front = { docs, attributes };
    const item = this.OR<Item>([
      { ALT: () => this.SUBRULE(this.use) },
      { ALT: () => this.SUBRULE(this.module) },
      { ALT: () => this.SUBRULE(this.interface) },
      { ALT: () => this.SUBRULE(this.fn) },
      { ALT: () => this.SUBRULE(this.typeAlias) },
      { ALT: () => this.SUBRULE(this.model) },
      { ALT: () => this.SUBRULE(this.recipe) },
      { ALT: () => this.SUBRULE(this.weights) },
      { ALT: () => this.SUBRULE(this.example) },
    ]);
    const at = this.since(start);
    return this.ACTION(() => {
      if (item.kind !== 'use') return { ...item, ...front, span: at };
      this.noAttributes(front);
      return item;
    });
  });

  /** The rule for the body after a header that could not be parsed. */
  #bodyOf(first: IToken): Rule<unknown> | undefined {
    if (first.tokenType === Module || first.tokenType === Interface) return this.moduleBody;
    if (first.tokenType === Model) return this.modelBody;
    if (first.tokenType === Recipe) return this.recipeBody;
    return first.tokenType === Fn ? this.block : undefined;
  }

  private readonly use: Rule<UseDecl> = this.RULE('use', (): UseDecl => {
    const start = this.mark();
    this.CONSUME(Use);
    const path = [this.SUBRULE(this.name)];
    this.MANY({
      GATE: () => !this.nextIs(LBrace, 2),
      DEF: () => {
        this.CONSUME(Dot);
        path.push(this.SUBRULE2(this.name));
      },
    });
    this.CONSUME2(Dot);
    this.CONSUME(LBrace);
    const names = this.commas(RBrace, this.useName);
    this.CONSUME(RBrace);
    return { kind: 'use', path, names, span: this.since(start) };
  });

  private readonly useName: Rule<UseDecl['names'][number]> = this.RULE('useName', (): UseDecl['names'][number] => {
    const name = this.SUBRULE(this.name);
    const alias = this.OPTION(() => {
      this.CONSUME(As);
      return this.SUBRULE2(this.name);
    });
    return { name, alias };
  });

  /** The common fields of a declaration; `item` fills in docs, attributes and span. */
  #bare(name: Ident) {
    return { docs: [], attributes: [], name, span: name.span } as const;
  }

  /** `: Encoder, Norm` after the parameters of a module or interface. */
  private readonly promised: Rule<readonly Ident[]> = this.RULE('promised', () => {
    const promised: Ident[] = [];
    this.OPTION(() => {
      this.CONSUME(Colon);
      this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => promised.push(this.SUBRULE(this.name)) });
    });
    return promised;
  });

  private readonly module: Rule<Declaration> = this.RULE('module', (): Declaration => {
    this.CONSUME(Module);
    const name = this.SUBRULE(this.name);
    const params = this.OPTION(() => this.SUBRULE(this.params)) ?? [];
    const promised = this.SUBRULE(this.promised);
    const where = this.SUBRULE(this.where);
    const members = this.SUBRULE(this.moduleBody);
    return { kind: 'module', ...this.#bare(name), params, implements: promised, where, members };
  });

  private readonly interface: Rule<Declaration> = this.RULE('interface', (): Declaration => {
    this.CONSUME(Interface);
    const name = this.SUBRULE(this.name);
    const params = this.OPTION(() => this.SUBRULE(this.params)) ?? [];
    const promised = this.SUBRULE(this.promised);
    const where = this.SUBRULE(this.where);
    const members = this.SUBRULE(this.moduleBody);
    return { kind: 'interface', ...this.#bare(name), params, implements: promised, where, members };
  });

  private readonly fn: Rule<Declaration> = this.RULE('fn', (): Declaration => {
    this.CONSUME(Fn);
    const name = this.SUBRULE(this.name);
    const params = this.SUBRULE(this.params);
    const result = this.OPTION(() => this.SUBRULE(this.result));
    const where = this.SUBRULE(this.whereOfFn);
    const body = this.OR<Block>([
      {
        ALT: () => {
          this.CONSUME(Equal);
          const start = this.mark();
          const value = this.SUBRULE(this.expr);
          return { statements: [], value, span: this.since(start) };
        },
      },
      { ALT: () => this.SUBRULE(this.block) },
    ]);
    return { kind: 'fn', ...this.#bare(name), params, result, where, body };
  });

  private readonly typeAlias: Rule<Declaration> = this.RULE('typeAlias', (): Declaration => {
    this.CONSUME(Type);
    const name = this.SUBRULE(this.name);
    const params = this.OPTION(() => this.SUBRULE(this.params)) ?? [];
    this.CONSUME(Equal);
    const type = this.SUBRULE(this.type);
    return { kind: 'type', ...this.#bare(name), params, type };
  });

  private readonly model: Rule<Declaration> = this.RULE('model', (): Declaration => {
    this.CONSUME(Model);
    const name = this.SUBRULE(this.name);
    const params = this.OPTION(() => this.SUBRULE(this.params)) ?? [];
    const base = this.OPTION2(() => {
      this.CONSUME(Extends);
      return this.SUBRULE2(this.name);
    });
    const where = this.SUBRULE(this.where);
    const members = this.SUBRULE(this.modelBody);
    return { kind: 'model', ...this.#bare(name), params, base, where, members };
  });

  private readonly recipe: Rule<Declaration> = this.RULE('recipe', (): Declaration => {
    this.CONSUME(Recipe);
    const name = this.SUBRULE(this.name);
    let model: Ident | undefined;
    let base: Ident | undefined;
    const bindings: Setting[] = [];
    this.MANY(() =>
      this.OR([
        {
          ALT: () => {
            this.CONSUME(For);
            model = this.SUBRULE2(this.name);
          },
        },
        {
          ALT: () => {
            this.CONSUME(Extends);
            base = this.SUBRULE3(this.name);
          },
        },
        {
          ALT: () => {
            this.CONSUME(At);
            this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => bindings.push(this.SUBRULE(this.setting)) });
          },
        },
      ]),
    );
    const members = this.SUBRULE(this.recipeBody);
    return { kind: 'recipe', ...this.#bare(name), model, base, bindings, members };
  });

  private readonly weights: Rule<Declaration> = this.RULE('weights', (): Declaration => {
    this.CONSUME(Weights);
    const name = this.SUBRULE(this.name);
    this.CONSUME(For);
    const target = this.SUBRULE2(this.name);
    this.CONSUME(LBrace);
    const rules = this.items(this.weightsRule, () => undefined);
    this.CONSUME(RBrace);
    return { kind: 'weights', ...this.#bare(name), target, rules };
  });

  private readonly weightsRule: Rule<WeightsDecl['rules'][number]> = this.RULE(
    'weightsRule',
    (): WeightsDecl['rules'][number] => {
      const start = this.mark();
      const from = this.SUBRULE(this.expr);
      this.CONSUME(Arrow);
      const to = this.SUBRULE2(this.expr);
      return { from, to, span: this.since(start) };
    },
  );

  private readonly example: Rule<Declaration> = this.RULE('example', (): Declaration => {
    const word = this.CONSUME(Example);
    const value = this.SUBRULE(this.expr);
    return this.ACTION(() => {
      let root = value;
      while (root.kind === 'call' || root.kind === 'member' || root.kind === 'index') {
        root = root.kind === 'call' ? root.callee : root.object;
      }
      const name =
        root.kind === 'name' ? { kind: 'ident' as const, name: root.name, span: root.span } : this.ident(word);
      return { kind: 'example', ...this.#bare(name), value };
    });
  });
}
