import type { Dim } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import type { NodeOf, NodeOp, Value } from '../../ir/graph.ts';

/** The nodes of some operators: a union over them, as `Node` is over all. */
export type NodeAmong<O extends NodeOp> = { readonly [Op in O]: NodeOf<Op> }[O];

/** A value all of whose elements are one known number. */
export interface UniformValue {
  readonly value: Value;
  readonly number: number;
}

/** What a condition may look at, besides what the names stand for. */
export interface Surroundings {
  readonly facts: Facts;
  /** Sizes that open dims count as where costs are compared. Like `uses`, they decide what pays, never what is right. */
  readonly expected: ReadonlyMap<string, Dim>;
  /**
   * How many readers a value has in the graph that is being rewritten: 1 for what rules made. It decides what pays, never
   * what is right.
   */
  uses(value: Value): number;
}

export interface NumberTest {
  /** As in `needs 0`, `needs a power of two`. */
  readonly text: string;
  accepts(number: number): boolean;
}

/** What the names of a pattern stand for, by name. The types of `Pattern` know which names there are. */
export type Captures = Readonly<Record<string, unknown>>;

/** What has to hold of a match besides its operators: `text` completes the sentence "needs that …". */
export interface Condition {
  readonly text: string;
  /** The name under which its result is captured; undefined for a condition that only holds or does not. */
  readonly gives: string | undefined;
  /** The captured value that explanations show where it does not hold; the subject of the pattern where undefined. */
  readonly about: string | undefined;
  /** undefined where it does not hold. */
  derive(captures: Captures, subject: unknown, surroundings: Surroundings): unknown;
}

export type Operands =
  | { readonly kind: 'in-order'; readonly forms: readonly Form[] }
  /** Of an operator whose row says that it commutes. Tried as written first. */
  | { readonly kind: 'either-order'; readonly first: Form; readonly second: Form }
  /** Every operand; `name` stands for the list of them. */
  | { readonly kind: 'each'; readonly name: string; readonly form: Form }
  | { readonly kind: 'some'; readonly form: Form }
  | { readonly kind: 'any' };

/** What a pattern is made of. */
export type Form =
  | { readonly kind: 'anything' }
  /** Where the name occurs again, the same value. */
  | { readonly kind: 'named'; readonly name: string; readonly form: Form }
  | { readonly kind: 'number'; readonly test: NumberTest }
  | { readonly kind: 'node'; readonly ops: ReadonlySet<NodeOp>; readonly operands: Operands }
  /** A product, however it is bracketed and ordered: a number times values. */
  | { readonly kind: 'product'; readonly number: NumberTest; readonly factors: readonly Form[] }
  /** What nothing else reads. */
  | { readonly kind: 'once'; readonly form: Form }
  | { readonly kind: 'one-of'; readonly forms: readonly Form[] }
  | { readonly kind: 'where'; readonly form: Form; readonly condition: Condition };

/** A value, and what stands above it, as the data that the matcher and its explanations read. */
export interface Pattern<C, S = unknown> {
  readonly form: Form;
  /** Of the type system alone, never there: what the names stand for (`C`), and what a name for the whole would: a node, a value or a number (`S`). */
  readonly types?: { readonly captures: C; readonly subject: S };
}

/** The operators that the root of a match can have. */
export function rootsOf(form: Form): ReadonlySet<NodeOp> {
  switch (form.kind) {
    case 'node':
      return form.ops;
    case 'named':
    case 'once':
    case 'where':
      return rootsOf(form.form);
    case 'one-of':
      return new Set(form.forms.flatMap((each) => [...rootsOf(each)]));
    case 'product':
      // Quotients by a number become products by `exact-quotients`, or stay.
      return new Set(['mul']);
    case 'anything':
    case 'number':
      return new Set();
  }
}
