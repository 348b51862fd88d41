import {
  type Code,
  f32x4,
  get,
  i8x16,
  i16x8,
  i32,
  i32x4,
  type Local,
  repeatWhile,
  set,
  v128,
} from '../../tensors/webassembly/instructions.ts';
import { defineFunction, moduleBytes } from '../../tensors/webassembly/module.ts';
import { FRACTION_BITS } from './filter.ts';

/*
 * Vector instructions multiply numbers of 16 bits. Weights have 23, so they are split into `high` and `low`, the upper
 * and the lower 11 bits (and 1 more): weight = high × 2^11 + low. Both sums of products are exact in 32 bits, and so is
 * the sum that they give.
 */
export const LOW_BITS = 11;

/** Number of pixels of a row that `filterRow` takes at once for a pixel, and of pixels that it gives at once. */
export const TAPS_AT_ONCE = 4;
export const PIXELS_AT_ONCE = 4;
/** Number of pixels that `filterColumns` gives at once. */
export const COLUMNS_AT_ONCE = 16;
/** Number of rows that `filterColumns` takes at once. */
export const ROWS_AT_ONCE = 2;
/** Bytes of an entry of the table of columns, without weights and for each four taps. */
export const OFFSET_BYTES = 4;
export const TAPS_BYTES = 16;
/** Bytes of weights for each two rows. */
export const PAIR_BYTES = 8;

const four = (value: number): readonly number[] => Array.from({ length: 4 }, () => word(value)).flat();
const word = (value: number): readonly number[] => [...new Uint8Array(Int32Array.of(value).buffer)];
const step = (local: Local, by: Code): Code => set(local, i32.add(get(local), by));

/** Rounds sums of products with the upper and the lower bits of weights to a byte in each lane. */
const rounded = (high: Local, low: Local, half: Local): Code =>
  i32x4.shiftRight(
    i32x4.add(i32x4.add(i32x4.shiftLeft(get(high), i32.const(LOW_BITS)), get(low)), get(half)),
    i32.const(FRACTION_BITS),
  );

const add = (sum: Local, left: Code, right: Code): Code => set(sum, i32x4.add(get(sum), i32x4.dot(left, right)));

/**
 * Filters a row of interleaved RGB into a row of each of three planes, four pixels at a time.
 *
 * `table` has, for each pixel, the offset of its first input in bytes, and for each four inputs (`tapsEnd` bytes in all)
 * four pairs of weights: the upper bits of the first two, and of the second two, and the lower bits of both.
 */
const filterRow = defineFunction(
  'filterRow',
  { from: 'i32', table: 'i32', taps: 'i32', red: 'i32', green: 'i32', blue: 'i32', end: 'i32' },
  {
    ...{ at: 'i32', stop: 'i32', pixels: 'v128', first: 'v128', second: 'v128', high: 'v128', low: 'v128' },
    ...{ half: 'v128', firstTwo: 'v128', lastTwo: 'v128', p0: 'v128', p1: 'v128', p2: 'v128', p3: 'v128' },
  },
  (_) => {
    const zero = v128.const(four(0));
    const none = 0x80;
    // Two pixels by channel, each byte widened to 16 bits: red of both, green of both, blue of both.
    const channels = (pixel: number) =>
      [0, 3, 1, 4, 2, 5].flatMap((byte) => [byte + 3 * pixel, none]).concat([none, none, none, none]);
    const pixel = (to: Local): Code => [
      ...set(_.at, i32.add(get(_.from), i32.load(get(_.table)))),
      ...step(_.table, i32.const(OFFSET_BYTES)),
      ...set(_.stop, i32.add(get(_.table), get(_.taps))),
      ...set(_.high, zero),
      ...set(_.low, zero),
      ...repeatWhile(
        i32.lessUnsigned(get(_.table), get(_.stop)),
        set(_.pixels, v128.load(get(_.at))),
        set(_.first, i8x16.swizzle(get(_.pixels), get(_.firstTwo))),
        set(_.second, i8x16.swizzle(get(_.pixels), get(_.lastTwo))),
        add(_.high, get(_.first), v128.load32Splat(get(_.table))),
        add(_.high, get(_.second), v128.load32Splat(get(_.table), 4)),
        add(_.low, get(_.first), v128.load32Splat(get(_.table), 8)),
        add(_.low, get(_.second), v128.load32Splat(get(_.table), 12)),
        step(_.at, i32.const(3 * TAPS_AT_ONCE)),
        step(_.table, i32.const(TAPS_BYTES)),
      ),
      ...set(to, rounded(_.high, _.low, _.half)),
    ];
    const bytes = i8x16.narrowUnsigned(
      i16x8.narrowUnsigned(get(_.p0), get(_.p1)),
      i16x8.narrowUnsigned(get(_.p2), get(_.p3)),
    );
    const byChannel = [0, 1, 2, 3].flatMap((channel) => [0, 4, 8, 12].map((at) => at + channel));
    return [
      set(_.half, v128.const(four(1 << (FRACTION_BITS - 1)))),
      set(_.firstTwo, v128.const(channels(0))),
      set(_.lastTwo, v128.const(channels(2))),
      repeatWhile(
        i32.lessUnsigned(get(_.red), get(_.end)),
        ...[_.p0, _.p1, _.p2, _.p3].map(pixel),
        set(_.pixels, i8x16.swizzle(bytes, v128.const(byChannel))),
        ...[_.red, _.green, _.blue].flatMap((plane, lane) => [
          v128.store32Lane(get(plane), get(_.pixels), lane),
          step(plane, i32.const(4)),
        ]),
      ),
    ];
  },
);

