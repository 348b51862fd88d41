import type { Dim } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import type { NodeOf, NodeOp, Value } from '../../ir/graph.ts';

/** The nodes of some operators: a union over them, like `Node` over all operators. */
export type NodeAmong<O extends NodeOp> = { readonly [Op in O]: NodeOf<Op> }[O];

/** A value whose elements are all one known number. */
export interface UniformValue {
  readonly value: Value;
  readonly number: number;
}

/** What a condition may read besides the captured names. */
export interface Surroundings {
  readonly facts: Facts;
  /**
   * Sizes assumed for open dims when costs are compared. Like `uses`, they only decide whether a rewrite pays off,
   * never whether it is correct.
   */
  readonly expected: ReadonlyMap<string, Dim>;
  /**
   * Returns the number of readers of a value in the graph that is being rewritten: 1 for values that rules made. It
   * only decides whether a rewrite pays off, never whether it is correct.
   */
  uses(value: Value): number;
}

export interface NumberTest {
  /** Completes "needs": `needs 0`, `needs a power of two`. */
  readonly text: string;
  accepts(number: number): boolean;
}

/** What a match captures, by name. The type parameters of `Pattern` say which names there are. */
export type Captures = Readonly<Record<string, unknown>>;

/** A condition on a match besides its operators; `text` completes the sentence "needs that …". */
export interface Condition {
  readonly text: string;
  /** The name under which the result is captured; undefined for a condition without a result. */
  readonly gives: string | undefined;
  /** The captured value that explanations show if the condition fails; if undefined, the subject of the pattern. */
  readonly about: string | undefined;
  /** Returns undefined if the condition fails. */
  derive(captures: Captures, subject: unknown, surroundings: Surroundings): unknown;
}

export type Operands =
  | { readonly kind: 'in-order'; readonly forms: readonly Form[] }
  /** For an operator that commutes. The written order is tried first. */
  | { readonly kind: 'either-order'; readonly first: Form; readonly second: Form }
  /** All operands match; `name` captures their list. */
  | { readonly kind: 'each'; readonly name: string; readonly form: Form }
  | { readonly kind: 'some'; readonly form: Form }
  | { readonly kind: 'any' };

/** The parts of a pattern. */
export type Form =
  | { readonly kind: 'anything' }
  /** If the name occurs again, it must be the same value. */
  | { readonly kind: 'named'; readonly name: string; readonly form: Form }
  | { readonly kind: 'number'; readonly test: NumberTest }
  | { readonly kind: 'node'; readonly ops: ReadonlySet<NodeOp>; readonly operands: Operands }
  /** A number times values, in any order and with any parentheses. */
  | { readonly kind: 'product'; readonly number: NumberTest; readonly factors: readonly Form[] }
  /** A value with no other reader. */
  | { readonly kind: 'once'; readonly form: Form }
  | { readonly kind: 'one-of'; readonly forms: readonly Form[] }
  | { readonly kind: 'where'; readonly form: Form; readonly condition: Condition };

/** A pattern of a value and the nodes that compute it, as data for the matcher and for explanations. */
export interface Pattern<C, S = unknown> {
  readonly form: Form;
  /**
   * Exists only in the type system: the captures (`C`), and what a name for the whole pattern would capture: a node, a
   * value or a number (`S`).
   */
  readonly types?: { readonly captures: C; readonly subject: S };
}

/** Returns the operators that the root of a match can have. */
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
      // `exact-quotients` turns quotients by a number into products if it can.
      return new Set(['mul']);
    case 'anything':
    case 'number':
      return new Set();
  }
}
