/** A static value as this test sees it: what can be written into a source as a literal, and compared. */
export type Value =
  | { readonly kind: 'number'; readonly n: number; readonly float: boolean }
  | { readonly kind: 'bool'; readonly is: boolean }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'list'; readonly items: readonly Value[] }
  /** A function by its name, or the module of a spec. */
  | { readonly kind: 'name'; readonly name: string; readonly spec: boolean }
  /** What this test neither writes nor compares: an initialiser, a spec with arguments, a part. */
  | { readonly kind: 'other' };

export const int = (n: number): Value => ({ kind: 'number', n, float: false });
export const float = (n: number): Value => ({ kind: 'number', n, float: true });
export const list = (items: readonly Value[]): Value => ({ kind: 'list', items });

/** The value as source text. */
export function literal(value: Value): string {
  switch (value.kind) {
    case 'number':
      return value.float && Number.isInteger(value.n) ? value.n.toFixed(1) : String(value.n);
    case 'bool':
      return String(value.is);
    case 'string':
      return JSON.stringify(value.text);
    case 'none':
      return 'none';
    case 'list':
      return `[${value.items.map(literal).join(', ')}]`;
    case 'name':
      return value.spec ? `${value.name}()` : value.name;
    case 'other':
      throw new Error('a value that has no literal');
  }
}

export function hasLiteral(value: Value): boolean {
  return value.kind === 'list' ? value.items.every(hasLiteral) : value.kind !== 'other';
}

/** Whether they are the same for a parameter that takes either; an int and the float of the same number are. */
export function same(a: Value, b: Value): boolean {
  if (a.kind === 'list' && b.kind === 'list')
    return a.items.length === b.items.length && a.items.every((item, i) => same(item, b.items[i]!));
  if (a.kind === 'number' && b.kind === 'number') return a.n === b.n;
  return a.kind === b.kind && hasLiteral(a) && literal(a) === literal(b);
}
