import type { Span } from '../../../grammar/span.ts';
import type { Expr, Param } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import type { Overrides } from '../context/overrides.ts';
import type { Scope } from '../context/scope.ts';
import { error, type Given, type Val } from '../context/values.ts';
import { evaluate } from '../eval/evaluate.ts';
import { isPart, place } from '../modules/members.ts';
import type { FileScope } from '../source/program.ts';
import type { DeepOverride, FlatModel, From, FromField, FromValue } from './flatten.ts';
import { besidesGone } from './given-anew.ts';
import { OverrideLines } from './override-lines.ts';

/** The scopes of a model in which static values are evaluated. */
export interface StaticScopes {
  readonly plain: (file: FileScope) => Scope;
  /** For indices in paths. */
  readonly index: (file: FileScope) => Scope;
  /** The lines of the finished model for the inside of a part. */
  readonly linesBelow: (name: string) => Overrides | undefined;
}

/** What is left of the expression for a part. */
type Left = (expr: Expr, file: FileScope) => Expr;

const asWritten: Left = (expr) => expr;

/**
 * The values that the models of a chain give to parameters and parts. A declaration that replaces another, or a line that
 * changes the inside of a part, sees by its own name what was there before it.
 */
export class GivenValues {
  readonly #context: Context;
  readonly #flat: FlatModel;
  readonly #scopes: StaticScopes;

  constructor(context: Context, flat: FlatModel, scopes: StaticScopes) {
    this.#context = context;
    this.#flat = flat;
    this.#scopes = scopes;
  }

  /** The value of a parameter or part, without lines that change its inside. */
  of(name: string): Given | undefined {
    const field = this.#flat.fields.get(name);
    if (field) return this.ofField(name, field);
    const param = this.#flat.params.get(name);
    return param && this.ofParam(name, param);
  }

  ofField(name: string, field: FromField): Given {
    return this.#field(name, field, this.#besidesGone(name));
  }

  /** The value of a parameter: given anew by a model of the chain, or its default. */
  ofParam(name: string, param: From<Param>): Given | undefined {
    return this.#param(name, param, this.#flat.values.get(name), this.#besidesGone(name));
  }

  #field(name: string, { decl, file, nearness, before }: FromField, left: Left): Given {
    const replaced = before && (() => this.#before(name, nearness, () => this.#field(name, before, asWritten)));
    return this.#evaluated(name, left(decl.value, file), file, replaced);
  }

  #param(name: string, param: From<Param>, value: FromValue | undefined, left: Left): Given | undefined {
    const { decl, file } = param;
    if (!value) return decl.value && this.#evaluated(name, left(decl.value, file), file, undefined);
    const before = () => this.#before(name, value.nearness, () => this.#param(name, param, value.before, asWritten));
    return this.#evaluated(name, left(value.decl, value.file), value.file, before);
  }

  #besidesGone(name: string): Left {
    return (expr, file) => besidesGone(expr, this.#scopes.linesBelow(name), file, this.#flat.removed);
  }

  /** Lines over the parts of a model, as `part` gives them. */
  linesOver(overrides: readonly DeepOverride[], part: (name: string) => Given | undefined): OverrideLines {
    const lines: OverrideLines = new OverrideLines(
      this.#context,
      overrides,
      this.#scopes.index,
      ({ name, value, file }, without) => {
        const before = () => this.#shadow(name, part(name), () => lines.belowWithout(name, without));
        return this.#evaluated(name, value, file, before);
      },
    );
    return lines;
  }

  /** A right side; its own part is the one `before` it, where there is one. */
  #evaluated(own: string, expr: Expr, file: FileScope, before: (() => Val) | undefined): Given {
    const scope = this.#scopes.plain(file);
    const member = (name: string, span: Span) => (name === own && before ? before() : scope.member(name, span));
    return { value: evaluate(before ? { ...scope, member } : scope, expr), span: expr.span };
  }

  /** What a declaration replaces, with the lines that the models before it have for it. */
  #before(name: string, nearness: number, before: () => Given | undefined): Val {
    const given = before();
    if (!given) return error;
    const { overrides, superseded } = this.#flat;
    const earlier = [...superseded, ...overrides].filter((one) => one.name === name && one.nearness < nearness);
    const lines = this.linesOver(earlier, () => given);
    return this.#shadow(name, given, () => lines.below(name));
  }

  /** A part that only a right side sees: it is no part of the model. */
  #shadow(name: string, given: Given | undefined, overrides: () => Overrides | undefined): Val {
    if (!given) return error;
    if (!isPart(given.value)) return given.value;
    return place(this.#context, given, { path: name, source: name }, overrides(), true);
  }
}
