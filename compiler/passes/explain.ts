import type { Node } from '../ir/graph.ts';
import { groupedBy, type NonEmpty } from '../lists.ts';
import { patternText } from './patterns/text.ts';
import { pipeline } from './pipeline.ts';
import type { Trace } from './rule.ts';

/** A node that a rule did not rewrite. */
export interface LeftNode {
  readonly node: Node;
  /** What the pattern found instead of what it needs, and the node that computes it. */
  readonly has: string;
  readonly at: Node;
}

/** Nodes that a rule did not rewrite for the same reason. */
export interface Misses {
  readonly needs: string;
  readonly left: NonEmpty<LeftNode>;
}

/** The effect of a rule on a graph. */
export interface Explanation {
  /** The nodes that it replaced, in order. */
  readonly fired: readonly Node[];
  /** The reasons for which it did not rewrite nodes; the most frequent comes first. */
  readonly missed: readonly Misses[];
}

/** A rule with its place in the pipeline. */
export interface ListedRule {
  /** The passes that contain it, in the order of the pipeline. */
  readonly passes: readonly string[];
  /** The patterns of its rewrites, in the order in which they are tried. */
  readonly patterns: readonly string[];
}

/** Returns the rules of the pipeline by name. */
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

/**
 * Collects what one rule does while passes run with this trace. A node that is visited in several rounds counts once.
 */
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
