import type { Span } from '../../../grammar/span.ts';
import type { FnDecl, ModuleDecl } from '../../../grammar/tree.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Clause, Facts } from '../../dims/facts.ts';
import type { Init, Node, NodeOf, Value } from '../../ir/graph.ts';
import type { TensorType } from '../../ir/types.ts';
import type { FileScope } from '../source/file-scope.ts';
import type { Declared, Method } from './declared.ts';
import type { Faults } from './faults.ts';

// What an elaboration makes, as data: values, modules, overrides, and templates with what they read. A value can be a module, a
// module has values and remembers what they were made from, which may be a call of a template, and a template's result is a value:
// the types are one recursion, so they are one file.

/** What an expression evaluates to: static values run to the end, tensors are values of the graph being built. */
export type Val =
  /** An int when constant, else a symbolic dim. */
  | { readonly kind: 'dim'; readonly dim: Dim }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'list'; readonly items: readonly Val[] }
  | { readonly kind: 'tuple'; readonly items: ReadonlyMap<string, Val> }
  | { readonly kind: 'function'; readonly decl: FnDecl; readonly file: FileScope }
  /** A built-in function by its name in the table. */
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'init'; readonly init: Init }
  | { readonly kind: 'spec'; readonly spec: Spec }
  | { readonly kind: 'instance'; readonly instance: Instance }
  | { readonly kind: 'method'; readonly instance: Instance; readonly method: Method }
  | { readonly kind: 'tensor'; readonly value: Value }
  /** Stands for what was already reported; absorbs everything. */
  | { readonly kind: 'error' };

export type TensorVal = Extract<Val, { kind: 'tensor' }>;
export type TupleVal = Extract<Val, { kind: 'tuple' }>;

/** Whose text something is: that of an instance's module, or that of a model, which goes by the place of its name, and of its bases. */
export interface Writer {
  readonly self: Instance | undefined;
  readonly model: Span | undefined;
}

/** A module to be constructed: `SwinB(window = 8)`; with parameters still open it is a slot's filling with holes. */
export interface Spec {
  readonly decl: ModuleDecl;
  readonly file: FileScope;
  readonly args: ReadonlyMap<string, Given>;
  readonly span: Span;
  readonly writer: Writer;
  /** Equal for equal modules with equal arguments. */
  readonly key: string;
}

/** An argument with the place it was written. */
export interface Given {
  readonly value: Val;
  readonly span: Span;
}

/**
 * A module under construction, or constructed: its parameters, statics and parts get their values when they are first
 * asked for.
 */
export interface Instance {
  readonly decl: ModuleDecl;
  readonly file: FileScope;
  readonly declared: Declared;
  /** Where its weights are: `backbone.layers.0`; '' at the root. */
  readonly path: string;
  /** Its name in the source: `backbone.merges[0]`; '' at the root. */
  readonly source: string;
  /** Where it was written: `Linear(3, 4)`. */
  readonly span: Span;
  readonly writer: Writer;
  readonly args: ReadonlyMap<string, Given>;
  readonly overrides: Overrides | undefined;
  /** Stands for a part where only its members are read, which get their values one by one; no model is made of it. */
  readonly shadow: boolean;
  /** Whether the steps of its parts were counted when its exemplar was made. */
  readonly counted: boolean;
  /** Values so far, of parameters and statics. */
  readonly statics: Map<string, Val>;
  /** Values so far, of parts. */
  readonly fields: Map<string, Val>;
  /** What of this and other modules values were made from, where that may be overridden. */
  readonly madeFrom: [name: string, reads: readonly Read[]][];
  /** Names whose values are being made, and how much of the model was waiting when each was asked for. */
  readonly busy: { readonly name: string; readonly asked: number }[];
  /** Instances of one identity behave the same but for their paths: method templates are shared by it. Set last. */
  identity: string;
}

/**
 * One line `path = value` of a model that changes something inside a part. Its right side is evaluated when it is first
 * needed. A line whose value nothing has asked for when the model is complete has no effect.
 */
export interface OverrideLine {
  /** Of the path, as it is written. */
  readonly span: Span;
  /** With its value. */
  readonly whole: Span;
  /** The model that wrote it. */
  readonly model: string;
  /** Place of that model in the chain: the nearest to the variant has the greatest. */
  readonly nearness: number;
  /**
   * The value. For a shadow, parts that it names may be shadows; asked for by the model itself, the line counts as used.
   */
  readonly given: (shadow: boolean) => Given;
  /** The same for a shadow, which depends on no argument of the modules that the line calls until that is read. */
  readonly opened: () => Opened;
}

