import type { Span } from '../../grammar/span.ts';
import type { NonEmpty } from '../lists.ts';
import { columns, expandTabs, width } from './columns.ts';

/** One source line and the mark below it, both in terminal columns. */
export interface ExcerptLine {
  /** Without indentation, tabs expanded, cut to fit. */
  readonly text: string;
  /** Columns before the mark, and its length (at least 1). */
  readonly indent: number;
  readonly length: number;
  /** One-based position of the marked part's start. */
  readonly line: number;
  readonly column: number;
}

/**
 * Returns the lines that show a span: its only line, or its first and last. `room` is the maximum width of a line in
 * columns.
 */
export function excerpt(text: string, span: Span, room: number): NonEmpty<ExcerptLine> {
  const start = Math.min(span.start, text.length);
  const end = Math.max(start, Math.min(span.end, text.length));
  const first = lineAt(text, start);
  if (end <= first.end) return [show(first, start, end, room)];
  // A span that ends with a newline ends on the line before.
  const last = lineAt(text, text[end - 1] === '\n' ? end - 1 : end);
  const head = show(first, start, first.end, room);
  if (last.number === first.number) return [head];
  const indentation = last.text.length - last.text.replace(/^[ \t]+/, '').length;
  return [head, show(last, last.start + indentation, Math.min(end, last.end), room)];
}

interface Line {
  readonly number: number;
  readonly text: string;
  /** Offsets of its first character and of the end (exclusive). */
  readonly start: number;
  readonly end: number;
}

function lineAt(text: string, offset: number): Line {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const newline = text.indexOf('\n', offset);
  let end = newline < 0 ? text.length : newline;
  if (text[end - 1] === '\r' && end > start) end--;
  let number = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < start; at = text.indexOf('\n', at + 1)) number++;
  return { number, text: text.slice(start, end), start, end };
}

function show(line: Line, from: number, to: number, room: number): ExcerptLine {
  const before = expandTabs(line.text.slice(0, from - line.start));
  const marked = expandTabs(line.text.slice(0, Math.max(0, to - line.start))).slice(before.length);
  const full = expandTabs(line.text).trimEnd();
  const indentation = Math.min(full.length - full.trimStart().length, before.length);
  const place = { line: line.number, column: from - line.start + 1 };
  const indent = width(before.slice(indentation));
  const mark = Math.max(1, width(marked.trimEnd()));
  const shown = full.slice(indentation);
  if (width(shown) <= room) return { text: shown, indent, length: mark, ...place };
  return { ...cut(shown, indent, mark, Math.max(20, room)), ...place };
}

/** Truncates a line to `room` columns around its marked part; `…` replaces omitted text. */
function cut(
  text: string,
  indent: number,
  mark: number,
  room: number,
): { text: string; indent: number; length: number } {
  const visible = Math.min(mark, room - 2);
  const context = Math.floor((room - visible - 2) / 2);
  const from =
    indent + visible + context + 1 <= room ? 0 : Math.max(0, Math.min(indent - context, width(text) - room + 1));
  let at = 0;
  let skipped = 0;
  let out = '';
  let taken = 0;
  const limit = room - (from > 0 ? 2 : 1);
  let more = false;
  for (const letter of text) {
    const step = columns(letter);
    if (at < from) skipped += step;
    else if (taken + step <= limit) {
      out += letter;
      taken += step;
    } else {
      more = true;
      break;
    }
    at += step;
  }
  const lead = from > 0 ? '…' : '';
  const newIndent = indent - skipped + lead.length;
  return {
    text: `${lead}${out}${more ? '…' : ''}`,
    indent: newIndent,
    length: Math.max(1, Math.min(visible, room - newIndent)),
  };
}
