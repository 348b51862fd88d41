export type NonEmpty<T> = readonly [T, ...T[]];

/** Like `map`, but typed so that a non-empty list gives a non-empty list. */
export function mapped<A, B>([first, ...others]: NonEmpty<A>, make: (item: A, index: number) => B): NonEmpty<B> {
  return [make(first, 0), ...others.map((item, i) => make(item, i + 1))];
}

/** Zips two lists of the same length; throws if the lengths differ. */
export function pairs<A, B>(left: readonly A[], right: readonly B[]): [A, B][] {
  if (left.length !== right.length) throw new Error(`bug in crobc: ${left.length} items beside ${right.length}`);
  return left.map((item, i) => [item, right[i] as B]);
}

/** Groups items by key; groups are in the order of their first items. */
export function groupedBy<T, K>(items: Iterable<T>, keyOf: (item: T) => K): ReadonlyMap<K, NonEmpty<T>> {
  const groups = new Map<K, [T, ...T[]]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** Whether two lists have the same length and all pairs of items agree. */
export function everyPair<A, B>(
  left: readonly A[],
  right: readonly B[],
  agree: (left: A, right: B) => boolean,
): boolean {
  return left.length === right.length && pairs(left, right).every(([one, other]) => agree(one, other));
}
