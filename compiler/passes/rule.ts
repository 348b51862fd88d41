import { Builder } from '../graphs/builder.ts';
import { countUses, rewrite } from '../graphs/rebuild.ts';
import type { Graph, Node, NodeAttributes, NodeOf, NodeOp, Value } from '../ir/graph.ts';
import { sameShape } from '../ir/shapes.ts';
import type { TensorType } from '../ir/types.ts';
import type { NonEmpty } from '../lists.ts';

/** What a rule may look at and work with, besides the node. */
export interface Site {
  readonly build: Builder;
  /**
   * How many readers a value has in the graph that is being rewritten: 1 for what rules made. It
   * decides what pays, never what is right.
   */
  uses(value: Value): number;
  /** Says why the rule does not match, to whoever asked; gives undefined, to return. */
  miss(reason: string): undefined;
}

/**
 * What a rewrite leaves as it is: the results, or also their gradients where an operator has no derivative, at kinks and
 * ties. A graph that is still to be differentiated is rewritten by the latter alone.
 */
export type Keeps = 'values' | 'gradients';

/**
 * A local rewrite: what the single result of `node` may be replaced by, of the same type, or
 * undefined. A rule must leave the graph smaller by some measure, so that rules end.
 */
export interface Rule {
  readonly name: string;
  readonly ops: readonly NodeOp[];
  readonly keeps: Keeps;
  replace(node: Node, site: Site): Value | undefined;
}

export function rule<O extends NodeOp>(
  name: string,
  ops: readonly O[],
  keeps: Keeps,
  replace: (node: { [Op in O]: NodeOf<Op> }[O], site: Site) => Value | undefined,
): Rule {
  return { name, ops, keeps, replace: replace as Rule['replace'] };
}

/** What a rule did at a node: fired, or the reason why not. */
export type Trace = (rule: string, node: Node, missed: string | undefined) => void;

/** Tries the rules at every node, and at every node that they make, in one walk. */
export function applyRules(graph: Graph, rules: readonly Rule[], trace?: Trace): Graph {
  const build = new RuleBuilder(graph, rules, trace);
  return rewrite(graph, (node, inputs) => build.settle(node, inputs), build);
}

/** Rules apply as nodes are emitted; what they replace stays behind as dead code. */
class RuleBuilder extends Builder implements Site {
  readonly build: Builder = this;
  private readonly graph: Graph;
  /** Readers by value of the old graph, counted when a rule first asks. */
  private counted: ReadonlyMap<Value, number> | undefined;
  /** What values of the old graph were replaced by. */
  private readonly standsFor = new Map<Value, Value[]>();
  private readonly rules = new Map<NodeOp, Rule[]>();
  private readonly trace: Trace | undefined;
  private readonly firing: { readonly rule: Rule; readonly node: Node }[] = [];

  constructor(graph: Graph, rules: readonly Rule[], trace: Trace | undefined) {
    super(graph.facts);
    this.graph = graph;
    this.trace = trace;
    for (const each of rules)
      for (const op of each.ops) {
        const known = this.rules.get(op);
        if (known === undefined) this.rules.set(op, [each]);
        else known.push(each);
      }
  }

  // A field, so that rules may take it out of the site.
  readonly miss = (reason: string): undefined => {
    if (this.trace === undefined) return;
    const { rule, node } = this.firing.at(-1)!;
    this.trace(rule.name, node, reason);
  };

  // A field for the same reason.
  readonly uses = (value: Value): number => {
    this.counted ??= countUses(this.graph);
    let uses = this.counted.get(value) ?? 0;
    for (const old of this.standsFor.get(value) ?? []) uses += this.counted.get(old) ?? 0;
    return Math.max(1, uses);
  };

  /** The results of a node of the old graph. */
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
    const rules = this.rules.get(before.node.op);
    if (rules === undefined) return results;
    for (const rule of rules) {
      if (this.firing.length > 100) {
        const names = this.firing.slice(-8).map((each) => each.rule.name);
        throw new Error(`bug in crobc: rules chase each other: ${names.join(', ')}`);
      }
      this.firing.push({ rule, node: before.node });
      const after = rule.replace(before.node, this);
      this.firing.pop();
      if (after === undefined || after === before) continue;
      this.trace?.(rule.name, before.node, undefined);
      if (after.type.dtype !== before.type.dtype || !sameShape(this.facts, after.type.shape, before.type.shape))
        throw new Error(`bug in crobc: ${rule.name} changed the type of ${before.node.op}`);
      return [after];
    }
    return results;
  }
}
