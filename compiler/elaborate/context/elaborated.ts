import type { Span } from '../../../grammar/span.ts';
import type { FnDecl, ModuleDecl } from '../../../grammar/tree.ts';
import type { Dim } from '../../dims/dim.ts';
import type { Clause, Facts } from '../../dims/facts.ts';
import type { Init, Node, NodeOf, Value } from '../../ir/graph.ts';
import type { TensorType } from '../../ir/types.ts';
import type { FileScope } from '../source/file-scope.ts';
import type { Declared, Method } from './declared.ts';
import type { Faults } from './faults.ts';

// The results of elaboration as data: values, modules, overrides, and templates with their reads. A value can be a
// module; a module has values and records what they were computed from, which may be a call of a template; and a
// template's result is a value. The types are mutually recursive, so they are in one file.

/**
 * The value of an expression: static values are fully evaluated, tensors are values of the graph under construction.
 */
export type Val =
  /** An int if constant, otherwise a symbolic dim. */
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
  /** The result of an error that has been reported; operations on it give `error` without a further report. */
  | { readonly kind: 'error' };

export type TensorVal = Extract<Val, { kind: 'tensor' }>;
export type TupleVal = Extract<Val, { kind: 'tuple' }>;

/**
 * The author of a piece of source: the module of an instance, or a model (identified by the span of its name)
 * including its bases.
 */
export interface Writer {
  readonly self: Instance | undefined;
  readonly model: Span | undefined;
}

/**
 * A module to be constructed: `SwinB(window = 8)`. With parameters missing, it is for a slot whose owner provides
 * them.
 */
export interface Spec {
  readonly decl: ModuleDecl;
  readonly file: FileScope;
  readonly args: ReadonlyMap<string, Given>;
  readonly span: Span;
  readonly writer: Writer;
  /** Equal for equal modules with equal arguments. */
  readonly key: string;
}

/** An argument with its source span. */
export interface Given {
  readonly value: Val;
  readonly span: Span;
}

/** A module, constructed lazily: its parameters, statics and parts are evaluated when they are first read. */
export interface Instance {
  readonly decl: ModuleDecl;
  readonly file: FileScope;
  readonly declared: Declared;
  /** Path of its weights: `backbone.layers.0`; '' at the root. */
  readonly path: string;
  /** Its name in the source: `backbone.merges[0]`; '' at the root. */
  readonly source: string;
  /** The span of its construction: `Linear(3, 4)`. */
  readonly span: Span;
  readonly writer: Writer;
  readonly args: ReadonlyMap<string, Given>;
  readonly overrides: Overrides | undefined;
  /**
   * A stand-in for a part of which only members are read, each evaluated separately; it never becomes part of a
   * model.
   */
  readonly shadow: boolean;
  /** Whether the steps of its parts were already counted with its exemplar. */
  readonly counted: boolean;
  /** Parameters and statics evaluated so far. */
  readonly statics: Map<string, Val>;
  /** Parts evaluated so far. */
  readonly fields: Map<string, Val>;
  /** For values that depend on members which can be overridden: the reads they were computed from. */
  readonly madeFrom: [name: string, reads: readonly Read[]][];
  /** Names under evaluation, each with the length of the run's `asked` list when it was requested. */
  readonly busy: { readonly name: string; readonly asked: number }[];
  /** Instances with equal identity behave the same except for their paths, so they share method templates. Set last. */
  identity: string;
}

/**
 * One line `path = value` of a model that changes something inside a part. Its right side is evaluated on first use.
 * A line whose value is never read has no effect on the model.
 */
export interface OverrideLine {
  /** The span of the path. */
  readonly span: Span;
  /** The span of the path and the value. */
  readonly whole: Span;
  /** The model that contains it. */
  readonly model: string;
  /** Index of that model in the inheritance chain; the variant itself has the greatest. */
  readonly nearness: number;
  /**
   * Returns the value. For a shadow, parts that it refers to may be shadows; if the model itself calls it, the line
   * counts as used.
   */
  readonly given: (shadow: boolean) => Given;
  /** Like `given` for a shadow, but arguments of module calls in the line are evaluated only when they are read. */
  readonly opened: () => Opened;
}

/**
 * A value whose modules are without the arguments of their calls: the arguments are override lines below it, each
 * evaluated on first use.
 */
export interface Opened {
  readonly given: Given;
  readonly args: Overrides | undefined;
}

/** The override lines of a chain of models below a part, as a tree of field names, parameter names and list steps. */
export interface Overrides {
  readonly line: OverrideLine | undefined;
  /** By step; a list index is its number, `*` is all items. */
  readonly below: ReadonlyMap<string, Overrides>;
  readonly span: Span;
}

