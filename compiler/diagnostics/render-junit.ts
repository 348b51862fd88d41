import type { JsonDiagnostic } from './render-json.ts';
import { plainText } from './render-plain.ts';

/**
 * Formats messages as JUnit XML, which CI servers read: a test suite for each file, a failed test case for each error, and a
 * passed one for each other message, or for a file without messages.
 */
export function renderJunit(files: readonly string[], messages: readonly JsonDiagnostic[]): string {
  const byFile = new Map<string, JsonDiagnostic[]>(files.map((file) => [file, []]));
  for (const message of messages) byFile.set(message.file, [...(byFile.get(message.file) ?? []), message]);
  const suites = [...byFile].map(([file, own]) => suite(file, own));
  const failures = messages.filter(isFailure).length;
  const tests = [...byFile.values()].reduce((sum, own) => sum + Math.max(1, own.length), 0);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="crobc check" tests="${tests}" failures="${failures}">\n${suites.join('')}</testsuites>\n`;
}

function suite(file: string, messages: readonly JsonDiagnostic[]): string {
  const cases =
    messages.length === 0 ? [`    <testcase classname=${text(file)} name="check"/>\n`] : messages.map(testCase);
  const failures = messages.filter(isFailure).length;
  return `  <testsuite name=${text(file)} tests="${cases.length}" failures="${failures}">\n${cases.join('')}  </testsuite>\n`;
}

function testCase(message: JsonDiagnostic): string {
  const { code, severity, file, range } = message;
  const line = range ? `:${range.start.line}` : '';
  const name = `${code ?? 'crobc'}${line} ${message.message}`;
  const whole = `${file}${line}: ${plainText(message)}`;
  const content = isFailure(message)
    ? `<failure type=${text(code ?? 'crobc')} message=${text(message.message)}>${escaped(whole)}</failure>`
    : `<system-out>${escaped(`${severity}: ${whole}`)}</system-out>`;
  return `    <testcase classname=${text(file)} name=${text(name)}>${content}</testcase>\n`;
}

function isFailure({ severity }: JsonDiagnostic): boolean {
  return severity === 'error';
}

function text(value: string): string {
  return `"${escaped(value).replaceAll('\n', '&#10;')}"`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Replaces characters that XML 1.0 does not allow, also as entities, by U+FFFD. */
function escaped(value: string): string {
  const legal = value.replace(/\p{Surrogate}/gu, '\ufffd').replace(/[^\t\n\r\P{Cc}]|[\ufffe\uffff]/gu, '\ufffd');
  return legal.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
