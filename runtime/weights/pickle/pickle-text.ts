import { UserError } from '../../files/user-error.ts';
import { small } from './pickle-bytes.ts';

/** The arguments of opcodes that are a line of text. */

/** Returns an integer of a text opcode, which may end in `L`. */
export function textInteger(text: string): number | bigint {
  const digits = text.replace(/L$/, '');
  if (!/^[+-]?\d{1,150}$/.test(digits)) throw new UserError('an integer of its pickle is not a number');
  return small(BigInt(digits));
}

export function memoIndex(line: string): number {
  if (!/^\d{1,10}$/.test(line)) throw new UserError('an index of its pickle is not a number');
  return Number(line);
}

export function textFloat(line: string): number {
  const named: Readonly<Record<string, number>> = { inf: Infinity, '-inf': -Infinity, nan: NaN, '-nan': NaN };
  if (Object.hasOwn(named, line)) return named[line]!;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(line)) throw new UserError('a float of its pickle is not a number');
  return Number(line);
}

/** A text in quotes, as Python's `repr` writes it. */
export function quotedText(line: string): string {
  const quote = line[0];
  if (line.length < 2 || (quote !== "'" && quote !== '"') || !line.endsWith(quote))
    throw new UserError('a text of its pickle has no quotes');
  return line.slice(1, -1).replaceAll(/\\(x[0-9a-fA-F]{2}|.)/g, (_, code: string) => {
    if (code.startsWith('x') && code.length === 3) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    const plain: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"' };
    return plain[code] ?? `\\${code}`;
  });
}

/** A text of protocol 0: Latin-1 with `\uXXXX` and `\UXXXXXXXX`. */
export function escapedText(line: string): string {
  return line.replaceAll(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (whole, short?: string, long?: string) => {
    const point = Number.parseInt(short ?? long!, 16);
    return point > 0x10ffff ? whole : String.fromCodePoint(point);
  });
}
