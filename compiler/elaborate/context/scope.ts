import type { Span } from '../../../grammar/span.ts';
import type { Arg } from '../../../grammar/tree.ts';
import { type Dim, variable } from '../../dims/dim.ts';
import { Facts } from '../../dims/facts.ts';
import type { Builder } from '../../graphs/builder.ts';
import type { Value } from '../../ir/graph.ts';
import type { FileScope } from '../source/file-scope.ts';
import type { Context } from './context.ts';
import type { Owner } from './declared.ts';
import type { Call, Given, Instance, NamedValue, Update, Val, Writer } from './elaborated.ts';

/** Evaluated arguments with their source expressions. */
export interface CallArgs {
  readonly positional: readonly Given[];
  readonly named: ReadonlyMap<string, Given>;
  readonly source: readonly Arg[];
}

/** A chain of local names. */
export class Locals {
  /** Undefined until the first declaration: most scopes have none. */
  #names: Map<string, Val> | undefined;
  readonly #outer: Locals | undefined;
  constructor(outer?: Locals) {
    this.#outer = outer;
  }
  get(name: string): Val | undefined {
    return this.#names?.get(name) ?? this.#outer?.get(name);
  }
  declare(name: string, value: Val): void {
    this.#names ??= new Map();
    this.#names.set(name, value);
  }
  /** Rebinds the innermost declaration of a name; returns false if there is none. */
  assign(name: string, value: Val): boolean {
    if (this.#names?.has(name)) {
      this.#names.set(name, value);
      return true;
    }
    return this.#outer?.assign(name, value) ?? false;
  }
  *names(): Iterable<string> {
    if (this.#names) yield* this.#names.keys();
    if (this.#outer) yield* this.#outer.names();
  }
}

/** The dims of a signature. While it is open, an unknown upper-case name creates a fresh dim. */
export class DimScope {
  #known: Map<string, Dim> | undefined;
  #spreads: Map<string, readonly Dim[]> | undefined;
  open: boolean;
  constructor(open: boolean) {
    this.open = open;
  }
  /** Returns a dim that already exists. */
  named(name: string): Dim | undefined {
    return this.#known?.get(name);
  }

  get known(): Map<string, Dim> {
    this.#known ??= new Map();
    return this.#known;
  }
  get spreads(): Map<string, readonly Dim[]> {
    this.#spreads ??= new Map();
    return this.#spreads;
  }
  get(name: string): Dim | undefined {
    const known = this.#known?.get(name);
    if (known || !this.open) return known;
    const fresh = variable(name);
    this.known.set(name, fresh);
    return fresh;
  }
}

/** The graph of a body under construction. */
export interface GraphBody {
  readonly build: Builder;
  /** Calls made so far. */
  readonly calls: Call[];
  /** Weights already placed, by name. */
  readonly weights: Map<string, Value>;
  /** Buffer updates, in order. */
  readonly updates: Update[];
  /** Tensors that have names, in the order of their statements. */
  readonly named: NamedValue[];
}

export function graphBody(build: Builder): GraphBody {
  return { build, calls: [], weights: new Map(), updates: [], named: [] };
}

/** One body, signature or static expression under elaboration. */
export interface Scope {
  readonly context: Context;
  readonly file: FileScope;
  readonly owner: Owner | undefined;
  readonly self: Instance | undefined;
  /** Looks up a name in the enclosing module or model, before the file's scope. */
  readonly member: (name: string, span: Span) => Val | undefined;
  readonly memberNames: () => Iterable<string>;
  /**
   * Describes a name whose value is known only when the model runs, for messages where a static value is expected:
   * `the weight bias`.
   */
  readonly later: (name: string) => string | undefined;
  readonly locals: Locals;
  readonly dims: DimScope;
  readonly facts: Facts;
  /** Undefined if only static values are allowed. */
  readonly graph: GraphBody | undefined;
  /** Returns the help for an unknown name that is not similar to a known one. */
  readonly hint: (name: string) => string | undefined;
  /** Whether initialisers take precedence over functions of the same name. */
  readonly inits: boolean;
  /** The span of the body's result expression, for messages about the result. */
  readonly trace: { result: Span | undefined };
}

/** A scope in which expressions may be tensors. */
export interface GraphScope extends Scope {
  readonly graph: GraphBody;
}

export function isGraphScope(scope: Scope): scope is GraphScope {
  return scope.graph !== undefined;
}

export function writerOf({ self, owner }: Scope): Writer {
  return { self, model: owner?.isModel ? owner.span : undefined };
}

export function nested<S extends Scope>(scope: S): S {
  return { ...scope, locals: new Locals(scope.locals) };
}

/** The names of a scope beyond those of its file. */
interface Surroundings extends Pick<Scope, 'owner' | 'self' | 'member' | 'memberNames' | 'later'> {}

const nothingAround: Surroundings = {
  owner: undefined,
  self: undefined,
  member: () => undefined,
  memberNames: () => [],
  later: () => undefined,
};
const noHint = () => undefined;

/** Returns a static scope with the names of a file and its surroundings. */
export function fileScope(context: Context, file: FileScope, around: Surroundings = nothingAround): Scope {
  const { owner, self, member, memberNames, later } = around;
  return {
    context,
    file,
    owner,
    self,
    member,
    memberNames,
    later,
    locals: new Locals(),
    dims: new DimScope(false),
    facts: Facts.none,
    graph: undefined,
    hint: noHint,
    inits: false,
    trace: { result: undefined },
  };
}
