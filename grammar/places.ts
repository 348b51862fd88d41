export interface Range {
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

/** A sorted set of offsets. Adding is cheap at the end, and most offsets are added from left to right. */
export class Places {
  readonly #sorted: number[] = [];

  add(place: number): void {
    const at = firstFrom(this.#sorted, place);
    if (this.#sorted[at] !== place) this.#sorted.splice(at, 0, place);
  }

  has(place: number): boolean {
    return this.#sorted[firstFrom(this.#sorted, place)] === place;
  }

  any({ start, end }: Range): boolean {
    const next = this.#sorted[firstFrom(this.#sorted, start)];
    return next !== undefined && next <= end;
  }

  /** Removes the offsets in a range and returns them. */
  take({ start, end }: Range): readonly number[] {
    const from = firstFrom(this.#sorted, start);
    return this.#sorted.splice(from, firstFrom(this.#sorted, end + 1) - from);
  }
}

/** A union of ranges. */
export class Ranges {
  /** Sorted and disjoint. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  add({ start, end }: Range): void {
    // Merge the ranges that touch the new one.
    const from = firstFrom(this.#ends, start);
    const to = firstFrom(this.#starts, end + 1);
    const first = Math.min(start, this.#starts[from] ?? start);
    const last = Math.max(end, this.#ends[to - 1] ?? end);
    this.#starts.splice(from, to - from, first);
    this.#ends.splice(from, to - from, last);
  }

  has(place: number): boolean {
    const start = this.#starts[firstFrom(this.#ends, place)];
    return start !== undefined && start <= place;
  }
}

/** The number of elements of a sorted list that are smaller than `least`. */
function firstFrom(sorted: readonly number[], least: number): number {
  let [low, high] = [0, sorted.length];
  // Fast path: `least` is larger than all elements.
  if (high === 0 || sorted[high - 1]! < least) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
