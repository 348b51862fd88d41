/** Numbers that differ from run to run and from machine to machine. */
const varying: readonly (readonly [RegExp, string])[] = [
  [/\d[\d.,]* (ms|s)\b/g, '? $1'],
  [/\b[0-9a-f]{64}\b/g, '?'],
];

/**
 * Whether a page shows what was printed. Times and hashes may differ, and a line `…` stands for any number of lines.
 */
export function shows(text: string, printed: string): boolean {
  const plain = (lines: string) => varying.reduce((s, [pattern, by]) => s.replace(pattern, by), lines);
  const pattern = plain(text)
    .split('\n')
    .map((line) => (line.trim() === '…' ? '(?:.*\\n)*?' : `${escaped(line)}\\n`))
    .join('');
  return new RegExp(`^${pattern}$`).test(`${plain(printed).trimEnd()}\n`);
}

function escaped(line: string): string {
  return line.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
