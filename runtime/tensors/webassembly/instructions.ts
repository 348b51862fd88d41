/**
 * Instructions of WebAssembly as bytes, in the notation of its text format: an expression is the bytes that leave its
 * value on the stack, and a statement those that leave none. Only what the kernels need
 * (https://webassembly.github.io/spec/core/binary, with the vector instructions of version 2).
 */
export type Code = readonly number[];

/** LEB128 of an unsigned number below 2^32. */
export function unsigned(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}

/** LEB128 of a signed number of 32 bits. */
function signed(value: number): Code {
  const bytes: number[] = [];
  let rest = value;
  for (; rest < -0x40 || rest > 0x3f; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest & 0x7f];
}

export const types = { i32: 0x7f, v128: 0x7b } as const;
export type Type = keyof typeof types;

/** A parameter or a variable of a function, by its index. */
export type Local = number & { readonly local: unique symbol };

export const get = (local: Local): Code => [0x20, ...unsigned(local)];
export const set = (local: Local, value: Code): Code => [...value, 0x21, ...unsigned(local)];
/** Runs the statements until `again` is 0, at least once. */
export const repeatWhile = (again: Code, ...body: readonly Code[]): Code => {
  const [loop, none, branchIf, end] = [0x03, 0x40, 0x0d, 0x0b];
  return [loop, none, ...body.flat(), ...again, branchIf, 0, end];
};

const binary =
  (opcode: number) =>
  (left: Code, right: Code): Code => [...left, ...right, opcode];

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  add: binary(0x6a),
  lessUnsigned: binary(0x49),
  load: (address: Code): Code => [...address, 0x28, 2, 0],
} as const;

const vector = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
const unaryVector =
  (opcode: number) =>
  (value: Code): Code => [...value, ...vector(opcode)];
const binaryVector =
  (opcode: number) =>
  (left: Code, right: Code): Code => [...left, ...right, ...vector(opcode)];

/** Addresses need no alignment; `offset` is added to them. */
export const v128 = {
  load: (address: Code, offset = 0): Code => [...address, ...vector(0), 0, ...unsigned(offset)],
  /** Four copies of the 32 bits at an address. */
  load32Splat: (address: Code, offset = 0): Code => [...address, ...vector(9), 0, ...unsigned(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [
    ...address,
    ...value,
    ...vector(11),
    0,
    ...unsigned(offset),
  ],
  store32Lane: (address: Code, value: Code, lane: number): Code => [...address, ...value, ...vector(90), 0, 0, lane],
  const: (bytes: readonly number[]): Code => [...vector(12), ...bytes],
  and: binaryVector(78),
  or: binaryVector(80),
  xor: binaryVector(81),
} as const;

export const i8x16 = {
  /** Byte `i` of the result is byte `lanes[i]` of both values together. */
  shuffle: (left: Code, right: Code, lanes: readonly number[]): Code => [...left, ...right, ...vector(13), ...lanes],
  /** Byte `i` of the result is that of the value which `lanes` names at `i`; 0 if there is none. */
  swizzle: binaryVector(14),
  narrowUnsigned: binaryVector(102),
} as const;

export const i16x8 = {
  narrowUnsigned: binaryVector(134),
  extendLowUnsigned: unaryVector(137),
  extendHighUnsigned: unaryVector(138),
} as const;

export const i32x4 = {
  splat: unaryVector(17),
  shiftLeft: binaryVector(171),
  shiftRight: binaryVector(172),
  shiftRightUnsigned: binaryVector(173),
  add: binaryVector(174),
  /** Products of signed numbers of 16 bits, and the sum of each two neighbours. */
  dot: binaryVector(186),
} as const;

export const i64x2 = {
  /** Products of the first two unsigned numbers of 32 bits, and of the last two. */
  multiplyLowUnsigned: binaryVector(222),
  multiplyHighUnsigned: binaryVector(223),
} as const;

export const f32x4 = {
  subtract: binaryVector(229),
  multiply: binaryVector(230),
  divide: binaryVector(231),
  fromSigned: unaryVector(250),
} as const;
