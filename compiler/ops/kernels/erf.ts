/**
 * Returns the error function to float64 precision, from the series with positive terms
 * erf(x) = 2/sqrt(pi) e^(-x^2) sum_n 2^n x^(2n+1) / (1·3·5···(2n+1))  (Abramowitz and Stegun 7.1.6).
 */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  // 1 - erf(6) is 2e-17, which is less than half a unit in the last place of 1.
  if (Math.abs(x) >= 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let odd = 3; Math.abs(term) > Math.abs(sum) * 1e-17; odd += 2) {
    term *= (2 * x * x) / odd;
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
