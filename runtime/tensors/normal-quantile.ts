/**
 * The quantile function of the standard normal distribution, computed only with + - * / and sqrt. IEEE 754 defines
 * their results exactly, so the same random words give the same weights on every machine; Math.log and Math.cos do not
 * guarantee this.
 */

const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/**
 * Natural logarithm of a positive normal number, by an atanh series on [√½, √2); error
 * about 2e-16, relative for results above 1.
 */
function log(x: number): number {
  let exponent = 0;
  let mantissa = x;
  while (mantissa < Math.SQRT1_2) {
    mantissa *= 2;
    exponent--;
  }
  while (mantissa >= Math.SQRT2) {
    mantissa /= 2;
    exponent++;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const z = s * s;
  let series = 0;
  for (let k = 23; k >= 1; k -= 2) series = series * z + 1 / k;
  return exponent * LN2_HIGH + (exponent * LN2_LOW + 2 * s * series);
}

function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) value = value * x + coefficients[i]!;
  return value;
}

// Wichura, "Algorithm AS 241: The percentage points of the normal distribution" (1988), PPND16.
const CENTRE = {
  over: [
    3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087,
    33430.57558358813, 2509.0809287301227,
  ],
  under: [
    1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
    28729.085735721943, 5226.495278852546,
  ],
};
const TAIL = {
  over: [
    1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
    0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
  ],
  under: [
    1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
    0.0005475938084995345, 1.0507500716444169e-9,
  ],
};
const FAR_TAIL = {
  over: [
    6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
    0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
  ],
  under: [
    1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5,
    1.421511758316446e-7, 2.0442631033899397e-15,
  ],
};

/** Returns z with P(Z < z) = p for 0 < p < 1; relative error about 1e-16. */
export function normalQuantile(p: number): number {
  const q = p - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(CENTRE.over, r)) / polynomial(CENTRE.under, r);
  }
  const r = Math.sqrt(-log(q < 0 ? p : 1 - p));
  const z =
    r <= 5
      ? polynomial(TAIL.over, r - 1.6) / polynomial(TAIL.under, r - 1.6)
      : polynomial(FAR_TAIL.over, r - 5) / polynomial(FAR_TAIL.under, r - 5);
  return q < 0 ? -z : z;
}

/** Returns P(Z < z) by bisection of the quantile function: slow, but accurate without a second approximation. */
export function normalProbability(z: number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (normalQuantile(middle) < z) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

const OCTAVES = 31;
const STEPS = 64;
/** Maps 24 bits to [0, 1). */
const PIECE_FRACTION = 2 ** -24;

/**
 * Tabulates cubic polynomials for the quantile over 31 octaves of the tail probability, with 64 pieces per octave. A
 * piece is [c0, c1, c2, c3] in its fraction t; the error is below 1e-9, less than the precision of float32.
 */
function tabulate(): Float64Array {
  const table = new Float64Array(OCTAVES * STEPS * 4);
  for (let octave = 0; octave < OCTAVES; octave++) {
    // Tail words m in [2^(30 - octave), 2^(31 - octave)) represent probabilities (m + ½) / 2^32.
    const start = 2 ** (30 - octave);
    const width = start / STEPS;
    for (let step = 0; step < STEPS; step++) {
      const at = (t: number) => -normalQuantile((start + (step + t) * width + 0.5) / 2 ** 32);
      const [y0, y1, y2, y3] = [at(0), at(1 / 3), at(2 / 3), at(1)];
      // Newton's divided differences at 0, ⅓, ⅔ and 1, converted to a polynomial in t.
      const d1 = 3 * (y1 - y0);
      const d2 = 4.5 * (y2 - 2 * y1 + y0);
      const d3 = 4.5 * (y3 - 3 * y2 + 3 * y1 - y0);
      table.set([y0, d1 - d2 / 3 + (2 * d3) / 9, d2 - d3, d3], (octave * STEPS + step) * 4);
    }
  }
  return table;
}

let pieces: Float64Array | undefined;

/**
 * Sets out[i] = mean + std·z, where z is standard normal from words[i]: the top bit is the sign, the others the tail.
 */
export function normalFill(out: Float32Array, words: Uint32Array, std: number, mean: number): void {
  pieces ??= tabulate();
  const table = pieces;
  const count = out.length;
  for (let i = 0; i < count; i++) {
    const word = words[i]!;
    // Tail word 0 is treated as 1, which is 6.2 standard deviations out and occurs once in 2^31 draws.
    const tail = word & 0x7fffffff || 1;
    const octave = Math.clz32(tail) - 1;
    // Shift the leading one to bit 30; the next six bits select the piece, and 24 bits are the fraction.
    const aligned = tail << octave;
    const at = ((octave << 6) | ((aligned >>> 24) & 63)) << 2;
    const t = (aligned & 0xffffff) * PIECE_FRACTION;
    const z = table[at]! + t * (table[at + 1]! + t * (table[at + 2]! + t * table[at + 3]!));
    // A product instead of a branch, because a random sign defeats branch prediction.
    out[i] = mean + std * z * (1 - (word >>> 31) * 2);
  }
}
