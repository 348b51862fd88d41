import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import { parse } from '../../grammar/parse.ts';
import { position } from '../../grammar/span.ts';
import type { Expr } from '../../grammar/tree.ts';

/** Does what a help says where it names one edit: the source behind it, or undefined where it leaves something to the reader. */
export function follow(source: string, { span }: Diagnostic, help: string): string | undefined {
  const inPlace = (text: string, { start, end } = span) => source.slice(0, start) + text + source.slice(end);
  const where = /^add `where (.+?)` to (.+?) \(:(\d+)\)/.exec(help);
  if (where) {
    const clauses = where[1] ?? '';
    const lines = [Number(where[3]), ...[...help.matchAll(/, and to \S+ \(:(\d+)\)/g)].map(([, line]) => Number(line))];
    return lines.reduce<string | undefined>((text, line) => text && addWhere(text, clauses, line), source);
  }
  const meant = /^did you mean `([^`]+)`\?/.exec(help)?.[1];
  if (meant !== undefined) {
    const written = source.slice(span.start, span.end);
    const last = Math.max(written.lastIndexOf('.') + 1, 0);
    return inPlace(meant.includes('.') || meant.includes('[') ? meant : written.slice(0, last) + meant);
  }
  const made = /^override it where it is made: `([^`]+)`/.exec(help)?.[1];
  if (made !== undefined) {
    const end = source.indexOf('\n', span.start);
    return inPlace(made, { ...span, end });
  }
  const part = /name in weights files; the part is `([^`]+)`$/.exec(help)?.[1];
  if (part !== undefined) {
    const path = source.slice(span.start, span.end);
    const end = path.lastIndexOf(']') + 1;
    return inPlace(part + path.slice(end > 0 ? end : path.lastIndexOf('.')));
  }
  const written = /^write `([^`…]+)`$/.exec(help)?.[1];
  if (written !== undefined) return inPlace(written);
  const before = /^write `([^`…]+)` before `([^`]+)`/.exec(help);
  if (before?.[1] !== undefined && before[2] !== undefined) {
    const at = source.slice(0, source.indexOf(before[2], span.end)).trimEnd().length;
    return `${source.slice(0, at)}${before[1]}${source.slice(at)}`;
  }
  return undefined;
}

interface Conditioned {
  readonly name: { readonly span: { readonly start: number; readonly end: number } };
  readonly where: readonly Expr[];
  /** Where a first `where` would stand. */
  readonly at: number;
}

/** Adds conditions to the declaration or method whose name stands on a line. */
export function addWhere(source: string, clauses: string, line: number): string | undefined {
  const found = conditioned(source).find(({ name }) => position(source, name.span.start).line === line);
  if (!found) return undefined;
  const last = found.where.at(-1);
  const [at, text] = last ? [last.span.end, `, ${clauses}`] : [found.at, ` where ${clauses}`];
  return source.slice(0, at) + text + source.slice(at);
}

function conditioned(source: string): readonly Conditioned[] {
  const brace = (from: number) => source.slice(0, source.indexOf('{', from)).trimEnd().length;
  return parse('example.crob', source).tree.declarations.flatMap((decl): Conditioned[] => {
    if (decl.kind === 'model') return [{ ...decl, at: brace(decl.name.span.end) }];
    if (decl.kind === 'fn') return decl.result ? [{ ...decl, at: decl.result.span.end }] : [];
    if (decl.kind !== 'module' && decl.kind !== 'interface') return [];
    return decl.members.flatMap((member) =>
      member.kind === 'method' && member.result ? [{ ...member, at: member.result.span.end }] : [],
    );
  });
}
