/** n, or NaN where it has left the integers that a double holds exactly: what is computed with it then is NaN too. */
export function exact(n: number): number {
  return Number.isSafeInteger(n) ? n : Number.NaN;
}

/** Nonnegative; gcd(0, n) = |n|. */
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

/** NaN beyond 2^53. */
export function lcm(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : exact(Math.abs(a / gcd(a, b)) * Math.abs(b));
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
