import { visible, visibleLines } from '../compiler/diagnostics/visible.ts';

/** A result on standard output: one line, whatever names are in it. */
export function printLine(line: string): void {
  process.stdout.write(`${visible(line)}\n`);
}

/** A result of several lines; names in it are made visible where it is put together. */
export function printText(text: string): void {
  process.stdout.write(visibleLines(text));
}

/** A line of a result behind a mark of crobc's own, which may be coloured. */
export function printMarked(mark: string, line: string): void {
  process.stdout.write(`${mark}${visible(line)}\n`);
}

export function printJson(value: unknown): void {
  process.stdout.write(`${visibleLines(JSON.stringify(value, null, 2))}\n`);
}

/** A message on standard error: one line, whatever names are in it. */
export function complain(line: string): void {
  process.stderr.write(`${visible(line)}\n`);
}

/** The messages of `check`, rendered as those of `printRendered`. */
export function printFindings(text: string): void {
  process.stdout.write(text);
}

/** Messages on standard error that were rendered for the terminal, colours included: the renderer has made everything visible. */
export function printRendered(text: string): void {
  process.stderr.write(text);
}
