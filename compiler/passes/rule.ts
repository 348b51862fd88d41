import type { Dim } from '../dims/dim.ts';
import { Builder } from '../graphs/builder.ts';
import { countUses, rewrite as rewriteGraph } from '../graphs/rebuild.ts';
import type { Graph, Node, NodeAttributes, NodeOp, Value } from '../ir/graph.ts';
import { sameShape } from '../ir/shapes.ts';
import type { TensorType } from '../ir/types.ts';
import type { NonEmpty } from '../lists.ts';
import { isElementwise } from './match.ts';
import { match } from './patterns/match.ts';
import { type Miss, nearestMiss } from './patterns/miss.ts';
import type { Captures, Form, NodeAmong, Pattern, Surroundings } from './patterns/pattern.ts';
import { RuleIndex } from './rule-index.ts';

/**
 * What a rewrite preserves: only the results (`values`), or also their gradients at kinks and ties, where an operator
 * has no derivative (`gradients`). Only the latter rewrites apply to a graph that is still to be differentiated.
 */
export type Keeps = 'values' | 'gradients';

/** Where a rewrite creates the replacement of a match. */
export interface Place<S> extends Surroundings {
  readonly build: Builder;
  /** The node at the root of the match. */
  readonly node: S;
}

/**
 * Replaces the single result of a matching node by a value of the same dtype and shape. The replacement of an
 * elementwise operator may be smaller: it is broadcast to the shape of the result.
 */
export interface Rewrite {
  readonly form: Form;
  make(captures: Captures, place: Place<unknown>): Value;
}

/** Makes a rewrite: `rewrite(add(x, 0), ({ x }) => x)`. */
export function rewrite<C, S extends NodeAmong<NodeOp>>(
  { form }: Pattern<C, S>,
  make: (captures: C, place: Place<S>) => Value,
): Rewrite {
  // The matcher captures what the type of the pattern declares.
  return { form, make: (captures, place) => make(captures as C, place as Place<S>) };
}

/**
 * Rewrites under one name; the first that matches applies. Each must make the graph smaller by some measure, so that
 * rules terminate.
 */
export interface Rule {
  readonly name: string;
  readonly keeps: Keeps;
  readonly rewrites: readonly Rewrite[];
}

export function rule(name: string, keeps: Keeps, ...rewrites: readonly Rewrite[]): Rule {
  return { name, keeps, rewrites };
}

/** Called when a rule fires at a node (`missed` is undefined), or with the reason why it does not. */
export type Trace = (rule: string, node: Node, missed: Miss | undefined) => void;

/** Applies the rules to every node, and to every node that they create, in one walk. */
export function applyRules(graph: Graph, rules: readonly Rule[], trace?: Trace): Graph {
  const build = new RuleBuilder(graph, rules, trace);
  return rewriteGraph(graph, (node, inputs) => build.settle(node, inputs), build);
}

/** Applies rules as nodes are emitted; the nodes that they replace remain as dead code. */
class RuleBuilder extends Builder implements Surroundings {
  readonly expected: ReadonlyMap<string, Dim>;
  private readonly graph: Graph;
  /** The number of readers of each value of the old graph, counted at the first request. */
  private counted: ReadonlyMap<Value, number> | undefined;
  /** The values of the old graph that each new value replaces. */
  private readonly standsFor = new Map<Value, Value[]>();
  private readonly rules: RuleIndex<Rewrite, Rule>;
  private readonly trace: Trace | undefined;
  private readonly firing: { readonly rule: Rule; readonly node: Node }[] = [];

  constructor(graph: Graph, rules: readonly Rule[], trace: Trace | undefined) {
    super(graph.facts);
    this.graph = graph;
    this.expected = graph.expected ?? new Map();
    this.trace = trace;
    this.rules = new RuleIndex(rules);
  }

  // A field, so that rewrites may destructure the place.
  readonly uses = (value: Value): number => {
    this.counted ??= countUses(this.graph);
    let uses = this.counted.get(value) ?? 0;
    for (const old of this.standsFor.get(value) ?? []) uses += this.counted.get(old) ?? 0;
    return Math.max(1, uses);
  };

  /** Returns the results that replace a node of the old graph. */
  settle(node: Node, inputs: readonly Value[]): NonEmpty<Value> {
    const results = this.copy(node, inputs);
    if (results !== node.outputs)
      for (const [i, result] of results.entries()) {
        const old = this.standsFor.get(result);
        if (old === undefined) this.standsFor.set(result, [node.outputs[i]!]);
        else old.push(node.outputs[i]!);
      }
    return results;
  }

  override append<O extends NodeOp>(
    op: O,
    inputs: readonly Value[],
    attributes: NodeAttributes[O],
    types: NonEmpty<TensorType>,
  ): NonEmpty<Value> {
    return this.replaced(super.append(op, inputs, attributes, types));
  }

  override copy(node: Node, inputs: readonly Value[]): NonEmpty<Value> {
    const outer = this.origin;
    this.origin = node.origin;
    const results = super.copy(node, inputs);
    const settled = results === node.outputs ? this.replaced(results) : results;
    this.origin = outer;
    return settled;
  }

  private replaced(results: NonEmpty<Value>): NonEmpty<Value> {
    const [before] = results;
    // Explanations cover all rules for the operator.
    const rules = this.trace === undefined ? this.rules.at(before.node) : this.rules.atRoot(before.node);
    for (const { rule, rewrites } of rules) {
      if (this.firing.length > 100) {
        const names = this.firing.slice(-8).map((each) => each.rule.name);
        throw new Error(`bug in crobc: rules chase each other: ${names.join(', ')}`);
      }
      this.firing.push({ rule, node: before.node });
      const after = this.rewritten(rule, rewrites, before);
      this.firing.pop();
      if (after === undefined || after === before) continue;
      this.trace?.(rule.name, before.node, undefined);
      if (after.type.dtype !== before.type.dtype || !sameShape(this.facts, after.type.shape, before.type.shape))
        throw new Error(`bug in crobc: ${rule.name} changed the type of ${before.node.op}`);
      return [after];
    }
    return results;
  }

  /** Returns the result of the first rewrite that matches. */
  private rewritten(rule: Rule, rewrites: readonly Rewrite[], before: Value): Value | undefined {
    for (const { form, make } of rewrites) {
      const captures = match(form, before, this);
      if (captures === undefined) continue;
      const { facts, expected, uses } = this;
      const after = make(captures, { build: this, node: before.node, facts, expected, uses });
      return isElementwise(before.node) ? this.broadcast(after, before.type.shape) : after;
    }
    if (this.trace !== undefined) {
      const forms = rewrites.map(({ form }) => form);
      const miss = nearestMiss(forms, before, this);
      if (miss !== undefined) this.trace(rule.name, before.node, miss);
    }
    return undefined;
  }
}
