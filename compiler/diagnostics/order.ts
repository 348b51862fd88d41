import type { Span } from '../../grammar/span.ts';
import { type Diagnostic, failsHere } from './diagnostic.ts';

/** File by file and place by place, each message once: of those that differ in numbers alone, the first. */
export function inSourceOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  const files = [...new Set(diagnostics.map((d) => d.span.file))];
  return diagnostics
    .filter((d) => {
      const key = kindOf(d);
      return !seen.has(key) && seen.add(key);
    })
    .sort((a, b) => files.indexOf(a.span.file) - files.indexOf(b.span.file) || a.span.start - b.span.start);
}

/** The same for one mistake in a module that is constructed several times, with other sizes each time. */
function kindOf({ code, span, message, notes }: Diagnostic): string {
  const fails = notes.find(({ text }) => text === failsHere);
  return [code, at(span), fails ? at(fails.span) : '', withoutSizes(message)].join(' ');
}

function at({ file, start, end }: Span): string {
  return `${file}:${start}-${end}`;
}

/** Numbers of axes, and those in what is quoted from the source, tell messages apart. */
function withoutSizes(message: string): string {
  return message
    .split('`')
    .map((part, i) => (i % 2 === 0 ? part.replace(/(?<!axis )\b\d+\b/g, '#') : part))
    .join('`');
}
