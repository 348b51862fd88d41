import type { Clause } from './clause.ts';
import { clauseKey, Facts } from './facts.ts';

/**
 * Returns a subset of the clauses that implies all of them, given that sizes are at least 1: `H % 4 == 0` and
 * `2 <= H` are dropped beside `H % 16 == 0`. Divisibility comes first, then equalities, then bounds; clauses of one
 * kind keep their order. From clauses that are known to be contradictory, only duplicates are dropped. Of what is left,
 * nothing more is dropped.
 */
export function strongest(clauses: readonly Clause[]): readonly Clause[] {
  let kept: readonly Clause[] = [...new Map(clauses.map((c) => [clauseKey(c), c])).values()];
  // Once more where something has changed: a contradiction may be known of all clauses, and not of fewer.
  for (;;) {
    const left = withoutImplied(kept);
    if (left.length === kept.length && left.every((clause, i) => clause === kept[i])) return left;
    kept = left;
  }
}

function withoutImplied(clauses: readonly Clause[]): readonly Clause[] {
  let kept = clauses;
  for (const clause of [...clauses].sort(dispensable)) {
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
