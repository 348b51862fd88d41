/** Where the tiles of one axis of a scene begin, and how much each counts where several overlap. */
export interface AxisTiles {
  readonly starts: readonly number[];
  /** Length of each tile. */
  readonly length: number;
  /** For each tile, the weight of each of its pixels; the weights of all tiles at a pixel add up to 1. */
  readonly weights: readonly Float32Array[];
}

/**
 * Divides an axis into tiles that overlap by `overlap` pixels. The last one is moved back to end with the axis, and so
 * overlaps by more; a tile longer than the axis is the only one. Weights fall along a raised cosine over each overlap,
 * and are exactly 1 where there is one tile.
 */
export function axisTiles(axis: number, length: number, overlap: number): AxisTiles {
  const starts: number[] = [];
  for (let at = 0; at + length < axis; at += length - overlap) starts.push(at);
  starts.push(Math.max(0, axis - length));
  const raw = starts.map((start, i) => {
    const before = i === 0 ? 0 : starts[i - 1]! + length - start;
    const after = i + 1 === starts.length ? 0 : start + length - starts[i + 1]!;
    return Float64Array.from({ length }, (_, x) => rising((x + 0.5) / before) * rising((length - x - 0.5) / after));
  });
  const total = new Float64Array(Math.max(axis, length));
  for (const [i, start] of starts.entries()) for (const [x, weight] of raw[i]!.entries()) total[start + x]! += weight;
  const weights = raw.map((each, i) => Float32Array.from(each, (weight, x) => weight / total[starts[i]! + x]!));
  return { starts, length, weights };
}

/** From 0 to 1 over 0…1, and 1 behind it; a division by a missing overlap is infinite. */
function rising(share: number): number {
  return share >= 1 ? 1 : Math.sin((Math.PI / 2) * share) ** 2;
}
