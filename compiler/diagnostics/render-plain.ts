import type { JsonDiagnostic } from './render-json.ts';

/** Returns a message with its details, notes and help as lines of text, for programs that show the source themselves. */
export function plainText({ message, details, notes, help }: JsonDiagnostic): string {
  const places = notes.map(
    ({ file, range, text }) => `${file}${range ? `:${range.start.line}:${range.start.column}` : ''}: ${text}`,
  );
  return [message, ...details, ...places, ...(help === null ? [] : [`help: ${help}`])].join('\n');
}
