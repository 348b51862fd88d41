/** Sizes by the names of dims. */
export type Sizes = ReadonlyMap<string, number>;

/**
 * Computes a dim as manifests write it, such as `2*ceil(H/2) + 1`. Returns undefined if a dim in it has no size. Throws
 * an Error for any other text.
 */
export function dimValue(text: string, sizes: Sizes): number | undefined {
  const value = new DimReader(text, sizes).whole();
  // Not -0, which a remainder of a negative number may be.
  return Number.isNaN(value) ? undefined : value + 0;
}

/** Reads a sum of products of powers, where `%` and `/` bind like `*`. Dims without a size are NaN. */
class DimReader {
  readonly #text: string;
  readonly #tokens: readonly string[];
  readonly #sizes: Sizes;
  #at = 0;

  constructor(text: string, sizes: Sizes) {
    this.#text = text;
    this.#tokens = text.match(/\d+|[\p{L}_][\p{L}\p{N}_.[\]]*|\S/gu) ?? [];
    this.#sizes = sizes;
  }

  whole(): number {
    const value = this.#sum();
    if (this.#at < this.#tokens.length) this.#fail();
    return value;
  }

  #sum(): number {
    let sum = this.#product();
    for (;;) {
      if (this.#takes('+')) sum += this.#product();
      else if (this.#takes('-')) sum -= this.#product();
      else return sum;
    }
  }

  #product(): number {
    let product = this.#power();
    for (;;) {
      if (this.#takes('*')) product *= this.#power();
      else if (this.#takes('/')) product /= this.#power();
      else if (this.#takes('%')) product = remainder(product, this.#power());
      else return product;
    }
  }

  #power(): number {
    const base = this.#unit();
    return this.#takes('^') ? base ** this.#unit() : base;
  }

  #unit(): number {
    const token = this.#tokens[this.#at++];
    if (token === undefined) return this.#fail();
    if (token === '(') return this.#closed(this.#sum());
    // `-H % 4` is the remainder of -H.
    if (token === '-') return -this.#power();
    if (/^\d/.test(token)) return Number(token);
    if (!/^[\p{L}_]/u.test(token)) return this.#fail();
    if (!this.#takes('(')) return this.#sizes.get(token) ?? Number.NaN;
    const values = [this.#sum()];
    while (this.#takes(',')) values.push(this.#sum());
    return this.#closed(this.#call(token, values));
  }

  #call(name: string, values: readonly number[]): number {
    const [first = Number.NaN] = values;
    switch (name) {
      case 'floor':
        return Math.floor(first);
      case 'ceil':
        return Math.ceil(first);
      case 'min':
        return Math.min(...values);
      case 'max':
        return Math.max(...values);
      default:
        return this.#fail();
    }
  }

  #closed(value: number): number {
    if (!this.#takes(')')) this.#fail();
    return value;
  }

  #takes(token: string): boolean {
    const found = this.#tokens[this.#at] === token;
    if (found) this.#at++;
    return found;
  }

  #fail(): never {
    throw new Error(`\`${this.#text}\` is no dim`);
  }
}

/** Euclidean, as in crob: never negative. */
function remainder(a: number, b: number): number {
  return ((a % b) + b) % b;
}
