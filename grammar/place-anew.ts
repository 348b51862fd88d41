import type { Span } from './span.ts';

/**
 * Returns a copy of a tree or list of faults with every span mapped by `place`: for source that is generated from
 * what a user typed, such as an option.
 */
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
