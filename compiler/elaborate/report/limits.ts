import type { Span } from '../../../grammar/span.ts';
import type { Scope } from '../context/scope.ts';
import { fail } from './report.ts';

/**
 * The maximum number of steps. Elaboration must end for any file, even one that is a mistake or an attack, so steps,
 * depth and sizes are limited.
 */
const stepLimit = 2_000_000;

/** Whether the step limit is not exceeded; the first time it is, that is reported. */
export function withinSteps(scope: Pick<Scope, 'context'>, span: Span): boolean {
  const { budget } = scope.context.run;
  if (budget.steps <= stepLimit) return true;
  if (!budget.exceeded) fail(scope, 'CROB2220', span, { limit: stepLimit });
  budget.exceeded = true;
  return false;
}
