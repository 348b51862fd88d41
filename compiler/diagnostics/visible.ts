/**
 * What a terminal obeys instead of showing: controls, which move the cursor and change settings, line ends, and marks that turn
 * the direction of what follows. Half a surrogate pair is no text either.
 */
const invisible = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function written(letter: string): string {
  return short[letter] ?? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Text from outside on one line of a terminal: what would not be shown is written as in a string, `\n` or `\u001b`. */
export function visible(text: string): string {
  return text.replace(invisible, written);
}

/** Text of several lines, in which line ends are meant; JSON stays the same document, as the rest stands inside its strings. */
export function visibleLines(text: string): string {
  return text.replace(invisible, (letter) => (letter === '\n' ? letter : written(letter)));
}

/** For an excerpt, in which columns count: one sign for each. */
export function standIn(letter: string): string {
  return letter.replace(invisible, '\u25a1');
}
