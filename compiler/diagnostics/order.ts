import { type Diagnostic, diagnosticKey } from './diagnostic.ts';

/** File by file and place by place, each message once. */
export function inSourceOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  const files = [...new Set(diagnostics.map((d) => d.span.file))];
  return diagnostics
    .filter((d) => {
      const key = diagnosticKey(d);
      return !seen.has(key) && seen.add(key);
    })
    .sort((a, b) => files.indexOf(a.span.file) - files.indexOf(b.span.file) || a.span.start - b.span.start);
}
