import { type Diagnostic, isUnknownName } from '../../diagnostics/diagnostic.ts';
import type { Program } from './program.ts';

/** Whether a message is about a name that is known to be missing, or may be a consequence of unparsed text. */
export function isDoubtful(program: Program, d: Diagnostic): boolean {
  const file = program.files.get(d.span.file);
  // The part or method may be declared in any file.
  if (d.code === 'CROB2005' || d.code === 'CROB2218') {
    const named = [...d.message.matchAll(/(?<=`)\w+(?=`)/g)].map(([name]) => name);
    for (const { doubt } of program.files.values()) if (named.some((name) => doubt?.words.has(name))) return true;
  }
  if (isUnknownName(d)) return file?.unknown.has(program.text(d.span)) === true;
  return file?.doubt?.places.some(({ start, end }) => start <= d.span.start && d.span.start <= end) === true;
}
