import type { Span } from '../../../grammar/span.ts';
import type { Declaration } from '../../../grammar/tree.ts';
import type { FileScope } from '../source/file-scope.ts';
import type { Program } from '../source/program.ts';

/** A piece of source, and the file in whose scope it is resolved. */
export interface Text {
  readonly span: Span;
  readonly file: FileScope;
}

/**
 * Returns the modules and functions outside of the library that a piece of source refers to, directly or through
 * other declarations.
 */
export function namedBy(program: Program, text: Text): ReadonlySet<Declaration> {
  const found = new Set<Declaration>();
  const open = [text];
  for (let one = open.pop(); one; one = open.pop()) {
    for (const word of wordsOf(program.text(one.span))) {
      const named = one.file.lookup(word);
      if (named?.decl.kind !== 'module' && named?.decl.kind !== 'fn') continue;
      const { decl, file } = named;
      if (found.has(decl) || file.file.startsWith('std/')) continue;
      found.add(decl);
      open.push({ span: decl.span, file });
    }
  }
  return found;
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.replace(/\/\/.*/g, '').match(/[A-Za-z_]\w*/g) ?? []);
}
