import type { Span } from '../../../grammar/span.ts';
import type { Context } from '../context/context.ts';
import type { FileScope } from '../source/file-scope.ts';
import { unknownNameHelp } from '../source/unknown-names.ts';
import { fail } from './report.ts';

/** Reports a name whose declaration is of kind `actual` instead of `expected`, or that is not declared. */
export function notFound(
  context: Context,
  { name, span }: { readonly name: string; readonly span: Span },
  actual: string | undefined,
  expected: string,
  file: FileScope,
): undefined {
  if (actual !== undefined) fail({ context }, 'CROB2008', span, { name, actual, expected });
  else
    fail(
      { context },
      'CROB2001',
      span,
      { name },
      { help: unknownNameHelp(context.run.program, file, name, file.names()) },
    );
  return undefined;
}
