/**
 * Key of Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC
 * 2011). Any block can be drawn without the ones before it, and equal keys and counters give equal words on every
 * machine.
 */
export interface PhiloxKey {
  readonly key: readonly [number, number];
  /** The upper two words of the counter; the lower two hold the block number. */
  readonly stream: readonly [number, number];
}

export const ROUNDS = 10;
/** The constants of the generator, by which halves of the counter are multiplied, and those added to the keys. */
export const MULTIPLIERS = [0xd251_1f53, 0xcd9e_8d57] as const;
export const KEY_STEPS = [0x9e37_79b9, 0xbb67_ae85] as const;

/**
 * Fills `out` with the words of blocks `firstBlock`, `firstBlock + 1`, … (four words per block).
 * `firstBlock + out.length / 4` must stay below 2^53.
 */
export function philoxFill(out: Uint32Array, { key, stream }: PhiloxKey, firstBlock = 0): void {
  // Each `| 0` keeps the compiled loop in 32-bit integers, which doubles its speed.
  const key0 = key[0] | 0;
  const key1 = key[1] | 0;
  const stream0 = stream[0] | 0;
  const stream1 = stream[1] | 0;
  const words = out.length;
  let low = firstBlock | 0;
  let high = Math.floor(firstBlock / 0x1_0000_0000) | 0;
  for (let at = 0; at < words; at = (at + 4) | 0) {
    let c0 = low;
    let c1 = high;
    let c2 = stream0;
    let c3 = stream1;
    let k0 = key0;
    let k1 = key1;
    for (let round = 0; round < 10; round = (round + 1) | 0) {
      // Computes the upper halves of c0·0xD2511F53 and c2·0xCD9E8D57 from 16-bit parts: Math.imul gives only the lower.
      const a0 = c0 & 0xffff;
      const a1 = c0 >>> 16;
      const b0 = c2 & 0xffff;
      const b1 = c2 >>> 16;
      const low0 = Math.imul(c0, 0xd2511f53);
      const low1 = Math.imul(c2, 0xcd9e8d57);
      const p0 = (Math.imul(a1, 0x1f53) + (Math.imul(a0, 0x1f53) >>> 16)) | 0;
      const q0 = (Math.imul(a0, 0xd251) + (p0 & 0xffff)) | 0;
      const high0 = (((Math.imul(a1, 0xd251) + (p0 >>> 16)) | 0) + (q0 >>> 16)) | 0;
      const p1 = (Math.imul(b1, 0x8d57) + (Math.imul(b0, 0x8d57) >>> 16)) | 0;
      const q1 = (Math.imul(b0, 0xcd9e) + (p1 & 0xffff)) | 0;
      const high1 = (((Math.imul(b1, 0xcd9e) + (p1 >>> 16)) | 0) + (q1 >>> 16)) | 0;
      c0 = high1 ^ c1 ^ k0;
      c1 = low1;
      c2 = high0 ^ c3 ^ k1;
      c3 = low0;
      k0 = (k0 + 0x9e3779b9) | 0;
      k1 = (k1 + 0xbb67ae85) | 0;
    }
    // Writes past the end of a typed array are ignored, so the last block may be incomplete.
    out[at] = c0;
    out[at + 1] = c1;
    out[at + 2] = c2;
    out[at + 3] = c3;
    low = (low + 1) | 0;
    if (low === 0) high = (high + 1) | 0;
  }
}
