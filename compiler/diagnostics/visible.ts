/**
 * Characters that a terminal interprets instead of printing: control characters, line ends, and marks that change
 * the text direction. Lone surrogates are not valid text either.
 */
const invisible = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function written(letter: string): string {
  return short[letter] ?? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * Escapes external text for one line of a terminal: invisible characters are written as in a string, `\n` or
 * `\u001b`.
 */
export function visible(text: string): string {
  return text.replace(invisible, written);
}

/**
 * Like `visible`, but keeps line ends. JSON stays the same document, since the escaped characters are inside its
 * strings.
 */
export function visibleLines(text: string): string {
  return text.replace(invisible, (letter) => (letter === '\n' ? letter : written(letter)));
}

/** Replaces each invisible character by one visible one, for excerpts, in which columns matter. */
export function standIn(letter: string): string {
  return letter.replace(invisible, '\u25a1');
}
