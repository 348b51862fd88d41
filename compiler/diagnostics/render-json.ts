import { position, type Span } from '../../grammar/span.ts';
import { detailLines } from './details.ts';
import type { Diagnostic, Severity } from './diagnostic.ts';
import type { SourceText } from './render-terminal.ts';

/** One-based; columns in UTF-16 units, as in editors; `end` is exclusive. */
interface JsonRange {
  readonly start: { readonly line: number; readonly column: number };
  readonly end: { readonly line: number; readonly column: number };
}

export interface JsonDiagnostic {
  /** null if the problem is not in the source, such as a file that cannot be read. */
  readonly code: string | null;
  readonly severity: Severity;
  readonly message: string;
  readonly file: string;
  /** null if the text of the file is not available. */
  readonly range: JsonRange | null;
  readonly notes: readonly { readonly file: string; readonly range: JsonRange | null; readonly text: string }[];
  readonly details: readonly string[];
  readonly help: string | null;
}

/** Converts a diagnostic to JSON data. Consumers rely on the keys and their order. */
export function toJson(diagnostic: Diagnostic, source: SourceText): JsonDiagnostic {
  const { code, severity, message, span, notes, details, help } = diagnostic;
  return {
    code,
    severity,
    message,
    file: span.file,
    range: range(span, source),
    notes: notes.map((note) => ({ file: note.span.file, range: range(note.span, source), text: note.text })),
    details: detailLines(details, span.file),
    help: help ?? null,
  };
}

/** A problem with a whole file, or with the run. */
export function jsonProblem(file: string, message: string): JsonDiagnostic {
  return { code: null, severity: 'error', message, file, range: null, notes: [], details: [], help: null };
}

function range(span: Span, source: SourceText): JsonRange | null {
  const text = source(span.file);
  if (text === undefined) return null;
  return { start: position(text, span.start), end: position(text, span.end) };
}
