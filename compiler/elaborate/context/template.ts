import type { Span } from '../../../grammar/span.ts';
import type { Dim } from '../../dims/dim.ts';
import { type Clause, clauseKey, type Facts } from '../../dims/facts.ts';
import type { Node, NodeOf, Value } from '../../ir/graph.ts';
import type { TensorType } from '../../ir/types.ts';
import { everyPair } from '../../lists.ts';
import type { Faults } from './faults.ts';
import type { Read } from './reads.ts';
import type { Instance, Val } from './values.ts';

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

/** A tensor or dim that a caller hands in. */
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

/** Whether callers see no difference between the two. */
export function sameSignature(a: Template, b: Template): boolean {
  return (
    a.label === b.label &&
    a.span === b.span &&
    a.dimParams.join() === b.dimParams.join() &&
    everyPair(a.params, b.params, (one, other) => one.name === other.name && sameType(one.type, other.type)) &&
    sameType(a.result, b.result) &&
    everyPair(
      a.where,
      b.where,
      (one, other) => one.span === other.span && clauseKey(one.clause) === clauseKey(other.clause),
    )
  );
}

function sameType(a: GraphType, b: GraphType): boolean {
  if (a.kind === 'tensor' && b.kind === 'tensor') {
    return (
      a.type.dtype === b.type.dtype && everyPair(a.type.shape, b.type.shape, (one, other) => one.key === other.key)
    );
  }
  if (a.kind === 'list' && b.kind === 'list') return everyPair(a.items, b.items, sameType);
  if (a.kind === 'tuple' && b.kind === 'tuple') {
    return everyPair(
      [...a.items],
      [...b.items],
      ([name, type], [other, otherType]) => name === other && sameType(type, otherType),
    );
  }
  return a.kind === 'none' && b.kind === 'none';
}

/** The tensors in a value, in order. */
export function flatten(value: Val, into: Value[] = []): Value[] {
  if (value.kind === 'tensor') into.push(value.value);
  else if (value.kind === 'list') for (const item of value.items) flatten(item, into);
  else if (value.kind === 'tuple') for (const item of value.items.values()) flatten(item, into);
  return into;
}

/** The tensor types in a signature type, in order, each with a name such as `maps[2]`. */
export function flattenType(type: GraphType, name: string, into: { name: string; type: TensorType }[] = []) {
  if (type.kind === 'tensor') into.push({ name, type: type.type });
  else if (type.kind === 'list') for (const [i, item] of type.items.entries()) flattenType(item, `${name}[${i}]`, into);
  else if (type.kind === 'tuple') for (const [key, item] of type.items) flattenType(item, `${name}.${key}`, into);
  return into;
}

/** A value of the given shape of type, its tensors made by `make` in order. */
export function unflatten(type: GraphType, make: (type: TensorType) => Value): Val {
  switch (type.kind) {
    case 'tensor':
      return { kind: 'tensor', value: make(type.type) };
    case 'none':
      return { kind: 'none' };
    case 'list':
      return { kind: 'list', items: type.items.map((item) => unflatten(item, make)) };
    case 'tuple':
      return { kind: 'tuple', items: new Map([...type.items].map(([name, item]) => [name, unflatten(item, make)])) };
  }
}

export function mapTypes(type: GraphType, change: (type: TensorType) => TensorType): GraphType {
  switch (type.kind) {
    case 'tensor':
      return { kind: 'tensor', type: change(type.type) };
    case 'none':
      return type;
    case 'list':
      return { kind: 'list', items: type.items.map((item) => mapTypes(item, change)) };
    case 'tuple':
      return { kind: 'tuple', items: new Map([...type.items].map(([name, item]) => [name, mapTypes(item, change)])) };
  }
}
