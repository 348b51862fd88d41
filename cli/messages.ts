import type { Diagnostic } from '../compiler/diagnostics/diagnostic.ts';
import { renderTerminal } from '../compiler/diagnostics/render-terminal.ts';
import { wantsColour } from '../runtime/progress.ts';

export function printDiagnostics(
  diagnostics: readonly Diagnostic[],
  text: (file: string) => string | undefined,
): string {
  if (diagnostics.length === 0) return '';
  return renderTerminal(diagnostics, text, {
    color: wantsColour(process.stderr),
    width: process.stderr.columns ?? 100,
  });
}

export function plural(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
