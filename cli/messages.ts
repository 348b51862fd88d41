import type { Diagnostic } from '../compiler/diagnostics/diagnostic.ts';
import { renderTerminal } from '../compiler/diagnostics/render-terminal.ts';
import { visible } from '../compiler/diagnostics/visible.ts';
import { type TerminalStream, terminalWidth, wantsColour } from '../runtime/process/terminal.ts';
import type { Io } from './io.ts';

/** Maximum number of messages of one code in one file that are printed; the others are counted. */
const shownOfCode = 10;

/** The messages to print, and the number of others by code and file. */
export interface Bounded {
  readonly shown: readonly Diagnostic[];
  readonly more: readonly { readonly code: string; readonly file: string; readonly count: number }[];
}

/** Keeps the first `most` messages of each code in each file, in their order. */
export function bounded(diagnostics: readonly Diagnostic[], most: number = shownOfCode): Bounded {
  const counts = new Map<string, { code: string; file: string; count: number }>();
  const shown: Diagnostic[] = [];
  for (const diagnostic of diagnostics) {
    const { code, span } = diagnostic;
    const key = `${code} ${span.file}`;
    const known = counts.get(key) ?? { code, file: span.file, count: 0 };
    counts.set(key, known);
    if (++known.count <= most) shown.push(diagnostic);
  }
  const more = [...counts.values()].filter(({ count }) => count > most);
  return { shown, more: more.map(({ count, ...rest }) => ({ ...rest, count: count - most })) };
}

/** The line that counts the messages that are not printed. */
export function moreLine({ code, file, count }: Bounded['more'][number]): string {
  return `${file} has ${count.toLocaleString('en')} more ${count === 1 ? 'message' : 'messages'} of ${code}`;
}

/** Prints messages for the terminal `stream`: at most ten of each code in each file, then the number of others. */
export function printDiagnostics(
  diagnostics: readonly Diagnostic[],
  text: (file: string) => string | undefined,
  { environment, stderr }: Io,
  stream: TerminalStream = stderr,
): string {
  if (diagnostics.length === 0) return '';
  const { shown, more } = bounded(diagnostics);
  const rendered = renderTerminal(shown, text, {
    color: wantsColour(stream, environment),
    width: terminalWidth(stream) ?? 100,
  });
  return rendered + more.map((one) => `\nand ${visible(moreLine(one))}\n`).join('');
}

export function plural(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
