import type { Clause } from './clause.ts';
import { clauseKey, Facts } from './facts.ts';

/**
 * Returns a subset of the clauses that implies all of them, given that sizes are at least 1: `H % 4 == 0` and
 * `2 <= H` are dropped beside `H % 16 == 0`. Divisibility comes first, then equalities, then bounds; clauses of one
 * kind keep their order. From contradictory clauses, only duplicates are dropped.
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

/**
 * The order in which clauses are tried for removal: of clauses that imply each other, the stronger kind and the
 * larger modulus stay.
 */
function dispensable(a: Clause, b: Clause): number {
  const kinds = rank(b) - rank(a);
  return kinds !== 0 || a.kind !== 'mod' || b.kind !== 'mod' ? kinds : a.modulus - b.modulus;
}
