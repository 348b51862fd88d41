import type { Node } from '../ir/graph.ts';
import { groupedBy, type NonEmpty } from '../lists.ts';
import { patternText } from './patterns/text.ts';
import { pipeline } from './pipeline.ts';
import type { Trace } from './rule.ts';

/** A node that a rule left as it was. */
export interface LeftNode {
  readonly node: Node;
  /** What stood where the pattern asked for something else, and the node that made it. */
  readonly has: string;
  readonly at: Node;
}

/** Nodes that a rule left as they were because they lack the same thing. */
export interface Misses {
  readonly needs: string;
  readonly left: NonEmpty<LeftNode>;
}

/** What a rule did in a graph. */
export interface Explanation {
  /** Nodes that it replaced, in order. */
  readonly fired: readonly Node[];
  /** What most nodes lack comes first. */
  readonly missed: readonly Misses[];
}

/** A rule as the pipeline has it. */
export interface ListedRule {
  /** The passes that have it, in the order of the pipeline. */
  readonly passes: readonly string[];
  /** What its rewrites match, in the order in which they are tried. */
  readonly patterns: readonly string[];
}

/** The rules of the pipeline by name. */
export function listedRules(): ReadonlyMap<string, ListedRule> {
  const listed = new Map<string, ListedRule>();
  for (const pass of pipeline) {
    for (const rule of 'rules' in pass ? pass.rules : []) {
      const passes = listed.get(rule.name)?.passes ?? [];
      const patterns = rule.rewrites.map(({ form }) => patternText(form));
      listed.set(rule.name, { passes: [...passes, pass.name], patterns });
    }
  }
  return listed;
}

/** Collects what one rule does while passes run with this trace. A node that rounds look at again counts once. */
export function explaining(rule: string): { readonly trace: Trace; explanation(): Explanation } {
  const fired = new Set<Node>();
  const missed = new Map<Node, LeftNode & { readonly needs: string }>();
  return {
    trace(name, node, miss) {
      if (name !== rule) return;
      if (miss === undefined) fired.add(node);
      else missed.set(node, { node, needs: miss.needs, has: miss.has, at: miss.at.node });
    },
    explanation: () => ({
      fired: [...fired],
      missed: [...groupedBy(missed.values(), ({ needs }) => needs)]
        .map(([needs, left]) => ({ needs, left }))
        .sort((a, b) => b.left.length - a.left.length),
    }),
  };
}
