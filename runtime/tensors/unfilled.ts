/**
 * Float32 numbers that are whatever the memory held, for one who writes them all: filling many with 0 first takes as long
 * as writing them.
 */
export function unfilledFloats(length: number): Float32Array {
  return new Float32Array(Buffer.allocUnsafeSlow(length * Float32Array.BYTES_PER_ELEMENT).buffer);
}
