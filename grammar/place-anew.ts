import type { Span } from './span.ts';

/** A tree, or what is wrong with it, with every span put elsewhere: for source that was made of what someone typed. */
export function placedAnew<T>(tree: T, place: (span: Span) => Span): T {
  const copy = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(copy);
    if (isSpan(value)) return place(value);
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copy(part)]));
  };
  return copy(tree) as T;
}

function isSpan(value: object): value is Span {
  return 'file' in value && 'start' in value && 'end' in value;
}
