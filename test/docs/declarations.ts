import { readFileSync } from 'node:fs';
import { parse } from '../../grammar/parse.ts';
import type { Declaration, MethodMember, SourceFile } from '../../grammar/tree.ts';

/** What every generated page says of where it is from. */
export const made = (from: string) =>
  `This page is made from ${from} by\n\`npx vitest run test/docs/generated.test.ts -u\`.`;

export function sourceOf(file: string): SourceFile {
  return parse(file, readFileSync(file, 'utf8')).tree;
}

/** Bars and line ends would end a table's cell. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s*\n\s*/g, ' ');
}

export function tableOf(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`.replaceAll('|  |', '| |');
  return [line(heads), `|${' --- |'.repeat(heads.length)}`, ...rows.map(line)].join('\n');
}

export function textOf(tree: SourceFile, { span }: { readonly span: { start: number; end: number } }): string {
  return tree.text.slice(span.start, span.end);
}

/** Source on one line. */
export function flat(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/([([]) /g, '$1')
    .replace(/,? ([)\]])/g, '$1');
}

/** A declaration up to its body, with what stands below a member's own indentation moved to the left by it. */
export function header(tree: SourceFile, decl: Declaration | MethodMember): string {
  const text = tree.text.slice(decl.span.start, bodyStart(tree, decl)).trim();
  if (decl.kind === 'method') return text.replace(/\n {2}/g, '\n');
  return decl.kind === 'fn' ? text.replace(/\s*=$/, '') : text;
}

function bodyStart(tree: SourceFile, decl: Declaration | MethodMember): number {
  switch (decl.kind) {
    case 'fn':
    case 'method':
      return decl.body?.span.start ?? decl.span.end;
    case 'module':
    case 'interface': {
      const parts = [decl.name, ...decl.params, ...('implements' in decl ? decl.implements : []), ...decl.where];
      // Behind the last of these are brackets that close, then the body.
      return tree.text.indexOf('{', Math.max(...parts.map(({ span }) => span.end)));
    }
    default:
      return decl.span.end;
  }
}
