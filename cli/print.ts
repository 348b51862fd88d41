import { visible, visibleLines } from '../compiler/diagnostics/visible.ts';
import type { Io } from './io.ts';

/** Prints a line of a result on standard output; control characters in names are escaped. */
export function printLine(io: Io, line: string): void {
  io.stdout.write(`${visible(line)}\n`);
}

/** Prints several lines of a result. The caller has escaped names. */
export function printText(io: Io, text: string): void {
  io.stdout.write(visibleLines(text));
}

/** Prints a line of a result after one of crobc's own marks, which may be coloured. */
export function printMarked(io: Io, mark: string, line: string): void {
  io.stdout.write(`${mark}${visible(line)}\n`);
}

export function printJson(io: Io, value: unknown): void {
  io.stdout.write(`${visibleLines(JSON.stringify(value, null, 2))}\n`);
}

/** Prints a message of one line on standard error; control characters in names are escaped. */
export function complain(io: Io, line: string): void {
  io.stderr.write(`${visible(line)}\n`);
}

/** Prints the messages of `check`; they are rendered as for `printRendered`. */
export function printFindings(io: Io, text: string): void {
  io.stdout.write(text);
}

/**
 * Prints messages on standard error that were rendered for the terminal, with colours; the renderer has escaped them.
 */
export function printRendered(io: Io, text: string): void {
  io.stderr.write(text);
}
