import type { Span } from '../../../grammar/span.ts';

/** Returns the comment at the end of the line on which a piece of source ends, without its slashes. */
export function commentBehind(source: string, { end }: Span): string | undefined {
  const stop = source.indexOf('\n', end);
  const rest = source.slice(end, stop < 0 ? source.length : stop);
  return /^[\s;]*\/\/(?!\/)\s?(.*)$/.exec(rest)?.[1]?.trim();
}

/** Returns the comment lines directly above a piece of source. */
export function commentsAbove(source: string, { start }: Span): readonly string[] {
  const found: string[] = [];
  let stop = source.lastIndexOf('\n', start - 1);
  while (stop > 0) {
    const begin = source.lastIndexOf('\n', stop - 1) + 1;
    const line = /^\s*\/\/(?!\/)\s?(.*)$/.exec(source.slice(begin, stop));
    if (!line) break;
    found.unshift((line[1] ?? '').trim());
    stop = begin - 1;
  }
  return found;
}

/** Wraps text at spaces. Lines that begin with `- ` begin an item, whose further lines are indented. */
export function wrapped(lines: readonly string[], width: number): readonly string[] {
  const paragraphs: { first: string; indent: string; text: string }[] = [];
  for (const line of lines) {
    const item = /^(\s*)([-*] )(.*)$/.exec(line);
    const last = paragraphs.at(-1);
    if (line.trim() === '') paragraphs.push({ first: '', indent: '', text: '' });
    else if (item)
      paragraphs.push({ first: `${item[1] ?? ''}${item[2] ?? ''}`, indent: `${item[1] ?? ''}  `, text: item[3] ?? '' });
    else if (last && last.text !== '') last.text += ` ${line.trim()}`;
    else paragraphs.push({ first: '', indent: '', text: line.trim() });
  }
  return paragraphs.flatMap(({ first, indent, text }) => filled(first, indent, text, width));
}

function filled(first: string, indent: string, text: string, width: number): readonly string[] {
  const out: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(/\s+/)) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      out.push(line);
      line = indent + word;
    } else line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  out.push(line.trimEnd());
  return out;
}
