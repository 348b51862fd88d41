import type { Span } from '../../../grammar/span.ts';
import type { Expr, Param } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import type { Given, Opened, Overrides, Val } from '../context/elaborated.ts';
import type { Scope } from '../context/scope.ts';
import { error } from '../context/values.ts';
import { fitStatic } from '../eval/arguments.ts';
import { evaluate } from '../eval/evaluate.ts';
import { holdsShadow } from '../modules/instance.ts';
import { isPart, over, place } from '../modules/members.ts';
import { opened } from '../modules/opened.ts';
import { slotOf } from '../modules/slots.ts';
import { waiting } from '../report/circle.ts';
import type { FileScope } from '../source/file-scope.ts';
import type { DeepOverride, FlatModel, From, FromField, FromValue } from './flat-model.ts';
import { besidesGone } from './given-anew.ts';
import { type Line, OverrideLines } from './override-lines.ts';

/** The scopes of a model in which static values are evaluated. */
export interface StaticScopes {
  /** Parts are shadows unless they are already constructed: for values that read members of parts. */
  readonly shadows: (file: FileScope) => Scope;
  /** Parts are fully constructed: for values that pass parts on. */
  readonly parts: (file: FileScope) => Scope;
  /** For indices in paths. */
  readonly index: (file: FileScope) => Scope;
  /** The override lines of the complete model inside a part. */
  readonly linesBelow: (name: string) => Overrides | undefined;
}

/** Removes arguments from the expression of a part (see `besidesGone`). */
type Left = (expr: Expr, file: FileScope) => Expr;

const asWritten: Left = (expr) => expr;

/** The expression of a parameter or part. */
interface Source {
  readonly expr: Expr;
  readonly file: FileScope;
  readonly nearness: number;
  /** The value of its own name inside the expression, if it replaces something. */
  readonly before: Before | undefined;
}

type Before = (shadow: boolean) => Val;

