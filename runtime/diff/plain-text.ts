/** Returns source text without comments, with single spaces, line by line; empty lines are left out. */
export function plainLines(text: string): string[] {
  return withoutComments(text)
    .split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' '))
    .filter((line) => line !== '');
}

/** The same on one line. */
export function plainText(text: string): string {
  return plainLines(text)
    .join(' ')
    .replace(/([([]) /g, '$1')
    .replace(/,? ([)\]])/g, '$1');
}

/** Removes `//` comments; two slashes inside a string are none. */
function withoutComments(text: string): string {
  return text.replace(/"(?:\\.|[^"\\\n])*"|\/\/[^\n]*/g, (found) => (found.startsWith('"') ? found : ''));
}
