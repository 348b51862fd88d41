/**
 * How the argument of an opcode is stored, and what it is read as. `u1` to `u8` and `i4` are little-endian integers, `f8` is
 * a big-endian double, `line` ends at a newline, and `text1` to `text8`, `bytes1` to `bytes8` have their length in front.
 */
export interface Arguments {
  readonly none: undefined;
  readonly u1: number;
  readonly u2: number;
  readonly u4: number;
  readonly u8: number;
  readonly i4: number;
  readonly f8: number;
  readonly line: string;
  /** Module and name. */
  readonly 'two-lines': readonly [string, string];
  readonly latin1: string;
  readonly latin4: string;
  readonly text1: string;
  readonly text4: string;
  readonly text8: string;
  readonly bytes1: Uint8Array;
  readonly bytes4: Uint8Array;
  readonly bytes8: Uint8Array;
  /** A bigint if a number would not be exact. */
  readonly long1: number | bigint;
  readonly long4: number | bigint;
}

/** Every opcode of pickle's protocols 0 to 5 by its byte, as Python's `pickletools` lists them. */
export const opcodes = {
  40: ['MARK', 'none'],
  46: ['STOP', 'none'],
  48: ['POP', 'none'],
  49: ['POP_MARK', 'none'],
  50: ['DUP', 'none'],
  66: ['BINBYTES', 'bytes4'],
  67: ['SHORT_BINBYTES', 'bytes1'],
  70: ['FLOAT', 'line'],
  71: ['BINFLOAT', 'f8'],
  73: ['INT', 'line'],
  74: ['BININT', 'i4'],
  75: ['BININT1', 'u1'],
  76: ['LONG', 'line'],
  77: ['BININT2', 'u2'],
  78: ['NONE', 'none'],
  80: ['PERSID', 'line'],
  81: ['BINPERSID', 'none'],
  82: ['REDUCE', 'none'],
  83: ['STRING', 'line'],
  84: ['BINSTRING', 'latin4'],
  85: ['SHORT_BINSTRING', 'latin1'],
  86: ['UNICODE', 'line'],
  88: ['BINUNICODE', 'text4'],
  93: ['EMPTY_LIST', 'none'],
  97: ['APPEND', 'none'],
  98: ['BUILD', 'none'],
  99: ['GLOBAL', 'two-lines'],
  100: ['DICT', 'none'],
  101: ['APPENDS', 'none'],
  103: ['GET', 'line'],
  104: ['BINGET', 'u1'],
  105: ['INST', 'two-lines'],
  106: ['LONG_BINGET', 'u4'],
  108: ['LIST', 'none'],
  111: ['OBJ', 'none'],
  112: ['PUT', 'line'],
  113: ['BINPUT', 'u1'],
  114: ['LONG_BINPUT', 'u4'],
  115: ['SETITEM', 'none'],
  116: ['TUPLE', 'none'],
  117: ['SETITEMS', 'none'],
  125: ['EMPTY_DICT', 'none'],
  128: ['PROTO', 'u1'],
  129: ['NEWOBJ', 'none'],
  130: ['EXT1', 'u1'],
  131: ['EXT2', 'u2'],
  132: ['EXT4', 'i4'],
  133: ['TUPLE1', 'none'],
  134: ['TUPLE2', 'none'],
  135: ['TUPLE3', 'none'],
  136: ['NEWTRUE', 'none'],
  137: ['NEWFALSE', 'none'],
  138: ['LONG1', 'long1'],
  139: ['LONG4', 'long4'],
  140: ['SHORT_BINUNICODE', 'text1'],
  141: ['BINUNICODE8', 'text8'],
  142: ['BINBYTES8', 'bytes8'],
  143: ['EMPTY_SET', 'none'],
  144: ['ADDITEMS', 'none'],
  145: ['FROZENSET', 'none'],
  146: ['NEWOBJ_EX', 'none'],
  147: ['STACK_GLOBAL', 'none'],
  148: ['MEMOIZE', 'none'],
  149: ['FRAME', 'u8'],
  150: ['BYTEARRAY8', 'bytes8'],
  151: ['NEXT_BUFFER', 'none'],
  152: ['READONLY_BUFFER', 'none'],
  41: ['EMPTY_TUPLE', 'none'],
} as const satisfies Readonly<Record<number, readonly [name: string, argument: keyof Arguments]>>;

type Row = (typeof opcodes)[keyof typeof opcodes];
export type OpcodeName = Row[0];

/** The argument of an opcode. */
export type ArgumentOf<Name extends OpcodeName> = Arguments[Extract<Row, readonly [Name, unknown]>[1]];

/** The highest protocol, of Python 3.8 and later. */
export const HIGHEST_PROTOCOL = 5;
