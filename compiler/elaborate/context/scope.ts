import type { Span } from '../../../grammar/span.ts';
import type { Arg, Block, Expr, FnDecl, Statement } from '../../../grammar/tree.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { type Dim, variable } from '../../dims/dim.ts';
import { Facts } from '../../dims/facts.ts';
import type { Builder } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import type { Read, SharedTemplates } from '../calls/sharing.ts';
import type { FileScope, Program } from '../source/program.ts';
import type { Place } from './paths.ts';
import type { Call, Template, Update } from './template.ts';
import type { Given, Instance, Method, Spec, Val } from './values.ts';

/** How far an elaboration has gone: everything in it is limited. */
export interface Depth {
  calls: number;
  readonly constructions: string[];
  steps: number;
  /** Messages so far: what was made in between is sound when there is none. */
  reported: number;
  nesting: number;
  /** After a message that nesting is too deep, which would come again at every place. */
  tooDeep: boolean;
  /** While the constructions around a module that contains itself are given up. */
  endless: boolean;
}

/** One elaboration run: every template is made once in it. */
export interface Context {
  readonly program: Program;
  readonly interpreter: Interpreter;
  /** Whether `training` is true. */
  readonly training: boolean;
  /** Paths below which `training` is false all the same: a recipe's `eval`. */
  readonly evaluated: readonly string[];
  readonly templates: Map<string, Template>;
  /** Shared with the other sessions of the program. */
  readonly shared: SharedTemplates;
  /** What the templates under elaboration have looked at, innermost last. */
  readonly reads: Read[][];
  readonly depth: Depth;
  report(d: Diagnostic): void;
}

/**
 * The mutually recursive parts of elaboration, tied together in `context.ts`; they call each other through
 * this table, so that each stays in a file of its own without import cycles.
 */
export interface Interpreter {
  evaluate(scope: Scope, expr: Expr): Val;
  /** Runs a block; the value is what it returns or ends in. */
  run(scope: Scope, block: Block): Val | undefined;
  execute(scope: Scope, statements: readonly Statement[]): Val | undefined;
  apply(scope: Scope, callee: Val, args: CallArgs, span: Span): Val;
  callFunction(scope: Scope, decl: FnDecl, file: FileScope, args: CallArgs, span: Span): Val;
  callMethod(scope: Scope, instance: Instance, method: Method, args: CallArgs, span: Span): Val;
  instantiate(context: Context, spec: Spec, place: Place, overrides: Overrides | undefined): Instance | undefined;
  /** A field, static, parameter, weight or method of a module. */
  member(scope: Scope | undefined, context: Context, instance: Instance, name: string): Val | undefined;
}

/** Evaluated arguments, with the expressions they came from. */
export interface CallArgs {
  readonly positional: readonly Given[];
  readonly named: ReadonlyMap<string, Given>;
  readonly source: readonly Arg[];
}

/** What variants rebind below an instance: by field or parameter name, list steps between. */
export interface Overrides {
  readonly value: Override | undefined;
  /** Step → below; a list index as its number, `*` for all. */
  readonly below: ReadonlyMap<string, Overrides>;
  readonly span: Span;
}

/** A value that a model of a chain gives; the model that is nearest to the variant has the greatest `nearness`. */
export interface Override extends Given {
  readonly nearness: number;
}

/** A chain of local names. */
export class Locals {
  readonly #names = new Map<string, Val>();
  readonly #outer: Locals | undefined;
  constructor(outer?: Locals) {
    this.#outer = outer;
  }
  get(name: string): Val | undefined {
    return this.#names.get(name) ?? this.#outer?.get(name);
  }
  declare(name: string, value: Val): void {
    this.#names.set(name, value);
  }
  /** Rebinds the nearest declaration; false when there is none. */
  assign(name: string, value: Val): boolean {
    if (this.#names.has(name)) {
      this.#names.set(name, value);
      return true;
    }
    return this.#outer?.assign(name, value) ?? false;
  }
  *names(): Iterable<string> {
    yield* this.#names.keys();
    if (this.#outer) yield* this.#outer.names();
  }
}

/** The dims that a signature names. While it is open, an upper-case name makes a fresh one. */
export class DimScope {
  readonly known = new Map<string, Dim>();
  readonly spreads = new Map<string, readonly Dim[]>();
  open: boolean;
  constructor(open: boolean) {
    this.open = open;
  }
  get(name: string): Dim | undefined {
    const known = this.known.get(name);
    if (known || !this.open) return known;
    const fresh = variable(name);
    this.known.set(name, fresh);
    return fresh;
  }
}

/** The declaration that a `where` would have to be added to. */
export interface Owner {
  /** `model Seg`, `fn resize`, `Linear.forward`. */
  readonly what: string;
  readonly span: Span;
}

/** One body, signature or static expression under elaboration. */
export interface Scope {
  readonly context: Context;
  readonly file: FileScope;
  readonly owner: Owner | undefined;
  readonly self: Instance | undefined;
  /** Names of the surrounding module or model, before the file's. */
  readonly member: (name: string, span: Span) => Val | undefined;
  readonly memberNames: () => Iterable<string>;
  readonly locals: Locals;
  readonly dims: DimScope;
  facts: Facts;
  /** Absent where only static values may stand. */
  readonly build: Builder | undefined;
  /** Calls made so far, for a template's body. */
  readonly calls: Call[];
  /** Weights already placed in this body, by name. */
  readonly weights: Map<string, Value>;
  /** Buffer updates, in order. */
  readonly updates: Update[];
  readonly inits: boolean;
  /** Where the value that the body gave was written: what a message about its result points at. */
  readonly trace: { result: Span | undefined };
}

export function nested(scope: Scope): Scope {
  return { ...scope, locals: new Locals(scope.locals) };
}

/** A body that sees a file's names only. */
export function fileScope(context: Context, file: FileScope): Scope {
  return {
    context,
    file,
    owner: undefined,
    self: undefined,
    member: () => undefined,
    memberNames: () => [],
    locals: new Locals(),
    dims: new DimScope(false),
    facts: Facts.none,
    build: undefined,
    calls: [],
    weights: new Map(),
    updates: [],
    inits: false,
    trace: { result: undefined },
  };
}
