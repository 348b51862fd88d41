import type { Span } from '../../../grammar/span.ts';
import type { Scope } from '../context/scope.ts';
import { fail } from './report.ts';

/** A file may be a mistake or an attack, and its elaboration ends all the same: in steps, in depth, and in size. */
const stepLimit = 400_000;

/** False, and a message the first time, when too much was done already. */
export function withinSteps(scope: Pick<Scope, 'context'>, span: Span): boolean {
  const { budget } = scope.context.run;
  if (budget.steps <= stepLimit) return true;
  if (!budget.exceeded) fail(scope, 'CROB2220', span, { limit: stepLimit });
  budget.exceeded = true;
  return false;
}