/**
 * Something that the elaboration of a template read. Two instances share a template if all reads are the same for
 * both, even if other parameters differ: blocks that differ only in drop-path rate share one template in inference,
 * where nothing is dropped.
 */
export type Read =
  /** Something that is specific to one instance. */
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
      /** The index of the call in the body. */
      readonly at: number;
    };

/** The type of a tensor argument or result in a signature. */
export type GraphType =
  | { readonly kind: 'tensor'; readonly type: TensorType }
  | { readonly kind: 'none' }
  | { readonly kind: 'list'; readonly items: readonly GraphType[] }
  | { readonly kind: 'tuple'; readonly items: ReadonlyMap<string, GraphType> };

/** A condition of a `where`, over the signature's dims. */
export interface Condition {
  readonly clause: Clause;
  readonly span: Span;
  /**
   * Whether it applies only in training, because it reads `training`: it is not required for all sizes, but for
   * those that a recipe binds.
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
 * A method or function, elaborated once for given static arguments over its own dims. Callers see only the
 * signature; `inline` expands the body for each call.
 */
export interface Template {
  readonly key: string;
  readonly label: string;
  readonly span: Span;
  readonly params: readonly TemplateParam[];
  /** Parameters of type dim, in order; each is a fresh dim of the same name. */
  readonly dimParams: readonly string[];
  readonly where: readonly Condition[];
  readonly result: GraphType;
  readonly facts: Facts;
  /** Faults of its signature and body, and of the templates it calls. */
  readonly faults: Faults;
  readonly body: TemplateBody;
  /** Whether it, or a template it calls, reads `training`. */
  readonly readsTraining: boolean;
  /**
   * Whether it, or a template it calls, passes a module to a function: the function's body has the weights of that
   * module by their full paths.
   */
  readonly isOfOneInstance: boolean;
  /** Whether a call updates buffers, its own or those of modules that it calls. */
  readonly updatesBuffers: boolean;
  /** The instance it was elaborated for, and what the elaboration read of this and other instances. */
  readonly self: Instance | undefined;
  readonly reads: readonly Read[];
  /** Nesting depth of calls, including this one. */
  readonly depth: number;
  /** The number of operators, including those of calls. */
  readonly operators: number;
}

export interface TemplateBody {
  /** One placeholder for each tensor of `params`, flattened in order. */
  readonly placeholders: readonly Value[];
  readonly nodes: readonly Node[];
  readonly calls: readonly Call[];
  readonly result: Val;
  readonly updates: readonly Update[];
  /** The weights and buffers that the body reads directly. */
  readonly weights: readonly NodeOf<'weight'>[];
  readonly named: readonly NamedValue[];
  readonly rowNumbers: readonly RowNumbers[];
}

/** A tensor to which a `let` or an assignment gives a name. */
export interface NamedValue {
  /** `score`; an item of a list or of a named tuple is `pooled[2]` or `refined.words`. */
  readonly name: string;
  readonly value: Value;
  /** The span of the name. */
  readonly span: Span;
}

/** A parameter whose elements are row indices: each must be in 0..rows-1. */
export interface RowNumbers {
  /** The index of the placeholder. */
  readonly placeholder: number;
  readonly rows: Dim;
  /** The span of the operation that reads the rows. */
  readonly span: Span | undefined;
}

/** `buffer <- value` inside a body. */
export interface Update {
  /** Path of the buffer, relative to the body's module. */
  readonly path: string;
  readonly value: Value;
  /** The index of the first node of the body after the update; it precedes a call at the same index. */
  readonly at: number;
}

/**
 * The source path of a callee, below which its values have their names: `layer[0].read_words`, followed by the name of
 * a method other than `forward`, or the name of a function.
 */
export interface CallNames {
  /** Relative to the caller's module unless `absolute`. */
  readonly source: string;
  readonly absolute: boolean;
  /** Whether the results of the call have the name `source`: those of a function have no name of their own. */
  readonly results: boolean;
}

/** A call in a body; its results are placeholder inputs in the graph of the caller's body. */
export interface Call {
  readonly template: Template;
  /** Path of the callee's module: relative to the caller's module unless `absolute`. */
  readonly path: string;
  readonly absolute: boolean;
  /** What the callee's values are named by. */
  readonly names: CallNames;
  readonly dims: ReadonlyMap<string, Dim>;
  readonly args: readonly Value[];
  readonly results: readonly Value[];
  readonly span: Span;
  /** The index of the first node of the caller's body after the call. */
  readonly at: number;
}
