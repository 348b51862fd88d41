import type { Diagnostic as Message } from '../compiler/diagnostics/diagnostic.ts';
import { jsonProblem, toJson } from '../compiler/diagnostics/render-json.ts';
import { renderTerminal } from '../compiler/diagnostics/render-terminal.ts';

/** A place in a text: lines and columns from 1, columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A range of a text; `end` is exclusive. */
export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** Another place to which a diagnostic points. */
export interface DiagnosticNote {
  readonly file: string;
  /** Null if the text of the file is not available. */
  readonly range: Range | null;
  readonly text: string;
}

/** An error, warning or note about a source. `crobc check --reporter json` prints the same, without `rendered`. */
export interface Diagnostic {
  /** A code such as `CROB2104`, which `crobc explain` explains. Null if the message is not about a line, as for a file that cannot be read. */
  readonly code: string | null;
  readonly severity: 'error' | 'warning' | 'note';
  /** One sentence. */
  readonly message: string;
  readonly file: string;
  /** Null if the text of the file is not available. */
  readonly range: Range | null;
  readonly notes: readonly DiagnosticNote[];
  /** Where the shapes in question come from, one line each. */
  readonly details: readonly string[];
  /** How to fix it. */
  readonly help: string | null;
  /** The whole message as `crobc check` prints it, 100 columns wide and without colours. */
  readonly rendered: string;
}

/** @internal */
export function plainDiagnostics(
  messages: readonly Message[],
  text: (file: string) => string | undefined,
): Diagnostic[] {
  return messages.map((message) => ({
    ...toJson(message, text),
    rendered: renderTerminal([message], text, { color: false, width: 100 }),
  }));
}

/** @internal What is wrong with a whole file. */
export function fileProblem(file: string, message: string): Diagnostic {
  return { ...jsonProblem(file, message), rendered: `error: ${message}\n` };
}
