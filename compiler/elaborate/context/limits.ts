import type { Span } from '../../../grammar/span.ts';
import { fail } from '../report/report.ts';
import type { Scope } from './scope.ts';

/** A file may be a mistake or an attack, and its elaboration ends all the same: in steps, in depth, and in size. */
const stepLimit = 400_000;

/** False, and a message the first time, when too much was done already. */
export function withinSteps(scope: Pick<Scope, 'context'>, span: Span): boolean {
  const { depth } = scope.context;
  if (depth.steps <= stepLimit) return true;
  if (!depth.tooDeep) fail(scope, 'CROB2220', span, { limit: stepLimit });
  depth.tooDeep = true;
  return false;
}
