import type { Span } from '../../grammar/span.ts';
import type { Clause } from '../dims/clause.ts';
import type { Detail } from './details.ts';
import { type MessageArgs, type MessageCode, messages } from './messages.ts';

/** A note is about code that may well be intended. */
export type Severity = 'error' | 'warning' | 'note';

/** A secondary source location of a message, and the text shown there. */
export interface Note {
  readonly span: Span;
  readonly text: string;
}

/** The text of the note at the failing operation, in a message whose own span is the line to blame. */
export const failsHere = 'fails here';

/** Conditions under which a message would disappear, and the declaration that could state them. */
export interface Need {
  /** The name of the model, method or function. */
  readonly owner: Span;
  /** The owner's name and line for a reader: `model Seg (:8)`. */
  readonly where: string;
  readonly isModel: boolean;
  /** Over the dims of the owner. */
  readonly clauses: readonly Clause[];
}

/** A message as data; renderers for terminals and JSON are in other files. */
export interface Diagnostic {
  readonly code: MessageCode;
  readonly severity: Severity;
  readonly message: string;
  readonly span: Span;
  /** At most three. */
  readonly notes: readonly Note[];
  /** Evidence for the message, printed under the source line. */
  readonly details: readonly Detail[];
  readonly help: string | undefined;
  /** The `where` clauses that would settle the message, if there are any. */
  readonly needs?: Need;
  /** Set on what may only follow from another error, and is therefore not reported (`unjudged`). */
  readonly mayFollow?: true;
}

/** A key that is equal for identical diagnostics at the same span. */
export function diagnosticKey({ code, span, message, mayFollow }: Diagnostic): string {
  return `${code} ${span.file}:${span.start}-${span.end} ${message}${mayFollow ? ' (may follow)' : ''}`;
}

export function isError({ severity }: Diagnostic): boolean {
  return severity === 'error';
}

/** Whether the diagnostic only reports an unknown name. */
export function isUnknownName({ code }: Diagnostic): boolean {
  return code === 'CROB2001' || code === 'CROB2116' || code === 'CROB2222';
}

export interface DiagnosticParts {
  readonly notes?: readonly Note[];
  readonly details?: readonly Detail[];
  readonly help?: string | undefined;
  readonly needs?: Need | undefined;
}

/** Creates a diagnostic from the catalogue; `{name}` in the template is replaced by the argument of that name. */
export function diagnostic<C extends MessageCode>(
  code: C,
  span: Span,
  args: MessageArgs<C>,
  parts: DiagnosticParts = {},
): Diagnostic {
  const row = messages[code];
  const fill = (template: string) =>
    template.replace(/\{(\w+)\}/g, (_, name: string) => String((args as Record<string, unknown>)[name] ?? `{${name}}`));
  return {
    code,
    severity: row.severity,
    message: fill(row.template),
    span,
    notes: (parts.notes ?? []).slice(0, 3),
    details: parts.details ?? [],
    help: parts.help ?? ('help' in row ? fill(row.help as string) : undefined),
    ...(parts.needs ? { needs: parts.needs } : {}),
  };
}
