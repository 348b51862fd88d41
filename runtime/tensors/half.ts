/** Conversions between float32 and the 16-bit formats float16 and bfloat16, as bits in a Uint16Array. */

let halfValues: Float32Array | undefined;

/** Returns the values of all 65,536 IEEE 754 binary16 bit patterns. */
function tabulateHalves(): Float32Array {
  const values = new Float32Array(0x10000);
  for (let bits = 0; bits < 0x10000; bits++) {
    const exponent = (bits >>> 10) & 31;
    const fraction = bits & 1023;
    let value: number;
    if (exponent === 0) value = fraction * 2 ** -24;
    else if (exponent === 31) value = fraction === 0 ? Infinity : NaN;
    else value = (1 + fraction / 1024) * 2 ** (exponent - 15);
    values[bits] = bits & 0x8000 ? -value : value;
  }
  return values;
}

export function float32FromHalf(bits: Uint16Array): Float32Array {
  halfValues ??= tabulateHalves();
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = halfValues[bits[i]!]!;
  return out;
}

/** Rounds to nearest, ties to even; numbers that are too large become infinity. */
export function halfFromFloat32(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) out[i] = halfBits(bits[i]!);
  return out;
}

function halfBits(float: number): number {
  const sign = (float >>> 16) & 0x8000;
  const magnitude = float & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // From 65520 on, half way from the largest half to the next power of two, the result is infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 the result is subnormal, a multiple of 2^-24.
  if (magnitude < 0x38800000) {
    const exponent = magnitude >>> 23;
    if (exponent < 102) return sign;
    const shift = 126 - exponent;
    const mantissa = (magnitude & 0x7fffff) | 0x800000;
    const kept = mantissa >>> shift;
    const rest = mantissa & ((1 << shift) - 1);
    const half = 1 << (shift - 1);
    return sign | (kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0));
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** A bfloat16 is the upper half of a float32. */
export function float32FromBfloat16(bits: Uint16Array): Float32Array {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = bits[i]! << 16;
  return new Float32Array(out.buffer);
}

/** Rounds to the nearest bfloat16, ties to even. */
export function bfloat16FromFloat32(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (float) => {
    // A NaN stays one, whose mantissa could otherwise be rounded away.
    if ((float & 0x7fffffff) > 0x7f800000) return (float >>> 16) | 0x40;
    return (float + 0x7fff + ((float >>> 16) & 1)) >>> 16;
  });
}
