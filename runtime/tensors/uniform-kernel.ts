import { KEY_STEPS, MULTIPLIERS, type PhiloxKey, ROUNDS } from './philox.ts';
import { type Code, f32x4, get, i8x16, i32, i32x4, i64x2, repeatWhile, set, v128 } from './webassembly/instructions.ts';
import { loadModule, type Memory } from './webassembly/load.ts';
import { defineFunction, moduleBytes } from './webassembly/module.ts';

/** Blocks of Philox in the lanes of vectors, and the numbers that they give. */
const BLOCKS = 4;
const NUMBERS = 4 * BLOCKS;

const word = (value: number): readonly number[] => [...new Uint8Array(Int32Array.of(value).buffer)];
const four = (...values: readonly number[]): Code => v128.const(values.flatMap(word));
const splat = (value: number): Code => four(value, value, value, value);
/** Numbers of 32 bits of two vectors: `0` to `3` of the first, `4` to `7` of the second. */
const lanes = (left: Code, right: Code, wanted: readonly number[]): Code =>
  i8x16.shuffle(
    left,
    right,
    wanted.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)),
  );

/**
 * Writes numbers from `to` to `end`, from block `block` on. `keys` has the two keys of each round, and after them the
 * stream. The upper half of the block number is 0.
 */
const uniform = defineFunction(
  'uniform',
  { to: 'i32', end: 'i32', block: 'i32', keys: 'i32' },
  {
    ...{ c0: 'v128', c1: 'v128', c2: 'v128', c3: 'v128', first: 'v128', second: 'v128', unit: 'v128' },
    ...{ p0: 'v128', p1: 'v128', q0: 'v128', q1: 'v128' },
  },
  (_) => {
    const keyed = (round: number, which: number) => v128.load32Splat(get(_.keys), 8 * round + 4 * which);
    const upper = [1, 3, 5, 7];
    const lower = [0, 2, 4, 6];
    const round = (n: number): readonly Code[] => [
      set(_.p0, i64x2.multiplyLowUnsigned(get(_.c0), get(_.first))),
      set(_.p1, i64x2.multiplyHighUnsigned(get(_.c0), get(_.first))),
      set(_.q0, i64x2.multiplyLowUnsigned(get(_.c2), get(_.second))),
      set(_.q1, i64x2.multiplyHighUnsigned(get(_.c2), get(_.second))),
      set(_.c0, v128.xor(v128.xor(lanes(get(_.q0), get(_.q1), upper), get(_.c1)), keyed(n, 0))),
      set(_.c1, lanes(get(_.q0), get(_.q1), lower)),
      set(_.c2, v128.xor(v128.xor(lanes(get(_.p0), get(_.p1), upper), get(_.c3)), keyed(n, 1))),
      set(_.c3, lanes(get(_.p0), get(_.p1), lower)),
    ];
    const number = (words: Code): Code =>
      f32x4.multiply(f32x4.fromSigned(i32x4.shiftRightUnsigned(words, i32.const(8))), get(_.unit));
    return [
      set(_.first, splat(MULTIPLIERS[0])),
      set(_.second, splat(MULTIPLIERS[1])),
      // 2^-24.
      set(_.unit, splat(0x3380_0000)),
      repeatWhile(
        i32.lessUnsigned(get(_.to), get(_.end)),
        set(_.c0, i32x4.add(i32x4.splat(get(_.block)), four(0, 1, 2, 3))),
        set(_.c1, splat(0)),
        set(_.c2, keyed(ROUNDS, 0)),
        set(_.c3, keyed(ROUNDS, 1)),
        ...Array.from({ length: ROUNDS }, (_none, n) => round(n)).flat(),
        // The words of a block, which are in a lane of each vector, follow each other.
        set(_.p0, lanes(get(_.c0), get(_.c1), [0, 4, 1, 5])),
        set(_.p1, lanes(get(_.c2), get(_.c3), [0, 4, 1, 5])),
        set(_.q0, lanes(get(_.c0), get(_.c1), [2, 6, 3, 7])),
        set(_.q1, lanes(get(_.c2), get(_.c3), [2, 6, 3, 7])),
        v128.store(get(_.to), number(lanes(get(_.p0), get(_.p1), [0, 1, 4, 5]))),
        v128.store(get(_.to), number(lanes(get(_.p0), get(_.p1), [2, 3, 6, 7])), 16),
        v128.store(get(_.to), number(lanes(get(_.q0), get(_.q1), [0, 1, 4, 5])), 32),
        v128.store(get(_.to), number(lanes(get(_.q0), get(_.q1), [2, 3, 6, 7])), 48),
        set(_.to, i32.add(get(_.to), i32.const(4 * NUMBERS))),
        set(_.block, i32.add(get(_.block), i32.const(BLOCKS))),
      ),
    ];
  },
);

interface Kernel {
  readonly memory: Memory;
  uniform(to: number, end: number, block: number, keys: number): void;
}

/** The memory is one page: keys, then as many numbers as are made at once. */
const FIRST_NUMBER = 256;
const AT_ONCE = (65_536 - FIRST_NUMBER) / 4;

/**
 * `uniformFill` of tensors/uniform.ts with vector instructions, for less than 2^34 numbers; undefined where these are not
 * supported.
 */
export function loadUniform(): ((out: Float32Array, key: PhiloxKey) => void) | undefined {
  const kernel = loadModule<Kernel>(moduleBytes([uniform]));
  if (kernel === undefined) return undefined;
  const { buffer } = kernel.memory;
  const keys = new Int32Array(buffer, 0, 2 * (ROUNDS + 1));
  const numbers = new Float32Array(buffer, FIRST_NUMBER, AT_ONCE);
  return (out, { key, stream }) => {
    for (let round = 0; round < ROUNDS; round++)
      for (const which of [0, 1] as const) keys[2 * round + which] = key[which] + round * KEY_STEPS[which];
    keys.set(stream, 2 * ROUNDS);
    for (let at = 0; at < out.length; at += AT_ONCE) {
      const count = Math.min(AT_ONCE, out.length - at);
      kernel.uniform(FIRST_NUMBER, FIRST_NUMBER + 4 * count, at / 4, 0);
      out.set(count === AT_ONCE ? numbers : numbers.subarray(0, count), at);
    }
  };
}
