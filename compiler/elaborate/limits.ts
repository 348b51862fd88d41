import type { Span } from '../../grammar/span.ts';
import type { Body } from './body.ts';
import { fail } from './report.ts';

/** A file may be a mistake or an attack, and its elaboration ends all the same: in steps, in depth, and in size. */
const stepLimit = 400_000;

/** False, and a message the first time, when too much was done already. */
export function withinSteps(body: Pick<Body, 'session'>, span: Span): boolean {
  const { depth } = body.session;
  if (depth.steps <= stepLimit) return true;
  if (!depth.tooDeep) fail(body, 'CROB2220', span, { limit: stepLimit });
  depth.tooDeep = true;
  return false;
}
