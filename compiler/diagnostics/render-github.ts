import type { JsonDiagnostic } from './render-json.ts';
import { plainText } from './render-plain.ts';

const commands = { error: 'error', warning: 'warning', note: 'notice' } as const;

/**
 * Formats messages as workflow commands of GitHub Actions, one a line, which annotate the lines of a pull request:
 * `::error file=…,line=…::…` (docs.github.com, "Workflow commands").
 */
export function renderGithub(messages: readonly JsonDiagnostic[], titleOf: (code: string) => string): string {
  return messages.map((message) => `${command(message, titleOf)}\n`).join('');
}

function command(message: JsonDiagnostic, titleOf: (code: string) => string): string {
  const { code, severity, file, range } = message;
  const place = range
    ? { line: range.start.line, endLine: range.end.line, col: range.start.column, endColumn: range.end.column }
    : {};
  const title = code === null ? 'crobc' : `${code}: ${titleOf(code)}`;
  const properties = Object.entries({ file, ...place, title }).map(
    ([name, value]) => `${name}=${property(String(value))}`,
  );
  return `::${commands[severity]} ${properties.join(',')}::${data(plainText(message))}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
