import { createHash } from 'node:crypto';
import { philoxFill } from '../tensors/philox.ts';

/** What a random draw depends on, and nothing else: a resumed run and every back end draw the same numbers. */
export interface DrawKey {
  readonly seed: number;
  /** From 1, as the step graph counts. */
  readonly step: number;
  /** Micro-batch within the step, from 0. */
  readonly micro: number;
}

/**
 * Fills `out` with numbers in [0, 1) for the draw `name`: multiples of 2^-24, which float32 holds exactly.
 * Philox4x32-10 with its key from SHA-256 of (seed, name) and (step, micro) as the stream.
 */
export function fillDraw(out: Float32Array, name: string, { seed, step, micro }: DrawKey): void {
  const digest = createHash('sha256').update(`crob draw\n${seed}\n${name}`).digest();
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
  philoxFill(words, { key: [digest.readUInt32LE(0), digest.readUInt32LE(4)], stream: [step, micro] });
  for (let i = 0; i < words.length; i++) out[i] = (words[i]! >>> 8) / 0x100_0000;
}

/** The same as a new array of this shape. */
export function draw(name: string, shape: readonly number[], key: DrawKey): Float32Array {
  const out = new Float32Array(shape.reduce((product, d) => product * d, 1));
  fillDraw(out, name, key);
  return out;
}
