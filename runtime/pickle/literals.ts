import { narrowed, PickleFault } from './read-opcodes.ts';

/** The longest integer that is written in digits: more would take long to convert. */
const MOST_DIGITS = 160;

/** INT and LONG of protocol 0: digits, `00` and `01` for the truth values, an `L` at the end of a long. */
export function integerLine(line: string, kind: 'INT' | 'LONG'): number | bigint | boolean {
  if (kind === 'INT' && line === '00') return false;
  if (kind === 'INT' && line === '01') return true;
  const digits = kind === 'LONG' ? line.replace(/L$/, '') : line;
  if (!/^[+-]?\d+$/.test(digits)) throw new PickleFault(`${shown(line)} is no integer`);
  if (digits.length > MOST_DIGITS) throw new PickleFault(`an integer of ${digits.length} digits`);
  return narrowed(BigInt(digits.replace('+', '')));
}

/** FLOAT of protocol 0: what `repr` of a Python float writes. */
export function floatLine(line: string): number {
  const named = { inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY, nan: Number.NaN }[line];
  if (named !== undefined) return named;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(line)) throw new PickleFault(`${shown(line)} is no number`);
  return Number(line);
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** STRING of protocol 0: what `repr` of a Python 2 string writes, in quotes and with escapes. */
export function stringLine(line: string): string {
  const text = line.trim();
  const quote = text[0];
  if (text.length < 2 || (quote !== "'" && quote !== '"') || text.at(-1) !== quote)
    throw new PickleFault(`${shown(line)} is no string in quotes`);
  return text.slice(1, -1).replace(/\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)?/gs, (_, code: string | undefined) => {
    if (code === undefined) throw new PickleFault(`${shown(line)} ends within an escape`);
    const plain = escapes[code];
    if (plain !== undefined) return plain;
    if (/^x../.test(code)) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 255);
    return `\\${code}`;
  });
}

/** UNICODE of protocol 0: Latin-1 with `\uXXXX` and `\UXXXXXXXX` (Python's raw-unicode-escape). */
export function unicodeLine(line: string): string {
  return line.replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/g, (_, short?: string, long?: string) => {
    const code = Number.parseInt(short ?? long ?? '', 16);
    if (code > 0x10ffff) throw new PickleFault(`${shown(line)} has a character beyond Unicode`);
    return String.fromCodePoint(code);
  });
}

function shown(line: string): string {
  return JSON.stringify(line.length > 40 ? `${line.slice(0, 40)}…` : line);
}
