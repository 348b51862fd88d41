import type { Diagnostic } from '../compiler/diagnostics/diagnostic.ts';
import { renderJson } from '../compiler/diagnostics/render-json.ts';
import { renderTerminal } from '../compiler/diagnostics/render-terminal.ts';

/** Whether to colour what goes to this stream: terminals only, and not under NO_COLOR. */
export function colored(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '0') return true;
  return stream.isTTY === true;
}

export function printDiagnostics(
  diagnostics: readonly Diagnostic[],
  text: (file: string) => string | undefined,
  reporter: 'pretty' | 'json',
): string {
  if (reporter === 'json') return renderJson(diagnostics, text);
  if (diagnostics.length === 0) return '';
  return renderTerminal(diagnostics, text, { color: colored(process.stderr), width: process.stderr.columns ?? 100 });
}

export function plural(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
