import type { Span } from '../../grammar/span.ts';
import type { Clause } from '../dims/clause.ts';
import type { Detail } from './details.ts';
import { type MessageArgs, type MessageCode, messages } from './messages.ts';

/** A note is of something that may well be meant. */
export type Severity = 'error' | 'warning' | 'note';

/** One place that a message points at, with its text there. */
export interface Note {
  readonly span: Span;
  readonly text: string;
}

/** The text of the note at the place where something fails, in a message that stands at the line to blame. */
export const failsHere = 'fails here';

/** Conditions that would make a message go, and who would state them. */
export interface Need {
  /** The name of the model, method or function. */
  readonly owner: Span;
  /** How a reader finds it: `model Seg (:8)`. */
  readonly where: string;
  readonly isModel: boolean;
  /** In the owner's own dims. */
  readonly clauses: readonly Clause[];
}

/** A message as data; renderers (terminal, json) are elsewhere. */
export interface Diagnostic {
  readonly code: MessageCode;
  readonly severity: Severity;
  readonly message: string;
  readonly span: Span;
  /** At most three secondary places. */
  readonly notes: readonly Note[];
  /** What shows how it came, printed under the source line. */
  readonly details: readonly Detail[];
  readonly help: string | undefined;
  /** Where a `where` would do. */
  readonly needs?: Need;
}

/** The same for diagnostics that are the same at the same place. */
export function diagnosticKey({ code, span, message }: Diagnostic): string {
  return `${code} ${span.file}:${span.start}-${span.end} ${message}`;
}

export function isError({ severity }: Diagnostic): boolean {
  return severity === 'error';
}

/** Whether all that it reports is that a name does not exist. */
export function isUnknownName({ code }: Diagnostic): boolean {
  return code === 'CROB2001' || code === 'CROB2116' || code === 'CROB2222';
}

export interface DiagnosticParts {
  readonly notes?: readonly Note[];
  readonly details?: readonly Detail[];
  readonly help?: string | undefined;
  readonly needs?: Need | undefined;
}

/** Builds a diagnostic from the catalogue; `{name}` in the template is replaced by the argument of that name. */
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
