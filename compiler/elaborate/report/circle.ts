import type { Span } from '../../../grammar/span.ts';
import type { Asked } from '../context/asked.ts';
import type { Context } from '../context/context.ts';
import type { Val } from '../context/elaborated.ts';
import { error } from '../context/values.ts';
import { placeOf } from './place.ts';
import { fail } from './report.ts';

/**
 * Reports a circular dependency with the whole cycle: `words (:31) <- refined (:32) <- words`. `span` is the
 * repeated request; a cycle that involves model lines is always reported at the same one of them, wherever it was
 * entered.
 */
export function failCircle(context: Context, circle: readonly Asked[], span: Span): Val {
  const line = lineToBlame(circle);
  const at = line ? circle.indexOf(line) : 0;
  const turned = [...circle.slice(at), ...circle.slice(0, at)];
  const name = turned[0]?.name ?? '';
  const place = line?.span ?? span;
  const way = turned.map((one) => `${one.name} (${placeOf(context, one.span, place.file)})`);
  const details = way.length > 1 ? [[...way, name].join(' <- ')] : [];
  const notes = turned.slice(1).flatMap(({ name, span, nearness }) => {
    return nearness === undefined ? [] : [{ span, text: `\`${name}\` is given here` }];
  });
  fail({ context }, 'CROB2305', place, { name }, { details, notes: notes.slice(0, 2) });
  return error;
}

/**
 * Runs `work` to evaluate a value; if the value is already under evaluation, reports the cycle and returns
 * `circle(error)`.
 */
export function waiting<T>(context: Context, one: Asked, work: () => T, circle: (value: Val) => T): T {
  const { asked } = context.run;
  const at = asked.findIndex(({ span }) => span === one.span);
  if (at >= 0) return circle(failCircle(context, asked.slice(at), one.span));
  asked.push(one);
  const made = work();
  asked.pop();
  return made;
}

/** The first line in the cycle of the nearest model. */
function lineToBlame(circle: readonly Asked[]): Asked | undefined {
  const nearness = Math.max(...circle.map((one) => one.nearness ?? -1));
  const lines = circle.filter((one) => one.nearness === nearness);
  return lines.reduce<Asked | undefined>((a, b) => (a && a.span.start <= b.span.start ? a : b), undefined);
}
