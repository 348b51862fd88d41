import { createHash } from 'node:crypto';
import { uniformFill } from '../tensors/uniform.ts';

/** Everything that a random draw depends on, so that resumed runs and all back ends draw the same numbers. */
export interface DrawKey {
  readonly seed: number;
  /** From 1, as in the step graph. */
  readonly step: number;
  /** Index of the micro-batch in the step, from 0. */
  readonly micro: number;
}

/**
 * Fills `out` with the random numbers of the draw `name`: multiples of 2^-24 in [0, 1), which are exact in float32.
 * Uses Philox4x32-10 with a key from the SHA-256 of (seed, name), and (step, micro) as the stream.
 */
export function fillDraw(out: Float32Array, name: string, { seed, step, micro }: DrawKey): void {
  const digest = createHash('sha256').update(`crob draw\n${seed}\n${name}`).digest();
  uniformFill(out, { key: [digest.readUInt32LE(0), digest.readUInt32LE(4)], stream: [step, micro] });
}

/** Returns the same numbers as a new array of this shape. */
export function draw(name: string, shape: readonly number[], key: DrawKey): Float32Array {
  const out = new Float32Array(shape.reduce((product, d) => product * d, 1));
  fillDraw(out, name, key);
  return out;
}
