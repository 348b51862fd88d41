import { get, i32, i32x4, repeatWhile, set, v128 } from './webassembly/instructions.ts';
import { loadModule, type Memory } from './webassembly/load.ts';
import { defineFunction, moduleBytes } from './webassembly/module.ts';

/** Vectors in a round of the loop, and their floats. */
const VECTORS = 4;
const FLOATS = 4 * VECTORS;

/**
 * Adds to the vector at `found`, by or, numbers that are negative where a float from `from` to `end` is NaN or infinite:
 * these have an exponent of ones, to which one more overflows into the sign.
 */
const overflow = defineFunction(
  'overflow',
  { from: 'i32', end: 'i32', found: 'i32' },
  { any: 'v128', exponent: 'v128', one: 'v128' },
  (_) => [
    set(_.exponent, i32x4.splat(i32.const(0x7f80_0000))),
    set(_.one, i32x4.splat(i32.const(0x0080_0000))),
    set(_.any, v128.load(get(_.found))),
    repeatWhile(
      i32.lessUnsigned(get(_.from), get(_.end)),
      set(
        _.any,
        Array.from({ length: VECTORS }, (_none, i) =>
          i32x4.add(v128.and(v128.load(get(_.from), 16 * i), get(_.exponent)), get(_.one)),
        ).reduce((all, one) => v128.or(all, one), get(_.any)),
      ),
      set(_.from, i32.add(get(_.from), i32.const(4 * FLOATS))),
    ),
    v128.store(get(_.found), get(_.any)),
  ],
);

interface Kernel {
  readonly memory: Memory;
  overflow(from: number, end: number, found: number): void;
}

/** The memory is what was found, and after it as many floats as are looked at at once: they stay in a processor's cache. */
const FIRST_FLOAT = 64;
const AT_ONCE = (65_536 - FIRST_FLOAT) / 4;

/**
 * `allFinite` of tensors/all-finite.ts with vector instructions; undefined where these are not supported. Most of its time
 * is that of copying the floats into its memory.
 */
export function loadAllFinite(): ((data: Float32Array) => boolean) | undefined {
  const kernel = loadModule<Kernel>(moduleBytes([overflow]));
  if (kernel === undefined) return undefined;
  const { buffer } = kernel.memory;
  const found = new Int32Array(buffer, 0, 4);
  const floats = new Float32Array(buffer, FIRST_FLOAT, AT_ONCE);
  return (data) => {
    found.fill(0);
    for (let at = 0; at < data.length; at += AT_ONCE) {
      const count = Math.min(AT_ONCE, data.length - at);
      floats.set(count === data.length ? data : data.subarray(at, at + count));
      // The rest of the last round.
      floats.fill(0, count, Math.ceil(count / FLOATS) * FLOATS);
      kernel.overflow(FIRST_FLOAT, FIRST_FLOAT + 4 * count, 0);
    }
    return found.every((word) => word >= 0);
  };
}
