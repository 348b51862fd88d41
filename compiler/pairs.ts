/** The items of two lists of one length, side by side. */
export function pairs<A, B>(left: readonly A[], right: readonly B[]): [A, B][] {
  if (left.length !== right.length) throw new Error(`bug in crobc: ${left.length} items beside ${right.length}`);
  return left.map((item, i) => [item, right[i] as B]);
}
