import type { Diagnostic as Message } from '../compiler/diagnostics/diagnostic.ts';
import { jsonProblem, toJson } from '../compiler/diagnostics/render-json.ts';
import { renderTerminal } from '../compiler/diagnostics/render-terminal.ts';

/** A place in a text: lines and columns from 1, columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A part of a text, without the character at `end`. */
export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** A further place that a diagnostic points at. */
export interface DiagnosticNote {
  readonly file: string;
  /** Null where the text of the file is not known. */
  readonly range: Range | null;
  readonly text: string;
}

/** What is wrong with a source, or worth knowing of it. `crobc check --reporter json` prints the same, without `rendered`. */
export interface Diagnostic {
  /** Such as `CROB2104`, which `crobc explain` explains. Null where no line is to blame, as for a file that cannot be read. */
  readonly code: string | null;
  readonly severity: 'error' | 'warning' | 'note';
  /** One sentence. */
  readonly message: string;
  readonly file: string;
  /** Null where the text of the file is not known. */
  readonly range: Range | null;
  readonly notes: readonly DiagnosticNote[];
  /** How the shapes in question came about, a line each. */
  readonly details: readonly string[];
  /** What would mend it. */
  readonly help: string | null;
  /** All of it as `crobc check` prints it, 100 columns wide and without colours. */
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
