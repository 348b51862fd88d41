import type { Span } from '../../../grammar/span.ts';
import type { Context } from '../context/context.ts';
import { error, type Val } from '../context/values.ts';
import { placeOf } from './place.ts';
import { fail } from './report.ts';

/** Something whose value is being made. */
export interface Asked {
  readonly name: string;
  readonly span: Span;
}

/** A value that is needed for itself, with the whole circle: `words (:31) <- refined (:32) <- words`. */
export function failCircle(context: Context, asked: readonly Asked[], name: string, span: Span): Val {
  const circle = asked.slice(asked.findIndex((one) => one.name === name));
  const way = circle.map((one) => `${one.name} (${placeOf(context, one.span, span.file)})`);
  fail({ context }, 'CROB2305', span, { name }, { details: circle.length > 1 ? [[...way, name].join(' <- ')] : [] });
  return error;
}
