import type { Diagnostic } from '../compiler/diagnostics/diagnostic.ts';
import { renderTerminal } from '../compiler/diagnostics/render-terminal.ts';
import { visible } from '../compiler/diagnostics/visible.ts';
import { type TerminalStream, terminalWidth, wantsColour } from '../runtime/process/terminal.ts';
import type { Io } from './io.ts';

/** Messages of one code in one file that are shown before they are only counted. */
const shownOfCode = 10;

/** What is shown of many messages, and how many more there are of each code in each file. */
export interface Bounded {
  readonly shown: readonly Diagnostic[];
  readonly more: readonly { readonly code: string; readonly file: string; readonly count: number }[];
}

/** The first `most` messages of each code in each file, in their order. */
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

/** The line for messages that are not shown. */
export function moreLine({ code, file, count }: Bounded['more'][number]): string {
  return `${file} has ${count.toLocaleString('en')} more ${count === 1 ? 'message' : 'messages'} of ${code}`;
}

/** Messages for the terminal that `stream` is: ten of each code in a file, and how many more there are. */
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
