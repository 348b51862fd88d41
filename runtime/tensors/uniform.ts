import { type PhiloxKey, philoxFill } from './philox.ts';
import { loadUniform } from './uniform-kernel.ts';

let kernel: ReturnType<typeof loadUniform> | 'not loaded' = 'not loaded';

/**
 * Fills `out` with multiples of 2^-24 in [0, 1), which are exact in float32: the upper 24 bits of the words of
 * `philoxFill`.
 */
export function uniformFill(out: Float32Array, key: PhiloxKey): void {
  if (kernel === 'not loaded') kernel = loadUniform();
  if (kernel) kernel(out, key);
  else uniformFillPlain(out, key);
}

/** The same numbers where vector instructions are not supported. */
export function uniformFillPlain(out: Float32Array, key: PhiloxKey): void {
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
  philoxFill(words, key);
  for (let i = 0; i < words.length; i++) out[i] = (words[i]! >>> 8) / 0x100_0000;
}
