import type { Span } from '../../../grammar/span.ts';
import { constant, type Dim, variable, variables } from '../../dims/dim.ts';
import type { Clause, Facts } from '../../dims/facts.ts';
import type { Val } from '../context/elaborated.ts';
import type { Scope } from '../context/scope.ts';
import { fail, settledIn } from './report.ts';

/** Example sizes for a dim: the first one that the facts allow is suggested. */
const examples: readonly number[] = [20, 16, 12, 8, 4, 2, 1, 32, 64, 480];

/** Reports a loop whose number of iterations is a dim that no condition fixes. */
export function unknownCount(scope: Scope, count: Dim, span: Span): Val {
  const clauses: Clause[] = [];
  let { facts } = scope;
  for (const name of variables(facts.normalize(count))) {
    const fixed = fixedAt(facts, name);
    if (!fixed) continue;
    clauses.push(fixed);
    facts = facts.assume(fixed);
  }
  const stated = settledIn(scope, clauses.length > 0 ? clauses : undefined).help;
  const other = 'a loop over a known count is `for i in 0..4 { … }`';
  const help = stated === undefined ? other : `${stated}, with the size that you mean; ${other}`;
  return fail(scope, 'CROB2203', span, { dim: scope.facts.show(count) }, { help });
}

function fixedAt(facts: Facts, name: string): Clause | undefined {
  return examples
    .map((n): Clause => ({ kind: 'eq', left: variable(name), right: constant(n) }))
    .find((clause) => !facts.assume(clause).isContradictory());
}
