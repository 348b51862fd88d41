/** A line of a difference: in both texts, only in the first, or only in the second. */
export interface DifferenceLine {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

/** Compares two texts line by line, by a longest common subsequence. */
export function lineDifferences(before: readonly string[], after: readonly string[]): DifferenceLine[] {
  const width = after.length + 1;
  // lengths[i * width + j] is the length of the longest common subsequence of the lines from i and from j on.
  const lengths = new Uint32Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        before[i] === after[j]
          ? 1 + (lengths[(i + 1) * width + j + 1] ?? 0)
          : Math.max(lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0);
  const found: DifferenceLine[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old, now] = [before[i], after[j]];
    const down = lengths[(i + 1) * width + j] ?? 0;
    const right = lengths[i * width + j + 1] ?? 0;
    if (old !== undefined && old === now) {
      found.push({ mark: ' ', text: old });
      i++;
      j++;
    } else if (old !== undefined && (now === undefined || down >= right)) {
      found.push({ mark: '-', text: old });
      i++;
    } else if (now !== undefined) {
      found.push({ mark: '+', text: now });
      j++;
    }
  }
  return found;
}

/** Keeps the changed lines, each with as many lines around it; a gap becomes one line `…`. */
export function withContext(lines: readonly DifferenceLine[], around: number): DifferenceLine[] {
  const isNear = (i: number) => lines.slice(Math.max(0, i - around), i + around + 1).some(({ mark }) => mark !== ' ');
  return lines.flatMap((line, i) => {
    if (isNear(i)) return [line];
    return i > 0 && isNear(i - 1) && lines.slice(i).some(({ mark }) => mark !== ' ')
      ? [{ mark: ' ', text: '…' } as const]
      : [];
  });
}
