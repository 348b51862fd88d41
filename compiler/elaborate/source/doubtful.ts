import type { Span } from '../../../grammar/span.ts';
import type { Declaration } from '../../../grammar/tree.ts';
import { type Diagnostic, isUnknownName } from '../../diagnostics/diagnostic.ts';
import type { FileScope, Found } from './file-scope.ts';

/** What of a program is asked here. */
interface Scopes {
  readonly files: ReadonlyMap<string, FileScope>;
  text(span: Span): string;
}

/**
 * Whether a message is about a name that is known to be missing, or may be a consequence of unparsed text or of another
 * error.
 */
export function isDoubtful(program: Scopes, d: Diagnostic): boolean {
  if (d.mayFollow) return true;
  const file = program.files.get(d.span.file);
  // The part or method may be declared in any file.
  if (d.code === 'CROB2005' || d.code === 'CROB2218') {
    const named = [...d.message.matchAll(/(?<=`)\w+(?=`)/g)].map(([name]) => name);
    for (const { doubt } of program.files.values()) if (named.some((name) => doubt?.words.has(name))) return true;
  }
  if (!file) return false;
  if (isUnknownName(d) && file.mayHave(program.text(d.span))) return true;
  const around = file.tree.declarations.find(({ span: { start, end } }) => start <= d.span.start && d.span.start < end);
  if (around && isDoubtfulIn({ decl: around, file }, d)) return true;
  const isInPlaces = file.doubt?.places.some(({ start, end }) => start <= d.span.start && d.span.start <= end) === true;
  return isInPlaces && !isUnknownName(d);
}

/**
 * Whether a message that the check of a model, recipe or weights map gives may be a consequence of unparsed text in it
 * or in what it builds on. Of one with such text itself, unknown names are certain.
 */
export function isDoubtfulIn(at: Found, d: Diagnostic): boolean {
  return isUncertain(at) && !(isUnknownName(d) && !foundations(at).some((one) => isUncertain(one)));
}

/** Whether a declaration is a model, recipe or weights map with unparsed text, or builds on one, of any file. */
export function isUncertain(at: Found, seen: Set<Declaration> = new Set()): boolean {
  const { decl, file } = at;
  if ((decl.kind !== 'model' && decl.kind !== 'recipe' && decl.kind !== 'weights') || seen.has(decl)) return false;
  seen.add(decl);
  return file.doubt?.declarations.has(decl) === true || foundations(at).some((one) => isUncertain(one, seen));
}

/** The declarations that a model, recipe or weights map builds on. */
function foundations({ decl, file }: Found): Found[] {
  const names =
    decl.kind === 'weights'
      ? [decl.target]
      : decl.kind === 'recipe'
        ? [decl.base, decl.model]
        : decl.kind === 'model'
          ? [decl.base]
          : [];
  return names.flatMap((name) => (name ? (file.lookup(name.name) ?? []) : []));
}
