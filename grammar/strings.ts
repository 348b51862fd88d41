import type { IToken } from 'chevrotain';
import type { FaultSink } from './faults.ts';
import { OpenString } from './tokens.ts';

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', '"': '"', "'": "'", '\\': '\\' };

/**
 * Returns the value of a string token with its escapes resolved: `\n`, `\t`, `\"`, `\'`, `\\`. Other escapes are
 * reported.
 */
export function readString(file: string, token: IToken, faults: FaultSink): string {
  const end = token.tokenType === OpenString ? token.image.length : token.image.length - 1;
  let value = '';
  for (let at = 1; at < end; at++) {
    const letter = token.image[at]!;
    if (letter !== '\\') {
      value += letter;
      continue;
    }
    const escaped = token.image[++at] ?? '';
    const meant = escapes[escaped];
    if (meant === undefined && at < end) {
      const start = token.startOffset + at - 1;
      faults.add('CROB1020', { file, start, end: start + 2 }, { found: `\\${escaped}` });
    }
    value += meant ?? escaped;
  }
  return value;
}

/** Returns a string as a quoted source literal. */
export function writeString(value: string): string {
  const escaped = value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t');
  return `"${escaped}"`;
}
