import type { Span } from '../../grammar/span.ts';
import { type Diagnostic, failsHere } from './diagnostic.ts';

/**
 * Sorts diagnostics by file and position and removes duplicates; of messages that differ only in numbers, the first
 * is kept.
 */
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

/** A key that is equal for the same mistake in several instances of a module, which differ only in sizes. */
function kindOf({ code, span, message, notes }: Diagnostic): string {
  const fails = notes.find(({ text }) => text === failsHere);
  return [code, at(span), fails ? at(fails.span) : '', withoutSizes(message)].join(' ');
}

function at({ file, start, end }: Span): string {
  return `${file}:${start}-${end}`;
}

/** Replaces numbers in a message, except axis numbers and quoted source, which distinguish messages. */
function withoutSizes(message: string): string {
  return message
    .split('`')
    .map((part, i) => (i % 2 === 0 ? part.replace(/(?<!axis )\b\d+\b/g, '#') : part))
    .join('`');
}