/**
 * Evaluates the values that the models of a chain give to parameters and parts. In a declaration that replaces
 * another, or a line that changes the inside of a part, the name refers to the previous value.
 *
 * A value depends on the values that it reads, not on the parts that contain them: it is first evaluated with
 * shadows, and evaluated again with the actual parts if it turns out to pass one on.
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

  /** Returns the value of a part, without override lines inside it. */
  ofField(name: string, field: FromField): Given {
    return this.#given(name, this.#ofField(name, field, this.#besidesGone(name)), false);
  }

  /** Returns the value of a parameter: from a model of the chain, or its default. */
  ofParam(name: string, param: From<Param>): Given | undefined {
    const source = this.#ofParam(name, param, this.#flat.values.get(name), this.#besidesGone(name));
    return source && this.#given(name, source, false);
  }

  /** Returns a parameter or part as a shadow, for reading its members. */
  shadowOf(name: string): Val {
    const written = this.#opened(name);
    const value = this.#shadow(name, written, this.#scopes.linesBelow(name));
    const param = this.#flat.params.get(name);
    return param ? this.#fitted(param, value, written?.given.span) : value;
  }

  #fitted({ decl, file }: From<Param>, value: Val, span: Span = decl.span): Val {
    const { slot, holes } = slotOf(decl, file);
    if (slot && !holes) return value;
    return fitStatic(this.#scopes.shadows(file), value, decl.type, span, decl.span, file) ?? error;
  }

  #ofField(name: string, { decl, file, nearness, before }: FromField, left: Left): Source {
    const replaced = before && (() => this.#ofField(name, before, asWritten));
    return {
      expr: left(decl.value, file),
      file,
      nearness,
      before: replaced && ((shadow) => this.#before(name, nearness, this.#given(name, replaced(), shadow))),
    };
  }

  #ofParam(name: string, param: From<Param>, value: FromValue | undefined, left: Left): Source | undefined {
    const { decl, file, nearness } = param;
    if (!value) return decl.value && { expr: left(decl.value, file), file, nearness, before: undefined };
    return {
      expr: left(value.decl, value.file),
      file: value.file,
      nearness: value.nearness,
      before: (shadow) => {
        const before = this.#ofParam(name, param, value.before, asWritten);
        const given = before && this.#given(name, before, shadow);
        return this.#fitted(param, this.#before(name, value.nearness, given), given?.span);
      },
    };
  }

  #besidesGone(name: string): Left {
    return (expr, file) => besidesGone(expr, this.#scopes.linesBelow(name), file, this.#flat.removed);
  }

  /** The opened expression of a shadow. */
  #opened(name: string): Opened | undefined {
    const { fields, params, values } = this.#flat;
    const field = fields.get(name);
    const param = params.get(name);
    const left = this.#besidesGone(name);
    const source = field
      ? this.#ofField(name, field, left)
      : param && this.#ofParam(name, param, values.get(name), left);
    if (!source) return undefined;
    return this.#openedAs(name, name, source, -1);
  }

  /** Opens the expression of a shadow; its arguments count as override lines with the given nearness. */
  #openedAs(own: string, named: string, source: Source, nearness: number): Opened {
    const { expr } = source;
    const ask = (path: string, span: Span, work: () => Given): Given =>
      waiting(this.#context, { name: `${named}.${path}`, span, nearness: source.nearness }, work, (value) => ({
        value,
        span,
      }));
    return opened({ scope: this.#scope(own, source, true), nearness, ask }, expr);
  }

  /**
   * Returns the override lines for the parts of a model; `earlier` is the value of a part that the model has
   * replaced.
   */
  linesOver(overrides: readonly DeepOverride[], earlier?: Given): OverrideLines {
    const sourceOf = ({ name, value, file, nearness }: DeepOverride, without: readonly Line[]): Source => {
      const part = (shadow: boolean): Opened | undefined =>
        earlier ? { given: earlier, args: undefined } : this.#part(name, shadow);
      const before = (shadow: boolean) => this.#shadow(name, part(shadow), lines.belowWithout(name, without));
      return { expr: value, file, nearness, before };
    };
    const lines: OverrideLines = new OverrideLines(this.#context, overrides, this.#scopes.index, {
      given: (line, without, shadow) => this.#given(line.name, sourceOf(line, without), shadow),
      opened: (line, without) => {
        const written = this.#context.run.program.text(line.path.span);
        return this.#openedAs(line.name, written, sourceOf(line, without), line.nearness);
      },
    });
    return lines;
  }

  /** A part as seen by a right side that changes its inside. */
  #part(name: string, shadow: boolean): Opened | undefined {
    if (shadow) return this.#opened(name);
    const { fields, params } = this.#flat;
    const [field, param] = [fields.get(name), params.get(name)];
    const given = field ? this.ofField(name, field) : param && this.ofParam(name, param);
    return given && { given, args: undefined };
  }

  /** Evaluates with shadows first, and again with actual parts if one is passed on. */
  #given(own: string, source: Source, shadow: boolean): Given {
    const { expr } = source;
    const value = evaluate(this.#scope(own, source, true), expr);
    if (shadow || !holdsShadow(value)) return { value, span: expr.span };
    return { value: evaluate(this.#scope(own, source, false), expr), span: expr.span };
  }

  /** The scope of a right side; its own name refers to the value `before` it, if there is one. */
  #scope(own: string, { file, before }: Source, shadow: boolean): Scope {
    const scope = shadow ? this.#scopes.shadows(file) : this.#scopes.parts(file);
    if (!before) return scope;
    return { ...scope, member: (name, span) => (name === own ? before(shadow) : scope.member(name, span)) };
  }

  /** The value that a declaration replaces, with the override lines that earlier models have for it. */
  #before(name: string, nearness: number, given: Given | undefined): Val {
    if (!given) return error;
    const { overrides, superseded } = this.#flat;
    const earlier = [...superseded, ...overrides].filter((one) => one.name === name && one.nearness < nearness);
    return this.#shadow(name, { given, args: undefined }, this.linesOver(earlier, given).below(name));
  }

  /** Constructs a part that is only read: it does not become part of the model. */
  #shadow(name: string, written: Opened | undefined, lines: Overrides | undefined): Val {
    if (!written) return error;
    const { given, args } = written;
    if (!isPart(given.value)) return given.value;
    return place(this.#context, given, { path: name, source: name }, over(args, lines), true);
  }
}
