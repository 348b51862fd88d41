import { position, type Span } from '../../../grammar/span.ts';
import type { Context } from '../context/context.ts';

/** `:31`, or `parts/swin.crob:31` for a message in another file. */
export function placeOf({ run }: Context, span: Span, near: string): string {
  return `${span.file === near ? '' : span.file}:${lineOf(run.program.files.get(span.file)?.tree.text, span)}`;
}

function lineOf(text: string | undefined, { start }: Span): number {
  return position(text ?? '', start).line;
}