/**
 * Filters columns of a plane, whose rows are `stride` bytes apart, into a row of floats: (byte / 255 - mean) / deviation.
 * `weights` up to `weightsEnd` has, for each two rows, a pair of the upper bits of weights and a pair of the lower.
 */
const filterColumns = defineFunction(
  'filterColumns',
  {
    ...{ from: 'i32', stride: 'i32', weights: 'i32', weightsEnd: 'i32', to: 'i32', end: 'i32' },
    ...{ statistics: 'i32' },
  },
  {
    ...{ at: 'i32', pair: 'i32', upper: 'v128', lower: 'v128', high: 'v128', low: 'v128', both: 'v128' },
    ...{ h0: 'v128', h1: 'v128', h2: 'v128', h3: 'v128', l0: 'v128', l1: 'v128', l2: 'v128', l3: 'v128' },
    ...{ half: 'v128', most: 'v128', mean: 'v128', deviation: 'v128' },
  },
  (_) => {
    const highs = [_.h0, _.h1, _.h2, _.h3];
    const lows = [_.l0, _.l1, _.l2, _.l3];
    const interleaved = (from: number) => [0, 1, 2, 3, 4, 5, 6, 7].flatMap((i) => [from + i, from + i + 16]);
    const quarter = (i: number, extended: Code): Code => [
      ...set(_.both, extended),
      ...add(highs[i]!, get(_.both), get(_.high)),
      ...add(lows[i]!, get(_.both), get(_.low)),
    ];
    const [low, high] = [0, 8].map((from) => i8x16.shuffle(get(_.upper), get(_.lower), interleaved(from)));
    const result = (i: number): Code =>
      f32x4.divide(
        f32x4.subtract(f32x4.divide(f32x4.fromSigned(rounded(highs[i]!, lows[i]!, _.half)), get(_.most)), get(_.mean)),
        get(_.deviation),
      );
    return [
      set(_.half, v128.const(four(1 << (FRACTION_BITS - 1)))),
      set(_.most, f32x4.fromSigned(v128.const(four(255)))),
      set(_.mean, v128.load32Splat(get(_.statistics))),
      set(_.deviation, v128.load32Splat(get(_.statistics), 4)),
      repeatWhile(
        i32.lessUnsigned(get(_.to), get(_.end)),
        ...[...highs, ...lows].map((sum) => set(sum, v128.const(four(0)))),
        set(_.at, get(_.from)),
        set(_.pair, get(_.weights)),
        repeatWhile(
          i32.lessUnsigned(get(_.pair), get(_.weightsEnd)),
          set(_.upper, v128.load(get(_.at))),
          step(_.at, get(_.stride)),
          set(_.lower, v128.load(get(_.at))),
          step(_.at, get(_.stride)),
          set(_.high, v128.load32Splat(get(_.pair))),
          set(_.low, v128.load32Splat(get(_.pair), 4)),
          step(_.pair, i32.const(PAIR_BYTES)),
          quarter(0, i16x8.extendLowUnsigned(low!)),
          quarter(1, i16x8.extendHighUnsigned(low!)),
          quarter(2, i16x8.extendLowUnsigned(high!)),
          quarter(3, i16x8.extendHighUnsigned(high!)),
        ),
        ...[0, 1, 2, 3].map((i) => v128.store(get(_.to), result(i), 16 * i)),
        step(_.to, i32.const(4 * COLUMNS_AT_ONCE)),
        step(_.from, i32.const(COLUMNS_AT_ONCE)),
      ),
    ];
  },
);

export const kernelBytes = () => moduleBytes([filterRow, filterColumns]);
