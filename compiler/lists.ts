/** The items of two lists of one length, side by side. */
export function pairs<A, B>(left: readonly A[], right: readonly B[]): [A, B][] {
  if (left.length !== right.length) throw new Error(`bug in crobc: ${left.length} items beside ${right.length}`);
  return left.map((item, i) => [item, right[i] as B]);
}

/** The items by what `keyOf` gives for them, in the order of the first of each group. */
export function groupedBy<T, K>(items: Iterable<T>, keyOf: (item: T) => K): ReadonlyMap<K, readonly [T, ...T[]]> {
  const groups = new Map<K, [T, ...T[]]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
