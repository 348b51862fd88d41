import { visible, visibleLines } from '../compiler/diagnostics/visible.ts';
import type { Io } from './io.ts';

/** A result on standard output: one line, whatever names are in it. */
export function printLine(io: Io, line: string): void {
  io.stdout.write(`${visible(line)}\n`);
}

/** A result of several lines; names in it are made visible where it is put together. */
export function printText(io: Io, text: string): void {
  io.stdout.write(visibleLines(text));
}

/** A line of a result after a mark of crobc's own, which may be coloured. */
export function printMarked(io: Io, mark: string, line: string): void {
  io.stdout.write(`${mark}${visible(line)}\n`);
}

export function printJson(io: Io, value: unknown): void {
  io.stdout.write(`${visibleLines(JSON.stringify(value, null, 2))}\n`);
}

/** A message on standard error: one line, whatever names are in it. */
export function complain(io: Io, line: string): void {
  io.stderr.write(`${visible(line)}\n`);
}

/** The messages of `check`, rendered as those of `printRendered`. */
export function printFindings(io: Io, text: string): void {
  io.stdout.write(text);
}

/** Messages on standard error that were rendered for the terminal, colours included: the renderer has made everything visible. */
export function printRendered(io: Io, text: string): void {
  io.stderr.write(text);
}
