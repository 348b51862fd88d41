/**
 * Returns the candidate with the smallest Damerau-Levenshtein distance to `name`, the first in alphabetical order if
 * there are several; undefined if none is near enough.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  return allNearest(name, candidates)[0];
}

/** Returns all candidates at the smallest distance, sorted. */
export function allNearest(name: string, candidates: Iterable<string>): readonly string[] {
  // For a single letter, all other letters would be equally near.
  const limit = name.length <= 1 ? 0 : Math.max(1, Math.floor(name.length / 3));
  let best: string[] = [];
  let least = limit;
  for (const candidate of candidates) {
    // The difference in length is a lower bound of the distance: most candidates are rejected by it.
    if (Math.abs(candidate.length - name.length) > least) continue;
    const d = candidate.toLowerCase() === name.toLowerCase() ? 0 : distance(name, candidate);
    if (d < least) best = [];
    if (d <= least) {
      least = d;
      best.push(candidate);
    }
  }
  if (best.length > 0) return [...new Set(best)].sort();
  // `name` may be an abbreviation: take a longer candidate with that prefix.
  if (name.length >= 3) for (const candidate of candidates) if (candidate.startsWith(name)) return [candidate];
  return [];
}

function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