/** A value whose modules lack the arguments that they are called with: these are lines below it, each evaluated when it is asked for. */
export interface Opened {
  readonly given: Given;
  readonly args: Overrides | undefined;
}

/** What the lines of a chain of models change below a part: by the name of a field or parameter, or by a list step. */
export interface Overrides {
  readonly line: OverrideLine | undefined;
  /** Step → below; a list index as its number, `*` for all. */
  readonly below: ReadonlyMap<string, Overrides>;
  readonly span: Span;
}

/**
 * What a template's elaboration looked at. Two instances share a template when all of it is the same for both, though
 * their other parameters differ: blocks that differ in drop-path rate alone are one template where nothing is dropped.
 */
export type Read =
  /** Something that no other instance has. */
  | { readonly kind: 'exact' }
  | { readonly kind: 'training'; readonly value: boolean }
  | { readonly kind: 'member'; readonly instance: Instance; readonly name: string; readonly value: Val | undefined }
  | {
      readonly kind: 'call';
      readonly instance: Instance;
      readonly method: Method;
      readonly given: ReadonlyMap<string, Given>;
      readonly place: string;
      readonly template: Template;
      /** Which of the body's calls it is. */
      readonly at: number;
    };

/** The type of what crosses a signature. */
export type GraphType =
  | { readonly kind: 'tensor'; readonly type: TensorType }
  | { readonly kind: 'none' }
  | { readonly kind: 'list'; readonly items: readonly GraphType[] }
  | { readonly kind: 'tuple'; readonly items: ReadonlyMap<string, GraphType> };

/** A condition of a `where`, in the signature's own dims. */
export interface Condition {
  readonly clause: Clause;
  readonly span: Span;
  /**
   * A condition of the training form alone, which looks at `training`: it is not asked of callers for every size, but of the
   * sizes that a recipe binds.
   */
  readonly atSizes: boolean;
}

/** A tensor or dim that a caller passes in. */
export interface TemplateParam {
  readonly name: string;
  readonly type: GraphType;
  readonly span: Span;
}

/**
 * A method or function elaborated once for given static arguments, in dims of its own; callers see the
 * signature, and `inline` expands the body for each call.
 */
export interface Template {
  readonly key: string;
  readonly label: string;
  readonly span: Span;
  readonly params: readonly TemplateParam[];
  /** Parameters of type dim, in order; each is a fresh dim named as it. */
  readonly dimParams: readonly string[];
  readonly where: readonly Condition[];
  readonly result: GraphType;
  readonly facts: Facts;
  /** What is wrong with it, in itself or below. */
  readonly faults: Faults;
  readonly body: TemplateBody;
  /** Whether it looks at `training`, in itself or below. */
  readonly readsTraining: boolean;
  /** Whether a call of it changes buffers, its own or those of modules that it calls. */
  readonly updatesBuffers: boolean;
  /** The instance that it was elaborated for, and what of this and of others the elaboration looked at. */
  readonly self: Instance | undefined;
  readonly reads: readonly Read[];
  /** Calls inside of each other, itself included. */
  readonly depth: number;
  /** Operators, those of the calls included. */
  readonly operators: number;
}

export interface TemplateBody {
  /** One placeholder a tensor of `params`, flattened in order. */
  readonly placeholders: readonly Value[];
  readonly nodes: readonly Node[];
  readonly calls: readonly Call[];
  readonly result: Val;
  readonly updates: readonly Update[];
  /** The weights and buffers that it reads itself. */
  readonly weights: readonly NodeOf<'weight'>[];
  readonly rowNumbers: readonly RowNumbers[];
}

/** A parameter whose elements number rows: each lies in 0..rows-1. */
export interface RowNumbers {
  /** Which of the placeholders. */
  readonly placeholder: number;
  readonly rows: Dim;
  /** Where the rows are taken. */
  readonly span: Span | undefined;
}

/** `buffer <- value` inside a body. */
export interface Update {
  /** The buffer, relative to the body's module. */
  readonly path: string;
  readonly value: Value;
  /** The position in the body's nodes before which it stands; before a call at the same position. */
  readonly at: number;
}

/** A call inside a body: its results are placeholder inputs of the calling body's graph. */
export interface Call {
  readonly template: Template;
  /** The callee's module: relative to the caller's unless `absolute`. */
  readonly path: string;
  readonly absolute: boolean;
  readonly dims: ReadonlyMap<string, Dim>;
  readonly args: readonly Value[];
  readonly results: readonly Value[];
  readonly span: Span;
  /** The position in the caller's nodes before which the call stands. */
  readonly at: number;
}
