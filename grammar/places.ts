export interface Range {
  readonly start: number;
  /** Within the range, too. */
  readonly end: number;
}

/** Offsets in order, each once. They mostly come from left to right, which is where adding is cheap. */
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

  /** Takes away those in a range, and gives them. */
  take({ start, end }: Range): readonly number[] {
    const from = firstFrom(this.#sorted, start);
    return this.#sorted.splice(from, firstFrom(this.#sorted, end + 1) - from);
  }
}

/** A union of ranges. */
export class Ranges {
  /** In order, and apart from one another. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  add({ start, end }: Range): void {
    // Those that touch the new one go into it.
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

/** How many of some numbers in order are smaller than `least`. */
function firstFrom(sorted: readonly number[], least: number): number {
  let [low, high] = [0, sorted.length];
  // Mostly it is after them all.
  if (high === 0 || sorted[high - 1]! < least) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
