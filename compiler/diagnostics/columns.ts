import { standIn } from './visible.ts';

/**
 * The number of terminal columns of a code point: 0 for combining marks, 2 for wide East Asian characters and emoji.
 */
export function columns(letter: string): number {
  const code = letter.codePointAt(0) ?? 0;
  if (code < 0x300) return code < 0x20 ? 0 : 1;
  if (/^[\p{Mn}\p{Me}\p{Cf}]$/u.test(letter)) return 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return wide ? 2 : 1;
}

export function width(text: string): number {
  let total = 0;
  for (const letter of text) total += columns(letter);
  return total;
}

/** Expands tabs to the next multiple of `stop` columns, so that marks below the line are aligned. */
export function expandTabs(text: string, stop = 2): string {
  let out = '';
  let at = 0;
  for (const letter of text) {
    const step = letter === '\t' ? stop - (at % stop) : columns(standIn(letter));
    out += letter === '\t' ? ' '.repeat(step) : standIn(letter);
    at += step;
  }
  return out;
}
