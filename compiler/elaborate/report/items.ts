import { type Diagnostic, diagnosticKey } from '../../diagnostics/diagnostic.ts';
import type { Scope } from '../context/scope.ts';

/**
 * Runs `work`, which calls `next` before each item of a list. Failures that are the same for several items give one
 * message: the first, with the number of the others.
 */
export function overItems<S extends Scope, T>(scope: S, work: (scope: S, next: () => void) => T): T {
  let item = 0;
  const found: Found[] = [];
  const context: S['context'] = {
    ...scope.context,
    report: (diagnostic) => found.push({ item, diagnostic }),
  };
  const result = work({ ...scope, context }, () => item++);
  for (const d of found.length === 0 ? [] : withoutRepetition(found)) scope.context.report(d);
  return result;
}

interface Found {
  readonly item: number;
  readonly diagnostic: Diagnostic;
}

/**
 * Merges repeated failures. An item may fail in several ways at one span: the first failure of one item corresponds
 * to the first of the next.
 */
function withoutRepetition(found: readonly Found[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  const counts = new Map<string, number>();
  const groups = new Map<string, Found[]>();
  for (const one of found) {
    const { diagnostic, item } = one;
    const key = diagnosticKey(diagnostic);
    if (seen.has(key)) continue;
    seen.add(key);
    const { code, span } = diagnostic;
    const place = `${code} ${span.file}:${span.start}-${span.end}`;
    const ordinal = counts.get(`${item} ${place}`) ?? 0;
    counts.set(`${item} ${place}`, ordinal + 1);
    const kind = `${place} ${ordinal}`;
    groups.set(kind, [...(groups.get(kind) ?? []), one]);
  }
  return [...groups.values()].flatMap(([first, ...others]) => {
    if (!first) return [];
    const { diagnostic } = first;
    if (others.length === 0) return [diagnostic];
    const more = `and for ${others.length} more ${others.length === 1 ? 'item' : 'items'}`;
    return [{ ...diagnostic, details: [...diagnostic.details, more] }];
  });
}
