import type { Clause } from './clause.ts';
import { clauseKey, Facts } from './facts.ts';

/**
 * The clauses from which all of them follow, sizes being at least 1: each that the others imply is left out, `H % 4 == 0`
 * and `2 <= H` beside `H % 16 == 0`. Divisibility comes first, then equalities, then bounds; within a kind clauses keep
 * their order. Of clauses that contradict each other only copies are left out.
 */
export function strongest(clauses: readonly Clause[]): readonly Clause[] {
  const different = [...new Map(clauses.map((c) => [clauseKey(c), c])).values()];
  let kept: readonly Clause[] = different;
  for (const clause of [...different].sort(dispensable)) {
    const others = kept.filter((c) => c !== clause);
    const known = others.reduce((facts, c) => facts.assume(c), Facts.none);
    if (!known.isContradictory() && known.proves(clause)) kept = others;
  }
  return [...kept].sort((a, b) => rank(a) - rank(b));
}

function rank(clause: Clause): number {
  return clause.kind === 'mod' ? 0 : clause.kind === 'eq' ? 1 : 2;
}

/** What is tried first, so that of clauses that imply each other the stronger kind and the larger modulus stays. */
function dispensable(a: Clause, b: Clause): number {
  const kinds = rank(b) - rank(a);
  return kinds !== 0 || a.kind !== 'mod' || b.kind !== 'mod' ? kinds : a.modulus - b.modulus;
}
