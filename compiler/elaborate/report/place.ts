import { position, type Span } from '../../../grammar/span.ts';
import { place, type SourceLine } from '../../diagnostics/details.ts';
import type { Context } from '../context/context.ts';

/** `:31`, or `parts/swin.crob:31` for a message in another file. */
export function placeOf(context: Context, span: Span, near: string): string {
  return place(lineOf(context, span), near);
}

/** Returns the line in which a span begins. */
export function lineOf({ run }: Context, { file, start }: Span): SourceLine {
  return { file, line: position(run.program.files.get(file)?.tree.text ?? '', start).line };
}
