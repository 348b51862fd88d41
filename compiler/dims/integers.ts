/** Returns n, or NaN if it is not a safe integer; NaN then propagates through further arithmetic. */
export function exact(n: number): number {
  return Number.isSafeInteger(n) ? n : Number.NaN;
}

/** The greatest common divisor, which is nonnegative; gcd(0, n) = |n|. */
export function gcd(a: number, b: number): number {
  let x = Math.abs(a);
  let y = Math.abs(b);
  while (y > 0) {
    const r = x % y;
    x = y;
    y = r;
  }
  return x;
}

/** The least common multiple; NaN beyond 2^53. */
export function lcm(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : exact(Math.abs(a / gcd(a, b)) * Math.abs(b));
}

/** The remainder of n modulo m, in [0, m). */
export function euclidean(n: number, m: number): number {
  const r = n % m;
  return r < 0 ? r + m : r + 0;
}

/** The remainder of n modulo m that is nearest to 0, in (-m/2, m/2]. */
export function symmetric(n: number, m: number): number {
  const r = euclidean(n, m);
  return 2 * r > m ? r - m : r;
}

/** The inverse of a modulo m, for gcd(a, m) = 1. */
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
