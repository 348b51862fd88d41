/** A size left the integers that a double holds exactly. Nothing below 2^53 does, so it is a mistake in the program. */
export class DimOverflow extends Error {
  constructor() {
    super('a size is too large to be exact (beyond 2^53)');
    this.name = 'DimOverflow';
  }
}

export function safe(n: number): number {
  if (!Number.isSafeInteger(n)) throw new DimOverflow();
  return n;
}

/** Nonnegative; gcd(0, n) = |n|. */
export function gcd(a: number, b: number): number {
  let x = Math.abs(a);
  let y = Math.abs(b);
  while (y !== 0) {
    const r = x % y;
    x = y;
    y = r;
  }
  return x;
}

export function lcm(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : safe(Math.abs(a / gcd(a, b)) * Math.abs(b));
}

/** The remainder in [0, m). */
export function euclidean(n: number, m: number): number {
  const r = n % m;
  return r < 0 ? r + m : r + 0;
}

/** The remainder nearest to 0, in (-m/2, m/2]. */
export function symmetric(n: number, m: number): number {
  const r = euclidean(n, m);
  return 2 * r > m ? r - m : r;
}

/** x with a*x ≡ 1 modulo m, where gcd(a, m) is 1. */
export function inverse(a: number, m: number): number {
  let [r0, r1] = [m, euclidean(a, m)];
  let [t0, t1] = [0, 1];
  while (r1 !== 0) {
    const q = Math.floor(r0 / r1);
    [r0, r1] = [r1, r0 - q * r1];
    [t0, t1] = [t1, t0 - q * t1];
  }
  return euclidean(t0, m);
}
