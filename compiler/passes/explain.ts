import type { Node } from '../ir/graph.ts';
import { type Pass, pipeline } from './pipeline.ts';
import type { Trace } from './rule.ts';

/** Why a rule left nodes as they were. */
export interface Miss {
  readonly reason: string;
  readonly nodes: readonly Node[];
}

/** What a rule did in a graph. */
export interface Explanation {
  /** Nodes that it replaced, in order. */
  readonly fired: readonly Node[];
  /** The most common reason first. */
  readonly missed: readonly Miss[];
}

/** Names of rules with the passes that have them, in the order of the pipeline. */
export function rulesOfPasses(): ReadonlyMap<string, readonly string[]> {
  const passes = new Map<string, string[]>();
  for (const pass of pipeline)
    for (const rule of rulesOf(pass)) {
      const known = passes.get(rule);
      if (known) known.push(pass.name);
      else passes.set(rule, [pass.name]);
    }
  return passes;
}

function rulesOf(pass: Pass): readonly string[] {
  return 'rules' in pass ? [...new Set(pass.rules.map(({ name }) => name))] : [];
}

/** Collects what one rule does while passes run with this trace. A node that rounds look at again counts once. */
export function explaining(rule: string): { readonly trace: Trace; explanation(): Explanation } {
  const fired = new Set<Node>();
  const missed = new Map<string, Set<Node>>();
  return {
    trace(name, node, reason) {
      if (name !== rule) return;
      if (reason === undefined) fired.add(node);
      else missed.set(reason, (missed.get(reason) ?? new Set()).add(node));
    },
    explanation: () => ({
      fired: [...fired],
      missed: [...missed]
        .map(([reason, nodes]) => ({ reason, nodes: [...nodes] }))
        .sort((a, b) => b.nodes.length - a.nodes.length),
    }),
  };
}
